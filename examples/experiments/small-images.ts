// Small networks on small images, beside the controls that a fair comparison needs: what experiments about dendrites share.

import { data, nodeEngine, optim } from "../../src/index.ts";
import { dataFrom } from "../shared.ts";
import {
  type ArmOptions,
  type Context,
  type Experiment,
  firstOf,
  type Scale,
  trainArm,
} from "./experiment.ts";
import { NETWORKS } from "./networks.ts";
import { withRestarts } from "./restarts.ts";
import { widthWithAsMany } from "./widths.ts";

const IMAGES = {
  optdigits: {
    title: "Optical digits",
    side: 8,
    quick: { train: 3_023, validation: 800 },
    full: { train: 3_023, validation: 800 },
  },
  fashionMnist: {
    title: "Fashion-MNIST",
    side: 28,
    quick: { train: 8_000, validation: 2_000 },
    full: { train: 55_000, validation: 5_000 },
  },
} as const;

/** What is trained on what, and for how long. */
export interface Subject {
  readonly name: string;
  readonly network: keyof typeof NETWORKS;
  readonly width: number;
  readonly images: keyof typeof IMAGES;
  /** Epochs of a cycle. */
  readonly cycle: { readonly quick: number; readonly full: number };
  /** Images to train on at scale `quick`, where it is not the data set's own number. */
  readonly quickTrain?: number;
}

/** How an experiment trains its subjects. */
export interface Training {
  readonly batchSize: number;
  /** Adam's, which falls to a tenth in a cycle. */
  readonly learningRate: number;
  /** The setup in words, after the images and the length of a cycle. */
  readonly setup: string;
  /** The arms with dendrites. */
  readonly dendritic: (cycle: number) => Readonly<Record<string, Partial<ArmOptions>>>;
}

/**
 * An experiment with the arms _plain_ (one cycle), those with dendrites, _wider_ (two cycles, as many parameters as with one
 * dendrite on every neuron), _longer_ (two cycles) and _longest_ (three); each cycle restarts the learning rate.
 */
export function smallImages(
  subject: Subject,
  { batchSize, learningRate, setup, dendritic }: Training,
): Pick<Experiment, "setup" | "score" | "percent" | "seeds" | "prepare"> {
  const { network, width, images } = subject;
  const { title, side } = IMAGES[images];
  const said = (scale: Scale) => {
    const { cycle, train, validation } = sizeOf(subject, scale);
    return `${train} of the training images, ${validation} others for validation; cycles of ${cycle} epochs, ${setup}`;
  };
  return {
    setup: { smoke: said("smoke"), quick: said("quick"), full: said("full") },
    score: "test accuracy",
    percent: true,
    seeds: { smoke: 1, quick: 10, full: 10 },
    async prepare({ data: folder, scale }: Context) {
      const { cycle, test, ...counts } = sizeOf(subject, scale);
      const all = await data[images](dataFrom(folder));
      const [train, validation] = data.split(all.train, [counts.train, counts.validation], { seed: 1 });
      const parts = { train, validation, test: firstOf(all.test, test) };
      const build = (at: number) => NETWORKS[network](at, side);
      const inputs = { x: ["batch", 1, side, side] } as const;
      const wide = widthWithAsMany({ build, inputs }, width);
      const falling = optim.exponentialLR({ gamma: 0.1 ** (1 / cycle) });
      const arm = (named: string, how: Partial<ArmOptions>) =>
        trainArm({
          name: named,
          model: () => build(width),
          inputs,
          parts,
          epochs: cycle,
          batchSize,
          optimizer: optim.adam({ learningRate }),
          scheduler: falling,
          growth: { switchMode: "never", maxDendrites: 0 },
          // Products this small are not worth a second thread.
          engine: nodeEngine({ threads: 1 }),
          ...how,
        });
      const plain = (cycles: number) => ({
        epochs: cycles * cycle,
        scheduler: withRestarts(falling, cycle),
      });
      return {
        data: `${title}, ${train.length} training, ${validation.length} validation, ${parts.test.length} test images`,
        arms: [
          arm("plain", {}),
          ...Object.entries(dendritic(cycle)).map(([named, how]) => arm(named, how)),
          arm("wider", { ...plain(2), model: () => build(wide) }),
          arm("longer", plain(2)),
          arm("longest", plain(3)),
        ],
      };
    },
  };
}

/** A subject in words. */
export function titleOf({ images, network }: Subject): string {
  return `${IMAGES[images].title}, ${network}`;
}

function sizeOf({ images, cycle, quickTrain }: Subject, scale: Scale) {
  if (scale === "smoke") return { cycle: 1, train: 200, validation: 100, test: 100 };
  const size = { ...IMAGES[images][scale], cycle: cycle[scale], test: Number.POSITIVE_INFINITY };
  return scale === "quick" && quickTrain !== undefined ? { ...size, train: quickTrain } : size;
}
