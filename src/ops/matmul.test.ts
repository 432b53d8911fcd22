import { describe, it } from "vitest";
import { checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
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

describe("Gemm", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));
});
