// Activations, element by element or along an axis.

import type { Value } from "../../graph/graph.ts";
import { isStatic, normalizeAxis, shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import { type Operand, operand } from "./operand.ts";

export {
  celu,
  elu,
  hardSwish as hardswish,
  leakyRelu,
  logSoftmax,
  mish,
  relu,
  sigmoid,
  silu,
  softmax,
  softsign,
  tanh,
} from "../../ops/index.ts";

/** Options of `gelu`. */
export interface GeluOptions {
  /** "tanh" for the approximation by a hyperbolic tangent. Default: "none". */
  readonly approximate?: "none" | "tanh";
}

/** `x` times the probability that a standard normal number is below `x`. */
export function gelu(x: Value, { approximate = "none" }: GeluOptions = {}): Value {
  return op.gelu(x, approximate);
}

/** `1.0507 x`, where negative `1.7581 (e^x - 1)`. */
export function selu(x: Value): Value {
  return op.selu(x);
}

/** `x` within 0 and 6. */
export function relu6(x: Value): Value {
  // Relu passes no gradient at 0, as PyTorch does not: Clip does at its bounds.
  return op.clip(op.relu(x), null, op.scalar(x, 6));
}

/** `x` within bounds, -1 and 1 by default. */
export function hardtanh(x: Value, minVal = -1, maxVal = 1): Value {
  return op.clip(x, op.scalar(x, minVal), op.scalar(x, maxVal));
}

/** `x / 6 + 1 / 2` within 0 and 1. */
export function hardsigmoid(x: Value): Value {
  return op.hardSigmoid(x, { alpha: 1 / 6 });
}

/** 0 within `lambd` (default: 0.5) of zero, elsewhere `x`. */
export function hardshrink(x: Value, lambd = 0.5): Value {
  return op.shrink(x, { lambd });
}

/** 0 within `lambd` (default: 0.5) of zero, elsewhere `x` moved by `lambd` towards zero. */
export function softshrink(x: Value, lambd = 0.5): Value {
  return op.shrink(x, { lambd, bias: lambd });
}

/** `x - tanh(x)`. */
export function tanhshrink(x: Value): Value {
  return op.sub(x, op.tanh(x));
}

/**
 * `x`, times a slope where negative, drawn from `lower` to `upper` in PyTorch's training and their mean in its evaluation:
 * here it is the mean in both. Defaults: 1/8 and 1/3.
 */
export function rrelu(x: Value, lower = 1 / 8, upper = 1 / 3): Value {
  return op.leakyRelu(x, (lower + upper) / 2);
}

/** `x`, times a learned slope where negative: a weight `[1]`, or `[C]` for the channels of `[B, C, ...]`. */
export function prelu(x: Value, weight: Operand): Value {
  const slope = operand(x, weight);
  const perChannel = slope.shape[0] !== 1;
  const shape = perChannel ? [slope.shape[0]!, ...x.shape.slice(2).map(() => 1)] : [1];
  return op.prelu(x, op.reshape(slope, shape));
}

/** Up to here the logarithm adds something to a float32, as far as it is rounded. */
const LINEAR_FROM = 20;

/** `log(1 + e^(beta x)) / beta`, and `x` where `beta x` is above `threshold`. Defaults: 1 and 20. */
export function softplus(x: Value, beta = 1, threshold = LINEAR_FROM): Value {
  const scaled = beta === 1 ? x : op.mul(x, op.scalar(x, beta));
  const soft = op.softplus(scaled);
  const y = beta === 1 ? soft : op.div(soft, op.scalar(x, beta));
  return threshold >= LINEAR_FROM ? y : op.where(op.greater(scaled, op.scalar(x, threshold)), x, y);
}

/** `log(1 / (1 + e^-x))`. */
export function logsigmoid(x: Value): Value {
  return op.neg(op.softplus(op.neg(x)));
}

/** `x` where it is above `threshold`, else `value`. */
export function threshold(x: Value, threshold: number, value: number): Value {
  return op.where(op.greater(x, op.scalar(x, threshold)), x, op.scalar(x, value));
}

/** The softmax of `-x` over `dim` (default: the last). */
export function softmin(x: Value, dim = -1): Value {
  return op.softmax(op.neg(x), dim);
}

/** The first half of `dim` (default: the last) times the sigmoid of the second. */
export function glu(x: Value, dim = -1): Value {
  const axis = normalizeAxis(dim, x.rank);
  const length = x.shape[axis]!;
  expectShape(
    isStatic(length) && length % 2 === 0,
    () => `axis ${axis} of ${shapeText(x.shape)} does not have two halves`,
  );
  const [a, b] = op.split(x, [length / 2, length / 2], axis) as [Value, Value];
  return op.mul(a, op.sigmoid(b));
}
