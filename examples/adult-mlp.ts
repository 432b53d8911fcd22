// A small network with dendrites against a large one without: who earns more than 50,000 dollars a year?
//
// The idea: an MLP of width 32 that grows dendrites may do what one of width 128 does, with fewer parameters.
//
// Published: an example of the original library's (PerforatedAI) reports it for credit default (30,000 rows, one seed), and no gain for
// Adult income (Becker and Kohavi, 1996), which is what is trained here. Look at the column of parameters beside that of scores, and at the line that
// compares with a plain network of as many parameters.
//
//     npx tsx examples/adult-mlp.ts --data ../shared/data
//
// To try your own table, put `data.prepare` of its file in place of `data.adult`, and as many features and classes into `Mlp` as it
// has; another network goes in place of `Mlp`, with its `hidden` widths.

import { data, metrics, nn, nodeEngine, optim } from "../src/index.ts";
import { runIfMain } from "./experiments/command.ts";
import {
  type Arm,
  type Context,
  correlatedGrowth,
  type Experiment,
  firstOf,
  plannedGrowth,
  trainArm,
} from "./experiments/experiment.ts";
import { withRestarts } from "./experiments/restarts.ts";
import { dataFrom } from "./shared.ts";

/** Epochs of a cycle, dendrites at most, rows to train on. */
const SCALES = {
  smoke: { cycle: 1, dendrites: 1, rows: 500 },
  quick: { cycle: 8, dendrites: 2, rows: Number.POSITIVE_INFINITY },
  full: { cycle: 50, dendrites: 4, rows: Number.POSITIVE_INFINITY },
} as const;

export const adultMlp: Experiment = {
  name: "adult-mlp",
  title: "Adult income, MLP",
  published:
    "credit default, AUC of width 128 (27.9k parameters) .7947, of width 32 with dendrites (18.8k) .7959; Adult: no gain.",
  setup: {
    smoke: "500 rows, cycles of 1 epoch, 1 dendrite.",
    quick:
      "Adult, all rows, 20 % of the training rows for validation; cycles of 8 epochs, 2 dendrites at most, Adam 1e-3 falling by .9 an epoch. _As many parameters_ is a plain network that has as many as width 32 with 2 dendrites.",
    full: "Adult, all rows, 20 % of the training rows for validation; cycles of 50 epochs, 4 dendrites at most, Adam 1e-3 falling by .97 an epoch. _As many parameters_ is a plain network that has as many as width 32 with 4 dendrites.",
  },
  score: "test AUC",
  percent: false,
  seeds: { smoke: 2, quick: 5, full: 10 },
  comparisons: [
    ["width 32, dendrites", "width 32"],
    ["width 32, dendrites", "width 32, longer"],
    ["width 32, dendrites", "as many parameters"],
    ["width 32, dendrites", "width 128"],
    ["width 64, dendrites", "width 64, longer"],
    ["width 32, dendrites by correlation", "width 32, longer"],
    ["width 32, dendrites by correlation", "width 32, dendrites"],
  ],
  async prepare({ data: folder, scale }: Context) {
    const all = await data.adult(dataFrom(folder));
    const { cycle, dendrites, rows } = SCALES[scale];
    const parts = {
      train: firstOf(all.train, rows),
      validation: firstOf(all.validation, rows),
      test: firstOf(all.test, rows),
    };
    const inFeatures = all.features.length;
    // Products this small are not worth a second thread.
    const engine = nodeEngine({ threads: 1 });
    const hidden = (width: number) => [width, width, width / 2];
    const epochs = cycle * (dendrites + 1);
    const falling = optim.exponentialLR({ gamma: scale === "full" ? 0.97 : 0.9 });
    const arm = (name: string, width: number, how: Partial<Parameters<typeof trainArm>[0]>): Arm =>
      trainArm({
        name,
        model: () => new nn.models.Mlp({ inFeatures, outFeatures: 2, hidden: hidden(width) }),
        inputs: { x: ["batch", inFeatures] },
        parts,
        epochs: cycle,
        batchSize: 256,
        optimizer: optim.adam({ learningRate: 0.001 }),
        scheduler: falling,
        metric: metrics.auc,
        growth: { switchMode: "never", maxDendrites: 0 },
        engine,
        ...how,
      });
    const grown: Partial<Parameters<typeof trainArm>[0]> = {
      epochs,
      growth: plannedGrowth(cycle, dendrites),
    };
    const longer = { epochs, scheduler: withRestarts(falling, cycle) };
    return {
      data: `Adult, ${parts.train.length} training, ${parts.validation.length} validation, ${parts.test.length} test rows`,
      arms: [
        arm("width 128", 128, {}),
        arm("width 64", 64, {}),
        arm("width 64, longer", 64, longer),
        arm("width 64, dendrites", 64, grown),
        arm("width 32", 32, {}),
        arm("width 32, longer", 32, longer),
        arm("width 32, dendrites", 32, grown),
        arm("width 32, dendrites by correlation", 32, correlatedGrowth(cycle, dendrites)),
        arm(
          "as many parameters",
          widthFor(parametersOf(inFeatures, 32) * (dendrites + 1), inFeatures),
          longer,
        ),
      ],
    };
  },
};

function parametersOf(inputs: number, width: number): number {
  const widths = [inputs, width, width, width / 2, 2];
  return widths.slice(1).reduce((sum, next, i) => sum + (widths[i]! + 1) * next, 0);
}

/** The even width whose network has about so many parameters. */
function widthFor(parameters: number, inputs: number): number {
  let width = 2;
  while (parametersOf(inputs, width + 2) <= parameters) width += 2;
  return width;
}

await runIfMain(import.meta.url, "Adult income by MLPs of several widths, with and without dendrites.", [
  adultMlp,
]);
