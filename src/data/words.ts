// Labelled texts as rows of word numbers: which words there are is learned from the training part.

import { z } from "zod";
import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { classTensor, sortedClasses } from "./classes.ts";
import { type Dataset, tensorDataset } from "./dataset.ts";
import { readDelimited } from "./delimited.ts";

/** How texts become numbers. */
export interface TextOptions {
  /** Words that a text is cut or padded to. Default: 256. */
  length?: number;
  /** The most words that are told apart: the most frequent ones. Default: 20,000. */
  vocabulary?: number;
}

/** Which words there are, from number 2 on. Plain JSON. */
export const textRecipe = z.object({
  kind: z.literal("text"),
  length: z.int(),
  words: z.array(z.string()),
  classes: z.array(z.string()),
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

/**
 * Reads tab-separated texts: a label and a text a line, in columns called `label` and `text` where there is a header, else in
 * that order. @throws `bad_file` for more or fewer columns.
 */
export function readTexts(content: string, name: string): Texts {
  const [first = ""] = content.split("\n", 1);
  const header = first
    .trim()
    .split("\t")
    .map((cell) => cell.toLowerCase());
  const named = header.includes("label") && header.includes("text");
  const { columns, rows } = readDelimited(content, name, { delimiter: "\t", header: named, quotes: false });
  if (columns.length !== 2) {
    throw new ArborizeError(
      "bad_file",
      `"${name}" has ${columns.length} columns, wanted a label, a tab and a text.`,
    );
  }
  const label = named ? header.indexOf("label") : 0;
  return { texts: rows.map((row) => row[1 - label]!), labels: rows.map((row) => row[label]!) };
}

/** Learns the words of the texts at `training`; of equally frequent ones, the alphabet decides. */
export function learnTexts(
  { texts, labels }: Texts,
  training: ArrayLike<number>,
  { length = 256, vocabulary = 20_000 }: TextOptions,
): TextRecipe {
  const counts = new Map<string, number>();
  for (let i = 0; i < training.length; i++) {
    for (const word of wordsOf(texts[training[i]!]!)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const order = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const words = order.slice(0, Math.max(0, vocabulary - FIRST_WORD)).map(([word]) => word);
  return { kind: "text", length, words, classes: sortedClasses(labels) };
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
