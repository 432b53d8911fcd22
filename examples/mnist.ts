// PyTorch's MNIST example, with dendrites: https://github.com/pytorch/examples/tree/main/mnist

import { availableParallelism } from "node:os";
import { data, fit, losses, metrics, nn, nodeEngine, optim, type Value } from "../src/index.ts";
import { main, newRunFolder, readFlags, showResult, stopOnInterrupt } from "./shared.ts";

class Net extends nn.Module {
  conv1 = new nn.Conv2d(1, 32, 3);
  conv2 = new nn.Conv2d(32, 64, 3);
  dropout1 = new nn.Dropout(0.25);
  dropout2 = new nn.Dropout(0.5);
  fc1 = new nn.Linear(9216, 128);
  fc2 = new nn.Linear(128, 10);

  forward(x: Value) {
    x = this.conv1.call(x).relu();
    x = this.conv2.call(x).relu().maxPool2d(2);
    x = this.dropout1.call(x).flatten();
    x = this.dropout2.call(this.fc1.call(x).relu());
    return this.fc2.call(x);
  }
}

await main(async () => {
  const flags = readFlags("PyTorch's MNIST example: two convolutions, Adadelta, StepLR, and dendrites.", {
    data: {
      standard: "",
      help: "folder with the four MNIST files; by default they are downloaded and cached",
    },
    epochs: { standard: 14, help: "stop after this many epochs in any case" },
    patience: { standard: 3, help: "epochs without improvement before a dendrite is added" },
    dendrites: { standard: 1, help: "dendrites to grow at most on each layer" },
    "batch-size": { standard: 64, help: "images in a batch" },
    lr: { standard: 1, help: "learning rate that every cycle starts from" },
    gamma: { standard: 0.7, help: "factor of the learning rate after each epoch" },
    seed: { standard: 1, help: "decides everything random" },
    threads: { standard: availableParallelism(), help: "threads to compute with" },
    out: { standard: "", help: "folder of the run; by default a new one under runs/" },
    resume: { standard: false, help: "go on with the run in --out" },
  });
  const folder = flags.out || newRunFolder("mnist");
  const { train, test } = await data.mnist({ ...(flags.data ? { folder: flags.data } : {}) });

  const result = await fit(new Net(), {
    inputs: { x: ["batch", 1, 28, 28] },
    loss: losses.crossEntropy(),
    metric: metrics.accuracy,
    optimizer: optim.adadelta({ learningRate: flags.lr }),
    scheduler: optim.stepLR({ stepSize: 1, gamma: flags.gamma }),
    growth: { patience: flags.patience, maxDendrites: flags.dendrites },
    engine: nodeEngine({ threads: flags.threads }),
    train,
    validation: test, // as PyTorch's example and the published result do
    batchSize: flags["batch-size"],
    seed: flags.seed,
    maxEpochs: flags.epochs,
    runFolder: folder,
    resume: flags.resume,
    signal: stopOnInterrupt(),
  });
  showResult(result, folder, "npm run mnist --");
});
