// Dendrites of several non-linearities on networks that have learned what they can, beside the same network trained as long
// and a wider one.
//
// The idea: a network that still learns gains from more epochs whatever it grows. So cycles are long here and the rate is
// high, until another cycle without dendrites brings next to nothing; what dendrites add then is their own. A sigmoid is
// nearly straight around its middle, as its neuron is, and has to grow large weights before it is anything new. A sine
// bends at once.
//
// Nothing is published about this. Look at each shape beside `longer` and
// `longest`, which say what more epochs are worth, and beside `wider`, which has as many parameters.
//
//     npx tsx examples/dendrite-shapes.ts --data ../shared/data
//
// To try other shapes, change `SHAPES`; other networks go into `experiments/networks.ts` and `SUBJECTS`.

import { type DendriteActivation, data, nodeEngine, optim } from "../src/index.ts";
import { runIfMain } from "./experiments/command.ts";
import {
  type ArmOptions,
  type Context,
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
  readonly width: number;
  readonly source: "optdigits" | "fashionMnist";
  readonly side: number;
  readonly scales: Readonly<Record<Scale, Size>>;
}

const ALL = Number.POSITIVE_INFINITY;
const SMOKE = { cycle: 1, train: 200, validation: 100, test: 100 };
const DIGITS = { train: 3_023, validation: 800, test: ALL };
const OPTDIGITS = {
  source: "optdigits",
  side: 8,
  scales: { smoke: SMOKE, quick: { ...DIGITS, cycle: 30 }, full: { ...DIGITS, cycle: 100 } },
} as const;

const SUBJECTS: readonly Subject[] = [
  { ...OPTDIGITS, name: "optdigits-8", title: "Optical digits, MLP of width 8", network: "MLP", width: 8 },
  { ...OPTDIGITS, name: "optdigits-16", title: "Optical digits, MLP of width 16", network: "MLP", width: 16 },
  {
    ...OPTDIGITS,
    name: "optdigits-cnn",
    title: "Optical digits, CNN",
    network: "CNN",
    width: 4,
    scales: { ...OPTDIGITS.scales, quick: { ...DIGITS, cycle: 15 } },
  },
  {
    name: "fashion-16",
    title: "Fashion-MNIST, MLP of width 16",
    network: "MLP",
    width: 16,
    source: "fashionMnist",
    side: 28,
    scales: {
      smoke: SMOKE,
      quick: { cycle: 8, train: 8_000, validation: 2_000, test: ALL },
      full: { cycle: 40, train: 55_000, validation: 5_000, test: ALL },
    },
  },
];

const SHAPES: readonly DendriteActivation[] = ["sigmoid", "tanh", "sin"];

function experiment({ name, title, network, width, source, side, scales }: Subject): Experiment {
  const said = (scale: Scale) => {
    const { cycle, train, validation } = scales[scale];
    return `${train} of the training images, ${validation} others for validation; cycles of ${cycle} epochs, one dendrite on every neuron, its weights drawn with a standard deviation of .1, batches of 64, Adam .01 falling to a tenth in a cycle. _Longest_ is _longer_ with a cycle more: where it gains nothing, more epochs are no help.`;
  };
  const arms = SHAPES.map((shape) => `dendrites, ${shape}`);
  return {
    name: `dendrite-shapes-${name}`,
    title: `Shapes of dendrites: ${title}`,
    published: "no result with controls.",
    setup: { smoke: said("smoke"), quick: said("quick"), full: said("full") },
    score: "test accuracy",
    percent: true,
    seeds: { smoke: 1, quick: 10, full: 10 },
    comparisons: [
      ...arms.map((arm) => [arm, "longer"] as const),
      ...arms.map((arm) => [arm, "wider"] as const),
      ["dendrites, sin", "dendrites, sigmoid"],
      ["longest", "longer"],
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
          batchSize: 64,
          optimizer: optim.adam({ learningRate: 0.01 }),
          scheduler: falling,
          growth: { switchMode: "never", maxDendrites: 0 },
          // Products this small are not worth a second thread.
          engine: nodeEngine({ threads: 1 }),
          ...how,
        });
      const plain = (cycles: number) => ({ epochs: cycles * cycle, scheduler: withRestarts(falling, cycle) });
      const grown = (activation: DendriteActivation) =>
        arm(`dendrites, ${activation}`, {
          epochs: 2 * cycle,
          growth: plannedGrowth(cycle),
          dendrites: { activation, initialScale: 0.1 },
        });
      return {
        data: `${title}, ${train.length} training, ${validation.length} validation, ${parts.test.length} test images`,
        arms: [
          arm("plain", {}),
          ...SHAPES.map(grown),
          arm("wider", { ...plain(2), model: () => build(wide) }),
          arm("longer", plain(2)),
          arm("longest", plain(3)),
        ],
      };
    },
  };
}

export const dendriteShapes: readonly Experiment[] = SUBJECTS.map(experiment);

await runIfMain(
  import.meta.url,
  "Shapes of dendrites on networks that have learned what they can.",
  dendriteShapes,
);
