// Files as data sets: what is inferred, what is learned from the training part, and what is refused.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { encode } from "fast-png";
import jpeg from "jpeg-js";
import { describe, expect, it } from "vitest";
import { stratified } from "../src/data/classes.ts";
import { readDelimited } from "../src/data/delimited.ts";
import { decodePicture } from "../src/data/pictures.ts";
import { data } from "../src/index.ts";
import { temporaryFolders } from "./support/folders.ts";

const file = temporaryFolders();
const write = (name: string, content: string | Uint8Array) => {
  mkdirSync(dirname(file(name)), { recursive: true });
  writeFileSync(file(name), content);
  return file(name);
};
const numbers = (set: data.Prepared["train"], field: string) =>
  Array.from(set.batch([...Array(set.length).keys()])[field]!.toNumbers());

describe("text tables", () => {
  it("are read with quotes, blanks, comments, empty lines and any line end", () => {
    const text = '\ufeffa, b\r\n1,"x, ""y""\nz"\r\n\r\n| a remark\r\n 2 , w \r\n';
    expect(readDelimited(text, "t")).toEqual({
      columns: ["a", "b"],
      rows: [
        ["1", 'x, "y"\nz'],
        ["2", "w"],
      ],
    });
    expect(readDelimited("1;2\n3;4", "t")).toEqual({
      columns: ["column1", "column2"],
      rows: [
        ["1", "2"],
        ["3", "4"],
      ],
    });
    expect(readDelimited("r\tx\nb\ty\nb\ty\n", "t").columns).toEqual(["r", "x"]);
    expect(readDelimited("b\ty\nr\tx\nb\ty\n", "t").columns).toEqual(["column1", "column2"]);
    expect(readDelimited("1,2\n3,4\n", "t", { columns: ["p", "q"] }).rows).toHaveLength(2);
    expect(readDelimited("p,\nq,\n", "t", { header: false }).rows).toEqual([
      ["p", ""],
      ["q", ""],
    ]);
  });

  it("that are none are refused with the line", () => {
    const wrong: [string, RegExp][] = [
      ["a,b\n1,2\n3\n", /"t" cannot be read as a table: line 3 has 1 cells, wanted 2/],
      ['a,b\n1,"2\n', /the quote in line 2 is never closed/],
      ['a,b\n1,"2"3\n', /in line 2, "3" follows a closing quote/],
      ["a,b\n", /no rows/],
      ["", /no rows/],
      ["a,a\n1,2\n", /two columns are called "a"/],
    ];
    for (const [text, message] of wrong) {
      expect(() =>
        readDelimited(text, "t", text === "a,b\n" || text === "a,a\n1,2\n" ? { header: true } : {}),
      ).toThrow(message);
    }
  });

  const rows = Array.from({ length: 200 }, (_, i) => {
    const age = i % 7 === 0 ? "?" : String(20 + (i % 30));
    return `${i},${age},${["red", "blue", "green"][i % 3]},${i % 4 === 0 ? "yes" : "no"}`;
  });
  const path = () => write("table.csv.gz", gzipSync(`id,age,colour,buys\n${rows.join("\n")}\n`));

  it("become numbers by what the training part says", async () => {
    const { train, validation, test, recipe } = await data.prepare(path(), { ignore: ["id"], seed: 3 });
    expect([train.length, validation.length, test!.length]).toEqual([160, 20, 20]);
    for (const part of [train, validation, test!]) {
      const yes = numbers(part, "target").reduce((sum, target) => sum + target, 0);
      expect(yes / part.length).toBe(0.25);
    }
    expect(recipe).toMatchObject({
      kind: "table",
      columns: [
        { name: "age", kind: "number", marksMissing: true },
        { name: "colour", kind: "category", values: ["blue", "green", "red"] },
      ],
      target: { name: "buys", classes: ["no", "yes"] },
    });
    // age, whether it is missing, three colours: the known ages of the training part have mean 0 and deviation 1.
    const x = numbers(train, "x");
    const known = Array.from({ length: 160 }, (_, i) => i).filter((i) => x[i * 5 + 1] === 0);
    const ages = known.map((i) => x[i * 5]!);
    const mean = ages.reduce((sum, v) => sum + v, 0) / ages.length;
    const square = ages.reduce((sum, v) => sum + v * v, 0) / ages.length;
    expect(known.length).toBeLessThan(160);
    expect([mean, square]).toEqual([expect.closeTo(0, 5), expect.closeTo(1, 5)]);
    for (let i = 0; i < 160; i++) expect(x.slice(i * 5 + 2, i * 5 + 5).toSorted()).toEqual([0, 0, 1]);
    const rest = numbers(await data.readAs(recipe, path()), "x");
    expect(rest).toHaveLength(1000);
  });

  it("read another file alike: unknown values, and classes with C4.5's full stop", async () => {
    const { recipe } = await data.prepare(path(), { ignore: ["id"] });
    const other = write("other.csv", "buys,colour,age,id\nyes.,violet,NA,1\nno,red,25,2\n");
    const set = await data.readAs(recipe, other);
    expect(numbers(set, "target")).toEqual([1, 0]);
    expect(numbers(set, "x").slice(0, 5)).toEqual([0, 1, 0, 0, 0]);
    const unknown = write("unknown.csv", "buys,colour,age\nyess,red,25\nno,red,26\n");
    await expect(data.readAs(recipe, unknown)).rejects.toThrow(
      'is of class "yess", which the training data does not have. Did you mean "yes"?',
    );
    const words = write("words.csv", "buys,colour,age\nyes,red,old\nno,red,26\n");
    await expect(data.readAs(recipe, words)).rejects.toThrow('has "old" in column "age"');
    const fewer = write("fewer.csv", "buys,colour\nyes,red\nno,red\n");
    await expect(data.readAs(recipe, fewer)).rejects.toThrow('no column "age"');
  });

  it("have embedded categories, and targets that are numbers, for those who ask", async () => {
    const { train, recipe } = await data.prepare(path(), {
      categories: "embedded",
      target: "age",
      ignore: ["id", "buys"],
      task: "classes",
    });
    expect(train.fields).toMatchObject({
      categories: { dtype: "int64", shape: [1] },
      target: { dtype: "int64" },
    });
    expect(new Set(numbers(train, "categories"))).toEqual(new Set([1, 2, 3]));
    expect(recipe.kind === "table" && recipe.categories).toBe("embedded");
    const regression = await data.prepare(path(), { target: "id" });
    expect(regression.train.fields.target).toEqual({ dtype: "float32", shape: [1] });
    await expect(data.prepare(path(), { target: "buy" })).rejects.toThrow(
      'no column "buy". Did you mean "buys"?',
    );
  });
});

describe("parts", () => {
  it("have nearly the share of each class, none twice, all by the seed", () => {
    const classes = Array.from({ length: 997 }, (_, i) => (i % 10 < 3 ? "a" : i % 101 === 0 ? "rare" : "b"));
    const parts = stratified(classes, [0.7, 0.2, 0.1], 5);
    expect(parts.flatMap((part) => [...part]).toSorted((a, b) => a - b)).toEqual([...classes.keys()]);
    for (const name of ["a", "b", "rare"]) {
      const all = classes.filter((each) => each === name).length;
      [0.7, 0.2, 0.1].forEach((share, part) => {
        const got = [...parts[part]!].filter((i) => classes[i] === name).length;
        expect(Math.abs(got - share * all)).toBeLessThan(1);
      });
    }
    expect(stratified(classes, [0.7, 0.2, 0.1], 5)).toEqual(parts);
    expect(stratified(classes, [0.7, 0.2, 0.1], 6)).not.toEqual(parts);
    expect(() => stratified(["a", "b"], [0.9, 0.1], 0)).toThrow("too few to be cut into shares of 0.9, 0.1");
  });
});

describe("folders of pictures", () => {
  const png = (size: number, value: (i: number) => number, channels: 1 | 3 = 1) =>
    encode({
      width: size,
      height: size,
      channels,
      depth: 8,
      data: Uint8Array.from({ length: size * size * channels }, (_, i) => value(i)),
    });

  it("give each picture the class of its folder, normalized by the training part", async () => {
    for (let i = 0; i < 20; i++) {
      write(
        `pics/dark/${i}.png`,
        png(4, (p) => p),
      );
      write(
        `pics/light/${i}.PNG`,
        png(4, (p) => 200 + p),
      );
    }
    write("pics/readme.txt", "not a class");
    const { train, validation, test, recipe } = await data.prepare(file("pics"));
    expect([train.length, validation.length, test!.length]).toEqual([32, 4, 4]);
    expect(recipe).toMatchObject({ size: [4, 4], channels: 1, classes: ["dark", "light"] });
    const [x, target] = [numbers(train, "x"), numbers(train, "target")];
    for (let i = 0; i < 32; i++) expect(x[i * 16]! > 0).toBe(target[i] === 1);
    expect(x.reduce((sum, v) => sum + v, 0) / x.length).toBeCloseTo(0, 5);
    expect(x.reduce((sum, v) => sum + v * v, 0) / x.length).toBeCloseTo(1, 4);
  });

  it("of several sizes and colours are brought to one, where it is said", async () => {
    for (let i = 0; i < 10; i++) {
      write(
        `mixed/train/a/${i}.png`,
        png(4, () => 90),
      );
      write(
        `mixed/train/b/${i}.png`,
        png(8, (p) => [250, 10, 20][p % 3]!, 3),
      );
    }
    write(
      "mixed/test/b/x.png",
      png(3, () => 7),
    );
    await expect(data.prepare(file("mixed"))).rejects.toThrow(/b.*is 8 x 8, ".*a.*" 4 x 4 .*Say the size/);
    const { train, test, recipe } = await data.prepare(file("mixed"), { size: [2, 2] });
    expect([train.length, test!.length]).toEqual([18, 1]);
    expect(recipe).toMatchObject({ size: [2, 2], channels: 3, classes: ["a", "b"] });
    expect(numbers(test!, "target")).toEqual([1]);
  });

  it("are decoded exactly, JPEG nearly, in grey and of any depth", () => {
    const rgb = Uint8Array.from({ length: 48 }, (_, i) => i * 5);
    expect(decodePicture(encode({ width: 4, height: 4, channels: 3, depth: 8, data: rgb }), "p").rgb).toEqual(
      rgb,
    );
    const deep = Uint16Array.from([0, 256, 65535, 1000]);
    const grey = decodePicture(encode({ width: 2, height: 2, channels: 1, depth: 16, data: deep }), "p");
    expect([...grey.rgb]).toEqual([0, 0, 0, 1, 1, 1, 255, 255, 255, 3, 3, 3]);
    const rgba = Buffer.alloc(8 * 8 * 4, 120);
    const { data: bytes } = jpeg.encode({ width: 8, height: 8, data: rgba }, 95);
    for (const value of decodePicture(bytes, "j").rgb) expect(Math.abs(value - 120)).toBeLessThan(3);
    expect(() => decodePicture(Buffer.from("GIF89a"), "g")).toThrow(
      '"g" is not a readable picture: it is neither PNG nor JPEG',
    );
    expect(() =>
      decodePicture(encode({ width: 4, height: 4, channels: 3, depth: 8, data: rgb }).slice(0, 60), "p"),
    ).toThrow("not a readable picture");
  });
});

describe("other files", () => {
  const idx = (shape: number[], bytes: ArrayLike<number>) => {
    const header = Buffer.alloc(4 + 4 * shape.length);
    header.set([0, 0, 8, shape.length]);
    shape.forEach((length, axis) => {
      header.writeUInt32BE(length, 4 + 4 * axis);
    });
    return Buffer.concat([header, Uint8Array.from(bytes)]);
  };

  it("idx files of a folder, packed or not, with their own test part", async () => {
    const labels = Array.from({ length: 60 }, (_, i) => i % 3);
    write(
      "idx/my-train-images-idx3-ubyte",
      idx(
        [60, 2, 3],
        labels.flatMap((l) => Array(6).fill(l * 50)),
      ),
    );
    write("idx/my-train-labels-idx1-ubyte.gz", gzipSync(idx([60], labels)));
    write("idx/my-test-images-idx3-ubyte", idx([3, 2, 3], Array(18).fill(50)));
    write("idx/my-test-labels-idx1-ubyte", idx([3], [2, 1, 0]));
    const { train, validation, test, recipe } = await data.prepare(file("idx"));
    expect([train.length, validation.length, test!.length]).toEqual([54, 6, 3]);
    expect(train.fields.x).toEqual({ dtype: "float32", shape: [1, 2, 3] });
    expect(numbers(test!, "target")).toEqual([2, 1, 0]);
    expect(recipe).toMatchObject({ classes: ["0", "1", "2"], mean: [expect.closeTo(50 / 255, 6)] });
  });

  it("texts between tabs, words by how frequent they are", async () => {
    const lines = Array.from(
      { length: 40 },
      (_, i) => `${i % 2}\tA ${i % 2 ? "good" : "bad"} film, it's ${i}"`,
    );
    const { train, recipe } = await data.prepare(write("films.tsv", lines.join("\n")), {
      length: 4,
      vocabulary: 6,
      testShare: 0,
    });
    expect(recipe).toMatchObject({ kind: "text", words: ["a", "film", "it's", "bad"], classes: ["0", "1"] });
    const [ids, target] = [numbers(train, "ids"), numbers(train, "target")];
    expect(ids).toHaveLength(36 * 4);
    for (let i = 0; i < 36; i++) expect(ids.slice(i * 4, i * 4 + 4)).toEqual([2, target[i] ? 1 : 5, 3, 4]);
    await expect(data.prepare(write("three.tsv", "a\tb\tc\nd\te\tf\n"), { kind: "text" })).rejects.toThrow(
      "3 columns",
    );
  });

  it("that are missing, binary or too few are refused", async () => {
    await expect(data.prepare(file("nothing.csv"))).rejects.toThrow("no such file");
    await expect(data.prepare(write("bin.csv", Uint8Array.from([255, 254, 0])))).rejects.toThrow(
      "not text in UTF-8",
    );
    await expect(data.prepare(join(file("idx"), ".."), { size: [2, 2], validationShare: 1 })).rejects.toThrow(
      "validationShare is 1",
    );
    mkdirSync(file("empty"));
    await expect(data.prepare(file("empty"))).rejects.toThrow("has no folders with pictures");
  });
});
