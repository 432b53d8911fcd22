// The record of a run: plain data that the tables, the chart and the report page show.

import { invariant } from "../base/errors.ts";

/** One epoch that was run, kept or later abandoned (its branch overwritten by a restore). */
export interface EpochRecord {
  /** Counts every epoch that was run, from 0; never goes back. */
  epoch: number;
  /** The tracker's epoch index, from 0: goes back when a checkpoint is restored. */
  branchEpoch: number;
  /** The cycle (the epochs between two additions of dendrites) the epoch belongs to, from 0. */
  cycle: number;
  /** Dendrites per neuron module while the epoch ran. */
  dendrites: number;
  /** Trainable parameters while the epoch ran. */
  parameters: number;
  learningRate: number;
  /** Mean training loss over the epoch. */
  trainLoss: number;
  /** Validation score, in the metric of the run. */
  validation: number;
  /** The running validation score that the tracker decides by. */
  running: number;
  /** Test score, where one was measured. */
  test?: number;
  /** Extra scores by name. */
  scores?: Record<string, number>;
  /** What dendrites learned by, by module; only where they learn apart from the network, as by correlation. */
  dendriteScores?: Record<string, number>;
  /** Seconds spent training. */
  trainSeconds: number;
  /** Seconds spent validating and testing. */
  validationSeconds: number;
  /** True once a restore left this epoch behind: it is not part of the network that the run holds. */
  abandoned: boolean;
}

/** An addition of dendrites. */
export interface SwitchRecord {
  /** The last epoch (`EpochRecord.epoch`) that was run before the addition. */
  epoch: number;
  /** Dendrites per neuron module after the addition. */
  dendrites: number;
  /** Why it happened, for people. */
  reason: string;
}

/** A learning rate that the search after an addition of dendrites began with. */
export interface RateRecord {
  /** Dendrites per neuron module meanwhile. */
  dendrites: number;
  /** The learning rate of the first epoch after the addition. */
  startRate: number;
  /** The best validation score that it led to, up to where it was compared. */
  score: number;
  /** Whether training went on from there. */
  kept: boolean;
}

/** Everything that is known of a run, finished or not. */
export interface RunHistory {
  /** What the scores measure, e.g. "accuracy". */
  metric: string;
  /** True when a higher score is better. */
  maximize: boolean;
  /** In the order in which they were run. */
  epochs: EpochRecord[];
  /** In the order in which they happened. */
  switches: SwitchRecord[];
  /** Learning rates that were tried after additions, in their order; absent where none were searched for. */
  ratesTried?: RateRecord[];
  /** Where the network that it began with is from, for people; absent where it began afresh. */
  origin?: string;
  /** Why the run came to its end, for people; absent while it goes on. */
  ended?: string;
}

/** What came of one dendrite count. */
export interface SummaryRow {
  dendrites: number;
  /** Trainable parameters of the network with the best score. */
  parameters: number;
  /** Best validation score: of the kept epochs when there are any, else of the abandoned ones. */
  validation: number;
  /** Test score at the epoch of the best validation score, where one was measured. */
  test?: number;
  /** The epoch (`EpochRecord.epoch`) of the best validation score. */
  epoch: number;
  /** Epochs that were run with this count, the abandoned ones included. */
  epochs: number;
  /** Seconds of training and validation, the abandoned epochs included. */
  seconds: number;
  /** Whether any epoch with this count is part of the network that the run holds. */
  kept: boolean;
  /** True for one row: the kept one with the best validation score (the fewest dendrites on a tie). */
  best: boolean;
}

/** Whether score `a` beats score `b`. A score that is not a number beats nothing and loses to any number. */
export function isBetter(history: Pick<RunHistory, "maximize">, a: number, b: number): boolean {
  if (Number.isNaN(a)) return false;
  if (Number.isNaN(b)) return true;
  return history.maximize ? a > b : a < b;
}

/** The kept epochs, by their place on the branch. */
export function keptEpochs(history: RunHistory): EpochRecord[] {
  return history.epochs.filter((e) => !e.abandoned).sort((a, b) => a.branchEpoch - b.branchEpoch);
}

/** The kept epoch with the best validation score, the first one on ties; undefined before any epoch. */
export function bestEpoch(history: RunHistory): EpochRecord | undefined {
  return bestOf(history, keptEpochs(history));
}

/** One row per dendrite count that was tried, by count. */
export function summarize(history: RunHistory): SummaryRow[] {
  const counts = [...new Set(history.epochs.map((e) => e.dendrites))].sort((a, b) => a - b);
  const rows = counts.map((dendrites) => summarizeCount(history, dendrites));
  let winner: SummaryRow | undefined;
  for (const row of rows) {
    if (row.kept && (!winner || isBetter(history, row.validation, winner.validation))) winner = row;
  }
  if (winner) winner.best = true;
  return rows;
}

function summarizeCount(history: RunHistory, dendrites: number): SummaryRow {
  const tried = history.epochs.filter((e) => e.dendrites === dendrites);
  const kept = tried.filter((e) => !e.abandoned);
  const top = bestOf(history, kept.length > 0 ? kept : tried);
  invariant(top, `a summary row for ${dendrites} dendrites, which no epoch ran with`);
  return {
    dendrites,
    parameters: top.parameters,
    validation: top.validation,
    ...(top.test === undefined ? {} : { test: top.test }),
    epoch: top.epoch,
    epochs: tried.length,
    seconds: tried.reduce((sum, e) => sum + e.trainSeconds + e.validationSeconds, 0),
    kept: kept.length > 0,
    best: false,
  };
}

function bestOf(history: RunHistory, epochs: EpochRecord[]): EpochRecord | undefined {
  let best = epochs[0];
  for (const e of epochs) if (best && isBetter(history, e.validation, best.validation)) best = e;
  return best;
}
