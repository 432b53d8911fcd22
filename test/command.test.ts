// What people do with the command, from an empty folder: the first steps and Ctrl-C in processes of their own.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { STARTERS } from "../src/cli/starters.ts";
import { jsonSchema, layOver, readConfig } from "../src/cli/train/config.ts";
import { configOf } from "../src/cli/train/flags.ts";
import { data, nn, RUN_FILES, writeOnnx } from "../src/index.ts";
import { runHere, startCommand } from "./support/command.ts";
import { temporaryFolders } from "./support/folders.ts";
import { missing, SHARED } from "./support/golden.ts";

const file = temporaryFolders();
const home = file("home");
const arborize = (...args: string[]) => runHere(args);
const before = process.cwd();
const at = (name: string) => join(home, name);

/** Two classes by the sum of two numbers, with a colour that hints at it. */
const table = () => {
  const rows = Array.from({ length: 400 }, (_, i) => {
    const [a, b] = [(i * 37) % 101, (i * 61) % 97];
    return `${a},${i % 11 === 0 ? "?" : b},${a > 60 ? "warm" : "cold"},${a + b > 100 ? "big" : "small"}`;
  });
  return `a,b,colour,size\n${rows.join("\n")}\n`;
};

beforeAll(() => {
  mkdirSync(home);
  writeFileSync(at("table.csv"), table());
  process.chdir(home);
});
afterAll(() => process.chdir(before));

describe("a table", () => {
  it("is tracked, with what was before where a tracker comes later", async () => {
    const options = ["--data", "table.csv", "--out", "runs/tracked", "--dendrites", "0", "--threads", "1"];
    const { code, errors } = await arborize("train", ...options, "--epochs", "2", "--tensorboard", "board");
    expect(code, errors).toBe(0);
    expect(readdirSync(at("board/tracked"))).toEqual([expect.stringContaining("tfevents")]);
    const bytes = readFileSync(join(at("board/tracked"), readdirSync(at("board/tracked"))[0]!));
    const resumed = await arborize(
      "resume",
      "runs/tracked",
      "--epochs",
      "3",
      "--json-lines",
      "log/run.jsonl",
    );
    expect(resumed.code, resumed.errors).toBe(0);
    expect(readFileSync(at("log/run.jsonl"), "utf8").match(/^\{"_step":[012],/gm)).toHaveLength(3);
    const after = readFileSync(join(at("board/tracked"), readdirSync(at("board/tracked"))[0]!));
    expect(after.subarray(0, bytes.length)).toEqual(bytes);
    expect(after.length).toBeGreaterThan(bytes.length + 200);
    const config = JSON.parse(readFileSync(at("runs/tracked/config.json"), "utf8"));
    expect(config.sinks).toEqual({ tensorBoard: at("board"), jsonLines: at("log/run.jsonl") });
    const other = ["train", "--data", "table.csv", "--out", "runs/other", "--json-lines", "log/run.jsonl"];
    const refused = await arborize(...other);
    expect([refused.code, refused.errors]).toEqual([1, expect.stringContaining("already holds a run")]);
  });

  const SHORT = ["--epochs", "4", "--patience", "1", "--dendrites", "1", "--threads", "1"];

  it("says what a run would cost without beginning one", async () => {
    const asked = ["train", "--data", "table.csv", ...SHORT, "--dry-run"];
    const { code, out, errors } = await arborize(...asked);
    expect(code, errors).toBe(0);
    expect(out).toMatch(/dendrites +parameters +step +epoch +compiling +memory\n/);
    expect(out).toMatch(/; 4 epochs take .* with up to 1 dendrite; about .*iB of memory\nassumed: /);
    expect(existsSync(at("runs/table"))).toBe(false);
    const cost = JSON.parse((await arborize(...asked, "--json")).out);
    expect(cost).toMatchObject({ epochs: 4, dendrites: 1 });
    expect(cost.measured.map(({ dendrites }: { dendrites: number }) => dendrites)).toEqual([0, 1]);
  });

  it("is learned without a line of code, evaluated, reported and compared", async () => {
    const { code, out, errors } = await arborize(
      "train",
      "--data",
      "table.csv",
      "--metric",
      "auc",
      "--lr",
      "0.02",
      ...SHORT,
    );
    expect(code, errors).toBe(0);
    expect(errors).toContain("320 examples to learn from, 39 to validate, 41 to test, 2 classes");
    expect(errors).toMatch(/^epoch 0 +loss 0\.\d+ +validation 0\.\d+ +test/m);
    expect(out).toMatch(/best +AUC: validation 0\.9\d+, test (0\.9\d+|1\.000) \(epoch \d\)/);
    expect(readdirSync(at("runs/table"))).toEqual(expect.arrayContaining(Object.values(RUN_FILES)));
    const recipe = JSON.parse(readFileSync(at("runs/table/recipe.json"), "utf8"));
    expect(recipe.columns.map(({ name }: { name: string }) => name)).toEqual(["a", "b", "colour"]);

    const evaluated = await arborize("evaluate", "runs/table", "--json");
    const { scores, examples, data: part } = JSON.parse(evaluated.out);
    expect([part, examples]).toEqual(["test", 41]);
    expect(out).toContain(`test ${scores.AUC.toPrecision(4)}`);
    expect(scores["cross entropy"]).toBeLessThan(0.6);

    const other = await arborize("evaluate", "runs/table", "--json", "--data", "table.csv");
    expect(JSON.parse(other.out)).toMatchObject({ examples: 400, data: "table.csv" });

    const report = await arborize("report", "runs/table", "--json");
    expect(JSON.parse(report.out)).toMatchObject({ metric: "AUC", maximize: true });
    expect((await arborize("report", "runs/table")).out).toMatch(
      /^table\n\ndendrites +parameters[\s\S]*epoch \d: no improvement/,
    );

    const again = await arborize(
      "train",
      "--data",
      "table.csv",
      "--metric",
      "auc",
      "--json",
      "--seed",
      "1",
      "--model",
      "mlp",
      ...SHORT,
    );
    const result = JSON.parse(again.out);
    expect(result).toMatchObject({ interrupted: false, metric: "AUC", runFolder: join("runs", "table-2") });
    const compared = await arborize("compare", "runs/table", "runs/table-2");
    expect(compared.out).toMatch(/^runs\/table +AUC[\s\S]*^runs\/table-2 +AUC[\s\S]*^seed +0 +1$/m);
    expect(compared.out.match(/★/g)).toHaveLength(1);
  });

  it("stops by Ctrl-C with what it has, and goes on from there to the same end", async () => {
    const config = {
      data: { path: "table.csv" },
      optimizer: { name: "adam", learningRate: 0.001 },
      growth: { switchMode: "never" },
      maxEpochs: 12,
      batchSize: 4,
      threads: 1,
    };
    writeFileSync(at("long.jsonc"), `// a comment\n${JSON.stringify(config)}`);
    const { child, ended } = startCommand(["train", "long.jsonc", "--out", "stopped"], { cwd: home });
    child.stderr.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("epoch 1 ")) child.kill("SIGINT");
    });
    const { code, out, errors } = await ended;
    expect([code, out], errors).toEqual([
      130,
      expect.stringContaining("Go on with: arborize resume stopped"),
    ]);
    expect(`${out}${errors}`).not.toContain("\u001b");
    expect(existsSync(at("stopped/model.onnx"))).toBe(false);
    const refused = await arborize("train", "long.jsonc", "--out", "stopped");
    expect([refused.code, refused.errors]).toEqual([
      1,
      expect.stringContaining("already holds a run. Go on with it: arborize resume stopped"),
    ]);

    const resumed = await arborize("resume", "stopped", "--json", "--epochs", "12");
    expect(resumed.code, resumed.errors).toBe(0);
    const whole = await arborize("train", "long.jsonc", "--out", "whole", "--json");
    const best = (text: string) => {
      const { trainSeconds: _, validationSeconds: __, ...rest } = JSON.parse(text).best;
      return rest;
    };
    expect(best(resumed.out)).toEqual(best(whole.out));
    expect(readFileSync(at("stopped/best.safetensors"))).toEqual(readFileSync(at("whole/best.safetensors")));
  });
});

describe("real files", () => {
  const absent = missing("data", "adult");
  if (absent) console.log(absent);

  it.skipIf(absent)("Adult, as it comes, to a test AUC of 0.90", async () => {
    const part = (name: string) => join(SHARED, "data", "adult", name);
    const { code, out, errors } = await arborize(
      ...["train", "--data", part("adult.data.gz"), "--test", part("adult.test.gz"), "--metric", "auc"],
      ...["--epochs", "2", "--dendrites", "0", "--json", "--threads", "1"],
    );
    expect(code, errors).toBe(0);
    expect(errors).toContain("29,305 examples to learn from, 3,256 to validate, 16,281 to test, 2 classes");
    expect(JSON.parse(out).best.test).toBeGreaterThan(0.9);
  });
});

describe("images", () => {
  it("of a folder of digits are learned by a built-in network and by a file", async () => {
    const { train } = data.digits({ train: 240, validation: 1, test: 1, size: 12 });
    const { x, target } = train.batch([...Array(240).keys()]);
    const [pixels, labels] = [x!.toNumbers(), target!.toNumbers()];
    for (let i = 0; i < 240; i++) {
      mkdirSync(at(`digits/${labels[i]}`), { recursive: true });
      const image = Uint8Array.from({ length: 144 }, (_, p) =>
        Math.round(255 * Math.min(1, Math.max(0, pixels[i * 144 + p]!))),
      );
      writeFileSync(
        at(`digits/${labels[i]}/${i}.png`),
        encode({ width: 12, height: 12, channels: 1, depth: 8, data: image }),
      );
    }
    const short = [
      "--data",
      "digits",
      "--epochs",
      "6",
      "--dendrites",
      "0",
      "--lr",
      "0.01",
      "--batch-size",
      "16",
      "--json",
    ];
    const cnn = await arborize("train", ...short);
    expect(cnn.code, cnn.errors).toBe(0);
    expect(JSON.parse(cnn.out).best.validation).toBeGreaterThan(0.5);

    const net = nn.trace(new nn.models.Mlp({ inFeatures: 144, outFeatures: 10, hidden: [16] }), {
      inputs: { pixels: ["batch", 1, 12, 12] },
    });
    writeFileSync(at("net.onnx"), writeOnnx(net));
    const mlp = await arborize("train", ...short, "--model", "net.onnx", "--out", "by-file");
    expect(mlp.code, mlp.errors).toBe(0);
    expect(JSON.parse(mlp.out).best.validation).toBeGreaterThan(0.3);
    expect(JSON.parse(mlp.out).best.parameters).toBe(144 * 16 + 16 + 170);
  });
});

describe("starters", () => {
  it("are written, not over what is there, and can be read", async () => {
    for (const kind of Object.keys(STARTERS)) {
      const { code, out, errors } = await arborize("init", kind, `start-${kind}`);
      expect([code, errors]).toEqual([0, ""]);
      expect(out).toContain(`arborize train ${join(`start-${kind}`, STARTERS[kind]!.file)}`);
    }
    const twice = await arborize("init", "text", "start-text");
    expect([twice.code, twice.errors]).toEqual([1, expect.stringContaining("exists already")]);
    for (const kind of ["onnx", "tabular", "text"]) {
      const { config } = await readConfig(at(`start-${kind}/arborize.jsonc`));
      expect(config).toMatchObject({
        growth: { patience: 10 },
        maxEpochs: 200,
        data: { path: expect.stringMatching(/^\//) },
      });
    }
  });

  it("of a module and of texts train", async () => {
    const module = at("start-cnn/arborize.mjs");
    const index = new URL("../src/index.ts", import.meta.url).href;
    const text = readFileSync(module, "utf8")
      .replace('"arborize"', JSON.stringify(index))
      .replace("5000", "200")
      .replaceAll("1000", "100");
    writeFileSync(module, text);
    const cnn = await arborize("train", module, "--epochs", "1", "--json");
    expect(cnn.code, cnn.errors).toBe(0);
    expect(JSON.parse(cnn.out).best).toMatchObject({ dendrites: 0, parameters: 80 + 1168 + 12_832 + 330 });
    const resumed = await arborize("resume", "runs/arborize", "--epochs", "2", "--json");
    expect(JSON.parse(resumed.out).summary[0].epochs, resumed.errors).toBe(2);

    const lines = Array.from(
      { length: 60 },
      (_, i) => `${i % 2 ? "good" : "bad"}\tthis is ${i % 2 ? "fine" : "awful"} ${i}`,
    );
    writeFileSync(at("start-text/texts.tsv"), lines.join("\n"));
    const words = await arborize(
      "train",
      "start-text/arborize.jsonc",
      "--epochs",
      "8",
      "--lr",
      "0.05",
      "--dendrites",
      "0",
      "--json",
    );
    expect(words.code, words.errors).toBe(0);
    expect(JSON.parse(words.out).best.test).toBe(1);
  });
});

describe("configurations", () => {
  it("have a schema that is published", () => {
    const published = JSON.parse(readFileSync(new URL("../config.schema.json", import.meta.url), "utf8"));
    expect(published, "run `npm run docs`").toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });

  it("and options say where dendrites grow", async () => {
    const dendrites = { track: ["layers.0"], rules: { Linear: { channelAxis: -1 } } };
    writeFileSync(at("places.json"), JSON.stringify({ data: { path: "table.csv" }, dendrites }));
    const short = ["--epochs", "1", "--threads", "1", "--json", "--out", "places"];
    const ended = await arborize("train", "places.json", ...short, "--skip", "layers.99");
    expect([ended.code, ended.out]).toEqual([1, ""]);
    expect(ended.errors).toContain(
      'dendrites.skip: "Mlp" has no module with the path or of the class "layers.99"',
    );
    const { config } = await readConfig(at("places.json"));
    const given = { values: { types: "Linear", blocks: "a..b,c" }, positionals: [] };
    expect(layOver(config, configOf(given, config)).dendrites).toEqual({
      ...dendrites,
      types: ["Linear"],
      blocks: [{ from: "a", to: "b" }, "c"],
    });
    writeFileSync(at("places.json"), JSON.stringify({ dendrites: { modles: ["a"] } }));
    await expect(readConfig(at("places.json"))).rejects.toThrow(
      'dendrites.modles: there is no such setting. Did you mean "modules"?',
    );
  });

  it("and options say by which rule dendrites learn", async () => {
    const short = [
      "--data",
      "table.csv",
      "--epochs",
      "12",
      "--patience",
      "1",
      "--dendrites",
      "1",
      "--threads",
      "1",
    ];
    const correlation = { candidates: 2, patience: 2, optimizer: { name: "adam", learningRate: 0.02 } };
    writeFileSync(at("followed.json"), JSON.stringify({ dendrites: { correlation } }));
    const ended = await arborize(
      "train",
      "followed.json",
      ...short,
      "--learning",
      "correlation",
      "--out",
      "followed",
      "--json",
    );
    expect(ended.code, ended.errors).toBe(0);
    const settings = JSON.parse(readFileSync(at("followed/config.json"), "utf8"));
    expect(settings.dendrites).toEqual({ learning: "correlation", correlation });
    const card = readFileSync(at("followed/model-card.md"), "utf8");
    expect(card).toContain("dendrites.learning: correlation");
    const about = JSON.parse(readFileSync(at("followed/about.json"), "utf8"));
    expect(about.settings.dendrites.correlation).toMatchObject({
      candidates: 2,
      patience: 2,
      optimizer: { learningRate: 0.02 },
    });
    writeFileSync(at("few.json"), JSON.stringify({ dendrites: { correlation: { candidate: 2 } } }));
    const unknown = await arborize("train", "few.json", ...short, "--learning", "correlation");
    expect(unknown.errors).toContain('candidate: there is no such setting. Did you mean "candidates"?');
    const wrong = await arborize("train", ...short, "--learning", "correlaton");
    expect([wrong.code, wrong.out]).toEqual([2, ""]);
    expect(wrong.errors).toContain(
      '--learning is "correlaton", wanted one of gradient, correlation. Did you mean "correlation"?',
    );
  });

  it("lie over others, with paths from their own folder", async () => {
    mkdirSync(at("deep/er"), { recursive: true });
    writeFileSync(
      at("deep/base.json"),
      JSON.stringify({ data: { path: "../table.csv" }, growth: { patience: 3, maxTries: 1 } }),
    );
    writeFileSync(
      at("deep/er/own.json"),
      JSON.stringify({ extends: "../base.json", growth: { patience: 5 } }),
    );
    const { config } = await readConfig(at("deep/er/own.json"));
    expect(config).toEqual({ data: { path: at("table.csv") }, growth: { patience: 5, maxTries: 1 } });
  });

  it("that are wrong are told what is, and what was meant", async () => {
    const wrong: [string, string, RegExp][] = [
      [
        "typo.json",
        '{"bachSize": 3, "data": {"path": "x", "tagret": "y"}}',
        /bachSize: there is no such setting\. Did you mean "batchSize"\?/,
      ],
      [
        "typo2.json",
        '{"data": {"path": "x", "tagret": "y"}}',
        /data\.tagret: there is no such setting\. Did you mean "target"\?/,
      ],
      ["range.json", '{"batchSize": 0}', /batchSize: .*>=1/],
      ["broken.json", '{"batchSize": ', /is not JSON/],
      ["empty.mjs", "export const a = 1;", /has no default export/],
      ["throws.mjs", 'throw new Error("my own");', /cannot be loaded: my own/],
      ["missing.json", "", /no such file/],
    ];
    for (const [name, text, message] of wrong) {
      if (text) writeFileSync(at(name), text);
      await expect(readConfig(at(name))).rejects.toThrow(message);
    }
    const cases: [string[], number, RegExp][] = [
      [["train"], 1, /There is no data to learn from/],
      [
        ["train", "--data", "table.csv", "--model", "cnn"],
        1,
        /"cnn" does not read data of kind table; mlp would do/,
      ],
      [
        ["train", "--data", "table.csv", "--model", "mpl"],
        1,
        /no network that is built in\. Did you mean "mlp"\?/,
      ],
      [["train", "--epochs", "0"], 2, /--epochs is "0", wanted a whole number of at least 1/],
      [["train", "--metric", "acuracy"], 2, /Did you mean "accuracy"\?/],
      [["train", "--size", "3x"], 2, /height and width such as 28x28/],
      [["resume", "home"], 1, /no folder of a run/],
      [["compare", "runs/table"], 2, /two runs or more/],
      [["init", "tabulr"], 2, /Did you mean "tabular"\?/],
    ];
    const ended = await Promise.all(cases.map(([args]) => arborize(...args)));
    for (const [i, { code, out, errors }] of ended.entries()) {
      expect([code, out]).toEqual([cases[i]![1], ""]);
      expect(errors).toMatch(cases[i]![2]);
    }
  });
});
