// The whole job in one call: epochs, scores, growth, progress, a run folder.

import { ArborizeError } from "../base/errors.ts";
import type { Batches } from "../data/batches.ts";
import type { Batch } from "../data/dataset.ts";
import type { Graph } from "../graph/graph.ts";
import type { Module } from "../nn/module.ts";
import type { OnnxModel } from "../onnx/read.ts";
import { costLine } from "../report/cost.ts";
import type { EpochRecord, RunHistory } from "../report/history.ts";
import { countingProgress, createProgress, type Progress } from "../report/progress.ts";
import { isInteractive } from "../report/terminal.ts";
import { type AboutOptions, aboutRun } from "./about.ts";
import { arborize } from "./arborize.ts";
import { estimateRun } from "./estimate.ts";
import type { Sink, TrainingEvent } from "./events.ts";
import { keepInFolder, showProgress, unstoppable } from "./listeners.ts";
import { loaders } from "./loaders.ts";
import type { ScoreOutcome } from "./parts.ts";
import { RunFolder } from "./run-folder.ts";
import type { Training } from "./training.ts";
import { explained } from "./write-run.ts";

/** What `fit` needs beside what `arborize` does. */
export interface FitOptions extends AboutOptions {
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
  /** Trackers that are told of the run, such as `sinks.tensorBoard("runs/x")`. None of them can stop it once it runs. */
  readonly sinks?: readonly Sink[];
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
  const { seed = 0 } = options;
  const about = () => aboutRun(training, options);
  if (folder && (await folder.holdsRun())) await training.load(folder.file("latest"));

  const { train, validation, test } = loaders(options, seed);
  const progress = progressOf(options.progress);
  const warn = (message: string) =>
    progress ? progress.log(message) : globalThis.process?.emitWarning(message);
  const shown = countingProgress(progress, "what the dendrites do");
  const explain = () =>
    explained(training, options, shown, signal).catch((error) => {
      // The network is there; that it cannot be explained is no reason to lose it.
      if (!(error instanceof ArborizeError)) throw error;
      warn(`The dendrites are not explained: ${error.message}`);
      return undefined;
    });
  const readers: Sink[] = [
    ...(progress ? [showProgress(progress)] : []),
    ...(folder ? [keepInFolder(folder, training, about, explain)] : []),
    ...(options.sinks ?? []).map((sink) => unstoppable(sink, warn)),
  ];
  const tell = async (event: TrainingEvent) => {
    for (const reader of readers) await reader.receive(event);
  };
  const trainToEnd = async () => {
    try {
      if (progress && (options.estimate ?? isWatched(options.progress))) {
        await tellCost(model, options, training, progress);
      }
      while (!training.complete && training.epochs < maxEpochs) {
        await trainEpoch(training, train, tell, folder, signal);
        if (test) training.addTestScore(await training.evaluate(test));
        const outcome = await training.addValidationScore(await training.evaluate(validation));
        const epoch = training.history.epochs.at(-1)!;
        await tell({ type: "epochEnd", epoch, outcome, history: training.history });
        await options.onEpoch?.(epoch, outcome);
      }
    } catch (error) {
      if (!signal?.aborted || error !== signal.reason) throw error;
      return "interrupted";
    }
    return training.complete ? "complete" : "stopped";
  };
  try {
    const { settings = {}, environment = {} } = about();
    const run = { name: folder?.name ?? "run", folder: folder?.path ?? null, settings, environment };
    await tell({ type: "start", run, history: training.history });
    const status = await trainToEnd();
    if (!training.complete) await training.restoreBest();
    await tell({ type: "end", status, history: training.history });
    return { training, history: training.history, interrupted: status === "interrupted" };
  } catch (error) {
    await tell({ type: "end", status: "failed", history: training.history });
    throw error;
  } finally {
    if (progress !== options.progress) progress?.close();
  }
}

/** Whether there is a standard error to write to, as browsers have none. */
const WRITES = globalThis.process?.stderr !== undefined;

function progressOf(given: boolean | Progress = WRITES): Progress | null {
  return given === true ? createProgress() : given || null;
}

/** Whether somebody sees the bar that `fit` makes. */
function isWatched(given: boolean | Progress = WRITES): boolean {
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
  tell: (event: TrainingEvent) => Promise<void>,
  folder: RunFolder | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  train.epoch = training.epochs;
  const epoch = training.history.epochs.filter(({ abandoned }) => !abandoned).length;
  const steps = train.length;
  await tell({ type: "epochStart", epoch, steps, phase: training.phase });
  let step = 0;
  let meanLoss = 0;
  for await (const batch of train) {
    signal?.throwIfAborted();
    const loss = await stepWithContext(training, batch, `epoch ${epoch}, step ${step}`, folder);
    step += 1;
    meanLoss += (loss - meanLoss) / step;
    await tell({ type: "step", step, steps, loss, meanLoss, dendrites: training.dendrites });
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
