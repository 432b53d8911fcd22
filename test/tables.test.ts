// Tables and texts without code: Parquet as text tables, dates, columns that are named, and what the command makes of real files.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { encode } from "fast-png";
import jpeg from "jpeg-js";
import { describe, expect, it } from "vitest";
import { readDelimited } from "../src/data/delimited.ts";
import { readParquet } from "../src/data/parquet.ts";
import { data } from "../src/index.ts";
import { runHere } from "./support/command.ts";
import { temporaryFolders } from "./support/folders.ts";
import { missing, SHARED } from "./support/golden.ts";
import { PARQUET } from "./support/parquet-file.ts";

const file = temporaryFolders();
const write = (name: string, content: string | Uint8Array) => {
  mkdirSync(dirname(file(name)), { recursive: true });
  writeFileSync(file(name), content);
  return file(name);
};
const batchOf = (set: data.Dataset) => set.batch([...Array(set.length).keys()]);
const numbers = (set: data.Dataset, field: string) => Array.from(batchOf(set)[field]!.toNumbers());

/** The rows of the Parquet file without its lists. */
const CSV = `id,size,price,flag,day,when,colour,buys
9007199254740993,0.5,1.5,true,2020-02-28,2021-03-04T05:06:07Z,red,yes
-5,,-0.25,false,2020-02-29,2021-03-04T05:06:07.500Z,blue,no
,,,,,2021-03-04T05:06:07Z,,yes
7,-2,3,true,2020-03-03,2021-03-04T05:06:07.500Z,red,no
8,1e+21,4,false,2020-03-04,2021-03-04T05:06:07Z,"gr,en",yes
9,0.1,5,true,2020-03-05,2021-03-04T05:06:07.500Z,é,no
10,3,6,false,2020-03-06,2021-03-04T05:06:07Z,red,yes
11,4.25,7,true,2020-03-07,2021-03-04T05:06:07.500Z,blue,no
`;

describe("Parquet tables", () => {
  it("have the cells of the same table as text, of every type and packing", async () => {
    const { columns, rows } = await readParquet(PARQUET, "p", (column) => column !== "tags");
    expect(columns).toEqual(["id", "size", "price", "flag", "day", "when", "colour", "tags", "buys"]);
    const text = readDelimited(CSV, "t", { header: true });
    expect(rows.map((row) => row.toSpliced(7, 1))).toEqual(text.rows);
  });

  it("are learned from as text tables are", async () => {
    const options = { validationShare: 0.25, testShare: 0.25, seed: 2 };
    const parquet = await data.prepare(write("t.parquet", PARQUET), { ...options, ignore: ["tags"] });
    const text = await data.prepare(write("t.csv", CSV), options);
    expect(parquet.recipe).toEqual(text.recipe);
    expect(parquet.recipe).toMatchObject({
      columns: expect.arrayContaining([
        expect.objectContaining({ name: "flag", kind: "category" }),
        expect.objectContaining({ name: "when", kind: "date", marksMissing: false }),
      ]),
    });
    for (const part of ["train", "validation", "test"] as const) {
      expect(batchOf(parquet[part]!)).toEqual(batchOf(text[part]!));
    }
    expect(batchOf(await data.readAs(text.recipe, file("t.parquet"), { header: true }))).toEqual(
      batchOf(await data.readAs(text.recipe, file("t.csv"))),
    );
  });

  it("that are damaged, or hold lists, are refused", async () => {
    await expect(data.prepare(file("t.parquet"))).rejects.toThrow(
      'column "tags" holds lists or records. Leave it out (ignore).',
    );
    const cut = write("cut.parquet", PARQUET.subarray(0, 900));
    await expect(data.prepare(cut)).rejects.toThrow(/"[^"]*cut.parquet" cannot be read as a Parquet table: /);
    const start = PARQUET.map((byte, i) => (i >= 40 && i < 80 ? 255 : byte));
    await expect(data.prepare(write("bad.parquet", start), { ignore: ["tags"] })).rejects.toMatchObject({
      code: "bad_file",
    });
  });
});

describe("dates", () => {
  it("count in days, with the time of day and its zone", async () => {
    const days = ["2020-01-01", "2020-01-02T12:00", "2020-01-03 18:00:00", "2020-01-05T02:00:00+02:00", "?"];
    const rows = [...days, ...days].map((day, i) => `${day},${i % 2}`);
    const table = write("days.csv", `day,y\n${rows.join("\n")}\n`);
    const { recipe } = await data.prepare(table, { validationShare: 0.2, testShare: 0, target: "y" });
    const [column] = recipe.kind === "table" ? recipe.columns : [];
    if (column?.kind !== "date") throw new Error("no date");
    const x = numbers(await data.readAs(recipe, table), "x");
    const found = [0, 1, 2, 3].map((row) => x[row * 2]! * column.std + column.mean);
    const first = Date.UTC(2020, 0, 1) / 86_400_000;
    [0, 1.5, 2.75, 4].forEach((day, i) => {
      expect(found[i]).toBeCloseTo(first + day, 2);
    });
    expect(x.slice(8, 10)).toEqual([0, 1]);
    const wrong = write("wrong.csv", "day,y\n2020-01-01,0\n2020-13-01,1\n");
    await expect(data.readAs(recipe, wrong)).rejects.toThrow(
      'Row 1 has "2020-13-01" in column "day", which is a date in the training data.',
    );
  });
});

describe("texts", () => {
  const lines = Array.from({ length: 40 }, (_, i) => ({
    text: i % 2 ? "very good" : "so bad",
    stars: i % 2,
  }));

  it("are found among other columns by name, in a table of any kind", async () => {
    const tsv = lines.map(({ text, stars }, i) => `${i}\t${stars}\tx\t"${text}"`);
    const csv = lines.map(({ text, stars }, i) => `${i},"${text}, really",${stars}`);
    const options = { textColumn: "review", labelColumn: "stars" };
    const first = await data.prepare(write("r.tsv", `id\tstars\tby\treview\n${tsv.join("\n")}\n`), options);
    expect(first.recipe).toMatchObject({ kind: "text", classes: ["0", "1"], ...options });
    const second = await data.prepare(write("r.csv", `id,review,stars\n${csv.join("\n")}\n`), options);
    for (const { train, recipe } of [first, second]) {
      const words = recipe.kind === "text" ? recipe.words : [];
      const good = words.indexOf("good") + 2;
      const ids = numbers(train, "ids");
      numbers(train, "target").forEach((target, row) => {
        expect(ids[row * 256 + 1] === good, `${row}`).toBe(target === 1);
      });
    }
    // The recipe remembers the columns.
    expect((await data.readAs(first.recipe, file("r.csv"))).length).toBe(40);
    const bare = await data.prepare(write("bare.tsv", tsv.join("\n")), {
      textColumn: "column4",
      labelColumn: "column2",
    });
    expect(bare.recipe).toMatchObject({ words: expect.arrayContaining(["good", "bad"]) });
    const parquet = await data.prepare(file("t.parquet"), {
      textColumn: "colour",
      labelColumn: "buys",
      validationShare: 0.25,
      testShare: 0,
    });
    expect(parquet.recipe).toMatchObject({ kind: "text", classes: ["no", "yes"] });
  });

  it("are found by default names, and asked for where that is not clear", async () => {
    const body = lines.map(({ text, stars }, i) => `${i}\t${text}\t${stars}`).join("\n");
    const named = await data.prepare(write("named.tsv", `id\tText\tLabel\n${body}`), { kind: "text" });
    expect(named.train.length).toBe(32);
    const unclear = write("unclear.tsv", `id\tbody\tclass\n${body}`);
    await expect(data.prepare(unclear, { kind: "text" })).rejects.toThrow(
      /has 3 columns \(column1, column2, column3\): say which are the text and its label \(textColumn, labelColumn\)/,
    );
    await expect(data.prepare(unclear, { textColumn: "bdy", labelColumn: "class" })).rejects.toThrow(
      'The table has no column "bdy". Did you mean "body"? It has id, body, class.',
    );
  });
});

describe("folders of pictures", () => {
  const grey = (size: number, value: number) =>
    encode({
      width: size,
      height: size,
      channels: 1,
      depth: 8,
      data: new Uint8Array(size * size).fill(value),
    });

  it("may have folders in classes, and JPEG beside PNG; one folder alone is no class", async () => {
    for (let i = 0; i < 10; i++) {
      write(`nested/all/dark/${i % 3}/${i}.png`, grey(4, 10));
      const pixels = { width: 4, height: 4, data: Buffer.alloc(64, 240) };
      write(`nested/all/light/deep/er/${i}.jpeg`, jpeg.encode(pixels, 95).data);
    }
    const { train, recipe } = await data.prepare(file("nested/all"));
    expect(recipe).toMatchObject({ kind: "images", size: [4, 4], channels: 1, classes: ["dark", "light"] });
    expect(train.length).toBe(16);
    await expect(data.prepare(file("nested"))).rejects.toThrow(
      `has pictures in one folder alone, "all": there is nothing to tell apart. If the classes are folders in it, name "${join(file("nested"), "all")}".`,
    );
  });
});

describe("the command, on the first thousands of real files,", () => {
  const absent = missing("data", "fashion-mnist") || missing("data", "imdb");
  if (absent) console.log(absent);
  const shared = (...path: string[]) => gunzipSync(readFileSync(join(SHARED, "data", ...path)));

  /** The validation score of a short training. */
  const scoreOf = async (...args: string[]) => {
    const options = ["--dendrites", "0", "--threads", "1", "--json", "--out", file(`run-${args.length}`)];
    const { code, out, errors } = await runHere(["train", ...args, ...options]);
    expect(code, errors).toBe(0);
    return JSON.parse(out).best.test as number;
  };

  it.skipIf(absent)("learns Fashion-MNIST from idx files", async () => {
    const part = (name: string, header: number, each: number, count: number) => {
      const bytes = Buffer.from(shared("fashion-mnist", `${name}.gz`).subarray(0, header + each * count));
      bytes.writeUInt32BE(count, 4);
      write(`fashion/${name}.gz`, gzipSync(bytes, { level: 1 }));
    };
    part("train-images-idx3-ubyte", 16, 784, 3000);
    part("train-labels-idx1-ubyte", 8, 1, 3000);
    part("t10k-images-idx3-ubyte", 16, 784, 1000);
    part("t10k-labels-idx1-ubyte", 8, 1, 1000);
    expect(await scoreOf("--data", file("fashion"), "--model", "mlp", "--epochs", "3")).toBeGreaterThan(0.75);
  });

  it.skipIf(absent)("learns IMDB from a TSV of more columns than two", async () => {
    const lines = shared("imdb", "train.tsv.gz").toString().split("\n", 2000);
    const rows = lines.map((line, i) => `${i}\t${line}\t-`);
    const path = write("imdb.tsv", `id\tsentiment\treview\tnote\n${rows.join("\n")}\n`);
    const config = {
      data: { path, vocabulary: 3000, length: 200 },
      model: { name: "bagOfWords", embeddingDim: 16 },
    };
    const columns = ["--text-column", "review", "--label-column", "sentiment"];
    const file = write("imdb.json", JSON.stringify(config));
    expect(await scoreOf(file, ...columns, "--epochs", "8", "--lr", "0.02")).toBeGreaterThan(0.7);
  });
});
