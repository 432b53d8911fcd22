// What the live page shows of a run, from its folder alone.

import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { interestingRange } from "../../report/axes.ts";
import { attempts } from "../../report/branches.ts";
import { scoreFormat } from "../../report/format.ts";
import { bestEpoch, type EpochRecord, type RunHistory, summarize } from "../../report/history.ts";
import { type SettingRow, settingRows } from "../../report/settings-rows.ts";
import { gainLine, summaryColumns } from "../../report/table.ts";
import { RunFolder } from "../../train/run-folder.ts";
import { readAbout, readHistory } from "../run-history.ts";
import { type Fact, factsOf, isOver } from "./facts.ts";
import { type ModuleView, modulesOf } from "./modules.ts";

/** A run as the page gets it: plain JSON. */
export interface RunView {
  readonly name: string;
  /** Changes whenever the run does. */
  readonly version: string;
  /** When it was last written, in milliseconds since 1970; null before its first epoch. */
  readonly written: number | null;
  /** Whether it is at its end. */
  readonly over: boolean;
  /** One sentence about where it stands. */
  readonly status: string;
  /** Why it ended, where it did by itself. */
  readonly ended: string;
  readonly metric: string;
  readonly maximize: boolean;
  /** Whether scores are fractions that are shown as percentages. */
  readonly percent: boolean;
  /** Between which scores the interesting ones lie: those of the first epochs may be far off. */
  readonly range: readonly [low: number, high: number];
  /** The epoch with the best score among those that are kept. */
  readonly best: number | null;
  /** The epochs by column, in the order in which they were run. Numbers that are none are null. */
  readonly epochs: Readonly<Record<(typeof COLUMNS)[number], readonly (number | null)[]>>;
  readonly abandoned: readonly boolean[];
  /** Additions of dendrites: after which epoch, how many there are then, and whether they are still there. */
  readonly switches: readonly {
    readonly epoch: number;
    readonly dendrites: number;
    readonly kept: boolean;
  }[];
  /** Score by epoch and module, where dendrites learn apart from the network. */
  readonly dendriteScores: Readonly<Record<string, readonly (number | null)[]>>;
  /** The numbers that matter most. */
  readonly facts: readonly Fact[];
  /** What came of each number of dendrites. */
  readonly summary: Table;
  /** Learning rates that were tried; without rows where none were. */
  readonly rates: Table;
  readonly modules: readonly ModuleView[];
  /** In the order in which it happened, the last lines of it. */
  readonly log: readonly LogLine[];
  readonly settings: readonly SettingRow[];
  readonly environment: readonly SettingRow[];
}

/** Rows of texts below headers. */
export interface Table {
  readonly headers: readonly string[];
  readonly rows: readonly { readonly cells: readonly string[]; readonly mark: "best" | "lost" | "" }[];
}

/** A line of the log: an epoch, or an event between epochs. */
export interface LogLine {
  readonly epoch: number;
  readonly text: string;
  readonly event: boolean;
  readonly abandoned: boolean;
}

const COLUMNS = [
  "epoch",
  "branchEpoch",
  "dendrites",
  "validation",
  "running",
  "test",
  "trainLoss",
  "learningRate",
  "seconds",
] as const;
const MOST_LINES = 500;

/** When a run was last written, as a text to compare; empty before the first epoch. What it was made with comes after its state. */
export async function versionOf(path: string): Promise<string> {
  const latest = await writtenAt(path, "latest");
  return latest === null ? "" : `${latest} ${(await writtenAt(path, "about")) ?? ""}`;
}

async function writtenAt(path: string, kind: "latest" | "about"): Promise<number | null> {
  return (await stat(new RunFolder(path).file(kind)).catch(() => null))?.mtimeMs ?? null;
}

/** Reads a run. Before its first epoch there is little to tell. @throws `bad_file` for a folder that holds something else. */
export async function viewRun(path: string): Promise<RunView> {
  const version = await versionOf(path);
  const history = version === "" ? EMPTY : await readHistory(path);
  const about = await readAbout(path);
  const { epochs, metric, maximize, ended } = history;
  const column = (value: (epoch: EpochRecord) => number | undefined) =>
    epochs.map((epoch) => finite(value(epoch)));
  return {
    name: basename(resolve(path)),
    version,
    written: await writtenAt(path, "latest"),
    over: isOver(history, about),
    status: statusOf(history),
    ended: ended === undefined ? "" : sentence(ended),
    metric,
    maximize,
    percent: scoreFormat(history).percent,
    range: interestingRange(
      epochs.flatMap(({ validation, test }) => (test === undefined ? [validation] : [validation, test])),
      [],
      maximize,
    ),
    best: bestEpoch(history)?.epoch ?? null,
    epochs: {
      epoch: column(({ epoch }) => epoch),
      branchEpoch: column(({ branchEpoch }) => branchEpoch),
      dendrites: column(({ dendrites }) => dendrites),
      validation: column(({ validation }) => validation),
      running: column(({ running }) => running),
      test: column(({ test }) => test),
      trainLoss: column(({ trainLoss }) => trainLoss),
      learningRate: column(({ learningRate }) => learningRate),
      seconds: column(({ trainSeconds, validationSeconds }) => trainSeconds + validationSeconds),
    },
    abandoned: epochs.map(({ abandoned }) => abandoned),
    switches: attempts(history).map(({ epoch, dendrites, kept }) => ({ epoch, dendrites, kept })),
    dendriteScores: dendriteScores(epochs),
    facts: factsOf(history, about),
    summary: summaryOf(history),
    rates: ratesOf(history),
    modules: await modulesOf(path),
    log: logOf(history),
    settings: about.settings ? settingRows(about.settings, about.defaults) : [],
    environment: about.environment ? settingRows(about.environment) : [],
  };
}

const EMPTY: RunHistory = { metric: "score", maximize: true, epochs: [], switches: [] };

/** Seven digits are more than a chart can show, and half of what a number takes as text. */
const finite = (value: number | undefined) =>
  value !== undefined && Number.isFinite(value) ? Number(value.toPrecision(7)) : null;

function statusOf(history: RunHistory): string {
  const best = bestEpoch(history);
  if (!best) return "The first epoch is not over yet.";
  const { format } = scoreFormat(history);
  const gain = gainLine(history);
  const score = `Best ${history.metric} ${format(best.validation)} in epoch ${best.epoch} of ${history.epochs.length}.`;
  return gain ? `${score} ${sentence(gain)}` : score;
}

/** A text with a full stop and, as far as that is known, a capital. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

function dendriteScores(epochs: readonly EpochRecord[]): Record<string, (number | null)[]> {
  const modules = new Set(epochs.flatMap(({ dendriteScores = {} }) => Object.keys(dendriteScores)));
  return Object.fromEntries(
    [...modules].map((module) => [module, epochs.map((epoch) => finite(epoch.dendriteScores?.[module]))]),
  );
}

function summaryOf(history: RunHistory): Table {
  const rows = summarize(history);
  const columns = summaryColumns(history, rows);
  return {
    headers: columns.map(({ header }) => header),
    rows: rows.map((row) => ({
      cells: columns.map(({ value }) => value(row)),
      mark: row.best ? "best" : row.kept ? "" : "lost",
    })),
  };
}

function ratesOf(history: RunHistory): Table {
  const { format } = scoreFormat(history);
  return {
    headers: ["dendrites", "first rate", `best ${history.metric}`],
    rows: (history.ratesTried ?? []).map(({ dendrites, startRate, score, kept }) => ({
      cells: [String(dendrites), String(Number(startRate.toPrecision(3))), format(score)],
      mark: kept ? "best" : "lost",
    })),
  };
}

function logOf(history: RunHistory): LogLine[] {
  const { format } = scoreFormat(history);
  const reasons = new Map(history.switches.map(({ epoch, reason }) => [epoch, reason]));
  const lines = history.epochs.slice(-MOST_LINES).flatMap((each) => {
    const { epoch, abandoned, validation, test } = each;
    const scores = `validation ${format(validation)}${test === undefined ? "" : `, test ${format(test)}`}`;
    const reason = reasons.get(epoch);
    const line = { epoch, text: scores, event: false, abandoned };
    return reason === undefined
      ? [line]
      : [line, { epoch, text: sentence(reason), event: true, abandoned: false }];
  });
  const last = history.epochs.at(-1)?.epoch ?? 0;
  const end = { epoch: last, text: sentence(history.ended ?? ""), event: true, abandoned: false };
  return history.ended === undefined ? lines : [...lines, end];
}
