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
  /** What dendrites learned by, by module, where they learned apart from the network. */
  readonly dendriteScores?: Readonly<Record<string, number>>;
}

/**
 * Which epochs led to the network in hand, and to those kept as checkpoints: numbers of `RunHistory.epochs`. Plain JSON.
 */
export interface Lineage {
  readonly current: readonly number[];
  readonly kept: Readonly<Record<string, readonly number[]>>;
}

/** The lineage of a network that has not been trained. */
export const NO_LINEAGE: Lineage = { current: [], kept: {} };

/** The record of a run: what was measured, and which epochs the network in hand comes from. */
export interface RunRecord {
  readonly history: RunHistory;
  readonly lineage: Lineage;
}

/** What of the tracker's outcome is recorded. */
type RecordedOutcome = Pick<Outcome, "state" | "effects" | "decisions" | "runningScore" | "complete">;

/** The record with one more epoch, and what the tracker's outcome made of it and of those before. */
export function recordEpoch(
  { history, lineage }: RunRecord,
  open: OpenEpoch,
  facts: EpochFacts,
  outcome: RecordedOutcome,
): RunRecord {
  const epoch: EpochRecord = {
    epoch: history.epochs.length,
    ...facts,
    ...(facts.dendriteScores ? { dendriteScores: { ...facts.dendriteScores } } : {}),
    trainLoss: open.steps === 0 ? Number.NaN : open.lossSum / open.steps,
    running: outcome.runningScore,
    ...(open.test === null ? {} : { test: open.test }),
    ...(Object.keys(open.scores).length === 0 ? {} : { scores: { ...open.scores } }),
    trainSeconds: open.trainSeconds,
    validationSeconds: open.validationSeconds,
    abandoned: false,
  };
  const next = followEffects({ ...lineage, current: [...lineage.current, epoch.epoch] }, outcome);
  const epochs = markAbandoned([...history.epochs, epoch], next);
  const grown = outcome.decisions.find(({ type }) => type === "grow");
  const added: SwitchRecord[] = grown
    ? [{ epoch: epoch.epoch, dendrites: outcome.state.dendrites, reason: grown.text }]
    : [];
  const switches = [...history.switches, ...added];
  const ratesTried = outcome.state.ratesTried.flatMap(({ dendrite, startRate, score, kept }) =>
    startRate === null || score === null ? [] : [{ dendrites: dendrite, startRate, score, kept }],
  );
  const known: RunHistory = {
    ...history,
    epochs,
    switches,
    ...(ratesTried.length === 0 ? {} : { ratesTried }),
    ...(outcome.complete ? { ended: outcome.decisions.at(-1)!.text } : {}),
  };
  return { history: known, lineage: next };
}

/**
 * The record after a network was put back by hand. Epochs that came after it on its own way count as abandoned only when
 * training goes on.
 */
export function recordRestored({ history, lineage }: RunRecord, checkpoint: "best"): RunRecord {
  const next = followEffects(lineage, { effects: [{ type: "restore", checkpoint }] });
  const back = next.current.every((epoch, i) => epoch === lineage.current[i]);
  const epochs = back ? history.epochs : markAbandoned(history.epochs, next);
  return { history: { ...history, epochs }, lineage: next };
}

/** Marks the epochs that did not lead to the network in hand. */
function markAbandoned(epochs: readonly EpochRecord[], { current }: Lineage): EpochRecord[] {
  const present = new Set(current);
  return epochs.map((entry) =>
    entry.abandoned === present.has(entry.epoch) ? { ...entry, abandoned: !entry.abandoned } : entry,
  );
}

/** A restored checkpoint brings back the epochs that had led to it. */
function followEffects(lineage: Lineage, { effects }: Pick<Outcome, "effects">): Lineage {
  const kept = { ...lineage.kept };
  let current = lineage.current;
  for (const effect of effects) {
    if (effect.type === "save") kept[effect.checkpoint] = current;
    if (effect.type === "restore") current = kept[effect.checkpoint] ?? [];
  }
  return { current, kept };
}

/** The mean of what dendrites learned by over modules. */
export function meanScore(scores: Readonly<Record<string, number>>): number {
  const all = Object.values(scores);
  return all.reduce((sum, score) => sum + score, 0) / all.length;
}
