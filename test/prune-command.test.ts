// `arborize explain` and `arborize prune`, from an empty folder: a run, what its dendrites do, and the run without some.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RUN_FILES } from "../src/index.ts";
import { runHere } from "./support/command.ts";
import { temporaryFolders } from "./support/folders.ts";

const home = temporaryFolders()("home");
const at = (...path: string[]) => join(home, ...path);
const before = process.cwd();
const json = (name: string) => JSON.parse(readFileSync(at(name), "utf8"));

async function arborize(...args: string[]) {
  const ended = await runHere(args);
  expect(ended.code, ended.errors).toBe(0);
  return ended;
}

beforeAll(async () => {
  mkdirSync(home);
  const rows = Array.from({ length: 300 }, (_, i) => {
    const [a, b, c] = [(i * 37) % 101, (i * 61) % 97, (i * 17) % 23];
    return `${a},${b},${c},${a + b > 100 !== c > 18 ? "big" : "small"}`;
  });
  writeFileSync(at("table.csv"), `a,b,c,size\n${rows.join("\n")}\n`);
  process.chdir(home);
  const config = {
    data: { path: "table.csv", validationShare: 0.3 },
    model: { name: "mlp", hidden: [6] },
    optimizer: { name: "adam", learningRate: 0.02 },
    metric: "accuracy",
    growth: { switchMode: "fixed", fixedEpochs: 3, maxDendrites: 2, findBestRate: false },
    maxEpochs: 12,
    threads: 1,
    runFolder: "run",
  };
  writeFileSync(at("config.json"), JSON.stringify(config));
  await arborize("train", "config.json");
});
afterAll(() => process.chdir(before));

describe("arborize explain", () => {
  it("measures the best network of a run, and writes what it found", async () => {
    const best = json("run/explanation.json");
    const { out } = await arborize("explain", "run");
    expect(out).toMatch(/^run\n\nmodule +dendrite +parameters +share of variance +accuracy without +change/);
    expect(out).toContain("with them");
    const found = json("run/explanation.json");
    // The validation part has fewer than those that the run itself took.
    expect(found).toEqual(best);
    expect(found.examples).toBe(found.of);
    const printed = await arborize("explain", "run", "--json", "--examples", "20", "--seed", "3");
    expect(JSON.parse(printed.out)).toMatchObject({ examples: 20, of: found.of });
    expect(json("run/explanation.json")).toEqual(JSON.parse(printed.out));
    expect(readFileSync(at("run/report.html"), "utf8")).toContain("What the dendrites do");
    expect(readFileSync(at("run/explanation.svg"), "utf8")).toMatch(/^<svg /);
    expect(readFileSync(at("run/explanation.png")).subarray(1, 4).toString()).toBe("PNG");
    expect(readFileSync(at("run/model-card.md"), "utf8")).toMatch(/20 of \d+ validation examples/);
  });

  it("shows what a run of a program has left, and says what to do where there is nothing", async () => {
    mkdirSync(at("foreign"));
    for (const name of [RUN_FILES.latest, RUN_FILES.explanation]) {
      writeFileSync(at("foreign", name), readFileSync(at("run", name)));
    }
    expect((await arborize("explain", "foreign")).out).toContain("share of variance");
    writeFileSync(at("foreign", RUN_FILES.explanation), '{"metric": 3}');
    expect(await runHere(["explain", "foreign"])).toMatchObject({ code: 1 });
    mkdirSync(at("bare"));
    writeFileSync(at("bare", RUN_FILES.latest), readFileSync(at("run", RUN_FILES.latest)));
    const { code, errors } = await runHere(["explain", "bare"]);
    expect([code, errors]).toEqual([1, expect.stringContaining("training.explain(validation) measures it")]);
  });
});

describe("arborize prune", () => {
  it("writes a run without the dendrites that don't earn their parameters, which goes on as any other", async () => {
    const printed = await arborize("prune", "run", "--max-cost", "0.5", "--json", "-o", "smaller");
    const { removed, before, after, largestChange, output } = JSON.parse(printed.out);
    expect(output).toBe(at("smaller"));
    expect(Object.keys(removed).length).toBeGreaterThan(0);
    expect(before.score - after.score).toBeLessThanOrEqual(0.5);
    expect(after.parameters).toBeLessThan(before.parameters);
    expect(largestChange).toBeGreaterThan(0);
    expect(readdirSync(at("smaller"))).toEqual(expect.arrayContaining(Object.values(RUN_FILES)));

    const report = await arborize("report", "smaller", "--json");
    const history = JSON.parse(report.out);
    expect(history.origin).toMatch(
      /^Pruned from run: dendrites? [\d, ]+ of \S+.* removed\. The largest change/,
    );
    expect(history.epochs).toMatchObject([{ validation: after.score, parameters: after.parameters }]);
    expect(readFileSync(at("smaller/model-card.md"), "utf8")).toContain("Pruned from run");

    const evaluated = JSON.parse((await arborize("evaluate", "smaller", "--json")).out);
    expect(evaluated).toMatchObject({ data: "test", parameters: after.parameters });
    expect(evaluated.scores.accuracy).toBe(history.epochs[0].test);
    const exported = JSON.parse((await arborize("export", "smaller", "--json")).out);
    expect(exported["arborize.parameters"]).toBe(String(after.parameters));

    const resumed = JSON.parse((await arborize("resume", "smaller", "--json", "--epochs", "5")).out);
    expect(resumed.interrupted).toBe(false);
    const longer = JSON.parse((await arborize("report", "smaller", "--json")).out);
    expect(longer.epochs).toHaveLength(5);
    expect(longer.origin).toBe(history.origin);
  });

  it("tells of it in words, and refuses to write over anything", async () => {
    const { out } = await arborize("prune", "run", "--max-cost", "0.5");
    expect(out).toMatch(/^ +before +after\n─+\nvalidation accuracy +\d+\.\d\d% +\d+\.\d\d%\nparameters/);
    expect(out).toMatch(/\nremoved {2}dendrites? /);
    expect(out).toContain(at("run-pruned"));
    const again = await runHere(["prune", "run", "--max-cost", "0.5"]);
    expect([again.code, again.errors]).toEqual([1, expect.stringContaining("is there already")]);
    for (const wrong of [
      ["--data", "table.csv"],
      ["-o", "run"],
      ["--max-cost", "-1", "-o", "other"],
    ]) {
      expect(await runHere(["prune", "run", ...wrong]), wrong.join()).toMatchObject({ code: 2 });
    }
  });

  it("says what to do with a run of a program, whose data it does not know", async () => {
    const { code, errors } = await runHere(["prune", "bare"]);
    expect([code, errors]).toEqual([
      1,
      expect.stringMatching(/bare.model\.onnx --data PATH, or call training/),
    ]);
  });

  it("prunes a file on data that it is given", async () => {
    const model = at("run/model.onnx");
    const noData = await runHere(["prune", model]);
    expect([noData.code, noData.errors]).toEqual([2, expect.stringContaining("--data PATH")]);
    // The network of a table reads what the run's recipe makes of it, and the recipe is as the data is.
    const { out } = await arborize(
      "prune",
      model,
      "--data",
      "table.csv",
      "--max-cost",
      "1",
      "-o",
      "flat.onnx",
      "--json",
    );
    expect(JSON.parse(out).after.dendrites).toEqual({});
    expect(existsSync(at("flat.onnx"))).toBe(true);
    const inspected = JSON.parse((await arborize("inspect", "flat.onnx", "--json")).out);
    expect(inspected.dendrites.modules).toEqual({});
    const nothing = await arborize("prune", "flat.onnx", "--data", "table.csv");
    expect(nothing.out).toMatch(/^There are no dendrites/);
  });
});
