// Adult (census income): who earns more than 50,000 dollars a year, from 14 attributes.

import { ArborizeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import { type Dataset, subset } from "./dataset.ts";
import { type Delimited, readDelimited } from "./delimited.ts";
import { checkInteger } from "./options.ts";
import { loadFile, type Source, type SourceFile, type SourceOptions } from "./source.ts";
import { learnTable, tableDataset } from "./table.ts";

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
  const order = Random.stream(seed, "split").permutation(rows.rows.length);
  const kept = Math.min(order.length - 1, Math.max(1, Math.round(share * order.length)));
  // A missing value is one like others.
  const recipe = learnTable(rows, order.subarray(kept), { missing: [] });
  const all = tableDataset(rows, recipe);
  return {
    train: subset(all, order.subarray(kept)),
    validation: subset(all, order.subarray(0, kept)),
    test: tableDataset(await load(TEST), recipe),
    features: recipe.columns.flatMap((column) =>
      column.kind === "category" ? column.values.map((value) => `${column.name}=${value}`) : [column.name],
    ),
  };
}

function read(content: Uint8Array, name: string): Delimited {
  const columns = [...COLUMNS.map(([column]) => column), "income"];
  const table = readDelimited(new TextDecoder().decode(content), name, { columns, delimiter: "," });
  for (const [i, cells] of table.rows.entries()) {
    const numbers = COLUMNS.every(([, kind], c) => kind === "class" || /^\d+$/.test(cells[c]!));
    // In the test file the class ends in a full stop.
    if (numbers && /^(<=|>)50K\.?$/.test(cells.at(-1)!)) continue;
    const found = cells.join(", ").slice(0, 60);
    throw new ArborizeError(
      "bad_file",
      `"${name}", row ${i + 1}: found "${found}", wanted numbers where they are, and <=50K or >50K.`,
    );
  }
  return table;
}
