// Text tables: cells between delimiters, one row a line. CSV as RFC 4180 has it, with what files in the wild add to it.

import { ArborizeError, didYouMean } from "../base/errors.ts";

/** How a text table is written; what is not said is found out. */
export interface DelimitedOptions {
  /** What stands between cells. Default: of comma, semicolon, tab and bar the one that the first line has most of. */
  delimiter?: string;
  /** Whether the first row holds the columns' names. Default: whether it looks unlike the rows below it. */
  header?: boolean;
  /** The columns' names, for files without. Default: those of the header, or `column1`, `column2`, … */
  columns?: readonly string[];
  /** Whether cells may stand in double quotes. Default: true. */
  quotes?: boolean;
}

/** A text table's cells, without blanks around them. */
export interface Delimited {
  columns: string[];
  rows: string[][];
}

const DELIMITERS = [",", ";", "\t", "|"];

/**
 * Reads a text table. Empty lines are skipped, and so are lines that begin with a bar, which are comments in the UCI
 * repository's files (unless cells stand between bars).
 *
 * @throws `bad_file` for a file without rows, rows of different lengths, and a quote that is never closed.
 */
export function readDelimited(text: string, name: string, options: DelimitedOptions = {}): Delimited {
  const fail = (problem: string): never => {
    throw new ArborizeError("bad_file", `"${name}" cannot be read as a table: ${problem}`);
  };
  const delimiter = options.delimiter ?? mostFrequent(text);
  const lines: Line[] = [];
  for (const line of readLines(text.replace(/^\ufeff/, ""), delimiter, options.quotes ?? true, fail)) {
    const [first = ""] = line.cells;
    const blank = line.cells.length === 1 && first === "";
    if (!blank && !(delimiter !== "|" && first.startsWith("|"))) lines.push(line);
  }
  const width = options.columns?.length ?? lines[0]?.cells.length ?? 0;
  for (const { cells, line } of lines) {
    if (cells.length !== width)
      fail(
        `line ${line} has ${cells.length} cells, wanted ${width}${options.columns ? "" : " as in the first"}.`,
      );
  }
  const rows = lines.map(({ cells }) => cells);
  const header = options.header ?? (options.columns === undefined && looksLikeHeader(rows));
  const named = header ? rows.shift() : undefined;
  if (rows.length === 0) fail("it has no rows.");
  const columns = [
    ...(options.columns ?? named ?? Array.from({ length: width }, (_, i) => `column${i + 1}`)),
  ];
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined) fail(`two columns are called "${twice}". Rename one, or give the names yourself.`);
  return { columns, rows };
}

/** Where a table has the column called `name`. @throws `bad_file` */
export function columnAt(columns: readonly string[], name: string): number {
  const at = columns.indexOf(name);
  if (at >= 0) return at;
  throw new ArborizeError(
    "bad_file",
    `The table has no column "${name}".${didYouMean(name, columns)} It has ${columns.join(", ")}.`,
  );
}

/** Whether a cell is a number as tables write it. */
export function isNumeric(cell: string): boolean {
  return cell !== "" && Number.isFinite(Number(cell)) && !/^0[xob]/i.test(cell);
}

interface Line {
  readonly cells: string[];
  /** Where it begins, from 1. */
  readonly line: number;
}

function mostFrequent(text: string): string {
  const lines = text.split(/\r?\n/, 20).filter((line) => line !== "" && !line.startsWith("|"));
  const counts = DELIMITERS.map((delimiter) => lines[0]?.split(delimiter).length ?? 0);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

function* readLines(
  text: string,
  delimiter: string,
  quotes: boolean,
  fail: (problem: string) => never,
): Generator<Line> {
  let cells: string[] = [];
  let line = 1;
  let start = 1;
  for (let at = 0; at <= text.length; ) {
    let cell: string;
    while (text[at] === " ") at += 1;
    if (quotes && text[at] === '"') {
      let close = text.indexOf('"', at + 1);
      while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
      if (close < 0) fail(`the quote in line ${line} is never closed.`);
      cell = text.slice(at + 1, close).replaceAll('""', '"');
      line += cell.split("\n").length - 1;
      at = close + 1;
      while (text[at] === " " || text[at] === "\r") at += 1;
      if (at < text.length && text[at] !== "\n" && !text.startsWith(delimiter, at)) {
        fail(`in line ${line}, "${text[at]}" follows a closing quote.`);
      }
    } else {
      const found = text.indexOf(delimiter, at);
      const newline = text.indexOf("\n", at);
      const end = Math.min(...[found, newline, text.length].filter((place) => place >= 0));
      cell = text.slice(at, end).trim();
      at = end;
    }
    cells.push(cell);
    if (text.startsWith(delimiter, at) && at < text.length) {
      at += delimiter.length;
      continue;
    }
    yield { cells, line: start };
    cells = [];
    line += 1;
    start = line;
    at += 1;
  }
}

/** No numbers, and nothing that comes again below, while something below does or is a number. */
function looksLikeHeader(rows: readonly (readonly string[])[]): boolean {
  const [first, ...rest] = rows.slice(0, 200);
  if (!first || rest.length === 0) return false;
  if (first.some((cell) => cell === "" || isNumeric(cell)) || new Set(first).size < first.length)
    return false;
  const columns = first.map((cell, i) => ({ cell, below: rest.map((row) => row[i]!) }));
  if (columns.some(({ cell, below }) => below.includes(cell))) return false;
  return columns.some(({ below }) => below.some(isNumeric) || new Set(below).size < below.length);
}
