// IMDB: movie reviews, and whether they are for or against.

import { ArborizeError } from "../base/errors.ts";
import { loadFile, type Source, type SourceFile, type SourceOptions } from "./source.ts";

const TRAIN: SourceFile = {
  name: "train.tsv",
  sha256: "e10d504574832e0c2d6cee80dab4f7950ee566d08f595486ee74feb86c9c8df9",
};
const TEST: SourceFile = {
  name: "test.tsv",
  sha256: "1c70ee7ad0652f93e30fc23d325bdcab5b4db09bf0da59df1546a3e5dc3c86f9",
};
const SOURCE: Source = {
  title: "IMDB",
  folder: "imdb",
  mirrors: [],
  home: "the Large Movie Review Dataset (https://ai.stanford.edu/~amaas/data/sentiment): one review a line, 0 or 1, a tab, the text without tabs and line ends, by the number of the review, the negative one first. Put them",
  files: [TRAIN, TEST],
};

/** Texts with their classes. */
export interface LabelledTexts {
  readonly texts: readonly string[];
  readonly labels: readonly number[];
}

/**
 * 25,000 training and 25,000 test reviews, half of each positive (Maas et al. 2011): class 0 is negative, 1 positive.
 * `tokenDataset` makes a data set of them. It is not downloaded: the published archive holds a file for each review.
 *
 * @throws `bad_file` when a file is missing, damaged, or another.
 */
export async function imdb(options: SourceOptions = {}): Promise<{
  readonly train: LabelledTexts;
  readonly test: LabelledTexts;
}> {
  const load = (file: SourceFile) => loadFile(SOURCE, file, options, { read });
  return { train: await load(TRAIN), test: await load(TEST) };
}

function read(content: Uint8Array, name: string): LabelledTexts {
  const lines = new TextDecoder().decode(content).trimEnd().split("\n");
  const labels = lines.map((line, i) => {
    if (/^[01]\t/.test(line)) return Number(line[0]);
    const found = JSON.stringify(line.slice(0, 20));
    throw new ArborizeError(
      "bad_file",
      `"${name}", line ${i + 1}: it begins ${found}, wanted 0 or 1 and a tab.`,
    );
  });
  return { texts: lines.map((line) => line.slice(2)), labels };
}
