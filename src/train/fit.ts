// The whole job in one call: epochs, scores, growth, progress, a run folder.

import { ArborizeError } from "../base/errors.ts";
import type { Batches } from "../data/batches.ts";
import type { Batch, Dataset } from "../data/dataset.ts";
import type { Graph } from "../graph/graph.ts";
import type { Module } from "../nn/module.ts";
import type { OnnxModel } from "../onnx/read.ts";
import { costLine } from "../report/cost.ts";
import { dendriteCount, formatDuration, formatNumber, scoreFormat } from "../report/format.ts";
import type { EpochRecord, RunHistory } from "../report/history.ts";
import { createProgress, type Progress } from "../report/progress.ts";
import { isInteractive } from "../report/terminal.ts";
import { aboutRun } from "./about.ts";
import { arborize } from "./arborize.ts";
import { type EstimateOptions, estimateRun } from "./estimate.ts";
import { loaders } from "./loaders.ts";
import type { ScoreOutcome } from "./parts.ts";
import { meanScore } from "./recorder.ts";
import { RunFolder } from "./run-folder.ts";
import type { Training } from "./training.ts";

/** What `fit` needs beside what `arborize` does. */
export interface FitOptions extends EstimateOptions {
  /** A folder for the run: scores, chart, best and latest state, the network as ONNX. Default: nothing is written. */
  readonly runFolder?: string;
  /** Go on from the latest state in `runFolder`, if there is one. Default: false. */
  readonly resume?: boolean;
  /** A progress bar on a terminal and plain lines elsewhere, to standard error. Default: true. */
  readonly progress?: boolean | Progress;
  /**
   * Say beforehand what the run will cost, by `estimateRun`, which takes some steps' time. Default: where a terminal shows
   * progress.
   */
  readonly estimate?: boolean;
  /** Stops training after the step that is running. The run folder then holds the last whole epoch. */
  readonly signal?: AbortSignal;
  /** Called after each epoch. */
  readonly onEpoch?: (epoch: EpochRecord, outcome: ScoreOutcome) => void | Promise<void>;
}

/** What `fit` returns. */
export interface FitResult {
  /** The training, with the best network of the run. */
  readonly training: Training;
  readonly history: RunHistory;
  /** Whether `signal` stopped it. */
  readonly interrupted: boolean;
}

/**
 * Trains a network and grows dendrites on it until they no longer help.
 *
 * @throws what `arborize` and `Training` throw; `bad_option` when the run folder holds a run and `resume` is not set. What
 *   the folder holds is never lost.
 */
export async function fit(model: Module | OnnxModel | Graph, options: FitOptions): Promise<FitResult> {
  const { maxEpochs = Number.POSITIVE_INFINITY, signal } = options;
  const folder = options.runFolder === undefined ? null : new RunFolder(options.runFolder);
  if (folder && !options.resume && (await folder.holdsRun())) {
    throw new ArborizeError(
      "bad_option",
      `"${folder.path}" already holds a run. Set resume to go on with it, or name another folder.`,
    );
  }
  const training = await arborize(model, options);
  const { seed = 0, batchSize = 64 } = options;
  const report = (last?: boolean) => {
    const about = aboutRun(training, options, {
      batchSize,
      maxEpochs: options.maxEpochs ?? "until growth ends",
      examples: examplesOf(options.train),
    });
    return folder?.writeReport(training.history, about, last);
  };
  if (folder && (await folder.holdsRun())) {
    await training.load(folder.file("latest"));
    // A run that was killed may have saved its state and not yet its tables.
    await report();
  }

  const { train, validation, test } = loaders(options, seed);
  const progress = progressOf(options.progress);
  let interrupted = false;
  try {
    if (progress && (options.estimate ?? isWatched(options.progress))) {
      await tellCost(model, options, training, progress);
    }
    while (!training.complete && training.epochs < maxEpochs) {
      await trainEpoch(training, train, progress, folder, signal);
      if (test) training.addTestScore(await training.evaluate(test));
      const outcome = await training.addValidationScore(await training.evaluate(validation));
      const epoch = training.history.epochs.at(-1)!;
      progress?.finish(epochLine(epoch, training.history));
      if (outcome.restructured || outcome.complete) progress?.log(outcome.decisions.at(-1)!.text);
      if (folder) await writeEpoch(training, folder, outcome);
      await report();
      await options.onEpoch?.(epoch, outcome);
    }
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error;
    interrupted = true;
  } finally {
    if (progress !== options.progress) progress?.close();
  }
  if (!training.complete) await training.restoreBest();
  if (folder && !interrupted) await training.exportOnnx(folder.file("model"));
  await report(true);
  return { training, history: training.history, interrupted };
}

function examplesOf(data: Dataset | Batches): number {
  return "batch" in data ? data.length : data.dataset.length;
}

function progressOf(given: boolean | Progress = true): Progress | null {
  return given === true ? createProgress() : given || null;
}

/** Whether somebody sees the bar that `fit` makes. */
function isWatched(given: boolean | Progress = true): boolean {
  return given === true && isInteractive(process.stderr);
}

/** What is left to train costs. */
async function tellCost(
  model: Module | OnnxModel | Graph,
  options: FitOptions,
  training: Training,
  progress: Progress,
): Promise<void> {
  const { maxEpochs } = options;
  if (training.complete || (maxEpochs !== undefined && training.epochs >= maxEpochs)) return;
  const resumed = training.epochs > 0;
  const cost = await estimateRun(model, {
    ...options,
    ...(resumed ? { state: await training.stateDict() } : {}),
    ...(maxEpochs === undefined ? {} : { maxEpochs: maxEpochs - training.epochs }),
  });
  progress.log(costLine(cost));
}

async function trainEpoch(
  training: Training,
  train: Batches,
  progress: Progress | null,
  folder: RunFolder | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  train.epoch = training.epochs;
  // Decisions and chart count epochs along the branch, which goes back when an earlier network is restored.
  const epoch = training.history.epochs.filter(({ abandoned }) => !abandoned).length;
  const learning = training.phase === "dendrites" ? ", dendrites learn" : "";
  progress?.start(`epoch ${epoch}${learning}`, train.length);
  let done = 0;
  let mean = 0;
  for (const batch of train as Iterable<Batch>) {
    signal?.throwIfAborted();
    const loss = await stepWithContext(training, batch, `epoch ${epoch}, step ${done}`, folder);
    done += 1;
    mean += (loss - mean) / done;
    progress?.update(done, { loss: mean, dendrites: training.dendrites });
  }
}

/** A step whose errors say where it was and what is left. */
async function stepWithContext(training: Training, batch: Batch, where: string, folder: RunFolder | null) {
  try {
    return await training.step(batch);
  } catch (error) {
    if (!(error instanceof ArborizeError)) throw error;
    const kept =
      folder && (await folder.holdsRun())
        ? ` The last whole epoch is in "${folder.file("latest")}": resume from there.`
        : "";
    throw new ArborizeError(error.code, `In ${where}: ${error.message}${kept}`, { cause: error });
  }
}

/** The best parameters first, then the state that knows of them: whenever this stops, the folder can be gone on from. */
async function writeEpoch(training: Training, folder: RunFolder, outcome: ScoreOutcome): Promise<void> {
  if (outcome.best) {
    const { dendrites, validation } = training.history.epochs.at(-1)!;
    const facts = { dendrites: String(dendrites), [training.history.metric]: String(validation) };
    await folder.writeBest((await training.best()).values, facts);
  }
  if (outcome.decisions.some(({ type }) => type === "grow")) {
    await folder.writeBestOf(await training.best());
  }
  await training.save(folder.file("latest"));
}

function epochLine(epoch: EpochRecord, history: RunHistory): string {
  const { format } = scoreFormat(history);
  return [
    `epoch ${epoch.branchEpoch}`.padEnd(9),
    `loss ${formatNumber(epoch.trainLoss)}`,
    `validation ${format(epoch.validation)}`,
    ...(epoch.test === undefined ? [] : [`test ${format(epoch.test)}`]),
    `rate ${formatNumber(epoch.learningRate)}`,
    dendriteCount(epoch.dendrites),
    ...(epoch.dendriteScores ? [`dendrite score ${formatNumber(meanScore(epoch.dendriteScores))}`] : []),
    formatDuration(epoch.trainSeconds + epoch.validationSeconds),
  ].join("  ");
}
