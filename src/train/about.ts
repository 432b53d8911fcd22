// What a run's report says beside its scores: what it was made with, and on what.

import { correlationSettings } from "../growth/correlation-settings.ts";
import { growthSettings } from "../growth/settings.ts";
import type { ReportOptions } from "../report/page.ts";
import type { EstimateOptions } from "./estimate.ts";
import type { RunData } from "./loaders.ts";
import type { Training } from "./training.ts";
import { version } from "./version.ts";

/** What a run is told of by. */
export interface AboutOptions extends EstimateOptions {
  /** What the report says of the data besides, such as its path: nested plain data. Default: nothing. */
  readonly dataFacts?: object;
  /**
   * On how many validation examples the dendrites of the best network are explained at the end, for the report; 0 for not at
   * all. Default: 500.
   */
  readonly explain?: number;
}

/** Settings, their defaults and the environment of a training, for `RunFolder.writeReport`. */
export function aboutRun(training: Training, options: AboutOptions): Omit<ReportOptions, "name"> {
  const { loss, optimizer, scheduler, metric, dendrites, seed = 0 } = options;
  const growth = growthSettings(options.growth);
  const { optimizer: own = optimizer, ...given } = dendrites?.correlation ?? {};
  const learning = { ...correlationSettings(given), optimizer: { name: own.name, ...own.options } };
  const correlation = dendrites?.learning === "correlation" ? { correlation: learning } : {};
  const known = version();
  return {
    settings: {
      loss: loss.name,
      metric: metric?.name ?? loss.name,
      optimizer: { name: optimizer.name, ...optimizer.options },
      scheduler: scheduler ? { name: scheduler.name, ...scheduler.options } : "none",
      growth: { ...growth, maximize: training.history.maximize },
      dendrites: { ...DENDRITES, ...dendrites, ...correlation, on: training.sites.join(", ") },
      data: {
        ...options.dataFacts,
        batchSize: options.batchSize ?? 64,
        maxEpochs: options.maxEpochs ?? "until growth ends",
        examples: examplesOf(options),
      },
      seed,
    },
    defaults: { growth: { ...growthSettings(), maximize: training.history.maximize }, dendrites: DENDRITES },
    environment: {
      ...(known === null ? {} : { Arborize: known }),
      engine: training.engineName,
      ...(globalThis.process?.versions?.node
        ? { "Node.js": process.version, system: `${process.platform} ${process.arch}` }
        : { system: "browser" }),
    },
  };
}

/** How many examples each part has. */
function examplesOf({ train, validation, test }: RunData) {
  const sizeOf = (data: RunData["train"]) => ("batch" in data ? data.length : data.dataset.length);
  return {
    train: sizeOf(train),
    validation: sizeOf(validation),
    ...(test ? { test: sizeOf(test) } : {}),
  };
}

const DENDRITES = { activation: "sigmoid", initialScale: 0.01, learning: "gradient" };
