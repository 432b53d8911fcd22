// The main job: a small CNN on generated handwritten digits grows dendrites. Needs no network and no files.
//
// The idea: a network too small for its task stops learning; then each of its layers gets a dendrite, up to three times. Look at the
// report that it names at the end: each growth, the scores before and after it, and what each dendrite does.
//
//     npm start
//
// To try another network, change `SmallCnn`; for other data, what `train`, `validation` and `test` are, and `inputs`.

import { data, fit, losses, metrics, nn, optim, type Value } from "../src/index.ts";
import { main, newRunFolder, readFlags, showResult, stopOnInterrupt } from "./shared.ts";

class SmallCnn extends nn.Module {
  conv1 = new nn.Conv2d(1, 4, 3, { padding: 1 });
  conv2 = new nn.Conv2d(4, 6, 3, { padding: 1 });
  fc1 = new nn.Linear(6 * 5 * 5, 12);
  fc2 = new nn.Linear(12, 10);

  forward(x: Value) {
    x = this.conv1.call(x).relu().maxPool2d(2);
    x = this.conv2.call(x).relu().maxPool2d(2).flatten();
    return this.fc2.call(this.fc1.call(x).relu());
  }
}

await main(async () => {
  const flags = readFlags("Grows dendrites on a small CNN that reads generated handwritten digits.", {
    epochs: { standard: 150, help: "stop after this many epochs in any case" },
    dendrites: { standard: 3, help: "dendrites to grow at most on each layer" },
    seed: { standard: 0, help: "decides everything random" },
    out: { standard: "", help: "folder of the run; by default a new one under runs/" },
    resume: { standard: false, help: "go on with the run in --out" },
  });
  const folder = flags.out || newRunFolder("digits");
  const { train, validation, test } = data.digits({ train: 5000, validation: 2000, test: 2000 });

  const result = await fit(new SmallCnn(), {
    inputs: { x: ["batch", 1, 20, 20] },
    loss: losses.crossEntropy(),
    metric: metrics.accuracy,
    optimizer: optim.adam({ learningRate: 0.004 }),
    growth: { patience: 6, maxDendrites: flags.dendrites, maxTries: 2 },
    train,
    validation,
    test,
    batchSize: 32,
    seed: flags.seed,
    maxEpochs: flags.epochs,
    runFolder: folder,
    resume: flags.resume,
    signal: stopOnInterrupt(),
  });
  showResult(result, folder, "npm start --");
});
