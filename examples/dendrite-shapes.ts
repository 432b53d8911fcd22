// Dendrites of several non-linearities on networks that have learned what they can, beside the same network trained as long
// and a wider one.
//
// The idea: a network that still learns gains from more epochs whatever it grows. So cycles are long here and the rate is
// high, until another cycle without dendrites brings next to nothing; what dendrites add then is their own. A sigmoid is
// nearly straight around its middle, as its neuron is, and has to grow large weights before it is anything new. A sine
// bends at once.
//
// Nothing is published about this; the data are Alpaydin and Kaynak's optical digits (1998). Look at each shape beside `longer` and
// `longest`, which say what more epochs are worth, and beside `wider`, which has as many parameters.
//
//     npx tsx examples/dendrite-shapes.ts --data ../shared/data
//
// To try other shapes, change `SHAPES`; widths are the numbers that `experiment` is called with at the end.

import { type DendriteActivation, data, nn, nodeEngine, optim } from "../src/index.ts";
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
import { withRestarts } from "./experiments/restarts.ts";
import { widthWithAsMany } from "./experiments/widths.ts";
import { dataFrom } from "./shared.ts";

const ALL = Number.POSITIVE_INFINITY;
const DIGITS = { train: 3_023, validation: 800, test: ALL };
const SCALES = {
  smoke: { cycle: 1, train: 200, validation: 100, test: 100 },
  quick: { ...DIGITS, cycle: 30 },
  full: { ...DIGITS, cycle: 100 },
} as const satisfies Record<Scale, object>;

const SHAPES: readonly DendriteActivation[] = ["sigmoid", "tanh", "sin"];

function experiment(width: number): Experiment {
  const said = (scale: Scale) => {
    const { cycle, train, validation } = SCALES[scale];
    return `one hidden layer of ${width}; ${train} of the training images, ${validation} others for validation; cycles of ${cycle} epochs, one dendrite on every neuron, its weights drawn with a standard deviation of .1, batches of 64, Adam .01 falling to a tenth in a cycle. _Longest_ is _longer_ with a cycle more: where it gains nothing, more epochs are no help.`;
  };
  const arms = SHAPES.map((shape) => `dendrites, ${shape}`);
  return {
    name: `dendrite-shapes-${width}`,
    title: `Shapes of dendrites: Optical digits, MLP of width ${width}`,
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
      const all = await data.optdigits(dataFrom(folder));
      const { cycle, ...counts } = SCALES[scale];
      const [train, validation] = data.split(all.train, [counts.train, counts.validation], { seed: 1 });
      const parts = { train, validation, test: firstOf(all.test, counts.test) };
      const build = (hidden: number) =>
        new nn.models.Mlp({ inFeatures: 64, outFeatures: 10, hidden: [hidden] });
      const inputs = { x: ["batch", 1, 8, 8] } as const;
      const wide = widthWithAsMany({ build, inputs }, width);
      const falling = optim.exponentialLR({ gamma: 0.1 ** (1 / cycle) });
      const arm = (name: string, how: Partial<ArmOptions>) =>
        trainArm({
          name,
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
        data: `Optical digits, ${train.length} training, ${validation.length} validation, ${parts.test.length} test images`,
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

export const dendriteShapes: readonly Experiment[] = [8, 16].map(experiment);

await runIfMain(
  import.meta.url,
  "Shapes of dendrites on networks that have learned what they can.",
  dendriteShapes,
);
