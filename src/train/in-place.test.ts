// Updates in place against the same optimizers as nodes of the graph, whose numbers are PyTorch's (optimizers.test.ts).

import { describe, expect, it } from "vitest";
import { largestError, randn } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { nodeEngine } from "../engine/node.ts";
import { Graph } from "../graph/graph.ts";
import { mse } from "../nn/losses.ts";
import { add, gather, mul, reduceMean, reduceSum, tanh } from "../ops/index.ts";
import * as optim from "../optim/index.ts";
import { StepProgram } from "./program.ts";
import { buildTrainStep } from "./step.ts";

const engine = nodeEngine({ threads: 1 });

/** Two lookups in one table, and a gain: `y = sum over w of tanh(T[a] + T[b]) * gain`. */
function network(width: number): Graph {
  const graph = new Graph({ name: "lookups" });
  const a = graph.input("a", "int64", ["batch", 2]);
  const b = graph.input("b", "int64", ["batch", 2]);
  const table = graph.parameter("table", randn([7, width], "table"));
  // The sum stays small, however many numbers a row has.
  const gain = graph.parameter(
    "gain",
    Tensor.of(
      [width],
      Array.from(randn([width], "gain").data, (each) => (4 * each) / width),
    ),
  );
  graph.output(reduceSum(mul(tanh(add(gather(table, a), gather(table, b))), gain), [2]));
  return graph;
}

const BATCH = [
  ["a", Tensor.of([3, 2], [0, 1, 1, 1, -2, 0], "int64")],
  ["b", Tensor.of([3, 2], [3, 3, 0, 1, 5, -7], "int64")],
  ["target", randn([3, 2], "target")],
] as const;
/** Rows of the table that the batch looks up: -2 is 5, -7 is 0. */
const LOOKED_UP = [0, 1, 3, 5];

async function trained(width: number, optimizer: optim.Optimizer, inPlace: boolean, steps = 3) {
  const graph = network(width);
  const step = buildTrainStep(graph, mse(), optimizer, { inPlace });
  expect(step.update === null).toBe(!inPlace);
  const program = await StepProgram.compile(step, engine, graph.state);
  for (let i = 1; i <= steps; i++) await program.run(BATCH, optimizer.knobs(i, optimizer.learningRate));
  const state = await program.snapshot();
  await program.release();
  return new Map([...state].map(([name, tensor]) => [name, Array.from(tensor.toNumbers())]));
}

const OPTIMIZERS: Readonly<Record<string, optim.Optimizer>> = {
  sgd: optim.sgd({ learningRate: 0.1 }),
  "sgd with momentum": optim.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
  "sgd with weight decay": optim.sgd({ learningRate: 0.1, weightDecay: 0.1 }),
  adam: optim.adam({ learningRate: 0.1 }),
  "adam, amsgrad": optim.adam({ learningRate: 0.1, amsgrad: true, weightDecay: 0.1 }),
  adamw: optim.adamw({ learningRate: 0.1 }),
  adadelta: optim.adadelta({ learningRate: 1 }),
  adagrad: optim.adagrad({ learningRate: 0.1, initialAccumulator: 0.1 }),
  rmsprop: optim.rmsprop({ learningRate: 0.01, momentum: 0.5, centered: true }),
};

describe("updates in place", () => {
  // Rows of 4 numbers are whole vectors, rows of 3 are not.
  for (const width of [4, 3]) {
    it.each(Object.keys(OPTIMIZERS))(`are those of the graph, rows of ${width}: %s`, async (name) => {
      const wanted = await trained(width, OPTIMIZERS[name]!, false);
      const found = await trained(width, OPTIMIZERS[name]!, true);
      expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
      for (const [key, numbers] of wanted) {
        found.get(key)!.forEach((number, i) => {
          expect(Math.abs(number - numbers[i]!), `${key}[${i}]`).toBeLessThan(
            2e-6 * (1 + Math.abs(numbers[i]!)),
          );
        });
      }
    });
  }

  // So wide that a block has four rows, and one number more than whole vectors; slow, since the sum is of many numbers.
  it.each([
    optim.sgd({ learningRate: 1e-3, momentum: 0.9 }),
    optim.adamw({ learningRate: 1e-5 }),
    optim.adadelta(),
  ])("are those of the graph in blocks of rows: $name", async (optimizer) => {
    const wanted = await trained(8193, optimizer, false);
    const found = await trained(8193, optimizer, true);
    const before = network(8193).state;
    for (const [key, numbers] of wanted) {
      const start = before.get(key)?.data as Float32Array | undefined;
      const [moved, off] = [start, found.get(key)!].map((others) =>
        numbers.reduce((most, number, i) => Math.max(most, Math.abs(number - (others?.[i] ?? 0))), 0),
      );
      expect(moved, key).toBeGreaterThan(0);
      expect(off! / moved!, key).toBeLessThan(1e-4);
    }
  });

  // A little more and a little less than what has another place to go to.
  it.each([2 ** 22 + 4, 2 ** 22 - 3])("are those of the graph for %i parameters", async (length) => {
    const optimizer = optim.adam({ learningRate: 0.01 });
    const graph = new Graph({ name: "gain" });
    const x = graph.input("x", "float32", ["batch", 1]);
    const gain = graph.parameter("gain", Tensor.full([length], 0.5));
    graph.output(reduceMean(tanh(mul(x, gain)), [1]));
    const [found, wanted] = await Promise.all(
      [true, false].map(async (inPlace) => {
        const step = buildTrainStep(graph, mse(), optimizer, { inPlace });
        const program = await StepProgram.compile(step, engine, graph.state);
        for (let i = 1; i <= 3; i++) {
          const batch: [string, Tensor][] = [
            ["x", Tensor.of([1, 1], [i])],
            ["target", Tensor.of([1], [1])],
          ];
          await program.run(batch, optimizer.knobs(i, 0.01));
        }
        const { data } = (await program.snapshot(["gain"])).get("gain")!;
        await program.release();
        return data;
      }),
    );
    expect(found!.length).toBe(length);
    expect(found![0]).toBeGreaterThan(0.52);
    for (const at of [0, 1, length >> 1, length - 1]) expect(found![at]).toBeCloseTo(Number(wanted![at]), 5);
    expect(found!.every((number) => number === found![0])).toBe(true);
  });

  it.each([4, 3, 1, 6])(
    "leave rows alone that were not looked up, if they are lazy: rows of %i",
    async (width) => {
      const before = Array.from(network(width).state.get("table")!.toNumbers());
      const lazy = await trained(width, optim.adamw({ learningRate: 0.1, lazy: true }), true);
      const strict = await trained(width, optim.adamw({ learningRate: 0.1 }), true);
      for (let row = 0; row < 7; row++) {
        const part = (numbers: readonly number[]) => numbers.slice(width * row, width * (row + 1));
        if (LOOKED_UP.includes(row)) {
          // In every step: so being lazy makes no difference.
          expect(part(lazy.get("table")!)).toEqual(part(strict.get("table")!));
        } else {
          expect(part(lazy.get("table")!)).toEqual(part(before));
          expect(part(strict.get("table")!)).not.toEqual(part(before));
        }
      }
    },
  );

  it("do with batches of changing lengths what the graph does", async () => {
    const optimizer = optim.adamw({ learningRate: 0.1 });
    const graph = network(6);
    const lengths = [3, 1, 3, 3, 5, 2, 5];
    const [found, wanted] = await Promise.all(
      [true, false].map(async (inPlace) => {
        const step = buildTrainStep(graph, mse(), optimizer, { inPlace });
        const program = await StepProgram.compile(step, engine, graph.state);
        for (const [i, length] of lengths.entries()) {
          const rows = (by: number) => Array.from({ length: 2 * length }, (_, j) => ((i + by * j) % 9) - 2);
          const batch: [string, Tensor][] = [
            ["a", Tensor.of([length, 2], rows(1), "int64")],
            ["b", Tensor.of([length, 2], rows(5), "int64")],
            ["target", randn([length, 2], `target ${i}`)],
          ];
          await program.run(batch, optimizer.knobs(i + 1, 0.1));
        }
        const table = (await program.snapshot(["table"])).get("table")!;
        await program.release();
        return [...table.toNumbers()];
      }),
    );
    expect(largestError(found!, wanted!)).toBeLessThan(2e-6);
  });

  it("go by the last batch alone", async () => {
    const optimizer = optim.sgd({ learningRate: 0.1 });
    const graph = network(4);
    const program = await StepProgram.compile(
      buildTrainStep(graph, mse(), optimizer, { inPlace: true }),
      engine,
      graph.state,
    );
    await program.run(BATCH, optimizer.knobs(1, 0.1));
    const between = (await program.snapshot(["table"])).get("table")!;
    const other = BATCH.map(([name, tensor]) => [
      name,
      name === "target" ? tensor : Tensor.full([3, 2], 2, "int64"),
    ]) as [string, Tensor][];
    await program.run(other, optimizer.knobs(2, 0.1));
    const after = (await program.snapshot(["table"])).get("table")!;
    const changed = [...Array(7).keys()].filter((row) =>
      [0, 1, 2, 3].some((i) => after.data[4 * row + i] !== between.data[4 * row + i]),
    );
    expect(changed).toEqual([2]);
    await program.release();
  });
});
