// Labelled texts as rows of word numbers: which words there are is learned from the training part.

import { z } from "zod";
import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { classTensor, sortedClasses } from "./classes.ts";
import { type Dataset, tensorDataset } from "./dataset.ts";
import { columnAt, type Delimited, type DelimitedOptions } from "./delimited.ts";

/** How texts become numbers. */
export interface TextOptions {
  /** Words that a text is cut or padded to. Default: 256. */
  length?: number;
  /** The most words that are told apart: the most frequent ones. Default: 20,000. */
  vocabulary?: number;
  /** The column of the text. Default: `text`, or the one beside the label where there are two. */
  textColumn?: string;
  /** The column of the class. Default: `label`, or the one beside the text, or the first of two. */
  labelColumn?: string;
}

/** Which words there are, from number 2 on. Plain JSON. */
export const textRecipe = z.object({
  kind: z.literal("text"),
  length: z.int(),
  words: z.array(z.string()),
  classes: z.array(z.string()),
  /** The columns' names, where they were said. */
  textColumn: z.string().optional(),
  labelColumn: z.string().optional(),
});
export type TextRecipe = z.infer<typeof textRecipe>;

/** Texts with their labels. */
export interface Texts {
  readonly texts: readonly string[];
  readonly labels: readonly string[];
}

const PADDING = 0;
const UNKNOWN = 1;
const FIRST_WORD = 2;

/** How a file of texts is read as a table. Its first row is a header where it has the columns that are looked for. */
export function textLayout(content: string, options: TextOptions & DelimitedOptions): DelimitedOptions {
  const [first = ""] = content.split("\n", 1);
  const tabs = options.delimiter === "\t" || (options.delimiter === undefined && first.includes("\t"));
  const { textColumn, labelColumn } = options;
  const named = [textColumn, labelColumn].some((name) => name !== undefined && !/^column\d+$/.test(name));
  const header = options.columns === undefined && (named || hasDefaults(first.split(/[\t,;|]/)));
  return { header, quotes: !tabs, ...options, ...(tabs ? { delimiter: "\t" } : {}) };
}

/** Whether columns are called `text` and `label`, in whatever letters. */
function hasDefaults(columns: readonly string[]): boolean {
  return [TEXT, LABEL].every((name) => columns.some((column) => isCalled(column, name)));
}

const TEXT = "text";
const LABEL = "label";

function isCalled(column: string, name: string): boolean {
  return column.trim().replaceAll('"', "").toLowerCase() === name;
}

/** The texts and labels of a table. @throws `bad_file` where columns are missing, or it is not clear which are meant. */
export function textsOf({ columns, rows }: Delimited, name: string, options: TextOptions): Texts {
  const [text, label] = textColumns(columns, name, options);
  return { texts: rows.map((row) => row[text]!), labels: rows.map((row) => row[label]!) };
}

function textColumns(columns: readonly string[], name: string, options: TextOptions): [number, number] {
  const { textColumn, labelColumn } = options;
  const byDefault = (called: string) => columns.findIndex((column) => isCalled(column, called));
  const given = (column: string | undefined) => (column === undefined ? -1 : columnAt(columns, column));
  let [text, label] = [given(textColumn), given(labelColumn)];
  // Of two columns, one tells the other; a label stands first.
  const two = columns.length === 2;
  if (text < 0) text = two && label >= 0 ? 1 - label : byDefault(TEXT);
  if (label < 0) label = two && text >= 0 ? 1 - text : byDefault(LABEL);
  if (text < 0 && label < 0 && two) [text, label] = [1, 0];
  if (text >= 0 && label >= 0 && text !== label) return [text, label];
  throw new ArborizeError(
    "bad_file",
    `"${name}" has ${columns.length} columns (${columns.join(", ")}): say which are the text and its label (textColumn, labelColumn).`,
  );
}

/** Learns the words of the texts at `training`; of equally frequent ones, the alphabet decides. */
export function learnTexts(
  { texts, labels }: Texts,
  training: ArrayLike<number>,
  { length = 256, vocabulary = 20_000, textColumn, labelColumn }: TextOptions,
): TextRecipe {
  const counts = new Map<string, number>();
  for (let i = 0; i < training.length; i++) {
    for (const word of wordsOf(texts[training[i]!]!)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const order = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const words = order.slice(0, Math.max(0, vocabulary - FIRST_WORD)).map(([word]) => word);
  const columns = {
    ...(textColumn === undefined ? {} : { textColumn }),
    ...(labelColumn === undefined ? {} : { labelColumn }),
  };
  return { kind: "text", length, words, classes: sortedClasses(labels), ...columns };
}

/** Texts as the recipe says: `ids`, int64 `[length]`, 0 behind the end and 1 for other words; and `target`, an int64 class. */
export function textDataset({ texts, labels }: Texts, recipe: TextRecipe): Dataset {
  const { length } = recipe;
  const numbers = new Map(recipe.words.map((word, i) => [word, i + FIRST_WORD]));
  const ids = new Int32Array(texts.length * length).fill(PADDING);
  texts.forEach((text, row) => {
    let at = row * length;
    for (const word of wordsOf(text)) {
      if (at === (row + 1) * length) break;
      ids[at++] = numbers.get(word) ?? UNKNOWN;
    }
  });
  return tensorDataset({
    ids: new Tensor("int32", [texts.length, length], ids),
    target: classTensor(labels, recipe.classes),
  });
}

/** How many numbers a text's words can have. */
export function vocabularySize({ words }: TextRecipe): number {
  return words.length + FIRST_WORD;
}

/** Runs of letters and digits with their apostrophes, in small letters. */
function* wordsOf(text: string): Generator<string> {
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+(?:['’][\p{L}\p{N}]+)*/gu)) yield word;
}
