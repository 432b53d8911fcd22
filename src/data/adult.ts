// Adult (census income): who earns more than 50,000 dollars a year, from 14 attributes.

import { ArborizeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { type Dataset, tensorDataset } from "./dataset.ts";
import { checkInteger } from "./options.ts";
import { loadFile, type Source, type SourceFile, type SourceOptions } from "./source.ts";

/** The attributes in the file's order, and which of them are numbers. */
const COLUMNS = [
  ["age", "number"],
  ["workclass", "class"],
  ["fnlwgt", "number"],
  ["education", "class"],
  ["education-num", "number"],
  ["marital-status", "class"],
  ["occupation", "class"],
  ["relationship", "class"],
  ["race", "class"],
  ["sex", "class"],
  ["capital-gain", "number"],
  ["capital-loss", "number"],
  ["hours-per-week", "number"],
  ["native-country", "class"],
] as const;

const TRAIN: SourceFile = {
  name: "adult.data",
  remote: "adult.data",
  sha256: "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
};
const TEST: SourceFile = {
  name: "adult.test",
  remote: "adult.test",
  sha256: "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
};
const SOURCE: Source = {
  title: "Adult",
  folder: "adult",
  mirrors: ["https://archive.ics.uci.edu/ml/machine-learning-databases/adult/"],
  files: [TRAIN, TEST],
};

/** What `adult` takes. */
export interface AdultOptions extends SourceOptions {
  /** The share of the training file that is kept for validation, above 0, below 1. Default: 0.2. */
  readonly validation?: number;
  /** Decides which rows those are. Default: 0. */
  readonly seed?: number;
}

/** Three parts, and what the columns of `x` are. */
export interface AdultData {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** By column of `x`: `"age"`, `"sex=Female"`. */
  readonly features: readonly string[];
}

/** A row: the attributes as the file has them, and whether the income is above 50,000. */
interface Row {
  readonly cells: readonly string[];
  readonly above: boolean;
}

/**
 * Adult income: 32,561 training rows, of which some become the validation part, and 16,281 test rows (Kohavi and Becker
 * 1996). `x`, float32 `[features]`: numbers less their mean, over their standard deviation; one column for each value of
 * the other attributes, a missing one (`?`) being a value like others. Means, deviations and values are those of the
 * training part; a value that it has not is no column, so zeros. `target`, int64 `[]`: 1 above 50,000 dollars, else 0.
 *
 * @throws as `mnist`; `bad_option` for a share or a seed out of range.
 */
export async function adult(options: AdultOptions = {}): Promise<AdultData> {
  const { validation: share = 0.2, seed = 0, ...where } = options;
  if (!(share > 0 && share < 1)) {
    throw new ArborizeError("bad_option", `adult: validation is ${share}, wanted a share above 0, below 1.`);
  }
  checkInteger("adult", "seed", seed, 0);
  const load = (file: SourceFile) => loadFile(SOURCE, file, where, { read });
  const rows = await load(TRAIN);
  const order = Random.stream(seed, "split").permutation(rows.length);
  const shuffled = Array.from(order, (i) => rows[i]!);
  const kept = Math.min(rows.length - 1, Math.max(1, Math.round(share * rows.length)));
  const train = shuffled.slice(kept);
  const columns = encoders(train);
  return {
    train: encode(train, columns),
    validation: encode(shuffled.slice(0, kept), columns),
    test: encode(await load(TEST), columns),
    features: columns.map(({ name }) => name),
  };
}

function read(content: Uint8Array, name: string): Row[] {
  const lines = new TextDecoder().decode(content).split("\n");
  return lines.flatMap((line, i) => {
    if (line.trim() === "" || line.startsWith("|")) return [];
    const cells = line.split(",").map((cell) => cell.trim());
    // In the test file the class ends in a full stop.
    const label = cells.pop()!.replace(/\.$/, "");
    const numbers = COLUMNS.every(([, kind], c) => kind === "class" || /^\d+$/.test(cells[c] ?? ""));
    if (cells.length !== COLUMNS.length || !numbers || !/^(<=|>)50K$/.test(label)) {
      const wanted = `${COLUMNS.length} attributes, numbers where they are, and <=50K or >50K`;
      throw new ArborizeError(
        "bad_file",
        `"${name}", line ${i + 1}: found "${line.slice(0, 60)}", wanted ${wanted}.`,
      );
    }
    return [{ cells, above: label === ">50K" }];
  });
}

/** A column of `x`, computed from a row's cells. */
interface Column {
  readonly name: string;
  readonly of: (cells: readonly string[]) => number;
}

function encoders(rows: readonly Row[]): Column[] {
  return COLUMNS.flatMap(([name, kind], c): Column[] => {
    if (kind === "class") {
      const values = [...new Set(rows.map(({ cells }) => cells[c]!))].sort();
      return values.map((value) => ({
        name: `${name}=${value}`,
        of: (cells) => (cells[c] === value ? 1 : 0),
      }));
    }
    const numbers = rows.map(({ cells }) => Number(cells[c]));
    const mean = numbers.reduce((sum, v) => sum + v, 0) / numbers.length;
    const std = Math.sqrt(numbers.reduce((sum, v) => sum + (v - mean) ** 2, 0) / numbers.length) || 1;
    return [{ name, of: (cells) => (Number(cells[c]) - mean) / std }];
  });
}

function encode(rows: readonly Row[], columns: readonly Column[]): Dataset {
  const x = new Float32Array(rows.length * columns.length);
  for (const [i, { cells }] of rows.entries()) {
    for (const [c, column] of columns.entries()) x[i * columns.length + c] = column.of(cells);
  }
  return tensorDataset({
    x: new Tensor("float32", [rows.length, columns.length], x),
    target: new Tensor(
      "int64",
      [rows.length],
      BigInt64Array.from(rows, ({ above }) => BigInt(above)),
    ),
  });
}
