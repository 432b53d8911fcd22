# Networks converted as the original library converts them, made again from the description of its checkpoints: the modules here
# have its tensors under its names. `original.py make FOLDER` writes networks with two dendrites of random weights, what they
# compute and their gradients; `original.py load FOLDER` loads files of ours with strict=True and writes what they compute.
import copy
import json
import os
import struct
import sys

import torch
from torch import nn
from torch.nn import functional as F

from safetensors import save_file

DTYPES = {"F32": torch.float32, "I64": torch.int64, "U8": torch.uint8}


def read(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        flat = bytearray(data[start:end])
        dtype = DTYPES[entry["dtype"]]
        found = torch.frombuffer(flat, dtype=dtype) if flat else torch.empty(0, dtype=dtype)
        tensors[name] = found.reshape(entry["shape"])
    return tensors


class PAISequential(nn.Module):
    """Layers that are converted as one."""

    def __init__(self, layers):
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class Values(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("shape", torch.zeros(channels))
        self.register_buffer("initialized", torch.zeros(1))
        self.register_buffer("current_d_init", torch.zeros(1))


class Dendrites(nn.Module):
    def __init__(self, main, channels):
        super().__init__()
        self.layers = nn.ModuleList()
        self.dendrites_to_dendrites = nn.ParameterList()
        self.dendrites_to_candidates = nn.ParameterList()
        self.parent_module = copy.deepcopy(main)
        self.dendrite_values = nn.ModuleList([Values(channels)])
        self.register_buffer("num_cycles", torch.zeros(1))


class Converted(nn.Module):
    """out = M(x) + sum T_j a_j with a_j = sigmoid(L_j(x) + sum U_ji a_i), a weight a neuron."""

    def __init__(self, main, channels, dimensions):
        super().__init__()
        self.channels, self.dimensions = channels, dimensions
        self.main_module = main
        self.dendrite_module = Dendrites(main, channels)
        self.dendrites_to_top = nn.ParameterList()
        for module in (self, self.dendrite_module):
            module.register_buffer("this_output_dimensions", torch.tensor(dimensions))
            module.register_buffer("this_node_index", torch.tensor(dimensions.index(0)))

    def add(self):
        inner, k = self.dendrite_module, len(self.dendrites_to_top)
        inner.layers.append(copy.deepcopy(inner.parent_module))
        inner.dendrites_to_dendrites.append(nn.Parameter(torch.zeros(k, self.channels) if k else torch.zeros(0)))
        if k:
            inner.dendrites_to_candidates = nn.ParameterList([nn.Parameter(torch.zeros(k, self.channels))])
        self.dendrites_to_top.append(nn.Parameter(torch.zeros(k + 1, self.channels)))
        inner.num_cycles += 2

    def forward(self, x):
        view = [1 if each else self.channels for each in self.dimensions]
        out, acts = self.main_module(x), []
        for c, layer in enumerate(self.dendrite_module.layers):
            z = layer(x)
            for i, act in enumerate(acts):
                z = z + self.dendrite_module.dendrites_to_dendrites[c][i].view(view) * act
            acts.append(torch.sigmoid(z))
        for c, act in enumerate(acts):
            out = out + self.dendrites_to_top[-1][c].view(view) * act
        return out


class BasicBlock(nn.Module):
    def __init__(self, inner, outer, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.downsample = nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.downsample(x))


IMAGE = [-1, 0, -1, -1]


def conv1d():
    first = Converted(nn.Conv1d(2, 4, 3), 4, [-1, 0, -1])
    return nn.Sequential(first, nn.Tanh(), Converted(nn.Conv1d(4, 3, 2, 2), 3, [-1, 0, -1])), (3, 2, 9)


def channel_last():
    first = Converted(nn.Linear(4, 6), 6, [-1, -1, 0])
    return nn.Sequential(first, nn.Tanh(), Converted(nn.Linear(6, 2), 2, [-1, -1, 0])), (3, 5, 4)


def sequential():
    block = PAISequential([nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)])
    layers = [Converted(block, 4, IMAGE), nn.Tanh(), nn.Flatten(), Converted(nn.Linear(36, 3), 3, [-1, 0])]
    return nn.Sequential(*layers), (4, 2, 5, 5)


def basic_block():
    stages = [Converted(BasicBlock(2, 4, 2), 4, IMAGE), Converted(BasicBlock(4, 3, 1), 3, IMAGE)]
    return nn.Sequential(*stages), (4, 2, 6, 6)


CASES = {each.__name__: each for each in (conv1d, channel_last, sequential, basic_block)}


def converted(net):
    return [module for module in net.modules() if isinstance(module, Converted)]


def numbers(net):
    """What the formula needs, k (P + C) + C k (k - 1) / 2 for each module beside its own."""
    total = 0
    for module in converted(net):
        own, k = sum(p.numel() for p in module.main_module.parameters()), len(module.dendrites_to_top)
        total += own * (k + 1) + module.channels * k + module.channels * k * (k - 1) // 2
    return total


def make(net, shape, folder):
    for module in converted(net):
        module.add()
        module.add()
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.5)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    x = torch.randn(shape)
    net.train()
    y = net(x)
    target = torch.randn(y.shape)
    loss = F.mse_loss(y, target)
    loss.backward()
    grads = {f"grad.{name}": p.grad for name, p in net.named_parameters() if p.grad is not None}
    save_file({**before, "tracker_string": torch.tensor([1, 2, 3], dtype=torch.uint8)}, f"{folder}/state.safetensors")
    save_file({"input": x, "target": target, "output": y, "loss": loss.detach(), **grads}, f"{folder}/found.safetensors")
    print(numbers(net))


def load(net, _, folder):
    state = read(f"{folder}/ours.safetensors")
    net.register_buffer("tracker_string", torch.zeros(3, dtype=torch.uint8))
    by_name = dict(net.named_modules())
    for name, module in by_name.items():
        if isinstance(module, Converted):
            for _ in range(int(state[f"{name}.dendrite_module.num_cycles"]) // 2):
                module.add()
    net.load_state_dict(state, strict=True)
    net.eval()
    with torch.no_grad():
        save_file({"output": net(read(f"{folder}/input.safetensors")["input"])}, f"{folder}/theirs.safetensors")


command, root = sys.argv[1:]
torch.set_num_threads(1)
for name, case in CASES.items():
    torch.manual_seed(7)
    os.makedirs(f"{root}/{name}", exist_ok=True)
    {"make": make, "load": load}[command](*case(), f"{root}/{name}")
