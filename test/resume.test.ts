// A run that was stopped, however it was, ends where the undisturbed one does, bit for bit.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../src/base/random.ts";
import {
  type ArborizeOptions,
  arborize,
  data,
  type FitOptions,
  optim,
  type Progress,
  fit as train,
} from "../src/index.ts";
import { compiled } from "./support/compiled.ts";
import { temporaryFolders } from "./support/folders.ts";
import { digits, OPTIONS, SmallNet, stateOf } from "./support/journey.ts";

const folder = temporaryFolders();
const file = (run: string, name: string) => join(folder(run), name);

const KINDS: Readonly<Record<string, Partial<ArborizeOptions>>> = {
  "Adam, StepLR": {},
  "SGD with momentum, ReduceLROnPlateau, patience": {
    optimizer: optim.sgd({ learningRate: 0.05, momentum: 0.9, dampening: 0.1 }),
    scheduler: optim.reduceLROnPlateau({ mode: "max", patience: 0, factor: 0.5, threshold: 0.5 }),
    // Hardly any score improves by so much: this grows, fails, and tries again.
    growth: { switchMode: "history", patience: 1, improvementThreshold: 0.3, lookback: 1.5, maxTries: 2 },
  },
  "dendrites that learn by correlation": {
    scheduler: optim.stepLR({ stepSize: 1, gamma: 0.7 }),
    growth: { switchMode: "fixed", fixedEpochs: 2, maxDendrites: 2 },
    dendrites: {
      learning: "correlation",
      correlation: { candidates: 2, bootstrapBatches: 8, sign: "running", meanError: "running" },
    },
  },
};

/** A progress that calls `onStep` after each step. */
function watching(onStep: () => void): Progress {
  const nothing = () => undefined;
  return { start: nothing, update: onStep, finish: nothing, log: nothing, close: nothing };
}

function expectSameRun(run: string, wanted: string): void {
  expect(stateOf(file(run, "latest.safetensors"))).toEqual(stateOf(file(wanted, "latest.safetensors")));
  for (const name of ["best.safetensors", "model.onnx"]) {
    expect(readFileSync(file(run, name)).equals(readFileSync(file(wanted, name))), name).toBe(true);
  }
  const rows = (of: string) => readFileSync(file(of, "scores.csv"), "utf8").trim().split("\r\n");
  const seconds = rows(run)[0]!
    .split(",")
    .flatMap((name, i) => (name.endsWith("_seconds") ? [i] : []));
  const untimed = (of: string) =>
    rows(of).map((row) => row.split(",").filter((_, i) => !seconds.includes(i)));
  expect(untimed(run)).toEqual(untimed(wanted));
}

describe.each(Object.entries(KINDS))("fit with %s", (kind, changes) => {
  const options: FitOptions = { ...OPTIONS, ...changes, maxEpochs: 9 };
  const undisturbed = `undisturbed ${kind}`;

  beforeAll(async () => {
    const { history } = await train(new SmallNet(), { ...options, runFolder: folder(undisturbed) });
    // What a resumed run could get wrong must happen in it: growth, a change of rate, a branch given up.
    expect(history.switches.length).toBeGreaterThan(0);
    expect(new Set(history.epochs.map(({ learningRate }) => learningRate)).size).toBeGreaterThan(1);
    if (options.growth?.switchMode === "history") {
      expect(history.epochs.some(({ abandoned }) => abandoned)).toBe(true);
    }
  });

  it("goes on from its folder after it was stopped at random steps", async () => {
    const random = Random.stream(11, kind);
    const name = `stopped ${kind}`;
    const stops: string[] = [];
    for (let attempt = 0; attempt < 30; attempt++) {
      const stop = new AbortController();
      // Six steps an epoch: most stops are in the middle of one, some before the first was whole.
      let left = attempt < 6 ? 3 + random.integer(12) : Number.POSITIVE_INFINITY;
      const progress = watching(() => {
        if (--left === 0) stop.abort();
      });
      const { signal } = stop;
      const { history, interrupted } = await train(new SmallNet(), {
        ...options,
        progress,
        signal,
        resume: true,
        runFolder: folder(name),
      });
      if (!interrupted) break;
      stops.push(`epoch ${history.epochs.length}`);
    }
    expect(stops.length, "stops").toBeGreaterThanOrEqual(5);
    expectSameRun(name, undisturbed);
  });

  it("goes on from the end of an earlier, shorter run", async () => {
    const name = `shorter ${kind}`;
    for (const maxEpochs of [2, 5, 9]) {
      await train(new SmallNet(), { ...options, maxEpochs, resume: true, runFolder: folder(name) });
    }
    expectSameRun(name, undisturbed);
  });
});

/** Runs the child until it has said `amount` characters, then kills it after `delay` milliseconds. */
function runChild(target: string, amount: number, delay: number): Promise<{ said: string; killed: boolean }> {
  const script = compiled("test/support/journey-child.ts");
  const child = spawn(process.execPath, [script, target], { stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let said = "";
    let errors = "";
    let timer: NodeJS.Timeout | null = null;
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.length >= amount) timer ??= setTimeout(() => child.kill("SIGKILL"), delay);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (timer) clearTimeout(timer);
      if (signal === "SIGKILL" || code === 0) resolve({ said, killed: signal === "SIGKILL" });
      else reject(new Error(`the child ended with ${code ?? signal}:\n${errors}`));
    });
  });
}

describe("a process that is killed", () => {
  it("goes on from its folder", { timeout: 120_000 }, async () => {
    await train(new SmallNet(), { ...OPTIONS, runFolder: folder("alive") });
    const random = Random.stream(3, "kills");
    const lives: string[] = [];
    // Six steps and one "F" an epoch: an amount of 7, 14, … without delay is while the epoch's files are written.
    for (const amount of [4, 7, 14, 7 + random.integer(8)]) {
      const { said, killed } = await runChild(folder("killed"), amount, random.integer(4));
      lives.push(said);
      if (!killed) break;
    }
    const { said, killed } = await runChild(folder("killed"), Number.POSITIVE_INFINITY, 0);
    expect(killed).toBe(false);
    expect(said.endsWith("done")).toBe(true);
    expect(lives.filter((life) => !life.endsWith("done")).length, `kills of ${lives}`).toBeGreaterThanOrEqual(
      2,
    );
    expectSameRun("killed", "alive");
  });
});

describe("save and load in the middle of an epoch", () => {
  const all = [...data.batches(digits.train, { batchSize: 30, shuffle: true, seed: 2 })];
  const { train: _, batchSize: __, progress: ___, validation, test, ...rest } = OPTIONS;
  const options: ArborizeOptions = { ...rest, growth: { switchMode: "every", maxDendrites: 3 } };
  const make = (changes: Partial<ArborizeOptions> = {}) =>
    arborize(new SmallNet(), { ...options, ...changes });
  const scored = data.batches(validation, { batchSize: 100 });

  it.each(Object.entries(KINDS))("is bit for bit as if nothing happened: %s", async (kind, { optimizer }) => {
    const training = await make(optimizer ? { optimizer } : {});
    for (const batch of all.slice(0, 3)) await training.step(batch);
    await training.addValidationScore(await training.evaluate(scored));
    expect(training.dendrites).toBe(1);
    for (const batch of all.slice(3, 6)) await training.step(batch);
    training.learningRate = 0.004;
    training.addTestScore(await training.evaluate(data.batches(test)));
    training.addExtraScore("of nothing", Number.NaN);
    const path = file(kind, "middle.safetensors");
    await training.save(path);

    // The other one has done something else before.
    const other = await make(optimizer ? { optimizer } : {});
    for (const batch of all.slice(5, 9)) await other.step(batch);
    await other.addValidationScore(0.3);
    await other.load(path);
    expect(other.learningRate).toBe(0.004);

    for (const each of [training, other]) {
      for (const batch of all.slice(6)) await each.step(batch);
      await each.addValidationScore(await each.evaluate(scored));
      for (const batch of all.slice(0, 2)) await each.step(batch);
      await each.save(file(kind, each === training ? "one.safetensors" : "two.safetensors"));
    }
    expect(training.dendrites).toBe(2);
    expect(training.history.epochs.at(-1)!.scores).toEqual({ "of nothing": Number.NaN });
    expect(stateOf(file(kind, "two.safetensors"))).toEqual(stateOf(file(kind, "one.safetensors")));
    const untimed = ({ history }: typeof training) =>
      history.epochs.map((epoch) => ({ ...epoch, trainSeconds: 0, validationSeconds: 0 }));
    expect(untimed(other)).toEqual(untimed(training));
  });

  it("keeps what scores measure, when it is known from an evaluation alone", async () => {
    const [first, second] = [await make(), await make()];
    const { metric: ____, ...unsaid } = options;
    const [one, two] = [await arborize(new SmallNet(), unsaid), await arborize(new SmallNet(), unsaid)];
    const loss = await one.evaluate(scored);
    await one.save(file("scoring", "state.safetensors"));
    await two.load(file("scoring", "state.safetensors"));
    await two.addValidationScore(loss);
    expect(two.history).toMatchObject({ metric: "cross entropy", maximize: false });
    await first.addValidationScore(0.5);
    expect(first.history).toMatchObject({ metric: "accuracy", maximize: true });
    expect(second.history).toMatchObject({ metric: "accuracy", maximize: true });
  });

  it("keeps an epoch without a single step", async () => {
    const [one, two] = [await make(), await make()];
    await one.addValidationScore(0.5);
    await one.save(file("empty", "state.safetensors"));
    await two.load(file("empty", "state.safetensors"));
    expect(one.history.epochs[0]!.trainLoss).toBe(Number.NaN);
    expect(two.history).toEqual(one.history);
  });
});
