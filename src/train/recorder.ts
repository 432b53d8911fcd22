// Keeps the record of a run while it is trained: one entry an epoch, what was measured in it, what became of it.

import type { Outcome } from "../growth/tracker.ts";
import type { EpochRecord, RunHistory, SwitchRecord } from "../report/history.ts";

/** What is measured of the running epoch, until its validation score closes it. Plain JSON. */
export interface OpenEpoch {
  readonly lossSum: number;
  readonly steps: number;
  readonly trainSeconds: number;
  readonly validationSeconds: number;
  readonly test: number | null;
  readonly scores: Readonly<Record<string, number>>;
}

/** An epoch in which nothing was measured yet. */
export const FRESH_EPOCH: OpenEpoch = {
  lossSum: 0,
  steps: 0,
  trainSeconds: 0,
  validationSeconds: 0,
  test: null,
  scores: {},
};

/** The facts of the model while an epoch was trained. */
export interface EpochFacts {
  readonly branchEpoch: number;
  readonly cycle: number;
  readonly dendrites: number;
  readonly parameters: number;
  readonly learningRate: number;
  readonly validation: number;
}

/** The history with one more epoch, and what the tracker's outcome made of it and of those before. */
export function recordEpoch(
  history: RunHistory,
  open: OpenEpoch,
  facts: EpochFacts,
  outcome: Outcome,
): RunHistory {
  const epoch: EpochRecord = {
    epoch: history.epochs.length,
    ...facts,
    trainLoss: open.steps === 0 ? Number.NaN : open.lossSum / open.steps,
    running: outcome.runningScore,
    ...(open.test === null ? {} : { test: open.test }),
    ...(Object.keys(open.scores).length === 0 ? {} : { scores: { ...open.scores } }),
    trainSeconds: open.trainSeconds,
    validationSeconds: open.validationSeconds,
    abandoned: false,
  };
  const kept = outcome.state.history.length;
  const epochs = [...history.epochs, epoch].map((entry) =>
    entry.branchEpoch >= kept ? { ...entry, abandoned: true } : entry,
  );
  const grown = outcome.effects.some(({ type }) => type === "grow");
  const added: SwitchRecord = {
    epoch: epoch.epoch,
    dendrites: outcome.state.dendrites,
    reason: outcome.decisions.map(({ text }) => text).join(" "),
  };
  return { ...history, epochs, switches: grown ? [...history.switches, added] : history.switches };
}
