// PyTorch's MNIST example, with dendrites: https://github.com/pytorch/examples/tree/main/mnist
//
// The idea: the same network, optimizer and schedule, in a program of your own. When the score has not become better for `patience`
// epochs, each layer gets a dendrite, and training goes on from the best weights. Look at the report that it names at the end: the
// score over the epochs, with the epoch in which the network grew, and what each dendrite does. Whether dendrites or only longer
// training helped is what `examples/mnist-cnn.ts` tells apart. Images of the test part choose the network, as in PyTorch's example.
//
//     npm run mnist -- --data ../shared/data
//
// To try another network, put a module of yours in place of `MnistNet`; for other images, `data.fashionMnist` in place of
// `data.mnist`, or any data set with the fields `x` and `target`.

import { availableParallelism } from "node:os";
import { data, fit, losses, metrics, nn, nodeEngine, optim } from "../src/index.ts";
import { dataFrom, main, newRunFolder, readFlags, showResult, stopOnInterrupt } from "./shared.ts";

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
  const { train, test } = await data.mnist(dataFrom(flags.data));

  const result = await fit(new nn.models.MnistNet(), {
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
