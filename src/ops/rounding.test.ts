import { describe, expect, it } from "vitest";
import { checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
import { evaluate } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { numbersOf } from "../graph/content.ts";
import { Graph } from "../graph/graph.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };

const CASES: Record<string, GradientCase> = {
  Floor: { inputs: [{ shape: [4, 5], symbolic: B }], build: (x) => op.mul(x!, op.floor(x!)) },
  Ceil: { inputs: [{ shape: [4, 5], symbolic: B }], build: (x) => op.mul(x!, op.ceil(x!)) },
  Round: { inputs: [{ shape: [4, 5], symbolic: B }], build: (x) => op.mul(x!, op.round(x!)) },
  "Mod, broadcast": {
    inputs: [
      { shape: [4, 5], symbolic: B, draw: (random) => 4 * random.normal() },
      { shape: [5], draw: (random) => random.uniform(0.7, 1.3) * (random.integer(2) === 0 ? 1 : -1) },
    ],
    build: (a, b) => op.mod(a!, b!),
  },
};

describe("rounding", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  it("goes down, up, and to the nearest or even number", async () => {
    const x = Tensor.of([6], [-1.5, -0.5, 0.5, 1.5, 2.5, 2.6]);
    const wanted = new Map([
      [op.floor, [-2, -1, 0, 1, 2, 2]],
      [op.ceil, [-1, -0, 1, 2, 3, 3]],
      [op.round, [-2, -0, 0, 2, 2, 3]],
    ]);
    for (const [build, numbers] of wanted)
      expect([...(await evaluate(build, x)).toNumbers()]).toEqual(numbers);
  });

  it("leaves the sign of the divisor or of the dividend", async () => {
    const [a, b] = [
      [7, -7, 7, -7],
      [3, 3, -3, -3],
    ].map((numbers) => Tensor.of([4], numbers, "int64"));
    expect([...(await evaluate((x, y) => op.mod(x!, y!), a!, b!)).toNumbers()]).toEqual([1, 2, -2, -1]);
    const fmod = await evaluate((x, y) => op.mod(x!, y!, { fmod: 1 }), a!, b!);
    expect([...fmod.toNumbers()]).toEqual([1, -1, 1, -1]);
    const floats = await evaluate((x, y) => op.mod(x!, y!), a!.to("float32"), b!.to("float32"));
    expect([...floats.toNumbers()]).toEqual([1, -1, 1, -1]);
  });

  it("is followed where shapes are computed", () => {
    const graph = new Graph();
    const lengths = graph.constant(Tensor.of([2], [7.5, -7.5]));
    expect(numbersOf(op.floor(lengths))).toEqual([7, -8]);
    expect(numbersOf(op.ceil(lengths))).toEqual([8, -7]);
    const [a, b] = [
      [7, -7],
      [3, 3],
    ].map((numbers) => graph.constant(Tensor.of([2], numbers, "int64")));
    expect(numbersOf(op.mod(a!, b!))).toEqual([1, 2]);
    expect(numbersOf(op.mod(a!, b!, { fmod: 1 }))).toEqual([1, -1]);
  });

  it("refuses the sign of the divisor of floats, which ONNX has not", () => {
    const x = new Graph().input("x", "float32", [3]);
    expect(() => op.mod(x, x, { fmod: 0 })).toThrow("Mod (node 0): fmod must be 1 for floating operands.");
  });
});
