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

import { runIfMain } from "./experiments/command.ts";
import { correlatedGrowth, type Experiment, plannedGrowth } from "./experiments/experiment.ts";
import { type Subject, smallImages, titleOf } from "./experiments/small-images.ts";

const DIGITS = { images: "optdigits", cycle: { quick: 20, full: 60 } } as const;
const FASHION = { images: "fashionMnist", cycle: { quick: 8, full: 30 } } as const;

const SUBJECTS: readonly Subject[] = [
  { ...DIGITS, name: "optdigits-mlp", network: "MLP", width: 16 },
  { ...DIGITS, name: "optdigits-cnn", network: "CNN", width: 8, cycle: { quick: 15, full: 60 } },
  { ...FASHION, name: "fashion-mlp", network: "MLP", width: 16 },
  { ...FASHION, name: "fashion-cnn", network: "CNN", width: 4, quickTrain: 3_000 },
];

function experiment(subject: Subject): Experiment {
  return {
    ...smallImages(subject, {
      batchSize: 32,
      learningRate: 0.002,
      setup:
        "one dendrite, batches of 32, Adam 2e-3 falling to a tenth in a cycle. Dendrites that learn by correlation have up to a cycle to themselves, in which the network stays as it is. _Longer_ has as many epochs as neurons learn in, _longest_ a cycle more, as many as neurons and dendrites together; _wider_ has the parameters of the network with dendrites, and the epochs of _longer_.",
      dendritic: (cycle) => ({
        dendrites: { epochs: 2 * cycle, growth: plannedGrowth(cycle) },
        "dendrites by correlation": correlatedGrowth(cycle),
      }),
    }),
    name: `correlation-${subject.name}`,
    title: `Dendrites by correlation: ${titleOf(subject)}`,
    published: "no result with controls for this rule (arXiv 2501.18018 reports gains in other networks).",
    comparisons: [
      ["dendrites by correlation", "plain"],
      ["dendrites by correlation", "longer"],
      ["dendrites by correlation", "longest"],
      ["dendrites by correlation", "wider"],
      ["dendrites by correlation", "dendrites"],
      ["dendrites", "longer"],
      ["dendrites", "wider"],
    ],
  };
}

export const correlationDendrites: readonly Experiment[] = SUBJECTS.map(experiment);

await runIfMain(
  import.meta.url,
  "Dendrites by correlation and by gradient descent, and their controls.",
  correlationDendrites,
);
