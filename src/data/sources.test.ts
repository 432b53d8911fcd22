// The data sets beside MNIST: small files written here, and the real ones where they are at hand.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { adult } from "./adult.ts";
import { emnist } from "./emnist.ts";
import { imdb } from "./imdb.ts";
import { optdigits } from "./optdigits.ts";
import { tokenDataset, type WordPiece, wordPiece } from "./wordpiece.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "arborize-sources-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const idx = (shape: number[], data: number[]) =>
  Uint8Array.of(0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, 0, n]), ...data);

describe("EMNIST's published files", () => {
  test("are turned upright, and letters are counted from 0", async () => {
    for (const split of ["letters", "balanced"]) {
      for (const part of ["train", "test"]) {
        const name = join(folder, `emnist-${split}-${part}`);
        await writeFile(`${name}-images-idx3-ubyte`, idx([1, 2, 2], [0, 51, 102, 255]));
        await writeFile(`${name}-labels-idx1-ubyte`, idx([1], [3]));
      }
    }
    const { train, test } = await emnist({ folder, split: "letters" });
    const { x, target } = train.batch([0]);
    const pixels = [...(x!.data as Float32Array)].map((v) => Math.round((v * 0.3317 + 0.1736) * 255));
    expect(pixels).toEqual([0, 102, 51, 255]);
    expect([target!.data, test.length]).toEqual([BigInt64Array.of(2n), 1]);
    const balanced = await emnist({ folder, split: "balanced" });
    expect(balanced.train.batch([0]).target!.data).toEqual(BigInt64Array.of(3n));
  });

  test("a split that there is not, and files that are missing", async () => {
    await expect(emnist({ folder, split: "all" as "letters" })).rejects.toThrow(
      /split is "all", wanted one of byclass/,
    );
    await expect(emnist({ folder, split: "digits" })).rejects.toThrow(
      /EMNIST: "emnist-digits-train-images-idx3-ubyte.gz".* neither in .* Get .* from https:\/\/www.nist.gov/,
    );
    await expect(emnist({ folder })).rejects.toThrow(
      /"train-images-idx3-ubyte.gz".* from whoever made this part \(NIST's own files are asked for by split/,
    );
    vi.stubEnv("ARBORIZE_DATA", "");
    await expect(emnist({ cache: join(folder, "none") }).finally(() => vi.unstubAllEnvs())).rejects.toThrow(
      /neither split nor folder is given, wanted split, one of byclass, .* to have it downloaded, or a folder/,
    );
  });
});

describe("what is not the file", () => {
  test.each([
    ["adult.data", "39, State-gov, x, Bachelors", adult, /line 1 has 4 cells, wanted 15/],
    [
      "adult.data",
      `${"39, ".repeat(14)}50K`,
      adult,
      /row 1: found "39, 39, .*, wanted numbers where they are, and <=50K or >50K/,
    ],
    ["optdigits.tra", `${"17,".repeat(64)}1`, optdigits, /line 1: found "17,17,.*, wanted 65 whole numbers/],
    ["train.tsv", "0\tfine\n2\tbad", imdb, /line 2: it begins "2\\tbad", wanted 0 or 1 and a tab/],
    ["train.tsv", "0\tfine", imdb, /is not IMDB's "train.tsv": its unpacked content has SHA-256/],
  ])("is refused: %s of %j", async (name, content, load, message) => {
    await writeFile(join(folder, name), content);
    await expect(load({ folder })).rejects.toMatchObject({
      code: "bad_file",
      message: expect.stringMatching(message),
    });
  });

  test("a vocabulary", async () => {
    const path = join(folder, "vocab.txt");
    await writeFile(path, "[PAD]\n[UNK]\nthe\n");
    await expect(wordPiece(path)).rejects.toThrow(/not a vocabulary of BERT's: it lacks \[CLS\], \[SEP\]/);
    await writeFile(path, "[CLS]\n[UNK]\n[SEP]\n[PAD]\n");
    await expect(wordPiece(path)).rejects.toThrow(/\[PAD\] is not its first line/);
  });
});

const data = join(import.meta.dirname, "..", "..", "..", "shared", "data");
if (!existsSync(data)) console.log(`skipped: no ${data} with the real files`);
describe.skipIf(!existsSync(data))("the real files", () => {
  const counts = (labels: ArrayLike<bigint>) => {
    const found: number[] = [];
    for (const label of Array.from(labels)) found[Number(label)] = (found[Number(label)] ?? 0) + 1;
    return found;
  };
  const all = (n: number) => Array.from({ length: n }, (_, i) => i);

  test("Adult: shares, standardised columns, one column a value", async () => {
    const { train, validation, test, features } = await adult({ folder: data, validation: 0.25, seed: 3 });
    expect([train.length, validation.length, test.length]).toEqual([24421, 8140, 16281]);
    const { x, target } = train.batch(all(train.length));
    const labels = [train, validation].map((part) =>
      counts(part.batch(all(part.length)).target!.data as BigInt64Array),
    );
    expect([0, 1].map((c) => labels[0]![c]! + labels[1]![c]!)).toEqual([24720, 7841]);
    expect(counts(test.batch(all(test.length)).target!.data as BigInt64Array)).toEqual([12435, 3846]);
    expect(target!.shape).toEqual([24421]);
    const width = features.length;
    expect(x!.shape).toEqual([24421, width]);
    const column = (name: string) =>
      all(train.length).map((i) => x!.data[i * width + features.indexOf(name)] as number);
    const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
    expect(mean(column("age"))).toBeCloseTo(0, 5);
    expect(mean(column("capital-gain").map((v) => v * v))).toBeCloseTo(1, 5);
    // One value of each attribute is there: a missing one is a value.
    const occupations = features.filter((name) => name.startsWith("occupation="));
    expect(occupations).toHaveLength(15);
    expect(occupations).toContain("occupation=?");
    expect(occupations.map((name) => mean(column(name))).reduce((a, b) => a + b)).toBeCloseTo(1, 9);
    const again = await adult({ folder: data, validation: 0.25, seed: 3 });
    expect(again.validation.batch([7])).toEqual(validation.batch([7]));
    expect((await adult({ folder: data, seed: 4 })).train.batch([7])).not.toEqual(train.batch([7]));
  });

  test("optdigits", async () => {
    const { train, test } = await optdigits({ folder: data });
    expect(counts(test.batch(all(1797)).target!.data as BigInt64Array)).toEqual([
      178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]);
    expect([...(train.batch([0]).x!.data as Float32Array)].slice(0, 5)).toEqual([
      0,
      1 / 16,
      6 / 16,
      15 / 16,
      12 / 16,
    ]);
  });

  test("EMNIST's part", async () => {
    const { train, test } = await emnist({ folder: data });
    expect([train.length, test.length]).toEqual([96323, 20000]);
    expect(counts(test.batch(all(20000)).target!.data as BigInt64Array)).toHaveLength(47);
    let [sum, squares] = [0, 0];
    const sample = train.batch(all(20000)).x!.data as Float32Array;
    for (const v of sample) {
      sum += v;
      squares += v * v;
    }
    expect(sum / sample.length).toBeCloseTo(0, 1);
    expect(squares / sample.length).toBeCloseTo(1, 1);
  });

  test("IMDB as tokens", async () => {
    const { train, test } = await imdb({ folder: data });
    expect([train, test].map(({ labels }) => labels.reduce((a, b) => a + b))).toEqual([12500, 12500]);
    const tokenizer = await wordPiece(join(data, "bert-vocab", "vocab.txt"));
    const few = { texts: ["good", ...train.texts.slice(0, 3)], labels: [1, ...train.labels.slice(0, 3)] };
    const { inputIds, attentionMask, target } = tokenDataset(few, tokenizer, 64).batch([0, 1]);
    expect([...(inputIds!.data as BigInt64Array)].slice(0, 4)).toEqual([101n, 2204n, 102n, 0n]);
    expect(inputIds!.data[127]).toBe(102n);
    expect([...(attentionMask!.data as BigInt64Array)].reduce((a, b) => a + b)).toBe(3n + 64n);
    expect(target!.data).toEqual(BigInt64Array.of(1n, 0n));
  });

  test("WordPiece, by the examples of BERT's own documentation", async () => {
    const path = join(data, "bert-vocab", "vocab.txt");
    const tokenizer: WordPiece = await wordPiece(path);
    const tokens = (await readFile(path, "utf8")).split("\n");
    const said = (text: string) =>
      tokenizer
        .encode(text)
        .map((id) => tokens[id])
        .join(" ");
    expect(tokenizer.vocabSize).toBe(30522);
    expect(said("John Johanson's,   house")).toBe("[CLS] john johan ##son ' s , house [SEP]");
    expect(said("Who was Jim Henson ?")).toBe("[CLS] who was jim henson ? [SEP]");
    expect(said("café ☃☃")).toBe("[CLS] cafe [UNK] [SEP]");
    expect(tokenizer.encode("the the the the", 4)).toEqual([101, 1996, 1996, 102]);
  });
});
