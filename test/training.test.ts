// A network learns, grows, is exported and comes back.

import { existsSync, readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import {
  arborize,
  type Batch,
  data,
  type FitResult,
  RUN_FILES,
  readOnnx,
  Tensor,
  fit as train,
} from "../src/index.ts";
import { temporaryFolders } from "./support/folders.ts";
import { digits, OPTIONS, SmallNet, stateOf } from "./support/journey.ts";
import { largestError } from "./support/run.ts";

const folder = temporaryFolders();
const inFolder = (run: string, kind: keyof typeof RUN_FILES) => `${folder(run)}/${RUN_FILES[kind]}`;
const run = (name: string, changes: object = {}): Promise<FitResult> =>
  train(new SmallNet(), { ...OPTIONS, ...changes, runFolder: folder(name) });

/** All of a data set as one batch. */
const whole = (set: data.Dataset): Batch => set.batch(Array.from({ length: set.length }, (_, i) => i));

describe("fit", async () => {
  const { training, history, interrupted } = await run("first");

  it("learns", () => {
    const first = history.epochs[0]!;
    const best = Math.max(...history.epochs.map(({ validation }) => validation));
    expect(interrupted).toBe(false);
    // Chance is 0.1; with 100 examples its standard deviation is 0.03.
    expect(best).toBeGreaterThan(0.4);
    expect(best).toBeGreaterThan(first.validation);
    expect(history.epochs.at(-1)!.trainLoss).toBeLessThan(first.trainLoss);
  });

  it("grows, and ends with the best network", async () => {
    expect(training.complete).toBe(true);
    expect([...new Set(history.epochs.map(({ dendrites }) => dendrites))]).toEqual([0, 1, 2]);
    expect(history.switches.length).toBeGreaterThanOrEqual(2);
    // P (k + 1) + C k + C k (k - 1) / 2 over conv (P 40, C 4) and fc (P 1010, C 10).
    const counts = [0, 1, 2].map((k) => 1050 * (k + 1) + 14 * k + (14 * k * (k - 1)) / 2);
    for (const { dendrites, parameters } of history.epochs) expect(parameters).toBe(counts[dendrites]);
    const best = Math.max(...history.epochs.map(({ validation }) => validation));
    expect(await training.evaluate([whole(digits.validation)])).toBeCloseTo(best, 10);
  });

  it("takes batches along an axis of any name", async () => {
    const inputs = { x: ["batch-size", 1, 12, 12] };
    const named = await arborize(new SmallNet(), { ...OPTIONS, inputs });
    const usual = await arborize(new SmallNet(), OPTIONS);
    const batch = digits.train.batch([0, 1, 2, 3]);
    expect(await named.step(batch)).toBe(await usual.step(batch));
  });

  it("marks the epochs that restores gave up", async () => {
    const { inputs, loss, optimizer, engine } = OPTIONS;
    const growth = { switchMode: "fixed", fixedEpochs: 2, maxDendrites: 1 } as const;
    const scored = await arborize(new SmallNet(), { inputs, loss, optimizer, engine, growth });
    for (const score of [0.5, 0.4, 0.6, 0.1]) await scored.addValidationScore(score);
    expect(scored.complete).toBe(true);
    const told = scored.history.epochs.map(({ dendrites, branchEpoch, abandoned }) => [
      dendrites,
      branchEpoch,
      abandoned,
    ]);
    expect(told).toEqual([
      [0, 0, false],
      [0, 1, true],
      [1, 1, false],
      [1, 2, true],
    ]);
  });

  it("takes scheduler steps within a cycle and starts it afresh after growing", () => {
    const rates = history.epochs.map(({ learningRate }) => learningRate);
    // Every second epoch; the very first of the run takes no step.
    expect(rates.slice(0, 6)).toEqual([0.01, 0.01, 0.01, 0.01, 0.01, 0.01 * 0.7]);
    history.epochs.forEach(({ cycle }, i) => {
      if (cycle !== history.epochs[i - 1]?.cycle) expect(rates[i]).toBe(0.01);
    });
  });

  it("leaves a folder with everything", () => {
    for (const kind of Object.keys(RUN_FILES) as (keyof typeof RUN_FILES)[]) {
      const ofTheCommand = kind === "config" || kind === "recipe";
      expect(existsSync(inFolder("first", kind)), kind).toBe(!ofTheCommand);
    }
    const [header, ...rows] = readFileSync(inFolder("first", "scores"), "utf8").trim().split("\r\n");
    const columns = header!.split(",");
    const cells = (column: string) => rows.map((row) => row.split(",")[columns.indexOf(column)]);
    expect(cells("epoch")).toEqual(history.epochs.map(({ epoch }) => `${epoch}`));
    expect(cells("validation")).toEqual(history.epochs.map(({ validation }) => `${validation}`));
    expect(cells("test")).toEqual(history.epochs.map(({ test }) => `${test}`));
    expect(cells("train_loss")).toEqual(history.epochs.map(({ trainLoss }) => `${trainLoss}`));
    expect(cells("dendrites")).toEqual(history.epochs.map(({ dendrites }) => `${dendrites}`));
    expect(readFileSync(inFolder("first", "chart"), "utf8")).toMatch(/^<svg .*<\/svg>\s*$/s);
  });

  it("keeps the parameters of the best epoch", async () => {
    const { tensors, metadata } = data.readSafetensors(readFileSync(inFolder("first", "best")));
    const own = await training.stateDict();
    expect([...tensors.keys()].sort()).toEqual([...own.keys()].sort());
    for (const [name, tensor] of own) expect(tensors.get(name)!.data, name).toEqual(tensor.data);
    expect(metadata.dendrites).toBe(`${training.dendrites}`);
  });

  it("gives the same files for the same seed, and others for another", async () => {
    await run("again");
    await run("other", { seed: 6 });
    expect(readFileSync(inFolder("again", "best"))).toEqual(readFileSync(inFolder("first", "best")));
    expect(readFileSync(inFolder("again", "model"))).toEqual(readFileSync(inFolder("first", "model")));
    expect(stateOf(inFolder("again", "latest"))).toEqual(stateOf(inFolder("first", "latest")));
    expect(readFileSync(inFolder("other", "best"))).not.toEqual(readFileSync(inFolder("first", "best")));
  });

  it("exports what plain onnxruntime-node computes the same with", async () => {
    const session = await ort.InferenceSession.create(readFileSync(inFolder("first", "model")));
    expect(session.inputNames).toEqual(["x"]);
    const batch = whole(digits.test);
    const x = batch.x!;
    const fed = new ort.Tensor("float32", x.data as Float32Array, x.shape);
    const logits = (await session.run({ x: fed }))[session.outputNames[0]!]!;
    const predicted = await training.predict({ x });
    expect(logits.dims).toEqual([100, 10]);
    expect(largestError(logits.data as Float32Array, predicted.toNumbers())).toBeLessThan(1e-5);
    const target = batch.target!.toNumbers();
    let right = 0;
    for (let i = 0; i < 100; i++) {
      const row = Array.from(logits.data.slice(10 * i, 10 * i + 10) as Float32Array);
      if (row.indexOf(Math.max(...row)) === target[i]) right += 1;
    }
    expect(await training.evaluate([batch])).toBeCloseTo(right / 100, 10);
  });

  it("counts labels that are to be ignored neither way, over batches of which few or none count", async () => {
    const { x, target } = whole(digits.test) as { x: Tensor; target: Tensor };
    const predicted = await training.predict({ x });
    const labels = Array.from(target.toNumbers(), (label, i) => (i < 40 || i % 3 > 0 ? -100 : label));
    const rows = labels.map((_, i) => Array.from(predicted.toNumbers()).slice(10 * i, 10 * i + 10));
    const counted = labels.flatMap((label, i) => (label < 0 ? [] : [i]));
    const right = counted.filter((i) => rows[i]!.indexOf(Math.max(...rows[i]!)) === labels[i]);
    const batches = [0, 25, 50, 75].map((start) => ({
      x: Tensor.of([25, 1, 12, 12], Array.from(x.toNumbers()).slice(144 * start, 144 * (start + 25))),
      target: Tensor.of([25], labels.slice(start, start + 25), target.dtype),
    }));
    expect(await training.evaluate(batches)).toBeCloseTo(right.length / counted.length, 10);
    await expect(training.evaluate(batches.slice(0, 1))).rejects.toThrow(
      "every label is one that does not count",
    );
  });

  it("comes back from its ONNX file: same output, and training and growing go on", async () => {
    const model = await readOnnx(inFolder("first", "model"));
    const { loss, optimizer, metric, engine } = OPTIONS;
    const growth = { switchMode: "every", maxDendrites: 3 } as const;
    const again = await arborize(model, { loss, optimizer, metric, engine, growth });
    const before = [training.dendrites, training.parameterCount, training.sites];
    expect([again.dendrites, again.parameterCount, again.sites]).toEqual(before);
    const batch = whole(digits.test);
    const wanted = (await training.predict(batch)).toNumbers();
    expect(largestError((await again.predict(batch)).toNumbers(), wanted)).toBeLessThan(1e-5);
    expect(await again.evaluate([batch])).toBeCloseTo(await training.evaluate([batch]), 10);

    const lossBefore = await again.evaluate([batch], null);
    for (let i = 0; i < 20; i++) await again.step(batch);
    const lossAfter = await again.evaluate([batch], null);
    expect(lossAfter).toBeLessThan(lossBefore);
    await again.addValidationScore(0.5);
    const k = training.dendrites + 1;
    expect(again.dendrites).toBe(k);
    expect(again.parameterCount).toBe(1050 * (k + 1) + 14 * k + (14 * k * (k - 1)) / 2);
    expect(await again.evaluate([batch], null)).toBeCloseTo(lossAfter, 6);
    await again.step(batch);
    expect(await again.evaluate([batch], null)).not.toBeCloseTo(lossAfter, 6);
  });

  it("of an imported network grows it as well", async () => {
    const { inputs, ...options } = OPTIONS;
    const plain = await arborize(new SmallNet(), { ...options, inputs });
    const model = await readOnnx(await plain.toOnnx());
    const { history } = await train(model, { ...options, maxEpochs: 5 });
    expect(history.epochs.map(({ dendrites }) => dendrites)).toEqual([0, 0, 0, 1, 1]);
    expect(Math.max(...history.epochs.map(({ validation }) => validation))).toBeGreaterThan(0.4);
  });

  it("keeps the dendrites of an imported network where and as they are", async () => {
    const model = await readOnnx(inFolder("first", "model"));
    const { loss, optimizer } = OPTIONS;
    const dendrites = { activation: "tanh" } as const;
    await expect(arborize(model, { loss, optimizer, dendrites })).rejects.toThrow(
      /has sigmoid dendrites on conv, fc: dendrites.activation must keep them/,
    );
    const elsewhere = await arborize(model, { loss, optimizer, dendrites: { types: ["Linear"] } });
    expect(elsewhere.sites).toEqual(["conv", "fc"]);
    expect(elsewhere.dendrites).toBeGreaterThan(0);
  });
});
