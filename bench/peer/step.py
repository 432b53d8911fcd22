# The peer: the same networks and dendrites in PyTorch, as plain modules. Serves blocks of training steps on request: a line with
# a number of steps on standard input, their milliseconds on standard output; at "end" its peak memory in MB.
import itertools, resource, sys, time
import torch
import torch.nn as nn
import torch.nn.functional as F

row, threads, dendrites = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
# "loader" and how many images an epoch has; or, of the MNIST CNN, the images in a batch and how many times as wide it is.
rest = sys.argv[4:]
loads = rest[:1] == ["loader"]
images, width = (64, 1) if loads or not rest else [float(text) for text in rest]
torch.set_num_threads(threads)
torch.manual_seed(0)


class Dendritic(nn.Module):
    """y = M(x) + sum_j T[j] * o_j, o_j = sigmoid(D_j(x) + sum_{i<j} C_j[i] * o_i)"""

    def __init__(self, make, channels, shape):
        super().__init__()
        self.neuron = make()
        self.layers = nn.ModuleList(make() for _ in range(dendrites))
        self.shape = shape
        self.output = nn.Parameter(torch.randn(dendrites, channels) * 0.01) if dendrites else None
        self.cascade = nn.ParameterList(nn.Parameter(torch.randn(j, channels) * 0.01) for j in range(1, dendrites))

    def forward(self, x):
        y, outputs = self.neuron(x), []
        for j, layer in enumerate(self.layers):
            z = layer(x)
            for i in range(j):
                z = z + self.cascade[j - 1][i].view(self.shape) * outputs[i]
            outputs.append(torch.sigmoid(z))
            y = y + self.output[j].view(self.shape) * outputs[j]
        return y


def linear(i, o):
    return Dendritic(lambda: nn.Linear(i, o), o, (-1,))


def conv(i, o, k):
    return Dendritic(lambda: nn.Conv2d(i, o, k), o, (1, -1, 1, 1))


class MnistNet(nn.Module):
    def __init__(self):
        super().__init__()
        a, b, c = (round(channels * width) for channels in (32, 64, 128))
        self.conv1, self.conv2 = conv(1, a, 3), conv(a, b, 3)
        self.fc1, self.fc2 = linear(144 * b, c), linear(c, 10)
        self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
        x = torch.flatten(self.dropout1(x), 1)
        return self.fc2(self.dropout2(F.relu(self.fc1(x))))


class BasicBlock(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        same = stride == 1 and i == o
        self.downsample = nn.Identity() if same else nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.downsample(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        widths = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1)]
        self.blocks = nn.Sequential(*(Dendritic(lambda w=w: BasicBlock(*w), w[1], (1, -1, 1, 1)) for w in widths))
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.fc(self.blocks(x).mean((2, 3)))


class Embeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places, self.types = nn.Embedding(30522, 128, padding_idx=0), nn.Embedding(512, 128), nn.Embedding(2, 128)
        self.norm, self.dropout = nn.LayerNorm(128, eps=1e-12), nn.Dropout(0.1)

    def forward(self, ids):
        placed = self.words(ids) + self.types(torch.zeros_like(ids)) + self.places(torch.arange(ids.shape[1]))
        return self.dropout(self.norm(placed))


class DsnBert(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings, self.dropout, self.classifier = Embeddings(), nn.Dropout(0.1), linear(128, 2)

    def forward(self, ids):
        return self.classifier(self.dropout(self.embeddings(ids).sum(1)))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.output = (linear(128, 128) for _ in range(4))
        self.up, self.down = linear(128, 512), linear(512, 128)
        self.norm1, self.norm2, self.dropout = nn.LayerNorm(128, eps=1e-12), nn.LayerNorm(128, eps=1e-12), nn.Dropout(0.1)

    def forward(self, x):
        heads = lambda y: y.view(*y.shape[:2], 2, 64).transpose(1, 2)
        q, k, v = heads(self.query(x)), heads(self.key(x)), heads(self.value(x))
        weights = self.dropout(torch.softmax(q @ k.transpose(2, 3) / 8, -1))
        x = self.norm1(x + self.dropout(self.output((weights @ v).transpose(1, 2).flatten(2))))
        return self.norm2(x + self.dropout(self.down(F.gelu(self.up(x)))))


class Bert(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings, self.layers = Embeddings(), nn.Sequential(Layer(), Layer())
        self.pooler, self.dropout, self.classifier = linear(128, 128), nn.Dropout(0.1), linear(128, 2)

    def forward(self, ids):
        return self.classifier(self.dropout(torch.tanh(self.pooler(self.layers(self.embeddings(ids))[:, 0]))))


class LastState(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(64, 128, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[1][0][0]


def lstm():
    return nn.Sequential(Dendritic(LastState, 128, (-1,)), nn.Linear(128, 10))


def mlp():
    return nn.Sequential(linear(784, 512), nn.ReLU(), linear(512, 512), nn.ReLU(), linear(512, 10))


tokens = lambda length: torch.randint(0, 30522, (32, length))
NETS = {
    "mnist-cnn": (MnistNet, lambda: torch.randn(int(images), 1, 28, 28), 10, lambda p: torch.optim.Adadelta(p, lr=1.0)),
    "resnet18": (ResNet, lambda: torch.randn(32, 3, 32, 32), 10, lambda p: torch.optim.Adadelta(p, lr=1.0)),
    "dsn-bert": (DsnBert, lambda: tokens(512), 2, lambda p: torch.optim.AdamW(p, lr=1e-5)),
    "bert-tiny": (Bert, lambda: tokens(128), 2, lambda p: torch.optim.AdamW(p, lr=1e-5)),
    "lstm": (lstm, lambda: torch.randn(32, 100, 64), 10, torch.optim.Adam),
    "mlp": (mlp, lambda: torch.randn(128, 784), 10, torch.optim.Adam),
}
make, draw, classes, optimize = NETS[row]
net, x = make(), draw()
target = torch.randint(0, classes, (x.shape[0],))
optimizer = optimize(net.parameters())


def step(x, target):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), target)
    loss.backward()
    optimizer.step()
    loss.item()


blas = next((line.split()[-1] for line in open("/proc/self/maps") if "blas" in line), "none")
about, batches = f"PyTorch {torch.__version__}, {blas}", itertools.repeat((x, target))
if loads:
    from loader import fastest

    batches, loading = fastest(row, x, classes, int(rest[1]), threads, step)
    about += f", {loading}"
print(about, flush=True)
for line in sys.stdin:
    if line.strip() == "end":
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
        break
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        step(*next(batches))
        times.append((time.perf_counter() - start) * 1e3)
    print(" ".join(f"{value:.3f}" for value in times), flush=True)
