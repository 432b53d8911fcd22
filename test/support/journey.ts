// One small training that the journeys share: a CNN on generated digits, with everything that has state.

import { readFileSync } from "node:fs";
import { nodeEngine } from "../../src/engine/node.ts";
import {
  data,
  type FitOptions,
  losses,
  metrics,
  nn,
  optim,
  readSafetensors,
  type Value,
} from "../../src/index.ts";

/** conv 4, dropout, linear 10: 1,050 parameters. */
export class SmallNet extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3);
  drop = new nn.Dropout(0.2);
  fc = new nn.Linear(100, 10);
  forward(x: Value): Value {
    return this.fc.call(this.drop.call(this.conv.call(x).relu().maxPool2d(2).flatten()));
  }
}

export const digits = data.digits({ train: 300, validation: 100, test: 100, size: 12 });

/** Grows twice: cycles of three epochs, two dendrites, a test score each epoch. */
export const OPTIONS = {
  inputs: { x: ["batch", 1, 12, 12] },
  loss: losses.crossEntropy(),
  optimizer: optim.adam({ learningRate: 0.01 }),
  scheduler: optim.stepLR({ stepSize: 2, gamma: 0.7 }),
  metric: metrics.accuracy,
  growth: { switchMode: "fixed", fixedEpochs: 3, maxDendrites: 2 },
  batchSize: 50,
  seed: 5,
  engine: nodeEngine({ threads: 1 }),
  progress: false,
  ...digits,
} satisfies FitOptions;

/** A state file without what a clock put in: tensors as text and bytes by name, and the rest as data. */
export function stateOf(path: string): { tensors: Record<string, unknown>; rest: unknown } {
  const { tensors, metadata } = readSafetensors(readFileSync(path), path);
  return {
    tensors: Object.fromEntries([...tensors].map(([name, tensor]) => [name, [`${tensor}`, tensor.bytes()]])),
    rest: metadata.arborize === undefined ? metadata : JSON.parse(metadata.arborize, withoutTimes),
  };
}

/** For `JSON.parse`: leaves out seconds. */
function withoutTimes(key: string, value: unknown): unknown {
  return key.endsWith("Seconds") ? undefined : value;
}
