// IMDB: movie reviews, and whether they are for or against.

import { gzipSync } from "node:zlib";
import { ArborizeError } from "../base/errors.ts";
import { type Archive, type ArchivedFile, tarFiles, unpackedArchive } from "./archive.ts";
import { readFileBytes } from "./files.ts";
import { unpack } from "./idx.ts";
import { givenFolder, loadFile, type Source, type SourceFile, type SourceOptions } from "./source.ts";

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

/** The archive as its authors publish it, with the checksum that torchtext has. */
const ARCHIVE: Archive = {
  urls: ["https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"],
  md5: "7c2ac02c03563afcf9b574c7e56c153a",
  unpack: (path, name) => reviewFiles(path, name, 12_500),
};

/** Training and test texts. */
export interface ImdbData {
  readonly train: LabelledTexts;
  readonly test: LabelledTexts;
}

/**
 * 25,000 training and 25,000 test reviews, half of each positive (Maas et al. 2011): class 0 is negative, 1 positive.
 * `tokenDataset` makes a data set of them. Without a folder the published archive, 84 MB, is downloaded once and kept in the cache as
 * two files, one review a line, by the number of the review, the negative one first.
 *
 * @throws as `mnist`.
 */
export function imdb(options: SourceOptions = {}): Promise<ImdbData> {
  return loadImdb(options, ARCHIVE);
}

/** The reviews of a folder, or else of an archive. */
export async function loadImdb(options: SourceOptions, archive: Archive): Promise<ImdbData> {
  const named = givenFolder(options);
  // What we make of the archive ourselves has been checked as a whole.
  const source =
    named === undefined ? { ...SOURCE, files: SOURCE.files.map(({ name }) => ({ name })) } : SOURCE;
  const folder = named ?? (await unpackedArchive(source, archive, options));
  const load = (file: SourceFile) => loadFile(source, file, { ...options, folder }, { read });
  const [train, test] = source.files as [SourceFile, SourceFile];
  return { train: await load(train), test: await load(test) };
}

/** The reviews of an archive, one a line. @throws `bad_file` unless there are `each` of a class in each part. */
export async function* reviewFiles(path: string, name: string, each: number): AsyncGenerator<ArchivedFile> {
  const lines = { train: [[], []], test: [[], []] } as Record<string, [string[], string[]]>;
  const archive = unpack(await readFileBytes(path), name);
  for (const { path: member, content } of tarFiles(archive, name)) {
    const [, part, side, number] = /(train|test)\/(pos|neg)\/(\d+)_\d+\.txt$/.exec(member) ?? [];
    if (part === undefined) continue;
    const label = side === "pos" ? 1 : 0;
    const text = new TextDecoder()
      .decode(content)
      .replace(/[\t\r\n]+/g, " ")
      .trim();
    lines[part]![label][Number(number)] = `${label}\t${text}`;
  }
  const whole = (found: string[]) => found.filter(Boolean).length === each && found.length === each;
  if (!Object.values(lines).flat().every(whole)) {
    throw new ArborizeError("bad_file", `"${name}" has not ${each} reviews of each class in each part.`);
  }
  for (const [part, [negative, positive]] of Object.entries(lines)) {
    const all = negative.flatMap((line, i) => [line, positive[i]!]);
    yield { path: `${part}.tsv.gz`, content: gzipSync(new TextEncoder().encode(`${all.join("\n")}\n`)) };
  }
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
