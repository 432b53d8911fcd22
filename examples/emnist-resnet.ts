// Handwritten letters and digits by a ResNet with dendrites.
//
// The idea: residual networks are deep already; do dendrites still add something? Images are turned by up to 10 degrees and
// sheared by up to 5, anew in every epoch.
//
// Published: a chart in the README of the original library (PerforatedAI, July 2025), of EMNIST Balanced and one run each; the
// network is He and others' (2016, arXiv 1512.03385). Here the part of ByMerge is used that could be had, so look at the
// differences between arms, not at the level.
//
//     npx tsx examples/emnist-resnet.ts --data ../shared/data --scale quick
//
// ResNet-18 is what `full` trains: hours on a few cores. The smaller scales train a narrow network with one block at each
// resolution. To try another network, change `network`; for other images, `all` and what `augment` does to them. With NIST's own
// files in a folder, `data.emnist({ folder, split: "balanced" })` is the published data.

import { data, nn, optim } from "../src/index.ts";
import { runIfMain } from "./experiments/command.ts";
import { type Context, type Experiment, firstOf, plannedGrowth, trainArm } from "./experiments/experiment.ts";
import { withRestarts } from "./experiments/restarts.ts";

/** Epochs of a cycle; images; blocks at each of four resolutions; channels of the first. */
const SCALES = {
  smoke: { cycle: 1, train: 64, validation: 64, test: 64, blocks: [1, 1, 1, 1], width: 2 },
  quick: { cycle: 2, train: 6_000, validation: 2_000, test: 5_000, blocks: [1, 1, 1, 1], width: 8 },
  full: { cycle: 14, train: 90_000, validation: 6_323, test: 20_000, blocks: [2, 2, 2, 2], width: 64 },
} as const;

export const emnistResnet: Experiment = {
  name: "emnist-resnet",
  title: "EMNIST, ResNet",
  published: "ResNet-18, 86.24 % to 86.39 % with one gradient-descent dendrite, one run each.",
  setup: {
    smoke: "64 images, 2 channels, cycles of 1 epoch.",
    quick:
      "ResNet of 4 blocks, 8 channels in the first, 28 x 28 grey; 6,000 of the training images, 2,000 others for validation; cycles of 2 epochs, one dendrite on each block, Adadelta, StepLR .7.",
    full: "ResNet-18, 28 x 28 grey; 90,000 of the training images, the others for validation; cycles of 14 epochs, one dendrite on each block, Adadelta, StepLR .7.",
  },
  score: "test accuracy",
  percent: true,
  seeds: { smoke: 1, quick: 3, full: 1 },
  comparisons: [
    ["dendrites", "plain"],
    ["dendrites", "longer"],
    ["dendrites", "wider"],
  ],
  async prepare({ data: folder, scale }: Context) {
    const { cycle, blocks, width, ...sizes } = SCALES[scale];
    const all = await data.emnist(folder === undefined ? {} : { folder });
    const [train, validation] = data.split(all.train, [sizes.train, sizes.validation], { seed: 1 });
    const network = (channels: number) =>
      new nn.models.ResNet(blocks, { numClasses: 47, inChannels: 1, stem: "small", width: channels });
    const falling = optim.stepLR({ stepSize: 1, gamma: 0.7 });
    const common = {
      inputs: { x: ["batch", 1, 28, 28] },
      parts: { train, validation, test: firstOf(all.test, sizes.test) },
      optimizer: optim.adadelta({ learningRate: 1 }),
      transform: data.augment({ rotate: 10, shear: 5, fill: -0.1736 / 0.3317 }),
      growth: { switchMode: "never", maxDendrites: 0 },
      batchSize: 32,
    } as const;
    const longer = { epochs: 2 * cycle, scheduler: withRestarts(falling, cycle) };
    return {
      data: `EMNIST ByMerge (part), ${train.length} training, ${validation.length} validation, ${sizes.test} test images`,
      arms: [
        trainArm({
          ...common,
          name: "plain",
          model: () => network(width),
          epochs: cycle,
          scheduler: falling,
        }),
        trainArm({
          ...common,
          name: "dendrites",
          model: () => network(width),
          epochs: 2 * cycle,
          scheduler: falling,
          dendrites: { types: ["BasicBlock"] },
          growth: plannedGrowth(cycle),
        }),
        trainArm({ ...common, ...longer, name: "longer", model: () => network(width) }),
        // Twice the parameters.
        trainArm({
          ...common,
          ...longer,
          name: "wider",
          model: () => network(Math.round(width * Math.SQRT2)),
        }),
      ],
    };
  },
};

await runIfMain(import.meta.url, "EMNIST by a ResNet with dendrites and its controls.", [emnistResnet]);
