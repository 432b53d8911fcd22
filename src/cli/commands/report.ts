// `arborize report` and `arborize compare`: what came of runs.

import { basename, resolve } from "node:path";
import { formatCount, formatDuration, scoreFormat } from "../../report/format.ts";
import { bestEpoch, isBetter, type RunHistory, summarize } from "../../report/history.ts";
import { settingRows } from "../../report/settings-rows.ts";
import { summaryTable, textTable } from "../../report/table.ts";
import { oneLine, styles } from "../../report/terminal.ts";
import { RunFolder } from "../../train/run-folder.ts";
import { type Command, JSON_OPTION, onlyOperand, UsageError } from "../command.ts";
import { readAbout, readHistory } from "../run-history.ts";

export const reportCommand: Command = {
  name: "report",
  operands: "RUN",
  summary: "what came of a run, and its report page again",
  about:
    "Prints the result of the run in the folder RUN and why dendrites were added, and writes its tables, chart and page again.",
  options: { json: { help: "the whole history as JSON, and nothing is written" } },
  async run(given, { color }) {
    const path = onlyOperand(reportCommand, given);
    const history = await readHistory(path);
    if (given.values.json) return `${JSON.stringify(history, null, 2)}\n`;
    const folder = new RunFolder(path);
    await folder.writeReport(history, await readAbout(path), true);
    const style = styles(color);
    const reasons = history.switches.map(({ epoch, reason }) => `epoch ${epoch}: ${oneLine(reason)}`);
    const ended = history.ended === undefined ? [] : [oneLine(history.ended)];
    return [
      style.bold(basename(resolve(path))),
      "",
      summaryTable(history, { color }),
      ...(reasons.length + ended.length > 0 ? ["", ...reasons, ...ended] : []),
      "",
      `report   ${folder.file("report")}`,
      `chart    ${folder.file("chart")}`,
      "",
    ].join("\n");
  },
};

/** A run among others. */
interface Compared {
  readonly path: string;
  readonly history: RunHistory;
  readonly settings: ReadonlyMap<string, string>;
}

export const compareCommand: Command = {
  name: "compare",
  operands: "RUN RUN...",
  summary: "several runs side by side, and how their settings differ",
  about:
    "Prints the best scores of runs, their sizes and times, the best one marked, and the settings in which they differ.",
  options: { json: JSON_OPTION },
  async run({ positionals, values }, { color }) {
    if (positionals.length < 2)
      throw new UsageError("compare needs two runs or more: arborize compare RUN RUN...");
    const runs = await Promise.all(
      positionals.map(async (path): Promise<Compared> => {
        const { settings = {} } = await readAbout(path);
        const rows = settingRows(settings).map((row) => [row.path, row.value] as const);
        return { path, history: await readHistory(path), settings: new Map(rows) };
      }),
    );
    return values.json ? `${JSON.stringify(runs.map(asJson), null, 2)}\n` : `${compareText(runs, color)}\n`;
  },
};

function asJson({ path, history, settings }: Compared): object {
  const { metric, maximize } = history;
  const totals = { epochs: history.epochs.length, seconds: secondsOf(history) };
  return {
    path,
    metric,
    maximize,
    best: bestEpoch(history) ?? null,
    ...totals,
    settings: Object.fromEntries(settings),
  };
}

function compareText(runs: readonly Compared[], color: boolean): string {
  const style = styles(color);
  // Scores of different metrics have no better and worse.
  const same = new Set(runs.map(({ history }) => history.metric)).size === 1;
  const scored = runs.flatMap(({ history }) => bestEpoch(history) ?? []);
  const top = same
    ? scored.reduce<number | null>(
        (best, { validation }) =>
          best === null || isBetter(runs[0]!.history, validation, best) ? validation : best,
        null,
      )
    : null;
  const best = ({ history }: Compared) => bestEpoch(history);
  const score = (run: Compared, value: number | undefined) =>
    value === undefined ? "–" : scoreFormat(run.history).format(value);
  const isTop = (run: Compared) => top !== null && best(run)?.validation === top;
  const table = textTable(
    runs,
    [
      { header: "run", value: (run) => oneLine(run.path) },
      { header: "metric", value: ({ history }) => oneLine(history.metric) },
      {
        header: "validation",
        value: (run) => {
          const text = score(run, best(run)?.validation);
          return isTop(run) ? style.green(`★ ${text}`) : text;
        },
        align: "right",
      },
      { header: "test", value: (run) => score(run, best(run)?.test), align: "right" },
      { header: "dendrites", value: (run) => String(best(run)?.dendrites ?? "–"), align: "right" },
      { header: "parameters", value: (run) => formatCount(best(run)?.parameters ?? 0), align: "right" },
      { header: "epochs", value: ({ history }) => formatCount(history.epochs.length), align: "right" },
      { header: "time", value: ({ history }) => formatDuration(secondsOf(history)), align: "right" },
    ],
    { color },
  );
  const differing = differences(runs);
  if (differing.length === 0) return `${table}\n\nTheir settings are the same.`;
  const settings = textTable(
    differing,
    [
      { header: "setting", value: ({ path }) => oneLine(path) },
      ...runs.map((run, i) => ({
        header: oneLine(run.path),
        value: ({ values }: { values: readonly string[] }) => oneLine(values[i]!),
      })),
    ],
    { color },
  );
  return `${table}\n\n${settings}`;
}

function differences(runs: readonly Compared[]): { path: string; values: string[] }[] {
  const paths = new Set(runs.flatMap(({ settings }) => [...settings.keys()]));
  return [...paths]
    .map((path) => ({ path, values: runs.map(({ settings }) => settings.get(path) ?? "–") }))
    .filter(({ values }) => new Set(values).size > 1);
}

function secondsOf(history: RunHistory): number {
  return summarize(history).reduce((sum, { seconds }) => sum + seconds, 0);
}
