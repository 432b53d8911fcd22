// What the tracker remembers. Plain JSON: `null` is "none yet", and never 0, which is a score like others.

import { z } from "zod";
import { ArborizeError } from "../base/errors.ts";

/** One epoch's validation score as the tracker keeps it. */
export interface ScoredEpoch {
  readonly score: number;
  /** The smoothed score, which all comparisons use; equal to `score` when `lookback` is 1. */
  readonly runningScore: number;
  /** The learning rate the epoch was trained with; null if the caller gave none. */
  readonly learningRate: number | null;
}

/** A best running score and the epoch that set it. */
export interface Best {
  readonly score: number;
  readonly epoch: number;
}

/**
 * The past of one model: what belongs to the weights, is stored with them, and comes back when they do.
 * Epochs are counted along the branch from 0, so a restore makes the count go back.
 */
export interface Branch {
  /** One entry an epoch. */
  readonly history: readonly ScoredEpoch[];
  /** How many dendrites each neuron module has. */
  readonly dendrites: number;
  /** For each addition of dendrites, the first epoch of the cycle that it began. */
  readonly switchEpochs: readonly number[];
  /** The best of the present cycle. */
  readonly cycleBest: Best | null;
}

/**
 * The checkpoints that the tracker saves and restores by name: `"best"`, the best model of the run, and
 * `"cycle"`, that of the present cycle, which only `retainAll` needs.
 */
export type Checkpoint = "best" | "cycle";

/** All that the tracker knows: the branch of the model in memory, and what survives every restore. */
export interface TrackerState extends Branch {
  /** The best of the run. */
  readonly globalBest: Best | null;
  /** How many attempts at the present dendrite have failed. */
  readonly failedTries: number;
  /** Epochs that restores threw away. */
  readonly overwrittenEpochs: number;
  /** The branches stored with the checkpoints that exist. */
  readonly snapshots: Readonly<Partial<Record<Checkpoint, Branch>>>;
  /** Whether growing has come to its end: the model is final and no further score is accepted. */
  readonly complete: boolean;
}

/** The state of a run before its first epoch, for a network that has `dendrites` dendrites already. */
export function startTracking(dendrites = 0): TrackerState {
  return {
    history: [],
    dendrites,
    switchEpochs: [],
    cycleBest: null,
    globalBest: null,
    failedTries: 0,
    overwrittenEpochs: 0,
    snapshots: {},
    complete: false,
  };
}

/** How many epochs the present cycle has had. */
export function epochsInCycle({ history, switchEpochs }: Branch): number {
  return history.length - (switchEpochs.at(-1) ?? 0);
}

/** How many epochs were run in all, the overwritten ones included. */
export function totalEpochs({ history, overwrittenEpochs }: TrackerState): number {
  return history.length + overwrittenEpochs;
}

const count = z.int().min(0);
const best = z.strictObject({ score: z.number(), epoch: count }).nullable();
const branch = z.strictObject({
  history: z.array(
    z.strictObject({ score: z.number(), runningScore: z.number(), learningRate: z.number().nullable() }),
  ),
  dendrites: count,
  switchEpochs: z.array(count),
  cycleBest: best,
});
const trackerState: z.ZodType<TrackerState> = z.strictObject({
  ...branch.shape,
  globalBest: best,
  failedTries: count,
  overwrittenEpochs: count,
  snapshots: z.strictObject({ best: branch.exactOptional(), cycle: branch.exactOptional() }),
  complete: z.boolean(),
});

/**
 * The tracker state in `json`, a parsed checkpoint file.
 *
 * @throws `bad_file` when it is none, naming what is wrong.
 */
export function readTrackerState(json: unknown): TrackerState {
  const parsed = trackerState.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "state"}: ${issue.message}`);
  throw new ArborizeError("bad_file", ["This is no tracker state:", ...problems].join("\n- "));
}
