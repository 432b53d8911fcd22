// Dendrites by fixed wiring: the networks of Chavlis and Poirazi (2025, Nature Communications 16, 943).
//
// The idea: inputs go to dendrites that read 16 pixels each, dendrites to the one soma that they belong to, somata to classes.
// The paper says that such a network reaches what a dense one of the same layers does, with 10 to 1000 times fewer parameters.
// Look at the accuracy of dANN beside that of vANN, and at the small vANN that has no more parameters than dANN.
//
//     npx tsx examples/dendritic-ann.ts --data ../shared/data
//
// To try other sizes or wirings, change `SIZES` and `KINDS`; for other images of 28 x 28 that fall into 10 classes, what `all` loads.
// `nn.MaskedLinear` is a layer with a wiring of your own.

import { data, nn, nodeEngine, optim } from "../src/index.ts";
import { runIfMain } from "./experiments/command.ts";
import { type Context, type Experiment, firstOf, trainArm } from "./experiments/experiment.ts";
import { dataFrom } from "./shared.ts";

const SIZES = { dendrites: 4, somata: 64 };
const KINDS = ["dANN-R", "dANN-LRF", "dANN-GRF", "pdANN", "vANN"] as const;

const SCALES = {
  smoke: { epochs: { mnist: 1, fashionMnist: 1 }, examples: 500 },
  quick: { epochs: { mnist: 6, fashionMnist: 6 }, examples: 20_000 },
  full: { epochs: { mnist: 15, fashionMnist: 25 }, examples: Number.POSITIVE_INFINITY },
} as const;

function experiment(name: string, source: "mnist" | "fashionMnist", title: string): Experiment {
  const said = (scale: keyof typeof SCALES) =>
    `${SIZES.dendrites} dendrites on each of ${SIZES.somata} somata, Adam 1e-3, batches of 128, ${SCALES[scale].epochs[source]} epochs, 10 % for validation.`;
  return {
    name,
    title: `Dendritic ANNs, ${title}`,
    published: "dANN reaches the vanilla network's accuracy with 10 to 1000 times fewer parameters.",
    setup: {
      smoke: `500 images; ${said("smoke")}`,
      quick: `20,000 of the training images; ${said("quick")}`,
      full: said("full"),
    },
    score: "test accuracy",
    percent: true,
    seeds: { smoke: 2, quick: 5, full: 5 },
    comparisons: [
      ["dANN-R", "vANN"],
      ["dANN-LRF", "vANN"],
      ["dANN-GRF", "vANN"],
      ["dANN-R", "vANN, as few parameters"],
    ],
    async prepare({ data: folder, scale }: Context) {
      const all = await data[source](dataFrom(folder));
      const { examples, epochs } = SCALES[scale];
      const [train, validation] = data.split(firstOf(all.train, examples), [0.9, 0.1], { seed: 1 });
      // Products this small are not worth a second thread.
      const engine = nodeEngine({ threads: 1 });
      const parts = { train, validation, test: firstOf(all.test, examples) };
      const arm = (label: string, options: Omit<nn.models.DendriticNetOptions, "seed">) =>
        trainArm({
          name: label,
          model: (seed) => new nn.models.DendriticNet({ ...options, seed }),
          inputs: { x: ["batch", 1, 28, 28] },
          parts,
          epochs: epochs[source],
          batchSize: 128,
          engine,
          optimizer: optim.adam({ learningRate: 0.001 }),
          growth: { switchMode: "never", maxDendrites: 0 },
          parameters: (model) => (model as nn.models.DendriticNet).effectiveParameters,
        });
      return {
        data: `${title}, ${train.length} training, ${validation.length} validation, ${parts.test.length} test images`,
        arms: [
          ...KINDS.map((kind) => arm(kind, { kind, ...SIZES })),
          arm("vANN, as few parameters", { kind: "vANN", dendrites: 1, somata: 6 }),
        ],
      };
    },
  };
}

export const dendriticAnn = experiment("dendritic-ann", "mnist", "MNIST");
export const dendriticAnnFashion = experiment("dendritic-ann-fashion", "fashionMnist", "Fashion-MNIST");

await runIfMain(import.meta.url, "Networks with dendrites of fixed wiring, and the same ones dense.", [
  dendriticAnn,
  dendriticAnnFashion,
]);
