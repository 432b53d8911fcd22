import { describe, it } from "vitest";
import { checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
import { integral } from "../../test/support/integral.ts";
import type { Random } from "../base/random.ts";
import type { Value } from "../graph/graph.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };
const one = (x: Value) => op.scalar(x, 1);
const square = (x: Value) => op.mul(x, x);
const half = (x: Value) => op.mul(x, op.scalar(x, 0.5));
const inside = (random: Random) => random.uniform(-0.9, 0.9);

/** A case in single precision against a function of float64. */
const single = (
  build: (x: Value) => Value,
  reference: (x: Value) => Value,
  draw: (random: Random) => number = (random) => random.uniform(-1.4, 1.4),
): GradientCase => ({
  inputs: [{ shape: [4, 5], symbolic: B, draw }],
  build: (x) => build(x!),
  reference: (x) => reference(x!),
});

const asin = (x: Value) => integral(x, (t) => op.reciprocal(op.sqrt(op.sub(one(t), square(t)))));

const CASES: Record<string, GradientCase> = {
  Sin: { inputs: [{ shape: [4, 5], symbolic: B }], build: op.sin },
  Cos: { inputs: [{ shape: [4, 5], symbolic: B }], build: op.cos },
  Tan: single(op.tan, (x) => op.div(op.sin(x), op.cos(x)), inside),
  Asin: single(op.asin, asin, inside),
  Acos: single(op.acos, (x) => op.sub(op.scalar(x, Math.PI / 2), asin(x)), inside),
  Atan: single(op.atan, (x) => integral(x, (t) => op.reciprocal(op.add(one(t), square(t))))),
  Sinh: single(op.sinh, (x) => half(op.sub(op.exp(x), op.exp(op.neg(x))))),
  Cosh: single(op.cosh, (x) => half(op.add(op.exp(x), op.exp(op.neg(x))))),
  Asinh: single(op.asinh, (x) => op.log(op.add(x, op.sqrt(op.add(square(x), one(x)))))),
  Acosh: single(
    op.acosh,
    (x) => op.log(op.add(x, op.sqrt(op.sub(square(x), one(x))))),
    (random) => random.uniform(1.1, 3),
  ),
  Atanh: single(op.atanh, (x) => half(op.log(op.div(op.add(one(x), x), op.sub(one(x), x)))), inside),
};

describe("trigonometric functions", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));
});
