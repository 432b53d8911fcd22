// The experiments under examples/: their statistics, their page, and each of them run at its smallest scale.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Experiment,
  type Results,
  runExperiment,
  trainArm,
} from "../examples/experiments/experiment.ts";
import { format, resultsPage, writeResults } from "../examples/experiments/page.ts";
import { withRestarts } from "../examples/experiments/restarts.ts";
import { interval } from "../examples/experiments/statistics.ts";
import { EXPERIMENTS } from "../examples/experiments.ts";
import { data, nn, optim, Tensor } from "../src/index.ts";

describe("statistics", () => {
  it("are Student's", () => {
    // By hand: the standard error of 1 … 5 is sqrt(2.5 / 5), t of 4 degrees of freedom 2.776.
    expect(interval([1, 2, 3, 4, 5])).toEqual({ mean: 3, margin: 2.776 * Math.sqrt(0.5) });
    expect(interval([0.5])).toEqual({ mean: 0.5, margin: Number.NaN });
    const many = interval(Array.from({ length: 100 }, (_, i) => i % 2));
    expect(many.margin).toBeCloseTo(1.96 * Math.sqrt(25 / 99 / 100), 9);
    expect(format({ mean: 0.01234, margin: 0.001 }, true, true)).toBe("+1.23 ± 0.10 %");
    expect(format({ mean: 0.9, margin: Number.NaN }, false)).toBe("0.9000");
  });
});

describe("the control of restarts", () => {
  it("has the rates that a training with growth has", () => {
    const scheduler = withRestarts(optim.stepLR({ stepSize: 1, gamma: 0.5 }), 3);
    // A training takes no step after its first epoch, and one after each later one.
    let state = scheduler.start(8);
    const rates = [state.learningRate];
    for (let epoch = 1; epoch < 9; epoch++) {
      rates.push(state.learningRate);
      state = scheduler.step(state, 0);
    }
    expect(rates).toEqual([8, 8, 4, 8, 4, 2, 8, 4, 2]);
  });
});

const experiment = (name: string): Experiment => ({
  name,
  title: `The ${name}`,
  published: "nothing.",
  setup: { smoke: "little.", quick: "some.", full: "all." },
  score: "test accuracy",
  percent: true,
  seeds: { smoke: 1, quick: 2, full: 3 },
  comparisons: [
    ["new", "old"],
    ["old", "new"],
    ["new", "even"],
    ["new", "absent"],
  ],
  prepare: async () => ({
    data: "made up",
    arms: [0.9, 0.8, 0.9].map((test, i) => ({
      name: ["new", "old", "even"][i]!,
      train: async (seed) => ({
        seed,
        parameters: 10,
        dendrites: i === 0 ? 1 : 0,
        validation: test,
        test: test + (i === 2 ? (-1) ** seed : seed) * 0.001,
        epochs: 2,
        seconds: 1,
      }),
    })),
  }),
});

describe("the page", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "arborize-results-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("says who is ahead seed by seed, and what has not been run", async () => {
    const [first, second] = [experiment("first"), experiment("second")];
    const lines: string[] = [];
    const context = {
      scale: "quick",
      data: undefined,
      runs: undefined,
      log: (l: string) => lines.push(l),
    } as const;
    const results = await runExperiment(first, context);
    expect(lines).toHaveLength(1 + 2 * 3);
    const partial: Results[] = [];
    await runExperiment(first, { ...context, onOutcome: async (soFar) => void partial.push(soFar) });
    expect(partial.map(({ arms }) => arms.map(({ outcomes }) => outcomes.length))).toEqual([
      [1],
      [1, 1],
      [1, 1, 1],
      [2, 1, 1],
      [2, 2, 1],
      [2, 2, 2],
    ]);
    expect(partial[0]!.command).toContain("--seeds 1");
    await writeResults(folder, [first, second], results);
    const page = await readFile(join(folder, "results.md"), "utf8");
    expect(page).toContain("Not run yet: The second.");
    expect(page).toContain("| new | 10 | 90.15 ± 0.64 % | 1.0 | 2 | 1.0 |");
    expect(page).toContain("- new less old: +10.00 ± 0.00 %: **ahead**");
    expect(page).toContain("- old less new: -10.00 ± 0.00 %: **behind**");
    expect(page).toMatch(/- new less even: \+0.15 ± 0.64 %: \*\*no difference shown\*\*/);
    expect(page).not.toContain("absent");
    expect(page).toContain("`npm run experiments -- --only first --scale quick --seeds 2`, seeds 1 to 2");
    expect(page).toMatch(/made up; .*, Node \d/);
    const picture = await readFile(join(folder, "results", "first.svg"), "utf8");
    expect(picture.match(/<circle/g)).toHaveLength(3 * (2 + 1));

    // A full run stands beside the shorter one.
    await writeResults(folder, [first, second], { ...results, scale: "full" });
    const both = await readFile(join(folder, "results.md"), "utf8");
    expect(both.indexOf("## The first\n")).toBeLessThan(both.indexOf("## The first, at full length\n"));
    expect(both).toContain("(results/first.svg)");
    expect(both).toContain("(results/first-full.svg)");

    const lone = await runExperiment(first, { ...context, seeds: 1 });
    expect(resultsPage([first], [lone])).toContain("one seed alone shows nothing");
  });
});

describe("an experiment that was stopped", () => {
  let runs: string;
  beforeAll(async () => {
    runs = await mkdtemp(join(tmpdir(), "arborize-experiment-"));
  });
  afterAll(() => rm(runs, { recursive: true, force: true }));

  /** Two small trainings of 4 epochs; `started` hears of each epoch. */
  function small(started: () => void): Experiment {
    const examples = Array.from({ length: 24 }, (_, i) => i);
    const dataset = data.tensorDataset({
      x: Tensor.of([24, 2], Float32Array.from(examples.flatMap((i) => [i % 3, i % 2]))),
      target: Tensor.of(
        [24],
        examples.map((i) => i % 2),
        "int64",
      ),
    });
    const parts = { train: dataset, validation: dataset, test: dataset };
    const arm = (name: string) =>
      trainArm({
        name,
        model: () => new nn.models.Mlp({ inFeatures: 2, outFeatures: 2, hidden: [3] }),
        inputs: { x: ["batch", 2] },
        parts,
        epochs: 4,
        optimizer: optim.adam({ learningRate: 0.01 }),
        growth: { switchMode: "never", maxDendrites: 0 },
        transform: (batch) => {
          started();
          return batch;
        },
      });
    return {
      ...experiment("small"),
      prepare: async () => ({ data: "made up", arms: [arm("new"), arm("old")] }),
    };
  }

  it("goes on where it was, with the same numbers, and runs nothing twice", async () => {
    const log = () => undefined;
    const context = { scale: "quick", data: undefined, seeds: 1, log } as const;
    const whole = await runExperiment(
      small(() => undefined),
      { ...context, runs: undefined },
    );

    const controller = new AbortController();
    let epochs = 0;
    const stopping = small(() => {
      epochs += 1;
      if (epochs === 7) controller.abort();
    });
    const stopped = runExperiment(stopping, { ...context, runs, signal: controller.signal });
    await expect(stopped).rejects.toThrow(/aborted/);
    epochs = 100;
    const rest = await runExperiment(stopping, { ...context, runs, resume: true });
    // Of the second training two epochs had ended.
    expect(epochs).toBe(102);
    const scores = ({ arms }: Results) =>
      arms.map(({ outcomes }) => outcomes.map(({ validation, test, epochs: of }) => [validation, test, of]));
    expect(scores(rest)).toEqual(scores(whole));
    expect(await runExperiment(stopping, { ...context, runs, resume: true })).toEqual(rest);
    expect(epochs).toBe(102);
    await expect(runExperiment(stopping, { ...context, runs })).rejects.toThrow(/--resume/);
    await expect(runExperiment(stopping, { ...context, scale: "full", runs, resume: true })).rejects.toThrow(
      /holds a training of "small, quick: made up", this one is of "small, full/,
    );
  });
});

const DATA = join(import.meta.dirname, "..", "..", "shared", "data");
if (!existsSync(DATA)) console.log(`skipped: no ${DATA} for the experiments`);
describe.skipIf(!existsSync(DATA))("at the smallest scale", () => {
  it.each(EXPERIMENTS.map((one) => [one.name, one] as const))(
    "%s runs",
    { timeout: 300_000 },
    async (_, one) => {
      const log = () => undefined;
      const results: Results = await runExperiment(one, {
        scale: "smoke",
        data: DATA,
        runs: undefined,
        seeds: 1,
        log,
      });
      const outcomes = results.arms.flatMap((arm) => arm.outcomes);
      expect(outcomes.every(({ test }) => test >= 0 && test <= 1)).toBe(true);
      const named = new Set(results.arms.map(({ name }) => name));
      expect(one.comparisons.flat().filter((name) => !named.has(name))).toEqual([]);
      // Growth happened where it was asked for: a cycle after the first.
      for (const {
        name,
        outcomes: [outcome],
      } of results.arms) {
        if (name.endsWith("dendrites")) expect(outcome!.epochs, name).toBe(2);
        // An epoch that measures and one of learning come on top.
        if (name.endsWith("by correlation")) expect(outcome!.epochs, name).toBe(4);
      }
      expect(resultsPage([one], [results])).toContain(`## ${one.title}`);
    },
  );
});
