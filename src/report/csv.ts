// Runs as comma-separated values (RFC 4180): a header, CRLF line ends, quotes where they are needed.

import { attempts } from "./branches.ts";
import { type EpochRecord, isBetter, keptEpochs, type RunHistory, summarize } from "./history.ts";

type Cell = string | number | boolean | undefined;

const epochColumns: [name: string, value: (e: EpochRecord) => Cell][] = [
  ["epoch", (e) => e.epoch],
  ["branch_epoch", (e) => e.branchEpoch],
  ["cycle", (e) => e.cycle],
  ["dendrites", (e) => e.dendrites],
  ["parameters", (e) => e.parameters],
  ["learning_rate", (e) => e.learningRate],
  ["train_loss", (e) => e.trainLoss],
  ["validation", (e) => e.validation],
  ["running", (e) => e.running],
  ["test", (e) => e.test],
  ["train_seconds", (e) => e.trainSeconds],
  ["validation_seconds", (e) => e.validationSeconds],
  ["abandoned", (e) => e.abandoned],
];

/**
 * One row per epoch that was run, the abandoned ones included, in the order in which they were run.
 *
 * The columns are always the same; one column per extra score and per module with dendrite scores
 * (`dendrite_score/<module>`) follows, in order of first appearance, so that columns never move while a run grows. An
 * extra score named like a column is written as `score_<name>`. What was not measured is empty; `NaN` and `Infinity` are written as such; times are in seconds.
 */
export function scoresCsv(history: RunHistory): string {
  const fixed = new Set(epochColumns.map(([name]) => name));
  const extra = new Map<string, (e: EpochRecord) => Cell>();
  for (const { scores, dendriteScores } of history.epochs) {
    for (const name of Object.keys(scores ?? {})) {
      extra.set(fixed.has(name) ? `score_${name}` : name, (e) => e.scores?.[name]);
    }
    for (const module of Object.keys(dendriteScores ?? {})) {
      extra.set(`dendrite_score/${module}`, (e) => e.dendriteScores?.[module]);
    }
  }
  const header = [...fixed, ...extra.keys()];
  const rows = history.epochs.map((e) => [
    ...epochColumns.map(([, value]) => value(e)),
    ...[...extra.values()].map((value) => value(e)),
  ]);
  return csv([header, ...rows]);
}

/**
 * One row per cycle of the kept branch: its best validation score (the first one on ties), the test score at that
 * epoch where one was measured, and the parameters that they took.
 */
export function bestScoresCsv(history: RunHistory): string {
  const best = new Map<number, EpochRecord>();
  for (const e of keptEpochs(history)) {
    const before = best.get(e.cycle);
    if (!before || isBetter(history, e.validation, before.validation)) best.set(e.cycle, e);
  }
  const header = ["cycle", "dendrites", "parameters", "validation", "test", "epoch", "branch_epoch"];
  const rows = [...best.values()].map((e) => [
    e.cycle,
    e.dendrites,
    e.parameters,
    e.validation,
    e.test,
    e.epoch,
    e.branchEpoch,
  ]);
  return csv([header, ...rows]);
}

/** One row per addition of dendrites, those that were taken back included, in the order in which they happened. */
export function switchesCsv(history: RunHistory): string {
  const header = ["epoch", "branch_epoch", "dendrites", "attempt", "parameters", "kept", "reason"];
  const rows = attempts(history).map((a) => [
    a.epoch,
    a.branchEpoch,
    a.dendrites,
    a.attempt,
    a.parameters,
    a.kept,
    a.reason,
  ]);
  return csv([header, ...rows]);
}

/** One row per dendrite count that was tried: `summarize(history)` with the same words as `scoresCsv`. */
export function summaryCsv(history: RunHistory): string {
  const header = [
    "dendrites",
    "parameters",
    "validation",
    "test",
    "epoch",
    "epochs",
    "seconds",
    "kept",
    "best",
  ];
  const rows = summarize(history).map((r) => [
    r.dendrites,
    r.parameters,
    r.validation,
    r.test,
    r.epoch,
    r.epochs,
    r.seconds,
    r.kept,
    r.best,
  ]);
  return csv([header, ...rows]);
}

function csv(rows: Cell[][]): string {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: Cell): string {
  if (value === undefined) return "";
  const text = String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
