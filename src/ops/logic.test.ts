import { describe, expect, it } from "vitest";
import { checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
import { evaluate, gradientsAt } from "../../test/support/run.ts";
import { type DType, Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import * as op from "./index.ts";

const CASES: Record<string, GradientCase> = {
  "Where, broadcast": {
    inputs: [{ shape: [3, 4], symbolic: { 0: "batch" } }, { shape: [4] }],
    build: (a, b) => op.where(op.greater(a!, op.scalar(a!, 0)), a!, b!),
  },
};

/** `build` of numbers of one type gives `wanted`. */
type Row = [build: (...inputs: Value[]) => Value, dtype: DType, inputs: number[][], wanted: number[]];

const NAN = Number.NaN;
const INFINITY = Number.POSITIVE_INFINITY;
const NUMBERS = [
  [1, 2, 3],
  [2, 2, 2],
];
const FLAGS = [
  [0, 0, 1, 1],
  [0, 1, 0, 1],
];
const BITS = [
  [0b1100, 0xff],
  [0b1010, 0x0f],
];
const SPECIAL = [[NAN, INFINITY, -INFINITY, 1]];

const ROWS: Record<string, Row> = {
  Greater: [op.greater, "float32", NUMBERS, [0, 0, 1]],
  GreaterOrEqual: [op.greaterOrEqual, "int64", NUMBERS, [0, 1, 1]],
  Less: [op.less, "int32", NUMBERS, [1, 0, 0]],
  LessOrEqual: [op.lessOrEqual, "float64", NUMBERS, [1, 1, 0]],
  Equal: [op.equal, "float32", NUMBERS, [0, 1, 0]],
  "Equal, of booleans": [op.equal, "bool", FLAGS, [1, 0, 0, 1]],
  And: [op.and, "bool", FLAGS, [0, 0, 0, 1]],
  Or: [op.or, "bool", FLAGS, [0, 1, 1, 1]],
  Xor: [op.xor, "bool", FLAGS, [0, 1, 1, 0]],
  Not: [op.not, "bool", FLAGS.slice(0, 1), [1, 1, 0, 0]],
  IsNaN: [op.isNan, "float32", SPECIAL, [1, 0, 0, 0]],
  IsInf: [(x) => op.isInf(x!), "float64", SPECIAL, [0, 1, 1, 0]],
  "IsInf, positive": [(x) => op.isInf(x!, { negative: false }), "float32", SPECIAL, [0, 1, 0, 0]],
  "IsInf, negative": [(x) => op.isInf(x!, { positive: false }), "float32", SPECIAL, [0, 0, 1, 0]],
  BitwiseAnd: [op.bitwiseAnd, "int64", BITS, [0b1000, 0x0f]],
  BitwiseOr: [op.bitwiseOr, "int32", BITS, [0b1110, 0xff]],
  BitwiseXor: [op.bitwiseXor, "uint8", BITS, [0b0110, 0xf0]],
  BitwiseNot: [op.bitwiseNot, "int64", [[0, 5]], [-1, -6]],
  "BitShift, left": [
    (x, n) => op.bitShift(x!, n!, "LEFT"),
    "uint8",
    [
      [3, 200],
      [2, 1],
    ],
    [12, 144],
  ],
  "BitShift, right": [
    (x, n) => op.bitShift(x!, n!, "RIGHT"),
    "uint8",
    [
      [12, 200],
      [2, 1],
    ],
    [3, 100],
  ],
};

describe("logic", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  for (const [name, [build, dtype, inputs, wanted]] of Object.entries(ROWS)) {
    it(name, async () => {
      const tensors = inputs.map((numbers) => Tensor.of([numbers.length], numbers, dtype));
      expect([...(await evaluate(build, ...tensors)).toNumbers()]).toEqual(wanted);
    });
  }

  it("takes booleans for booleans", () => {
    const x = new Graph().input("x", "float32", [2]);
    expect(() => op.and(x, x)).toThrow("And (node 0): its inputs must share one element type of bool");
    expect(() => op.bitShift(x, x, "LEFT")).toThrow("one element type of uint8");
  });

  it("is not differentiated, what is beside it is", async () => {
    const masked = (x: Value) => op.mul(x, op.cast(op.less(x, op.scalar(x, 2)), x.dtype));
    expect(await gradientsAt((x) => masked(x!), Tensor.of([3], [1, 2, 3]))).toEqual([[1, 0, 0]]);
  });
});
