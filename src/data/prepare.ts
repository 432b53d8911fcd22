// Files as data sets, without code: read, cut into parts, and described by a recipe that is learned from the training part alone.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ArborizeError, invariant } from "../base/errors.ts";
import { stratified } from "./classes.ts";
import { type Dataset, subset } from "./dataset.ts";
import { type Delimited, type DelimitedOptions, readDelimited } from "./delimited.ts";
import { exists, readFileBytes } from "./files.ts";
import { unpack } from "./idx.ts";
import {
  findIdx,
  type ImageOptions,
  type Images,
  imageRecipe,
  imagesDataset,
  learnImages,
  readIdxPair,
  readImageFolder,
} from "./images.ts";
import { learnTable, type TableOptions, tableClasses, tableDataset, tableRecipe } from "./table.ts";
import {
  learnTexts,
  type TextOptions,
  type TextRecipe,
  textDataset,
  textLayout,
  textRecipe,
  textsOf,
} from "./words.ts";

/** What a data set's fields mean: enough to read other files alike. Plain JSON, kept with a run. */
export const recipeSchema = z.union([tableRecipe, imageRecipe, textRecipe]);
export type Recipe = z.infer<typeof recipeSchema>;

/** What files hold. */
export type DataKind = "images" | "idx" | "table" | "text";

/** How files become data sets. Options of another kind than the files' are not looked at. */
export interface PrepareOptions extends ImageOptions, TextOptions, TableOptions, DelimitedOptions {
  /**
   * What the files hold. Default: by the path. A folder has idx files, or folders of images; of two columns between tabs in a
   * .tsv one is text, and in files whose `textColumn` or `labelColumn` is said; others are tables, as text or Parquet. All but
   * images may be packed with gzip.
   */
  kind?: DataKind;
  /** Where the test examples are. Default: a folder's own part for them, else `testShare` of all. */
  test?: string;
  /** The share of the training examples that decides growth. Default: 0.1. */
  validationShare?: number;
  /** The share that is tested on, where no files are given for it; 0 for none. Default: 0.1. */
  testShare?: number;
  /** Decides the parts. Default: 0. */
  seed?: number;
}

/** Data sets from files. */
export interface Prepared {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset | null;
  readonly recipe: Recipe;
}

/** Examples as a kind of files has them, before anything is learned. */
interface Source {
  readonly classes: readonly string[];
  learn(training: ArrayLike<number>): Recipe;
  dataset(recipe: Recipe): Dataset;
}

/**
 * Reads the examples at `path` and cuts them into parts, random by `seed`, in which each class has its share.
 *
 * @throws `bad_file` and `bad_data` for files that cannot be read so, `bad_option` for shares that leave a part empty.
 */
export async function prepare(path: string, options: PrepareOptions = {}): Promise<Prepared> {
  const kind = options.kind ?? (await kindOf(path, options));
  const found = await partsOf(path, kind);
  const testPath = options.test ?? found.test;
  const { validationShare = 0.1, testShare = testPath === null ? 0.1 : 0, seed = 0 } = options;
  for (const [name, share] of Object.entries({ validationShare, testShare })) {
    if (share >= 0 && share < 1 && validationShare + testShare < 1 && (share > 0 || name === "testShare"))
      continue;
    throw new ArborizeError(
      "bad_option",
      `${name} is ${share}, wanted a share above 0 that leaves examples to learn from.`,
    );
  }
  const source = await open(found.train, kind, options, null);
  const shares = [1 - validationShare - testShare, validationShare, testShare];
  const [train, validation, test] = stratified(source.classes, shares, seed);
  const recipe = source.learn(train!);
  const all = source.dataset(recipe);
  const own = test!.length > 0 ? subset(all, test!) : null;
  return {
    train: subset(all, train!),
    validation: subset(all, validation!),
    test: testPath === null ? own : await readAs(recipe, testPath, options),
    recipe,
  };
}

/**
 * Reads all examples at `path` as a recipe says. The test part of a folder of idx files, where it has one.
 *
 * @throws `bad_file`, `bad_data` for files that do not fit it.
 */
export async function readAs(recipe: Recipe, path: string, options: DelimitedOptions = {}): Promise<Dataset> {
  const kind = recipe.kind === "images" ? await kindOf(path) : recipe.kind;
  const { test, train } = await partsOf(path, kind);
  return (await open(test ?? train, kind, options, recipe)).dataset(recipe);
}

async function kindOf(path: string, { textColumn, labelColumn }: TextOptions = {}): Promise<DataKind> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) return (await findIdx(path)) ? "idx" : "images";
  if (textColumn !== undefined || labelColumn !== undefined) return "text";
  if (!/\.tsv(\.gz)?$/i.test(path) || !found) return "table";
  const [line = ""] = textOf(unpack(await readFileBytes(path), path), path).split("\n", 1);
  return line.split("\t").length === 2 ? "text" : "table";
}

/** Where the parts of a folder are, which may have one for tests. */
async function partsOf(path: string, kind: DataKind): Promise<{ train: string; test: string | null }> {
  if (kind === "idx") return { train: path, test: (await findIdx(path))?.test ? path : null };
  const [train, test] = [join(path, "train"), join(path, "test")];
  if (kind !== "images" || !(await exists(train))) return { train: path, test: null };
  return { train, test: (await exists(test)) ? test : null };
}

/** @param recipe what is known already: the files are then those of a test. */
async function open(
  path: string,
  kind: DataKind,
  options: PrepareOptions,
  recipe: Recipe | null,
): Promise<Source> {
  switch (kind) {
    case "idx": {
      const pairs = await findIdx(path);
      const pair = recipe ? (pairs?.test ?? pairs?.train) : pairs?.train;
      if (pair) return imageSource(await readIdxPair(pair));
      throw new ArborizeError("bad_file", `"${path}" has no idx files of images and labels.`);
    }
    case "images": {
      const size = options.size ? { size: options.size } : {};
      const wanted = recipe?.kind === "images" ? { size: recipe.size, channels: recipe.channels } : size;
      return imageSource(await readImageFolder(path, wanted));
    }
    case "text": {
      const columns = { ...options, ...(recipe?.kind === "text" ? columnsOf(recipe) : {}) };
      const { textColumn, labelColumn } = columns;
      const wanted = (column: string) =>
        !(textColumn && labelColumn) || column === textColumn || column === labelColumn;
      const table = await readTable(path, (content) => textLayout(content, columns), wanted);
      const texts = textsOf(table, path, columns);
      return {
        classes: texts.labels,
        learn: (training) => learnTexts(texts, training, options),
        dataset: (learned) => textDataset(texts, asKind(learned, "text")),
      };
    }
    case "table": {
      const known =
        recipe?.kind === "table" ? [...recipe.columns, recipe.target].map(({ name }) => name) : null;
      const wanted = (column: string) => known?.includes(column) ?? !options.ignore?.includes(column);
      const table = await readTable(path, () => options, wanted);
      return {
        classes: recipe ? [] : tableClasses(table, options),
        learn: (training) => learnTable(table, training, options),
        dataset: (learned) => tableDataset(table, asKind(learned, "table")),
      };
    }
  }
}

function imageSource(images: Images): Source {
  return {
    classes: images.labels,
    learn: (training) => learnImages(images, training),
    dataset: (recipe) => imagesDataset(images, asKind(recipe, "images")),
  };
}

function asKind<K extends Recipe["kind"]>(recipe: Recipe, kind: K): Extract<Recipe, { kind: K }> {
  invariant(recipe.kind === kind, `a recipe of ${recipe.kind} for ${kind}`);
  return recipe as Extract<Recipe, { kind: K }>;
}

/** @param layout how text is read. @param wanted which columns of a Parquet file are. */
async function readTable(
  path: string,
  layout: (content: string) => DelimitedOptions,
  wanted: (column: string) => boolean,
): Promise<Delimited> {
  const bytes = unpack(await readFileBytes(path), path);
  if (new TextDecoder().decode(bytes.subarray(0, 4)) === "PAR1") {
    const { readParquet } = await import("./parquet.ts");
    return readParquet(bytes, path, wanted);
  }
  const content = textOf(bytes, path);
  return readDelimited(content, path, layout(content));
}

/** What a recipe knows of columns. */
function columnsOf({ textColumn, labelColumn }: TextRecipe): TextOptions {
  return { ...(textColumn ? { textColumn } : {}), ...(labelColumn ? { labelColumn } : {}) };
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ArborizeError("bad_file", `"${path}" is not text in UTF-8. Save it in that encoding.`, {
      cause: error,
    });
  }
}
