// Text tables for the terminal.

import { dendriteCount, formatCount, formatDuration, scoreFormat } from "./format.ts";
import { type RunHistory, type SummaryRow, summarize } from "./history.ts";
import { displayWidth, styles } from "./terminal.ts";

/** A column of a text table. */
export interface TableColumn<Row> {
  header: string;
  /** The text of a cell; may carry escape sequences, must not carry line ends. */
  value: (row: Row) => string;
  /** Default "left". */
  align?: "left" | "right";
}

/** How a table looks. */
export interface TableOptions {
  /** Write escape sequences for bold and colour. Default false; `wantsColor(stream)` knows. */
  color?: boolean;
}

/**
 * An aligned table: a header, a rule, and one line per row, without a line end after the last one. Columns are
 * as wide as their widest cell and three blanks apart. No rows give the header and the rule.
 */
export function textTable<Row>(
  rows: readonly Row[],
  columns: TableColumn<Row>[],
  options: TableOptions = {},
): string {
  const { bold, dim } = styles(options.color ?? false);
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const widths = columns.map((column, i) =>
    Math.max(displayWidth(column.header), ...cells.map((row) => displayWidth(row[i] ?? ""))),
  );
  const line = (texts: string[]) =>
    texts
      .map((text, i) => pad(text, widths[i] ?? 0, columns[i]?.align ?? "left"))
      .join("   ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("───");
  return [bold(line(columns.map((column) => column.header))), dim(rule), ...cells.map(line)].join("\n");
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const blanks = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "left" ? text + blanks : blanks + text;
}

/** A column of the table of a run, without how it looks. */
export interface SummaryColumn {
  header: string;
  value: (row: SummaryRow) => string;
}

/** The columns that a run has something for, all of them of numbers. */
export function summaryColumns(history: RunHistory, rows: SummaryRow[]): SummaryColumn[] {
  const score = scoreFormat(history);
  const test = ({ test }: SummaryRow) => (test === undefined ? "–" : score.format(test));
  return [
    { header: "dendrites", value: (row) => `${row.best ? "★ " : ""}${row.dendrites}` },
    { header: "parameters", value: (row) => formatCount(row.parameters) },
    { header: `validation ${history.metric}`, value: (row) => score.format(row.validation) },
    ...(rows.some((row) => row.test !== undefined) ? [{ header: "test", value: test }] : []),
    { header: "epochs", value: (row) => formatCount(row.epochs) },
    { header: "time", value: (row) => formatDuration(row.seconds) },
  ];
}

/**
 * A run as a table, one row per dendrite count: parameters, best validation score, the test score at that epoch,
 * epochs and time, with the abandoned ones. A star marks the best kept row; a line below says what dendrites gained.
 * Accuracy-like metrics are shown as percentages. Columns that a run has nothing for are left out.
 */
export function summaryTable(history: RunHistory, options: TableOptions = {}): string {
  const rows = summarize(history);
  const style = styles(options.color ?? false);
  const tint = (row: SummaryRow, text: string) =>
    row.best ? style.bold(style.green(text)) : row.kept ? text : style.dim(text);
  const columns: TableColumn<SummaryRow>[] = [
    ...summaryColumns(history, rows).map(({ header, value }) => ({
      header,
      align: "right" as const,
      value: (row: SummaryRow) => tint(row, value(row)),
    })),
    ...(rows.some((row) => !row.kept)
      ? [{ header: "", value: (row: SummaryRow) => (row.kept ? "" : style.dim("not kept")) }]
      : []),
  ];
  const gain = gainLine(history, rows);
  return textTable(rows, columns, options) + (gain ? `\n\n${style.dim(gain)}` : "");
}

/**
 * What the dendrites gained, in one line, e.g. "2 dendrites: +0.21 points (19% fewer errors) for 3.0 times the
 * parameters". Empty while there is nothing to compare.
 */
export function gainLine(history: RunHistory, rows: SummaryRow[] = summarize(history)): string {
  const base = rows.find((row) => row.dendrites === 0);
  const best = rows.find((row) => row.best);
  if (!base || !best || rows.length < 2) return "";
  if (best.dendrites === 0) return "No dendrites did better than the network without them";
  const score = scoreFormat(history);
  const errors = fewerErrors(history, score.percent, base.validation, best.validation);
  const times = (best.parameters / base.parameters).toFixed(2);
  const gained = `${score.difference(base.validation, best.validation)}${errors}`;
  return `${dendriteCount(best.dendrites)}: ${gained} for ${times} times the parameters`;
}

/** The relative change of the error, which says more than points where scores are near perfect. */
function fewerErrors(history: RunHistory, percent: boolean, from: number, to: number): string {
  const [before, after] = history.maximize ? [1 - from, 1 - to] : [from, to];
  // One minus a precision or a recall isn't a share of errors.
  if (!percent || !/acc|error/i.test(history.metric) || before <= 0 || !(after < before)) return "";
  return ` (${Math.round((1 - after / before) * 100)}% fewer errors)`;
}
