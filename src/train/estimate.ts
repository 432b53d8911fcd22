// What a run will cost: measured on a copy of the network before it starts.

import type { Batches } from "../data/batches.ts";
import { type Batch, sizeOfBatch } from "../data/dataset.ts";
import type { Graph } from "../graph/graph.ts";
import { correlationSettings } from "../growth/correlation-settings.ts";
import { fastestGrowth, type PlannedEpochs } from "../growth/plan.ts";
import { type GrowthSettings, growthSettings } from "../growth/settings.ts";
import type { Module } from "../nn/module.ts";
import type { OnnxModel } from "../onnx/read.ts";
import type { DendriteCost, RunCost } from "../report/cost.ts";
import { type ArborizeOptions, arborize } from "./arborize.ts";
import { loaders, type RunData } from "./loaders.ts";
import type { Training } from "./training.ts";

/** What a run is estimated by: what `fit` takes. */
export interface EstimateOptions extends ArborizeOptions, RunData {
  /** Epochs after which to stop in any case. Default: none; growth ends training. */
  readonly maxEpochs?: number;
}

/** Steps that are timed, after the first two, and seconds after which no other begins. */
const STEPS = 5;
const ENOUGH = 2;

/**
 * Measures on a copy what a run with these options costs in time and memory. Some steps and evaluations of the network as it
 * is, and of it with more dendrites; the rest is arithmetic. The model is left as it is.
 *
 * @param more with how many dendrites more than there are it is measured. Default: 1, or 0 where none may grow.
 * @throws what `arborize` and `Training` throw.
 */
export async function estimateRun(
  model: Module | OnnxModel | Graph,
  options: EstimateOptions,
  { more = 1 }: { more?: number } = {},
): Promise<RunCost> {
  const { seed = 0, maxEpochs = Number.POSITIVE_INFINITY, dendrites } = options;
  const settings = growthSettings(options.growth);
  const correlation = dendrites?.learning === "correlation" ? correlationOf(dendrites.correlation) : null;
  const data = loaders(options, seed);
  const copy = await arborize(model, forMeasuring(options, settings));
  const measured: DendriteCost[] = [];
  try {
    for (;;) {
      const cost = await measure(copy, data);
      const grows = settings.switchMode !== "never" && copy.dendrites < settings.maxDendrites;
      const last = !grows || measured.length >= more;
      const apartStepSeconds = last ? null : await grow(copy, data.train);
      measured.push({ ...cost, apartStepSeconds });
      if (last) break;
    }
  } finally {
    await copy.release();
  }
  const plan = fastestGrowth(settings, measured[0]!.dendrites, maxEpochs, correlation);
  return { measured, ...total(plan, measured, data, settings, Number.isFinite(maxEpochs)) };
}

function correlationOf(options: NonNullable<ArborizeOptions["dendrites"]>["correlation"] = {}) {
  const { optimizer: _, ...settings } = options;
  return correlationSettings(settings);
}

/** Grows when told to, and always on. */
function forMeasuring(
  { scheduler: _, growth, dendrites, ...options }: EstimateOptions,
  { maxDendrites }: GrowthSettings,
): ArborizeOptions {
  const { maximize } = growth ?? {};
  const apart = dendrites?.learning === "correlation";
  return {
    ...options,
    growth: { switchMode: "never", maxDendrites, ...(maximize === undefined ? {} : { maximize }) },
    ...(dendrites && {
      dendrites: {
        ...dendrites,
        ...(apart ? { correlation: { ...dendrites.correlation, bootstrapBatches: 1 } } : {}),
      },
    }),
  };
}

type Data = ReturnType<typeof loaders>;

async function measure(copy: Training, data: Data): Promise<Omit<DendriteCost, "apartStepSeconds">> {
  const { firstSeconds, stepSeconds } = await timeSteps(copy, data.train);
  const exampleSeconds = await timeEvaluation(copy, data.validation);
  const { dendrites, parameterCount: parameters } = copy;
  const bytes = process.memoryUsage().rss;
  const evaluated = exampleSeconds * evaluatedExamples(data);
  const epochSeconds = data.train.length * stepSeconds + evaluated;
  const compileSeconds = Math.max(0, firstSeconds - stepSeconds);
  return { dendrites, parameters, compileSeconds, stepSeconds, exampleSeconds, epochSeconds, bytes };
}

/** Adds a dendrite. Gives the seconds of a step in which it learns by correlation, where it does. */
async function grow(copy: Training, train: Batches): Promise<number | null> {
  // Better than any score before, so that the network as it is counts as the best.
  const better = () => (copy.history.maximize ? copy.epochs : -copy.epochs);
  const force = { forceSwitch: true };
  await copy.addValidationScore(better(), force);
  if (copy.phase === "neurons") return null;
  const { stepSeconds } = await timeSteps(copy, train);
  await copy.addValidationScore(better(), force);
  return stepSeconds;
}

async function timeSteps(copy: Training, train: Batches) {
  const { epoch } = train;
  const times: number[] = [];
  const start = performance.now();
  let before = start;
  for await (const batch of repeated(train)) {
    await copy.step(batch);
    const now = performance.now();
    times.push((now - before) / 1000);
    before = now;
    if (times.length >= STEPS + 2 || (times.length > 2 && (now - start) / 1000 > ENOUGH)) break;
  }
  train.epoch = epoch;
  const [first, , ...warm] = times;
  return { firstSeconds: first!, stepSeconds: mean(warm) };
}

async function timeEvaluation(copy: Training, validation: Batches): Promise<number> {
  const { epoch } = validation;
  const perExample: number[] = [];
  let before = performance.now();
  for await (const batch of repeated(validation)) {
    await copy.evaluate([batch], null);
    const now = performance.now();
    const examples = sizeOfBatch(batch);
    perExample.push((now - before) / 1000 / examples);
    before = now;
    if (perExample.length === 3) break;
  }
  validation.epoch = epoch;
  return mean(perExample.slice(1));
}

/** Batches without end. */
async function* repeated(batches: Batches): AsyncGenerator<Batch, never> {
  for (;;) yield* batches as AsyncIterable<Batch>;
}

function evaluatedExamples({ validation, test }: Data): number {
  const examples = ({ length, batchSize, dataset }: Batches) => Math.min(length * batchSize, dataset.length);
  return examples(validation) + (test ? examples(test) : 0);
}

/** What a plan takes, by what was measured. */
function total(
  plan: readonly PlannedEpochs[],
  measured: readonly DendriteCost[],
  data: Data,
  settings: GrowthSettings,
  bounded: boolean,
): Omit<RunCost, "measured"> {
  const [now, last] = [measured[0]!, measured.at(-1)!];
  const costOf = (dendrites: number) => (key: "epochSeconds" | "compileSeconds" | "bytes") =>
    extrapolated(measured, dendrites, key);
  const evaluated = evaluatedExamples(data);
  const apartOf = (dendrites: number) => {
    const found = measured.find((row) => row.dendrites === dendrites - 1) ?? measured.at(-2);
    const step = found?.apartStepSeconds ?? last.stepSeconds;
    return data.train.length * step + now.exampleSeconds * evaluated;
  };
  const growing = plan.reduce((sum, { dendrites, epochs, apart }) => {
    const cost = costOf(dendrites);
    return sum + cost("compileSeconds") + epochs * (apart ? apartOf(dendrites) : cost("epochSeconds"));
  }, 0);
  const epochs = plan.reduce((sum, each) => sum + each.epochs, 0);
  // Cycles that wait for the score may be longer than the shortest, so only a limit says how many epochs there are.
  const known = Number.isFinite(epochs) && (bounded || settings.switchMode !== "history");
  const dendrites = plan.at(-1)?.dendrites ?? now.dendrites;
  const still = now.compileSeconds + epochs * now.epochSeconds;
  const planned = settings.switchMode !== "history";
  return {
    epochs: known ? epochs : null,
    seconds: known ? { still: planned ? growing : Math.min(still, growing), growing } : null,
    dendrites,
    bytes: costOf(known ? dendrites : last.dendrites)("bytes"),
    assumptions: assumptionsFor(settings, measured.length - 1, known ? dendrites - now.dendrites : 0),
  };
}

function extrapolated(
  measured: readonly DendriteCost[],
  dendrites: number,
  key: "epochSeconds" | "compileSeconds" | "bytes",
): number {
  const found = measured.find((row) => row.dendrites === dendrites);
  if (found) return found[key];
  const [before, last] = [measured.at(-2) ?? measured.at(-1)!, measured.at(-1)!];
  return last[key] + (dendrites - last.dendrites) * Math.max(0, last[key] - before[key]);
}

/** @param grown dendrites that the plan adds to those that there are. */
function assumptionsFor({ switchMode }: GrowthSettings, measured: number, grown: number): string[] {
  const waits = switchMode === "history";
  return [
    "the machine stays as busy as it was while these steps were timed",
    ...(grown > 0 ? ["each dendrite helps at its first try, from one learning rate"] : []),
    ...(grown > 0 && waits
      ? ["the lower time is without growth, the higher with cycles as short as patience lets them be"]
      : []),
    ...(grown > measured ? ["each further dendrite costs as much as the last that was measured"] : []),
    "writing the run folder takes no time",
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
