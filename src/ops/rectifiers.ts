// Activations that treat what is above a threshold, mostly zero, unlike the rest. At the threshold they have the slope of the
// rest, as in PyTorch.

import type { Value } from "../graph/graph.ts";
import { cast } from "./cast.ts";
import { defineOperator, expectBroadcastTo, expectKind, sameType, scalar } from "./define.ts";
import { abs, add, mul, sub } from "./elementwise.ts";
import { min } from "./extrema.ts";
import { greater } from "./logic.ts";
import { isPositive } from "./positive.ts";

/** 1 where x is above the threshold, else 0. */
function isAbove(x: Value, threshold: number): Value {
  return cast(greater(x, scalar(x, threshold)), x.dtype);
}

/** `x`, times `alpha` (default: 0.01) where negative. ONNX LeakyRelu-16. */
export function leakyRelu(x: Value, alpha = 0.01): Value {
  return leakyReluOp.emit([x], { alpha }).output;
}

export const leakyReluOp = defineOperator({
  type: "LeakyRelu",
  since: 16,
  attributes: { alpha: "float" },
  infer: sameType("floating"),
  gradient: (dy, { inputs: [x], attributes: { alpha = 0.01 } }) => [mul(dy, twoSlopes(x, alpha, 1))],
});

/** `above` where x is positive, else `below`. */
function twoSlopes(x: Value, below: number, above: number): Value {
  return add(mul(isPositive(x), scalar(x, above - below)), scalar(x, below));
}

/** `x`, times a learned slope where negative. The slope broadcasts to the shape of `x`. ONNX PRelu-16. */
export function prelu(x: Value, slope: Value): Value {
  return preluOp.emit([x, slope]).output;
}

export const preluOp = defineOperator({
  type: "PRelu",
  since: 16,
  infer: ([x, slope]: [Value, Value]) => {
    expectKind("wide", x, slope);
    expectBroadcastTo(x, slope);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: (dy, { inputs: [x, slope] }) => {
    const positive = mul(dy, isPositive(x));
    const negative = sub(dy, positive);
    return [add(positive, mul(negative, slope)), mul(negative, x)];
  },
  broadcasts: true,
});

/** `x`, where negative `alpha (e^x - 1)`. Default of alpha: 1. ONNX Elu-6. */
export function elu(x: Value, alpha = 1): Value {
  return eluOp.emit([x], { alpha }).output;
}

export const eluOp = defineOperator({
  type: "Elu",
  since: 6,
  attributes: { alpha: "float" },
  infer: sameType("floating"),
  gradient: (dy, { output: y, attributes: { alpha = 1 } }) => [mul(dy, exponentialSlope(y, alpha, 1))],
});

/** Above zero the slope `above`; below it that of `below (e^x - 1)`, which is y + below. */
function exponentialSlope(y: Value, below: number, above: number): Value {
  const negative = min(y, scalar(y, 0));
  return add(negative, below === above ? scalar(y, below) : twoSlopes(y, below, above));
}

/** What makes SELU keep mean 0 and variance 1, as ONNX has them. */
const SELU = { alpha: 1.6732631921768188, gamma: 1.0507010221481323 };

/** Options of `selu`. */
export interface SeluOptions {
  /** Default: 1.6732632, which with the default of gamma keeps mean 0 and variance 1. */
  readonly alpha?: number;
  /** Default: 1.0507010. */
  readonly gamma?: number;
}

/** `gamma x`, where negative `gamma alpha (e^x - 1)`. ONNX Selu-6. */
export function selu(x: Value, options: SeluOptions = {}): Value {
  return seluOp.emit([x], { ...options }).output;
}

export const seluOp = defineOperator({
  type: "Selu",
  since: 6,
  attributes: { alpha: "float", gamma: "float" },
  infer: sameType("floating"),
  gradient: (dy, { output: y, attributes: { alpha = SELU.alpha, gamma = SELU.gamma } }) => [
    mul(dy, exponentialSlope(y, alpha * gamma, gamma)),
  ],
});

/** `x`, where negative `alpha (e^(x / alpha) - 1)`. Default of alpha: 1. ONNX Celu-12. */
export function celu(x: Value, alpha = 1): Value {
  return celuOp.emit([x], { alpha }).output;
}

export const celuOp = defineOperator({
  type: "Celu",
  since: 12,
  attributes: { alpha: "float" },
  infer: sameType("floating"),
  // 1 above zero, below it e^(x / alpha) = y / alpha + 1
  gradient: (dy, { output: y, attributes: { alpha = 1 } }) => {
    const negative = min(y, scalar(y, 0));
    return [mul(dy, add(mul(negative, scalar(y, 1 / alpha)), scalar(y, 1)))];
  },
});

/** `x` where it is above `alpha` (default: 1), else 0. ONNX ThresholdedRelu-10. */
export function thresholdedRelu(x: Value, alpha = 1): Value {
  return thresholdedReluOp.emit([x], { alpha }).output;
}

export const thresholdedReluOp = defineOperator({
  type: "ThresholdedRelu",
  since: 10,
  attributes: { alpha: "float" },
  infer: sameType("floating"),
  gradient: (dy, { inputs: [x], attributes: { alpha = 1 } }) => [mul(dy, isAbove(x, alpha))],
});

/** Options of `shrink`. */
export interface ShrinkOptions {
  /** How far from zero a number must be. Default: 0.5. */
  readonly lambd?: number;
  /** How much nearer to zero it comes: 0 (the default) for hard shrinking, `lambd` for soft. */
  readonly bias?: number;
}

/** 0 within `lambd` of zero, elsewhere `x` moved by `bias` towards zero. ONNX Shrink-9. */
export function shrink(x: Value, options: ShrinkOptions = {}): Value {
  return shrinkOp.emit([x], { ...options }).output;
}

export const shrinkOp = defineOperator({
  type: "Shrink",
  since: 9,
  attributes: { bias: "float", lambd: "float" },
  infer: sameType("numeric"),
  gradient: (dy, { inputs: [x], attributes: { lambd = 0.5 } }) => [mul(dy, isAbove(abs(x), lambd))],
});
