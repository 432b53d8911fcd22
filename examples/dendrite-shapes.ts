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

import type { DendriteActivation } from "../src/index.ts";
import { runIfMain } from "./experiments/command.ts";
import { type Experiment, plannedGrowth } from "./experiments/experiment.ts";
import { type Subject, smallImages, titleOf } from "./experiments/small-images.ts";

const DIGITS = { images: "optdigits", cycle: { quick: 30, full: 100 } } as const;

const SUBJECTS: readonly Subject[] = [
  { ...DIGITS, name: "optdigits-8", network: "MLP", width: 8 },
  { ...DIGITS, name: "optdigits-16", network: "MLP", width: 16 },
  { ...DIGITS, name: "optdigits-cnn", network: "CNN", width: 4, cycle: { quick: 15, full: 100 } },
  { name: "fashion-16", network: "MLP", width: 16, images: "fashionMnist", cycle: { quick: 8, full: 40 } },
];

const SHAPES: readonly DendriteActivation[] = ["sigmoid", "tanh", "sin"];

function experiment(subject: Subject): Experiment {
  const arms = SHAPES.map((shape) => `dendrites, ${shape}`);
  return {
    ...smallImages(subject, {
      batchSize: 64,
      learningRate: 0.01,
      setup:
        "one dendrite on every neuron, its weights drawn with a standard deviation of .1, batches of 64, Adam .01 falling to a tenth in a cycle. _Longest_ is _longer_ with a cycle more: where it gains nothing, more epochs are no help.",
      dendritic: (cycle) =>
        Object.fromEntries(
          SHAPES.map((activation, i) => [
            arms[i]!,
            {
              epochs: 2 * cycle,
              growth: plannedGrowth(cycle),
              dendrites: { activation, initialScale: 0.1 },
            },
          ]),
        ),
    }),
    name: `dendrite-shapes-${subject.name}`,
    title: `Shapes of dendrites: ${titleOf(subject)} of width ${subject.width}`,
    published: "no result with controls.",
    comparisons: [
      ...arms.map((arm) => [arm, "longer"] as const),
      ...arms.map((arm) => [arm, "wider"] as const),
      ["dendrites, sin", "dendrites, sigmoid"],
      ["longest", "longer"],
    ],
  };
}

export const dendriteShapes: readonly Experiment[] = SUBJECTS.map(experiment);

await runIfMain(
  import.meta.url,
  "Shapes of dendrites on networks that have learned what they can.",
  dendriteShapes,
);
