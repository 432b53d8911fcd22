import { describe, expect, it } from "vitest";
import { checkGradient, distinct, type GradientCase } from "../../test/support/checkGradient.ts";
import { evaluate, gradientsAt } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph } from "../graph/graph.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };

const CASES: Record<string, GradientCase> = {
  "Max, broadcast": {
    inputs: [{ shape: [4, 5], symbolic: B, draw: distinct }, { shape: [5] }],
    build: op.max,
  },
  "Max, three operands": {
    inputs: [{ shape: [4, 5], symbolic: B }, { shape: [5] }, { shape: [4, 1], symbolic: B }],
    build: op.max,
  },
  "Max, one operand": { inputs: [{ shape: [3] }], build: op.max },
  "Min, broadcast": { inputs: [{ shape: [4, 5], draw: distinct }, { shape: [5] }], build: op.min },
  "Min, four operands": {
    inputs: [{ shape: [4, 5] }, { shape: [5] }, { shape: [] }, { shape: [4, 1] }],
    build: op.min,
  },
  "Clip, from both sides": {
    inputs: [{ shape: [4, 5], symbolic: B }],
    build: (x) => op.clip(x!, op.scalar(x!, -0.4), op.scalar(x!, 0.6)),
  },
  "Clip, by bounds that are learned": {
    inputs: [
      { shape: [4, 5], symbolic: B },
      { shape: [], draw: () => -0.4 },
      { shape: [], draw: () => 0.6 },
    ],
    build: op.clip,
  },
  "Clip, from below": {
    inputs: [{ shape: [9] }, { shape: [], draw: () => 0.2 }],
    build: (x, low) => op.clip(x!, low),
  },
  "Clip, from above": {
    inputs: [{ shape: [9] }, { shape: [], draw: () => 0.2 }],
    build: (x, high) => op.clip(x!, null, high),
  },
  "Clip, without bounds": { inputs: [{ shape: [3] }], build: (x) => op.clip(x!) },
  "Clip, to a high below the low": {
    inputs: [{ shape: [9] }, { shape: [], draw: () => 0.5 }, { shape: [], draw: () => -0.5 }],
    build: op.clip,
  },
};

describe("extrema", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  it("share the gradient of equal operands evenly", async () => {
    const [a, b, c] = [
      [1, 2, 3],
      [1, 2, 0],
      [0, 2, 3],
    ].map((numbers) => Tensor.of([3], numbers));
    expect(await gradientsAt(op.max, a!, b!)).toEqual([
      [0.5, 0.5, 1],
      [0.5, 0.5, 0],
    ]);
    const third = Math.fround(1 / 3);
    expect(await gradientsAt(op.min, a!, b!, c!)).toEqual([
      [0, third, 0],
      [0, third, 1],
      [1, third, 0],
    ]);
  });

  it("give the gradient at a bound to what is bounded", async () => {
    const [low, high] = [Tensor.of([], [-1]), Tensor.of([], [1])];
    const found = await gradientsAt(op.clip, Tensor.of([5], [-2, -1, 0, 1, 3]), low, high);
    expect(found).toEqual([[0, 1, 1, 1, 0], [1], [1]]);
  });

  it("compute with integers", async () => {
    const [a, b, c] = [
      [1, -5, 7],
      [2, -6, 7],
      [3, -7, 0],
    ].map((numbers) => Tensor.of([3], numbers, "int64"));
    expect([...(await evaluate(op.max, a!, b!, c!)).toNumbers()]).toEqual([3, -5, 7]);
    expect([...(await evaluate(op.min, a!, b!, c!)).toNumbers()]).toEqual([1, -7, 0]);
    const clipped = await evaluate((x) => op.clip(x!, op.scalar(x!, -1), op.scalar(x!, 4)), a!);
    expect([...clipped.toNumbers()]).toEqual([1, -1, 4]);
  });

  it("refuse bounds that are no scalars", () => {
    const graph = new Graph();
    const [x, low] = ["x", "low"].map((name) => graph.input(name, "float32", [3]));
    expect(() => op.clip(x!, low)).toThrow('Clip (node 0): its bounds must be scalars, "low" is [3].');
  });
});
