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
  /**
   * How often the schedule has changed the learning rate since it started with the present cycle, the
   * changes that a run of the search skipped at its start included.
   */
  readonly rateChanges: number;
  /** The epoch that patience counts from, if the search ended after the best of the cycle; else null. */
  readonly patienceFrom: number | null;
}

/**
 * The checkpoints that the tracker saves and restores by name: `"best"`, the best model of the run;
 * `"cycle"`, that of the present cycle, which only `retainAll` needs; and while a learning rate is searched
 * `"switch"`, the model as it has just grown, and `"run"`, the run which the present one must beat.
 */
export type Checkpoint = "best" | "cycle" | "switch" | "run";

/** One run of the learning-rate search: a dendrite's training from the moment it grew, from some rate on. */
export interface RateTried {
  readonly dendrite: number;
  readonly attempt: number;
  /** How many changes of the schedule it skipped at its start. */
  readonly skip: number;
  /** The learning rate of its first epoch; null if the caller gave none. */
  readonly startRate: number | null;
  /** The best running score it had when it was compared last or its cycle ended; null if none counted. */
  readonly score: number | null;
  /** Whether it was the best of its attempt at a dendrite so far; of equal ones, the lowest start. */
  readonly kept: boolean;
}

/** Where the search for the learning rate to start the present cycle with stands. */
export interface RateSearch {
  /** How many changes of the schedule the present run skipped at its start. */
  readonly skip: number;
  /** How many changes the model that grew had made by its best epoch: lower starts are seldom worth a try. */
  readonly bound: number;
  /** What the run before reached, if the present one is still to be compared with it. */
  readonly toBeat: {
    readonly score: number;
    readonly startRate: number | null;
    /** Its `rateChanges` then: equal ones mean equal rates. */
    readonly rateChanges: number;
  } | null;
  /**
   * After how many epochs runs are compared, and after twice as many the first one ends, if the rate does not
   * change before, as when it has reached its minimum. Known since a change met the bound; null before.
   */
  readonly comparisonEpochs: number | null;
}

/** All that the tracker knows: the branch of the model in memory, and what survives every restore. */
export interface TrackerState extends Branch {
  /** The best of the run. */
  readonly globalBest: Best | null;
  /** How many attempts at the present dendrite have failed. */
  readonly failedTries: number;
  /** Epochs that restores threw away. */
  readonly overwrittenEpochs: number;
  /** The search that is under way; null before the first growth, once a run was chosen, or without one. */
  readonly search: RateSearch | null;
  /** Every run of every search, oldest first, for the report. */
  readonly ratesTried: readonly RateTried[];
  /** The most epochs that the schedule has ever kept one learning rate before it changed it; 0: no change. */
  readonly longestWait: number;
  /** The branches stored with the checkpoints that may still be restored: the caller can drop others. */
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
    rateChanges: 0,
    patienceFrom: null,
    globalBest: null,
    failedTries: 0,
    overwrittenEpochs: 0,
    search: null,
    ratesTried: [],
    longestWait: 0,
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
  rateChanges: count,
  patienceFrom: count.nullable(),
});
const search = z.strictObject({
  skip: count,
  bound: count,
  toBeat: z
    .strictObject({ score: z.number(), startRate: z.number().nullable(), rateChanges: count })
    .nullable(),
  comparisonEpochs: count.nullable(),
});
const rateTried = z.strictObject({
  dendrite: count,
  attempt: count,
  skip: count,
  startRate: z.number().nullable(),
  score: z.number().nullable(),
  kept: z.boolean(),
});
const trackerState: z.ZodType<TrackerState> = z.strictObject({
  ...branch.shape,
  globalBest: best,
  failedTries: count,
  overwrittenEpochs: count,
  search: search.nullable(),
  ratesTried: z.array(rateTried),
  longestWait: count,
  snapshots: z.strictObject({
    best: branch.exactOptional(),
    cycle: branch.exactOptional(),
    switch: branch.exactOptional(),
    run: branch.exactOptional(),
  }),
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
