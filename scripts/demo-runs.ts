// Runs to make pictures of the live page with: a small CNN of nested modules on generated digits, grown as it is and with
// other settings. Each takes less than a minute on two cores.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { data, fit as grow, losses, metrics, nn, optim, RUN_FILES, type Value } from "../src/index.ts";

class Block extends nn.Module {
  readonly conv: nn.Conv2d;
  readonly norm: nn.BatchNorm2d;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.conv = new nn.Conv2d(inChannels, outChannels, 3, { padding: 1 });
    this.norm = new nn.BatchNorm2d(outChannels);
  }

  forward(x: Value): Value {
    return this.norm.call(this.conv.call(x)).relu().maxPool2d(2);
  }
}

class Digits extends nn.Module {
  features = new nn.Sequential(new Block(1, 6), new Block(6, 8));
  hidden = new nn.Linear(8 * 25, 12);
  output = new nn.Linear(12, 10);

  forward(x: Value): Value {
    return this.output.call(this.hidden.call(this.features.call(x).flatten()).relu());
  }
}

const RUNS = {
  digits: { seed: 1, growth: { patience: 4, maxDendrites: 3, maxTries: 1, findBestRate: false } },
  "no-dendrites": { seed: 1, growth: { switchMode: "never" } },
  "short-patience": { seed: 2, growth: { patience: 2, maxDendrites: 2 } },
} as const;

/** Trains what is not there yet in `folder`, and gives the folders of all runs. */
export async function demoRuns(folder: string): Promise<string[]> {
  const { train, validation, test } = data.digits({ train: 2000, validation: 800, test: 800 });
  const paths: string[] = [];
  for (const [name, { seed, growth }] of Object.entries(RUNS)) {
    const runFolder = join(folder, name);
    paths.push(runFolder);
    if (existsSync(join(runFolder, RUN_FILES.model))) continue;
    await grow(new Digits(), {
      inputs: { x: ["batch", 1, 20, 20] },
      loss: losses.crossEntropy(),
      metric: metrics.accuracy,
      optimizer: optim.adam({ learningRate: 0.004 }),
      scheduler: optim.stepLR({ stepSize: 3, gamma: 0.6 }),
      growth,
      train,
      validation,
      test,
      batchSize: 50,
      seed,
      maxEpochs: 90,
      runFolder,
    });
  }
  return paths;
}
