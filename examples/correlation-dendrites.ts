// Two ways in which dendrites learn, on small networks, beside the controls that a fair comparison needs.
//
// The idea: by gradient descent dendrites learn with their network; by correlation they first learn to follow what is left of
// their neuron's error, and join as they are (`docs/correlation.md`). The second way costs epochs in which the network stays
// as it is. So one control has as many epochs in which neurons learn, and another as many as all phases together at most;
// both have the restarts of the learning rate that growing brings. The wider network has as many parameters.
//
//     npx tsx examples/correlation-dendrites.ts --data ../shared/data
//
// The rule is that of cascade-correlation (Fahlman and Lebiere, 1990) for each neuron; Brenner and others (2025, arXiv 2501.18018)
// report gains by it, without these controls. Look at `dendrites by correlation` beside `longer` and `longest`, and at the parameters
// beside `wider`. To try a network of your own, add it to `experiments/networks.ts` and to `SUBJECTS`.

import { data, nodeEngine, optim } from "../src/index.ts";
import { runIfMain } from "./experiments/command.ts";
import {
  type ArmOptions,
  type Context,
  correlatedGrowth,
  type Experiment,
  firstOf,
  plannedGrowth,
  type Scale,
  trainArm,
} from "./experiments/experiment.ts";
import { NETWORKS } from "./experiments/networks.ts";
import { withRestarts } from "./experiments/restarts.ts";
import { widthWithAsMany } from "./experiments/widths.ts";
import { dataFrom } from "./shared.ts";

/** Epochs of a cycle, and how many images train, validate and test. */
interface Size {
  readonly cycle: number;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

interface Subject {
  readonly name: string;
  readonly title: string;
  readonly network: keyof typeof NETWORKS;
  readonly source: "optdigits" | "fashionMnist";
  readonly side: number;
  readonly width: number;
  readonly scales: Readonly<Record<Scale, Size>>;
}

const ALL = Number.POSITIVE_INFINITY;
const SMOKE = { cycle: 1, train: 200, validation: 100, test: 100 };
const OPTDIGITS = { title: "Optical digits", source: "optdigits", side: 8 } as const;
const FASHION = { title: "Fashion-MNIST", source: "fashionMnist", side: 28 } as const;
const DIGITS = { train: 3_023, validation: 800, test: ALL };

const SUBJECTS: readonly Subject[] = [
  {
    ...OPTDIGITS,
    name: "correlation-optdigits-mlp",
    network: "MLP",
    width: 16,
    scales: { smoke: SMOKE, quick: { ...DIGITS, cycle: 20 }, full: { ...DIGITS, cycle: 60 } },
  },
  {
    ...OPTDIGITS,
    name: "correlation-optdigits-cnn",
    network: "CNN",
    width: 8,
    scales: { smoke: SMOKE, quick: { ...DIGITS, cycle: 15 }, full: { ...DIGITS, cycle: 60 } },
  },
  {
    ...FASHION,
    name: "correlation-fashion-mlp",
    network: "MLP",
    width: 16,
    scales: {
      smoke: SMOKE,
      quick: { cycle: 8, train: 8_000, validation: 2_000, test: ALL },
      full: { cycle: 30, train: 55_000, validation: 5_000, test: ALL },
    },
  },
  {
    ...FASHION,
    name: "correlation-fashion-cnn",
    network: "CNN",
    width: 4,
    scales: {
      smoke: SMOKE,
      quick: { cycle: 8, train: 3_000, validation: 2_000, test: ALL },
      full: { cycle: 30, train: 55_000, validation: 5_000, test: ALL },
    },
  },
];

function experiment({ name, title, network, source, side, width, scales }: Subject): Experiment {
  const said = (scale: Scale) => {
    const { cycle, train, validation } = scales[scale];
    return `${train} of the training images, ${validation} others for validation; cycles of ${cycle} epochs, one dendrite, batches of 32, Adam 2e-3 falling to a tenth in a cycle. Dendrites that learn by correlation have up to a cycle to themselves, in which the network stays as it is. _Longer_ has as many epochs as neurons learn in, _longest_ a cycle more, as many as neurons and dendrites together; _wider_ has the parameters of the network with dendrites, and the epochs of _longer_.`;
  };
  return {
    name,
    title: `Dendrites by correlation: ${title}, ${network}`,
    published: "no result with controls for this rule (arXiv 2501.18018 reports gains in other networks).",
    setup: { smoke: said("smoke"), quick: said("quick"), full: said("full") },
    score: "test accuracy",
    percent: true,
    seeds: { smoke: 1, quick: 10, full: 10 },
    comparisons: [
      ["dendrites by correlation", "plain"],
      ["dendrites by correlation", "longer"],
      ["dendrites by correlation", "longest"],
      ["dendrites by correlation", "wider"],
      ["dendrites by correlation", "dendrites"],
      ["dendrites", "longer"],
      ["dendrites", "wider"],
    ],
    async prepare({ data: folder, scale }: Context) {
      const all = await data[source](dataFrom(folder));
      const { cycle, ...counts } = scales[scale];
      const [train, validation] = data.split(all.train, [counts.train, counts.validation], { seed: 1 });
      const parts = { train, validation, test: firstOf(all.test, counts.test) };
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
          batchSize: 32,
          optimizer: optim.adam({ learningRate: 0.002 }),
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
          arm("dendrites", { epochs: 2 * cycle, growth: plannedGrowth(cycle) }),
          arm("dendrites by correlation", correlatedGrowth(cycle)),
          arm("wider", { ...plain(2), model: () => build(wide) }),
          arm("longer", plain(2)),
          arm("longest", plain(3)),
        ],
      };
    },
  };
}

export const correlationDendrites: readonly Experiment[] = SUBJECTS.map(experiment);

await runIfMain(
  import.meta.url,
  "Dendrites by correlation and by gradient descent, and their controls.",
  correlationDendrites,
);
