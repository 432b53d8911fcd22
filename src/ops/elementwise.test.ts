import { describe, expect, it } from "vitest";
import { checkGradient, type GradientCase, positive } from "../../test/support/checkGradient.ts";
import { integral } from "../../test/support/integral.ts";
import { evaluate, gradientsAt } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };

const CASES: Record<string, GradientCase> = {
  "Add, same shape": {
    inputs: [
      { shape: [3, 4], symbolic: B },
      { shape: [3, 4], symbolic: B },
    ],
    build: op.add,
  },
  "Add, broadcast both ways": { inputs: [{ shape: [3, 1, 5] }, { shape: [4, 1] }], build: op.add },
  "Add, a scalar": { inputs: [{ shape: [3, 4], symbolic: B }, { shape: [] }], build: op.add },
  "Sub, broadcast": { inputs: [{ shape: [2, 3, 4] }, { shape: [3, 1] }], build: op.sub },
  "Mul, broadcast over a symbolic batch": {
    inputs: [{ shape: [5, 3, 2, 2], symbolic: B }, { shape: [3, 1, 1] }],
    build: op.mul,
  },
  "Mul, by itself": { inputs: [{ shape: [4] }], build: (x) => op.mul(x, x) },
  "Div, broadcast": { inputs: [{ shape: [2, 3] }, { shape: [3], draw: positive }], build: op.div },
  "Sum, three operands": { inputs: [{ shape: [2, 3] }, { shape: [3] }, { shape: [2, 1] }], build: op.sum },
  "Pow, of tensors": { inputs: [{ shape: [2, 3], draw: positive }, { shape: [3] }], build: op.pow },
  Neg: { inputs: [{ shape: [7] }], build: op.neg },
  Abs: { inputs: [{ shape: [7] }], build: op.abs },
  Sign: { inputs: [{ shape: [7] }], build: (x) => op.mul(x, op.sign(x)) },
  Sqrt: { inputs: [{ shape: [7], draw: positive }], build: op.sqrt },
  Reciprocal: { inputs: [{ shape: [7], draw: positive }], build: op.reciprocal },
  Exp: { inputs: [{ shape: [7] }], build: op.exp },
  Log: { inputs: [{ shape: [7], draw: positive }], build: op.log },
  "Mean, three operands": {
    inputs: [{ shape: [2, 3], symbolic: B }, { shape: [3] }, { shape: [] }],
    build: op.mean,
    precision: "linear",
  },
  "Pow, of negative bases": {
    inputs: [{ shape: [5, 3], symbolic: { 1: "width" } }],
    build: (x) => op.pow(x!, x!.graph.constant(Tensor.of([5, 1], [3, 2, 1, 0, -1], "float64"))),
  },
  "Pow, by whole numbers of another type": {
    inputs: [{ shape: [5, 3] }, { shape: [5, 1], dtype: "int64", draw: (_, i) => i - 1 }],
    build: op.pow,
  },
  "Pow, by single precision": {
    inputs: [
      { shape: [3], draw: positive },
      { shape: [2, 1], draw: positive },
    ],
    build: (a, b) => op.pow(a!, op.cast(b!, "float32")),
    reference: op.pow,
  },
  "Pow, a square": { inputs: [{ shape: [7] }], build: (x) => op.pow(x!, op.scalar(x!, 2)) },
  Erf: {
    inputs: [{ shape: [4, 5], symbolic: B }],
    build: op.erf,
    reference: (x) => op.mul(integral(x!, gaussian), op.scalar(x!, 2 / Math.sqrt(Math.PI))),
  },
};

const gaussian = (t: Value) => op.exp(op.neg(op.mul(t, t)));

describe("elementwise operators", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  it("give powers of zero the slopes that they have", async () => {
    const base = Tensor.of([4], [0, 0, 0, 0]);
    const exponents = Tensor.of([4], [0, 0.5, 1, 2]);
    expect(await gradientsAt(op.pow, base, exponents)).toEqual([
      [0, Number.POSITIVE_INFINITY, 1, 0],
      [0, 0, 0, 0],
    ]);
    const whole = exponents.to("int32");
    expect(await gradientsAt(op.pow, base, whole)).toEqual([[0, 0, 1, 0]]);
  });

  it("say that an exponent between negative powers has no gradient", async () => {
    const [, toExponent] = await gradientsAt(op.pow, Tensor.of([1], [-2]), Tensor.of([1], [2]));
    expect(toExponent).toEqual([Number.NaN]);
  });

  const A = [7, -7, 5, 0];
  const DIVISORS = [2, 2, -3, 4];
  const INTEGERS: Record<
    string,
    [build: (...inputs: Value[]) => Value, inputs: number[][], wanted: number[]]
  > = {
    Add: [op.add, [A, DIVISORS], [9, -5, 2, 4]],
    Sub: [op.sub, [A, DIVISORS], [5, -9, 8, -4]],
    Mul: [op.mul, [A, DIVISORS], [14, -14, -15, 0]],
    Div: [op.div, [A, DIVISORS], [3, -3, -1, 0]],
    Pow: [op.pow, [A, [0, 3, 2, 1]], [1, -343, 25, 0]],
    Neg: [op.neg, [[7, -7, 5, 1]], [-7, 7, -5, -1]],
    Abs: [op.abs, [A], [7, 7, 5, 0]],
    Sign: [op.sign, [A], [1, -1, 1, 0]],
  };
  for (const [name, [build, inputs, wanted]] of Object.entries(INTEGERS)) {
    it(`compute with integers: ${name}`, async () => {
      for (const dtype of ["int32", "int64"] as const) {
        const found = await evaluate(build, ...inputs.map((numbers) => Tensor.of([4], numbers, dtype)));
        expect([found.dtype, [...found.toNumbers()]]).toEqual([dtype, wanted]);
      }
    });
  }

  it("refuse element types that they do not take", () => {
    const graph = new Graph();
    const [floats, whole, flags] = (["float32", "int64", "bool"] as const).map((dtype) =>
      graph.input(dtype, dtype, [2]),
    );
    expect(() => op.add(floats!, whole!)).toThrow(
      "Add (node 0): its inputs must share one element type of float32, float64, int8, int32, int64, uint8, they are float32[2], int64[2].",
    );
    expect(() => op.mul(flags!, flags!)).toThrow("they are bool[2], bool[2]");
    expect(() => op.exp(whole!)).toThrow("one floating element type");
  });
});
