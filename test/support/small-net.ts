// A small CNN with everything that has state, and how it is trained: for Node.js and for browsers.

import { type FitOptions, losses, metrics, nn, optim, type Value } from "../../src/anywhere.ts";
import { digits as drawn } from "../../src/data/digits.ts";

/** conv 4, dropout, linear 10: 1,050 parameters. */
export class SmallNet extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3);
  drop = new nn.Dropout(0.2);
  fc = new nn.Linear(100, 10);
  forward(x: Value): Value {
    return this.fc.call(this.drop.call(this.conv.call(x).relu().maxPool2d(2).flatten()));
  }
}

export const digits = drawn({ train: 300, validation: 100, test: 100, size: 12 });

/** Grows twice: cycles of three epochs, two dendrites, a test score each epoch. */
export const SMALL = {
  inputs: { x: ["batch", 1, 12, 12] },
  loss: losses.crossEntropy(),
  optimizer: optim.adam({ learningRate: 0.01 }),
  scheduler: optim.stepLR({ stepSize: 2, gamma: 0.7 }),
  metric: metrics.accuracy,
  growth: { switchMode: "fixed", fixedEpochs: 3, maxDendrites: 2 },
  batchSize: 50,
  seed: 5,
  ...digits,
} satisfies FitOptions;
