// All experiments, and the page of their results: `npm run experiments -- --scale quick --data ../shared/data --results docs`.

import { adultMlp } from "./adult-mlp.ts";
import { correlationDendrites } from "./correlation-dendrites.ts";
import { dendriteShapes } from "./dendrite-shapes.ts";
import { dendriticAnn, dendriticAnnFashion } from "./dendritic-ann.ts";
import { emnistResnet } from "./emnist-resnet.ts";
import { runIfMain } from "./experiments/command.ts";
import type { Experiment } from "./experiments/experiment.ts";
import { imdbDsnBert } from "./imdb-dsn-bert.ts";
import { mnistCnn } from "./mnist-cnn.ts";
import { twoSpiralsExperiment } from "./two-spirals.ts";

/** In the order of the page. */
export const EXPERIMENTS: readonly Experiment[] = [
  mnistCnn,
  emnistResnet,
  imdbDsnBert,
  adultMlp,
  dendriticAnn,
  dendriticAnnFashion,
  ...correlationDendrites,
  ...dendriteShapes,
  twoSpiralsExperiment,
];

await runIfMain(import.meta.url, "Runs the published experiments with their controls.", EXPERIMENTS);
