// Rows of a table as numbers: what a column means is learned from the training part, and kept as plain data.

import { z } from "zod";
import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { classTensor, sortedClasses } from "./classes.ts";
import { type Dataset, tensorDataset } from "./dataset.ts";
import { columnAt, type Delimited, isNumeric } from "./delimited.ts";

/** How the columns of a table are understood. */
export interface TableOptions {
  /** The column to predict. Default: the last. */
  target?: string;
  /** What the target is. Default: classes, unless its cells are numbers that are not whole, or more than 20 of them. */
  task?: "classes" | "number";
  /** Columns to leave out. */
  ignore?: readonly string[];
  /** How categories become numbers: a column of 0 and 1 for each value, or an index to be embedded. Default: "one-hot". */
  categories?: "one-hot" | "embedded";
  /** Cells that mean that a value is not known, beside empty ones. Default: `?`, `NA`, `N/A`, `NaN`, `null`. */
  missing?: readonly string[];
}

const names = z.array(z.string());
const numberColumn = z.object({
  name: z.string(),
  /** Dates count in days. */
  kind: z.enum(["number", "date"]),
  mean: z.number(),
  std: z.number(),
  /** Whether a second column says that the value is missing. */
  marksMissing: z.boolean(),
});
const categoryColumn = z.object({ name: z.string(), kind: z.literal("category"), values: names });

/** What a table's columns mean: enough to read another table alike. Plain JSON. */
export const tableRecipe = z.object({
  kind: z.literal("table"),
  columns: z.array(z.union([numberColumn, categoryColumn])),
  categories: z.enum(["one-hot", "embedded"]),
  missing: names,
  target: z.union([
    z.object({ name: z.string(), kind: z.literal("classes"), classes: names }),
    z.object({ name: z.string(), kind: z.literal("number"), mean: z.number(), std: z.number() }),
  ]),
});
export type TableRecipe = z.infer<typeof tableRecipe>;

const MISSING = ["?", "NA", "N/A", "NaN", "nan", "null"];
const MOST_CLASSES = 20;
const MOST_VALUES = 1000;

/** A cell as a number, by what its column holds; not a number where it is something else. */
const PARSERS = {
  number: (cell: string) => (isNumeric(cell) ? Number(cell) : Number.NaN),
  /** Days since 1970 of ISO 8601's dates and times, in UTC where they name no zone. */
  date(cell: string) {
    const [, day, time = "00:00", zone = "Z"] = DATE.exec(cell) ?? [];
    return Date.parse(`${day}T${time}${zone}`) / 86_400_000;
  },
};
const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/;

/** The target of each row as text, for a stratified split; nothing to stratify by where it is a number. */
export function tableClasses(table: Delimited, options: TableOptions): string[] {
  const cells = targetCells(table, options);
  return isClasses(cells, options) ? cells : cells.map(() => "");
}

/** Learns what the columns mean from the rows at `training`; the classes, from all rows. */
export function learnTable(
  table: Delimited,
  training: ArrayLike<number>,
  options: TableOptions,
): TableRecipe {
  const { categories = "one-hot", ignore = [] } = options;
  const missing = [...(options.missing ?? MISSING)];
  for (const column of ignore) columnAt(table.columns, column);
  const target = targetName(table, options);
  const unknown = new Set(["", ...missing]);
  const known = (at: number) =>
    Array.from(training, (row) => table.rows[row]![at]!).filter((cell) => !unknown.has(cell));
  const columns = table.columns.flatMap((name, at): TableRecipe["columns"] => {
    if (name === target || ignore.includes(name)) return [];
    const cells = known(at);
    for (const [kind, parse] of Object.entries(PARSERS)) {
      if (cells.length === 0 || cells.some((cell) => Number.isNaN(parse(cell)))) continue;
      const marksMissing = cells.length < training.length;
      return [{ name, kind: kind as keyof typeof PARSERS, ...moments(cells.map(parse)), marksMissing }];
    }
    const values = [...new Set(cells)].sort();
    if (values.length > MOST_VALUES && categories === "one-hot") throw tooManyValues(name, values.length);
    return values.length === 0 ? [] : [{ name, kind: "category", values }];
  });
  const cells = targetCells(table, options);
  if (!isClasses(cells, options)) {
    const at = columnAt(table.columns, target);
    return {
      kind: "table",
      columns,
      categories,
      missing,
      target: { name: target, kind: "number", ...moments(known(at).map(Number)) },
    };
  }
  const classes = sortedClasses(cells);
  return { kind: "table", columns, categories, missing, target: { name: target, kind: "classes", classes } };
}

/**
 * The rows of a table as the recipe says: `x`, float32 `[width]`, and with embedded categories `categories`, int64 `[columns]`,
 * 0 for a value that the training part does not have; and `target`, an int64 class, or a float32 `[1]` in standard deviations.
 *
 * @throws `bad_data` naming a cell that is no number or no class, `bad_file` for a column that is missing.
 */
export function tableDataset(table: Delimited, recipe: TableRecipe): Dataset {
  const unknown = new Set(["", ...recipe.missing]);
  const length = table.rows.length;
  const embedded = recipe.categories === "embedded";
  const fields: ((row: readonly string[], line: number, put: (value: number) => void) => void)[] = [];
  const lookups: ((row: readonly string[]) => number)[] = [];
  for (const column of recipe.columns) {
    const at = columnAt(table.columns, column.name);
    if (column.kind !== "category") {
      const { kind, mean, std, marksMissing } = column;
      fields.push((row, line, put) => {
        const cell = row[at]!;
        const none = unknown.has(cell);
        const value = none ? mean : PARSERS[kind](cell);
        if (Number.isNaN(value)) throw notParsed(kind, cell, column.name, line);
        put((value - mean) / std);
        if (marksMissing) put(none ? 1 : 0);
      });
    } else if (embedded) {
      const indices = new Map(column.values.map((value, i) => [value, i + 1]));
      lookups.push((row) => indices.get(row[at]!) ?? 0);
    } else {
      fields.push((row, _, put) => {
        for (const value of column.values) put(row[at] === value ? 1 : 0);
      });
    }
  }
  const width = tableWidths(recipe).numbers;
  const x = new Float32Array(length * width);
  const categories = new Int32Array(length * lookups.length);
  let to = 0;
  table.rows.forEach((row, line) => {
    for (const field of fields) {
      field(row, line, (value) => {
        x[to++] = value;
      });
    }
    lookups.forEach((lookup, i) => {
      categories[line * lookups.length + i] = lookup(row);
    });
  });
  return tensorDataset({
    ...(width > 0 ? { x: new Tensor("float32", [length, width], x) } : {}),
    ...(lookups.length > 0
      ? { categories: new Tensor("int32", [length, lookups.length], categories).to("int64") }
      : {}),
    target: targetTensor(table, recipe),
  });
}

/** How many numbers a row has, and how many values each embedded column (with 0, the unknown). */
export function tableWidths({ columns, categories }: TableRecipe): { numbers: number; categories: number[] } {
  const embedded = categories === "embedded";
  let numbers = 0;
  const sizes: number[] = [];
  for (const column of columns) {
    if (column.kind !== "category") numbers += column.marksMissing ? 2 : 1;
    else if (embedded) sizes.push(column.values.length + 1);
    else numbers += column.values.length;
  }
  return { numbers, categories: sizes };
}

function targetTensor(table: Delimited, { target }: TableRecipe): Tensor {
  const at = columnAt(table.columns, target.name);
  const cells = table.rows.map((row) => row[at]!);
  if (target.kind === "classes") return classTensor(cells, target.classes);
  const values = cells.map((cell, line) => {
    if (!isNumeric(cell)) throw notParsed("number", cell, target.name, line);
    return (Number(cell) - target.mean) / target.std;
  });
  return Tensor.of([cells.length, 1], values);
}

function targetName(table: Delimited, { target }: TableOptions): string {
  if (target !== undefined) columnAt(table.columns, target);
  return target ?? table.columns.at(-1)!;
}

function targetCells(table: Delimited, options: TableOptions): string[] {
  const at = columnAt(table.columns, targetName(table, options));
  return table.rows.map((row) => row[at]!);
}

function isClasses(cells: readonly string[], { task }: TableOptions): boolean {
  if (task !== undefined) return task === "classes";
  if (!cells.every(isNumeric)) return true;
  return cells.every((cell) => Number.isInteger(Number(cell))) && new Set(cells).size <= MOST_CLASSES;
}

/** Mean and standard deviation, 1 where all are equal. */
function moments(values: readonly number[]): { mean: number; std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length);
  return { mean, std: Math.sqrt(variance) || 1 };
}

function notParsed(kind: "number" | "date", cell: string, column: string, row: number): ArborizeError {
  return new ArborizeError(
    "bad_data",
    `Row ${row} has "${cell}" in column "${column}", which is a ${kind} in the training data. Say that it means a missing value (missing), or leave the column out (ignore).`,
  );
}

function tooManyValues(column: string, count: number): ArborizeError {
  return new ArborizeError(
    "bad_data",
    `Column "${column}" has ${count} different values, too many for a column each. Leave it out (ignore), or embed categories.`,
  );
}
