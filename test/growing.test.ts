// What a user does around growth: try the capacity, force a switch, keep the best of each cycle, resume after a kill.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { arborize, inspectModules, losses, nn, optim, readSafetensors, fit as train } from "../src/index.ts";
import { temporaryFolders } from "./support/folders.ts";
import { digits, OPTIONS, SmallNet } from "./support/journey.ts";

const folder = temporaryFolders();

describe("capacity", () => {
  it("is measured on a copy: parameters as written out, a loss that fresh dendrites do not change", async () => {
    const training = await arborize(new SmallNet(), OPTIONS);
    const before = await training.stateDict();
    const batch = digits.train.batch([0, 1, 2, 3, 4, 5, 6, 7]);
    const rows = await training.testCapacity(batch, 2);
    expect(rows.map(({ dendrites }) => dendrites)).toEqual([0, 1, 2]);
    // For each module P(k+1) + C k + C k(k-1)/2, over the sites.
    const shapes = [...before].map(([name, { shape }]) => [name, shape] as const);
    const sizes = (id: string) =>
      shapes
        .filter(([name]) => name.startsWith(`${id}.`))
        .reduce((n, [, s]) => n + s.reduce((a, b) => a * b, 1), 0);
    const channels = (id: string) => shapes.find(([name]) => name === `${id}.weight`)![1][0]!;
    for (const { dendrites: k, parameters, loss } of rows) {
      const wanted = training.sites.reduce(
        (n, id) => n + sizes(id) * (k + 1) + channels(id) * (k + (k * (k - 1)) / 2),
        0,
      );
      expect(parameters).toBe(wanted);
      expect(loss).toBeCloseTo(rows[0]!.loss, 5);
    }
    expect(training.dendrites).toBe(0);
    expect(await training.stateDict()).toEqual(before);
  });
});

describe("a switch", () => {
  it("can be forced", async () => {
    const training = await arborize(new SmallNet(), { ...OPTIONS, growth: { maxDendrites: 1 } });
    expect((await training.addValidationScore(0.5)).restructured).toBe(false);
    const { restructured, decisions } = await training.addValidationScore(0.6, { forceSwitch: true });
    expect([restructured, training.dendrites]).toEqual([true, 1]);
    expect(decisions.at(-1)!.text).toContain("forced");
  });
});

describe("a run folder", () => {
  it("keeps the best network of each number of dendrites, and gets its tables back on resume", async () => {
    const runFolder = folder("cycles");
    const { history } = await train(new SmallNet(), { ...OPTIONS, runFolder });
    for (const { dendrites } of history.switches) {
      const name = join(runFolder, `best-${dendrites - 1}-dendrites.safetensors`);
      const { tensors } = readSafetensors(readFileSync(name), name);
      expect(tensors.get("fc.dendrites.output")?.shape[0] ?? 0).toBe(dendrites - 1);
    }
    expect(history.ended).toContain("final model");
    const tables = ["scores.csv", "summary.csv", "chart.svg", "report.html", "chart.png"].map((n) =>
      join(runFolder, n),
    );
    const scores = readFileSync(tables[0]!, "utf8");
    for (const path of tables) rmSync(path);
    await train(new SmallNet(), { ...OPTIONS, runFolder, resume: true });
    for (const path of tables) expect(existsSync(path), path).toBe(true);
    expect(readFileSync(tables[0]!, "utf8")).toBe(scores);
  });
});

describe("a network that is one layer", () => {
  it("is told to put it into a module", async () => {
    const model = new nn.Linear(3, 2);
    const options = { inputs: { x: ["batch", 3] }, loss: losses.mse(), optimizer: optim.sgd() };
    await expect(arborize(model, options)).rejects.toThrow("nn.Sequential");
    const graph = nn.trace(new nn.Sequential(model), { inputs: options.inputs });
    expect(inspectModules(graph).map(({ id, site }) => [id, site !== null])).toEqual([["0", true]]);
  });
});
