// A run's dendrites explained, and a run that begins with a network that has learned.

import type { Explanation } from "../report/explanation.ts";
import { type AboutOptions, aboutRun } from "./about.ts";
import type { ExplainOptions } from "./explain.ts";
import { keepInFolder } from "./listeners.ts";
import { loaders } from "./loaders.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Training } from "./training.ts";

/** Validation examples on which a run explains its dendrites. */
const EXPLAINED = 500;

/** What the dendrites of a run's network do, as far as its options want to know; nothing once `signal` has stopped it. */
export async function explained(
  training: Training,
  { validation, explain = EXPLAINED, batchSize = 64, seed = 0 }: AboutOptions,
  onProgress?: ExplainOptions["onProgress"],
  signal?: AbortSignal,
): Promise<Explanation | undefined> {
  if (explain === 0) return undefined;
  const watched: ExplainOptions["onProgress"] = (done, total) => {
    signal?.throwIfAborted();
    onProgress?.(done, total);
  };
  try {
    return await training.explain(validation, { examples: explain, batchSize, seed, onProgress: watched });
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error;
    return undefined;
  }
}

/**
 * Writes a run whose first epoch is the network as it stands, with its scores and without any training. `fit` with `resume`
 * goes on from there.
 */
export async function writeStart(
  training: Training,
  folder: RunFolder,
  options: AboutOptions,
): Promise<void> {
  const about = () => aboutRun(training, options);
  const sink = keepInFolder(folder, training, about, () => explained(training, options));
  const { validation, test } = loaders(options, options.seed ?? 0);
  if (test) training.addTestScore(await training.evaluate(test));
  const outcome = await training.addValidationScore(await training.evaluate(validation));
  const { history } = training;
  await sink.receive({ type: "epochEnd", epoch: history.epochs.at(-1)!, outcome, history });
  // The score may have made it grow at once.
  await training.restoreBest();
  await sink.receive({ type: "end", status: "stopped", history });
}
