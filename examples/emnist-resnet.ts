// Handwritten letters and digits by a ResNet with dendrites.
//
// The idea: residual networks are deep already; do dendrites, one on each block, still add something? Images are turned by up
// to 10 degrees and sheared by up to 5, anew in every epoch: so "affine 5" of the publication is read here; a second turn by
// up to 5 degrees may have been meant.
//
// Published: a chart in the README of the original library (PerforatedAI, July 2025), of EMNIST Balanced (Cohen and others, 2017,
// arXiv 1702.05373) and one run each; the network is He and others' (2016, arXiv 1512.03385). Look at `dendrites` beside `longer`
// and `wider`, and at the intervals, not at the level: it is of other data, and of short runs.
//
//     npx tsx examples/emnist-resnet.ts --data ../shared/data --scale quick
//
// A folder has a part of ByMerge, packed as MNIST's files are. Without `--data` NIST's own files of ByMerge are downloaded, 560 MB.
// ResNet-18 is what `full` trains: hours on a few cores. The smaller scales train a narrow network with one block at each
// resolution. To try another network, change `network`; for other images, `IMAGES`, and `AUGMENTED`, what happens to them.

import { data, nn, optim } from "../src/index.ts";
import { runIfMain } from "./experiments/command.ts";
import { type Context, type Experiment, firstOf, plannedGrowth, trainArm } from "./experiments/experiment.ts";
import { withRestarts } from "./experiments/restarts.ts";
import { dataFrom } from "./shared.ts";

/** Epochs of a cycle; images; blocks at each of four resolutions; channels of the first. */
const SCALES = {
  smoke: { cycle: 1, train: 64, validation: 64, test: 64, blocks: [1, 1, 1, 1], width: 2 },
  quick: { cycle: 2, train: 6_000, validation: 2_000, test: 5_000, blocks: [1, 1, 1, 1], width: 8 },
  full: { cycle: 14, train: 90_000, validation: 6_323, test: 20_000, blocks: [2, 2, 2, 2], width: 64 },
} as const;

/** The published data are `split: "balanced"`, also with files of NIST's in a folder. */
const IMAGES = {
  load: (folder: string | undefined) =>
    data.emnist({ ...dataFrom(folder), ...(folder === undefined ? { split: "bymerge" } : {}) }),
  classes: data.EMNIST_CLASSES.bymerge,
  shape: [1, 28, 28],
} as const;

/** Black is what lies outside. */
const AUGMENTED = data.augment({ rotate: 10, shear: 5, fill: -0.1736 / 0.3317 });

const network = (blocks: readonly [number, number, number, number], width: number): nn.Module =>
  new nn.models.ResNet(blocks, {
    numClasses: IMAGES.classes,
    inChannels: IMAGES.shape[0],
    stem: "small",
    width,
  });

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
    const all = await IMAGES.load(folder);
    const [train, validation] = data.split(all.train, [sizes.train, sizes.validation], { seed: 1 });
    const falling = optim.stepLR({ stepSize: 1, gamma: 0.7 });
    const common = {
      inputs: { x: ["batch", ...IMAGES.shape] },
      parts: { train, validation, test: firstOf(all.test, sizes.test) },
      optimizer: optim.adadelta({ learningRate: 1 }),
      transform: AUGMENTED,
      growth: { switchMode: "never", maxDendrites: 0 },
      batchSize: 32,
    } as const;
    const longer = { epochs: 2 * cycle, scheduler: withRestarts(falling, cycle) };
    return {
      data: `EMNIST ByMerge${folder === undefined ? "" : " (part)"}, ${train.length} training, ${validation.length} validation, ${sizes.test} test images`,
      arms: [
        trainArm({
          ...common,
          name: "plain",
          model: () => network(blocks, width),
          epochs: cycle,
          scheduler: falling,
        }),
        trainArm({
          ...common,
          name: "dendrites",
          model: () => network(blocks, width),
          epochs: 2 * cycle,
          scheduler: falling,
          dendrites: { types: ["BasicBlock"] },
          growth: plannedGrowth(cycle),
        }),
        trainArm({ ...common, ...longer, name: "longer", model: () => network(blocks, width) }),
        // Twice the parameters.
        trainArm({
          ...common,
          ...longer,
          name: "wider",
          model: () => network(blocks, Math.round(width * Math.SQRT2)),
        }),
      ],
    };
  },
};

await runIfMain(import.meta.url, "EMNIST by a ResNet with dendrites and its controls.", [emnistResnet]);
