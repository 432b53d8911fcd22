# The peer: the same network and dendrites in PyTorch, as plain modules. Serves blocks of training steps on request: a line with
# a number of steps on standard input, their milliseconds on standard output; at "end" its peak memory in MB.
import resource, sys, time
import torch
import torch.nn as nn
import torch.nn.functional as F

threads, batch, dendrites = (int(argument) for argument in sys.argv[1:4])
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


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = Dendritic(lambda: nn.Conv2d(1, 32, 3), 32, (1, -1, 1, 1))
        self.conv2 = Dendritic(lambda: nn.Conv2d(32, 64, 3), 64, (1, -1, 1, 1))
        self.fc1 = Dendritic(lambda: nn.Linear(9216, 128), 128, (1, -1))
        self.fc2 = Dendritic(lambda: nn.Linear(128, 10), 10, (1, -1))
        self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
        x = torch.flatten(self.dropout1(x), 1)
        return self.fc2(self.dropout2(F.relu(self.fc1(x))))


net = Net()
optimizer = torch.optim.Adadelta(net.parameters(), lr=1.0)
x, target = torch.randn(batch, 1, 28, 28), torch.randint(0, 10, (batch,))

blas = next((line.split()[-1] for line in open("/proc/self/maps") if "blas" in line), "none")
print(f"PyTorch {torch.__version__}, {blas}", flush=True)
for line in sys.stdin:
    if line.strip() == "end":
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
        break
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), target)
        loss.backward()
        optimizer.step()
        loss.item()
        times.append((time.perf_counter() - start) * 1e3)
    print(" ".join(f"{value:.3f}" for value in times), flush=True)
