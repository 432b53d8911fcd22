import { describe, expect, it } from "vitest";
import { checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
import { evaluate } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import * as op from "./index.ts";

/** Every combination of transposes, with a factor that is not 1. */
const TRANSPOSED = [false, true].flatMap((transA) => [false, true].map((transB) => ({ transA, transB })));

const CASES: Record<string, GradientCase> = {
  ...Object.fromEntries(
    TRANSPOSED.map(({ transA, transB }): [string, GradientCase] => [
      `Gemm, transA ${transA}, transB ${transB}`,
      {
        inputs: [
          transA ? { shape: [4, 3], symbolic: { 1: "batch" } } : { shape: [3, 4], symbolic: { 0: "batch" } },
          { shape: transB ? [5, 4] : [4, 5] },
        ],
        build: (a, b) => op.gemm(a!, b!, null, { transA, transB, alpha: 0.7 }),
      },
    ]),
  ),
  "Gemm, a bias for each column": {
    inputs: [{ shape: [3, 4], symbolic: { 0: "batch" } }, { shape: [4, 5] }, { shape: [5] }],
    build: (a, b, c) => op.gemm(a!, b!, c!),
  },
  "Gemm, a bias for each row, scaled": {
    inputs: [{ shape: [3, 4] }, { shape: [4, 5] }, { shape: [3, 1] }],
    build: (a, b, c) => op.gemm(a!, b!, c!, { alpha: -1.5, beta: 0.3 }),
  },
};

const VECTORS: Record<string, GradientCase> = {
  "a transposed matrix by a vector": {
    inputs: [{ shape: [3, 3] }, { shape: [3] }],
    build: (a, v) => op.matMul(op.transpose(a!), v!),
  },
  "a vector by a transposed matrix": {
    inputs: [{ shape: [3] }, { shape: [3, 3] }],
    build: (v, a) => op.matMul(v!, op.transpose(a!)),
  },
  "a matrix by a vector, of MatMul itself": {
    inputs: [{ shape: [2, 3, 4] }, { shape: [4] }],
    build: (a, v) => op.matMulOp.emit([a!, v!]).output,
  },
};

describe("MatMul", () => {
  for (const [name, given] of Object.entries(VECTORS)) it(name, () => checkGradient(given));

  it("of a transposed matrix and a vector is that of the rows", async () => {
    const [matrix, vector] = [Tensor.of([2, 2], [1, 2, 3, 4]), Tensor.of([2], [1, 10])];
    const right = await evaluate((a, v) => op.matMul(op.transpose(a!), v!), matrix, vector);
    expect([...right.toNumbers()]).toEqual([31, 42]);
    const left = await evaluate((v, a) => op.matMul(v!, op.transpose(a!)), vector, matrix);
    expect([...left.toNumbers()]).toEqual([21, 43]);
  });
});

describe("Gemm", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));
});
