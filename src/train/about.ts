// What a run's report says beside its scores: what it was made with, and on what.

import { correlationSettings } from "../growth/correlation-settings.ts";
import { growthSettings } from "../growth/settings.ts";
import type { ReportOptions } from "../report/page.ts";
import type { ArborizeOptions } from "./arborize.ts";
import type { Training } from "./training.ts";

/** Settings, their defaults and the environment of a training, for `RunFolder.writeReport`. */
export function aboutRun(
  training: Training,
  options: ArborizeOptions,
  data: Readonly<Record<string, unknown>>,
): Omit<ReportOptions, "name"> {
  const { loss, optimizer, scheduler, metric, dendrites, seed = 0 } = options;
  const growth = growthSettings(options.growth);
  const { optimizer: own = optimizer, ...given } = dendrites?.correlation ?? {};
  const learning = { ...correlationSettings(given), optimizer: { name: own.name, ...own.options } };
  const correlation = dendrites?.learning === "correlation" ? { correlation: learning } : {};
  return {
    settings: {
      loss: loss.name,
      metric: metric?.name ?? loss.name,
      optimizer: { name: optimizer.name, ...optimizer.options },
      scheduler: scheduler ? { name: scheduler.name, ...scheduler.options } : "none",
      growth: { ...growth, maximize: training.history.maximize },
      dendrites: { ...DENDRITES, ...dendrites, ...correlation, on: training.sites.join(", ") },
      data,
      seed,
    },
    defaults: { growth: { ...growthSettings(), maximize: training.history.maximize }, dendrites: DENDRITES },
    environment: {
      engine: training.engineName,
      "Node.js": globalThis.process?.version ?? "none",
      system: globalThis.process ? `${process.platform} ${process.arch}` : "browser",
    },
  };
}

const DENDRITES = { activation: "sigmoid", initialScale: 0.01, learning: "gradient" };
