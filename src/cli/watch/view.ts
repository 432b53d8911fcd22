// What the live page shows of a run, from its folder alone.

import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { sizeOf, type Tensor } from "../../base/tensor.ts";
import { exists, readFileBytes } from "../../data/files.ts";
import { readSafetensors } from "../../data/safetensors.ts";
import { formatCount, formatDuration, scoreFormat } from "../../report/format.ts";
import { bestEpoch, type EpochRecord, type RunHistory, summarize } from "../../report/history.ts";
import type { ReportOptions } from "../../report/page.ts";
import { type SettingRow, settingRows } from "../../report/settings-rows.ts";
import { gainLine } from "../../report/table.ts";
import { RunFolder } from "../../train/run-folder.ts";
import { readAbout, readHistory } from "../run-history.ts";

/** A run as the page gets it: plain JSON. */
export interface RunView {
  readonly name: string;
  /** Changes whenever the run does. */
  readonly version: string;
  /** One sentence about where it stands. */
  readonly status: string;
  readonly metric: string;
  readonly maximize: boolean;
  /** The epochs by column, in the order in which they were run. Numbers that are none are null. */
  readonly epochs: Readonly<Record<(typeof COLUMNS)[number], readonly (number | null)[]>>;
  readonly abandoned: readonly boolean[];
  readonly switches: readonly { readonly epoch: number; readonly dendrites: number }[];
  /** Score by epoch and module, where dendrites learn apart from the network. */
  readonly dendriteScores: Readonly<Record<string, readonly (number | null)[]>>;
  readonly summary: readonly (readonly string[])[];
  readonly facts: readonly (readonly [what: string, value: string])[];
  readonly modules: readonly ModuleView[];
  readonly log: readonly string[];
  readonly settings: readonly SettingRow[];
}

/** A module that learns, in the best network so far. */
export interface ModuleView {
  readonly path: string;
  /** Numbers that its neurons learn. */
  readonly parameters: number;
  /** Numbers that its dendrites learn. */
  readonly dendriteParameters: number;
  /** For each dendrite, what it adds to neurons: its output weights, at most 200 of them. */
  readonly outputs: readonly (readonly number[])[];
}

const COLUMNS = ["epoch", "validation", "running", "test", "trainLoss", "learningRate", "seconds"] as const;
const MOST_WEIGHTS = 200;
const MOST_LINES = 500;

/** When a run was last written, as a text to compare; empty before the first epoch. What it was made with comes after its state. */
export async function versionOf(path: string): Promise<string> {
  const folder = new RunFolder(path);
  const written = async (kind: "latest" | "about") =>
    (await stat(folder.file(kind)).catch(() => null))?.mtimeMs;
  const latest = await written("latest");
  return latest === undefined ? "" : `${latest} ${(await written("about")) ?? ""}`;
}

/** Reads a run. Before its first epoch there is little to tell. @throws `bad_file` for a folder that holds something else. */
export async function viewRun(path: string): Promise<RunView> {
  const version = await versionOf(path);
  const history = version === "" ? EMPTY : await readHistory(path);
  const about = await readAbout(path);
  const { epochs } = history;
  const column = (value: (epoch: EpochRecord) => number | undefined) =>
    epochs.map((epoch) => finite(value(epoch)));
  return {
    name: basename(resolve(path)),
    version,
    status: statusOf(history),
    metric: history.metric,
    maximize: history.maximize,
    epochs: {
      epoch: column(({ epoch }) => epoch),
      validation: column(({ validation }) => validation),
      running: column(({ running }) => running),
      test: column(({ test }) => test),
      trainLoss: column(({ trainLoss }) => trainLoss),
      learningRate: column(({ learningRate }) => learningRate),
      seconds: column(secondsOf),
    },
    abandoned: epochs.map(({ abandoned }) => abandoned),
    switches: history.switches.map(({ epoch, dendrites }) => ({ epoch, dendrites })),
    dendriteScores: dendriteScores(epochs),
    summary: summaryOf(history),
    facts: factsOf(history, about),
    modules: await modulesOf(path),
    log: logOf(history),
    settings: about.settings ? settingRows(about.settings, about.defaults) : [],
  };
}

const EMPTY: RunHistory = { metric: "score", maximize: true, epochs: [], switches: [] };

const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null);
const secondsOf = ({ trainSeconds, validationSeconds }: EpochRecord) => trainSeconds + validationSeconds;

function statusOf(history: RunHistory): string {
  const best = bestEpoch(history);
  if (!best) return "The first epoch is not over yet.";
  const { format } = scoreFormat(history);
  const gain = gainLine(history);
  const score = `Best ${history.metric} ${format(best.validation)} in epoch ${best.epoch} of ${history.epochs.length}.`;
  return [score, ...(gain ? [gain.endsWith(".") ? gain : `${gain}.`] : []), history.ended ?? ""]
    .join(" ")
    .trim();
}

function dendriteScores(epochs: readonly EpochRecord[]): Record<string, (number | null)[]> {
  const modules = new Set(epochs.flatMap(({ dendriteScores = {} }) => Object.keys(dendriteScores)));
  return Object.fromEntries(
    [...modules].map((module) => [module, epochs.map((epoch) => finite(epoch.dendriteScores?.[module]))]),
  );
}

function summaryOf(history: RunHistory): string[][] {
  const { format } = scoreFormat(history);
  return summarize(history).map((row) => [
    `${row.dendrites}${row.best ? " (best)" : row.kept ? "" : " (not kept)"}`,
    formatCount(row.parameters),
    format(row.validation),
    row.test === undefined ? "–" : format(row.test),
    formatCount(row.epochs),
    formatDuration(row.seconds),
  ]);
}

function factsOf(
  { epochs, ended }: RunHistory,
  { settings, environment }: Omit<ReportOptions, "name">,
): [string, string][] {
  const last = epochs.slice(-5);
  const facts: [string, string][] = Object.entries(environment ?? {}).map(([name, value]) => [
    name,
    String(value),
  ]);
  if (last.length === 0) return facts;
  const mean = (value: (epoch: EpochRecord) => number) =>
    last.reduce((sum, epoch) => sum + value(epoch), 0) / last.length;
  const { examples, maxEpochs } = ((settings as { data?: object } | undefined)?.data ?? {}) as {
    examples?: unknown;
    maxEpochs?: unknown;
  };
  const training = mean(({ trainSeconds }) => trainSeconds);
  const rows: [string, string][] = [["an epoch takes", formatDuration(mean(secondsOf))]];
  if (typeof examples === "number" && training > 0) {
    rows.push(["examples a second", formatCount(Math.round(examples / training))]);
  }
  if (ended !== undefined) rows.push(["time left", "none: it is over"]);
  else if (typeof maxEpochs === "number") {
    const left = Math.max(0, maxEpochs - epochs.length) * mean(secondsOf);
    rows.push(["time left", `at most ${formatDuration(left)}`]);
  } else rows.push(["time left", "until dendrites no longer help"]);
  return [...rows, ...facts];
}

function logOf({ epochs, switches, ratesTried = [], ended, ...scored }: RunHistory): string[] {
  const { format } = scoreFormat({ epochs, switches, ...scored });
  const reasons = new Map(switches.map(({ epoch, reason }) => [epoch, reason]));
  const lines = epochs.slice(-MOST_LINES).flatMap((epoch) => {
    const reason = reasons.get(epoch.epoch);
    const line = `epoch ${epoch.epoch}: validation ${format(epoch.validation)}, ${epoch.dendrites} dendrites`;
    return reason === undefined ? [line] : [line, `epoch ${epoch.epoch}: ${reason}`];
  });
  const rates = ratesTried.map(
    ({ dendrites, startRate, score, kept }) =>
      `${dendrites} dendrites from rate ${startRate}: ${format(score)}${kept ? ", kept" : ""}`,
  );
  return [...rates, ...lines, ...(ended === undefined ? [] : [ended])];
}

/** Modules by what their parameters are called: `M.dendrites.…` belongs to the dendrites of M. */
async function modulesOf(path: string): Promise<ModuleView[]> {
  const file = new RunFolder(path).file("best");
  if (!(await exists(file))) return [];
  const { tensors } = readSafetensors(await readFileBytes(file), file);
  const modules = new Map<string, { parameters: number; dendriteParameters: number; outputs: number[][] }>();
  for (const [name, tensor] of tensors) {
    const at = name.search(/\.dendrites\.(\d+\.|output$)/);
    const module = at >= 0 ? name.slice(0, at) : name.slice(0, Math.max(0, name.lastIndexOf(".")));
    const found = modules.get(module) ?? { parameters: 0, dendriteParameters: 0, outputs: [] };
    modules.set(module, found);
    if (at < 0) found.parameters += sizeOf(tensor.shape);
    else found.dendriteParameters += sizeOf(tensor.shape);
    if (name.endsWith(".dendrites.output")) found.outputs = rowsOf(tensor);
  }
  return [...modules].map(([module, found]) => ({ path: module, ...found }));
}

/** The rows of a matrix, each thinned out evenly where it is long. */
function rowsOf(tensor: Tensor): number[][] {
  const [count = 0] = tensor.shape;
  const width = sizeOf(tensor.shape.slice(1));
  const numbers = tensor.toNumbers();
  const step = Math.ceil(width / MOST_WEIGHTS);
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: Math.ceil(width / step) }, (__, i) => numbers[row * width + i * step]!),
  );
}
