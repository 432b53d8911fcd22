// PyTorch's MNIST example with dendrites, beside the controls that a fair comparison needs.
//
// The idea: a trained network stalls; each of its neurons gets a dendrite, a copy of its layer behind a sigmoid, and training
// goes on from the best weights. Is it the dendrites that help, or the epochs, the restart of the learning rate, or the
// parameters? `longer` and `wider` answer that. _By correlation_, dendrites learn apart to follow the error that is left:
// docs/correlation.md; those epochs come on top.
//
// Published: charts in the README of the original library (PerforatedAI, July 2025), of one run each; their difference of .07
// points is less than what seeds make. Look at `dendrites` beside `longer` and `wider`, at the intervals, and at the column of
// parameters. `examples/mnist.ts` is the same network as a program of your own would train it.
//
//     npx tsx examples/mnist-cnn.ts --data ../shared/data
//
// To try another network, write it in place of `Cnn`, with a factor of its width; for other images, `data.fashionMnist` in place
// of `data.mnist`, or `parts` of a data set of your own.

import { data, nn, optim, type Value } from "../src/index.ts";
import { runIfMain } from "./experiments/command.ts";
import {
  type Context,
  correlatedGrowth,
  type Experiment,
  firstOf,
  plannedGrowth,
  trainArm,
} from "./experiments/experiment.ts";
import { withRestarts } from "./experiments/restarts.ts";
import { dataFrom } from "./shared.ts";

/** PyTorch's example; `width` times its channels and hidden units. */
class Cnn extends nn.Module {
  conv1: nn.Conv2d;
  conv2: nn.Conv2d;
  dropout1 = new nn.Dropout(0.25);
  dropout2 = new nn.Dropout(0.5);
  fc1: nn.Linear;
  fc2: nn.Linear;

  constructor(width: number) {
    super();
    const [first, second, hidden] = [32, 64, 128].map((n) => Math.round(n * width)) as [
      number,
      number,
      number,
    ];
    this.conv1 = new nn.Conv2d(1, first, 3);
    this.conv2 = new nn.Conv2d(first, second, 3);
    this.fc1 = new nn.Linear(second * 12 * 12, hidden);
    this.fc2 = new nn.Linear(hidden, 10);
  }

  forward(x: Value) {
    const features = this.conv2.call(this.conv1.call(x).relu()).relu();
    const hidden = this.fc1.call(this.dropout1.call(features.maxPool2d(2)).flatten()).relu();
    return this.fc2.call(this.dropout2.call(hidden));
  }
}

/** Epochs of a cycle; images; how many times as wide as published. */
const SCALES = {
  smoke: { cycle: 1, train: 64, validation: 64, test: 64, width: 0.25 },
  quick: { cycle: 3, train: 3_000, validation: 2_000, test: 10_000, width: 1 },
  full: { cycle: 14, train: 55_000, validation: 5_000, test: 10_000, width: 1 },
} as const;

export const mnistCnn: Experiment = {
  name: "mnist-cnn",
  title: "MNIST, PyTorch's CNN",
  published:
    "99.24 % to 99.30 % with one dendrite, 99.31 % with a perforated one, one run each, chosen by the test images.",
  setup: {
    smoke: "64 images, a quarter of the width, cycles of 1 epoch.",
    quick:
      "3,000 of the training images, 2,000 others for validation; cycles of 3 epochs, one dendrite, Adadelta, StepLR .7.",
    full: "55,000 of the training images, the other 5,000 for validation; cycles of 14 epochs, one dendrite, Adadelta, StepLR .7.",
  },
  score: "test accuracy",
  percent: true,
  seeds: { smoke: 1, quick: 3, full: 5 },
  comparisons: [
    ["dendrites", "plain"],
    ["dendrites", "longer"],
    ["dendrites", "wider"],
    ["dendrites by correlation", "plain"],
    ["dendrites by correlation", "longer"],
    ["dendrites by correlation", "dendrites"],
  ],
  async prepare({ data: folder, scale }: Context) {
    const all = await data.mnist(dataFrom(folder));
    const { cycle, width, ...sizes } = SCALES[scale];
    const [train, validation] = data.split(all.train, [sizes.train, sizes.validation], { seed: 1 });
    const parts = { train, validation, test: firstOf(all.test, sizes.test) };
    const falling = optim.stepLR({ stepSize: 1, gamma: 0.7 });
    const common = {
      inputs: { x: ["batch", 1, 28, 28] },
      parts,
      optimizer: optim.adadelta({ learningRate: 1 }),
      growth: { switchMode: "never", maxDendrites: 0 },
    } as const;
    const longer = { epochs: 2 * cycle, scheduler: withRestarts(falling, cycle) };
    return {
      data: `MNIST, ${train.length} training, ${validation.length} validation, ${parts.test.length} test images`,
      arms: [
        trainArm({
          ...common,
          name: "plain",
          model: () => new Cnn(width),
          epochs: cycle,
          scheduler: falling,
        }),
        trainArm({
          ...common,
          name: "dendrites",
          model: () => new Cnn(width),
          epochs: 2 * cycle,
          scheduler: falling,
          growth: plannedGrowth(cycle),
        }),
        trainArm({ ...common, ...longer, name: "longer", model: () => new Cnn(width) }),
        // Twice the parameters, which are nearly all in the product of two widths.
        trainArm({ ...common, ...longer, name: "wider", model: () => new Cnn(width * Math.SQRT2) }),
        trainArm({
          ...common,
          name: "dendrites by correlation",
          model: () => new Cnn(width),
          scheduler: falling,
          ...correlatedGrowth(cycle),
        }),
      ],
    };
  },
};

await runIfMain(import.meta.url, "PyTorch's MNIST CNN with dendrites and its controls.", [mnistCnn]);
