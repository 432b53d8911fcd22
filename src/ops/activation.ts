// Activations and the softmax family.

import type { Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import { normalizeAxis } from "../graph/shape.ts";
import { defineOperator, defineUnary, sameType, scalar } from "./define.ts";
import { abs, add, div, erf, exp, mul, sub } from "./elementwise.ts";
import { chained } from "./factor.ts";
import { hardSigmoid } from "./hard-sigmoid.ts";
import { isPositive } from "./positive.ts";
import { reduceSum } from "./reduce.ts";

function alongAxis([x]: [Value], { axis }: { readonly axis?: number | undefined }): ValueType[] {
  normalizeAxis(axis ?? -1, x.rank);
  return sameType("floating")([x]);
}

/** `max(x, 0)`; its gradient at 0 is 0. ONNX Relu-14. */
export function relu(x: Value): Value {
  return reluOp.emit([x]).output;
}

// A product with the mask as numbers: the runtime's Where takes twice as long.
export const reluOp = defineUnary("Relu", 14, "signed", (dy, _, y) => chained(dy, isPositive(y)));

/** `1 / (1 + e^-x)`. ONNX Sigmoid-13. */
export function sigmoid(x: Value): Value {
  return sigmoidOp.emit([x]).output;
}

// dx = dy * y * (1 - y)
export const sigmoidOp = defineUnary("Sigmoid", 13, "floating", (dy, _, y) =>
  chained(dy, y, sub(scalar(y, 1), y)),
);

/** The hyperbolic tangent. ONNX Tanh-13. */
export function tanh(x: Value): Value {
  return tanhOp.emit([x]).output;
}

// dx = dy * (1 - y²)
export const tanhOp = defineUnary("Tanh", 13, "floating", (dy, _, y) =>
  chained(dy, sub(scalar(y, 1), mul(y, y))),
);

/** `x * sigmoid(x)`, also called swish. Sigmoid-13 and Mul-14. */
export function silu(x: Value): Value {
  return mul(x, sigmoid(x));
}

/** `log(1 + e^x)`. ONNX Softplus-1. */
export function softplus(x: Value): Value {
  return softplusOp.emit([x]).output;
}

export const softplusOp = defineUnary("Softplus", 1, "floating", (dy, x) => mul(dy, sigmoid(x)));

/** `x / (1 + |x|)`. ONNX Softsign-1. */
export function softsign(x: Value): Value {
  return softsignOp.emit([x]).output;
}

// dx = dy / (1 + |x|)²
export const softsignOp = defineUnary("Softsign", 1, "floating", (dy, x) => {
  const divisor = add(abs(x), scalar(x, 1));
  return div(div(dy, divisor), divisor);
});

/** `x * tanh(softplus(x))`. ONNX Mish-18. */
export function mish(x: Value): Value {
  return mishOp.emit([x]).output;
}

// dx = dy * (t + x sigmoid(x) (1 - t²)), t = tanh(softplus(x))
export const mishOp = defineUnary("Mish", 18, "floating", (dy, x) => {
  const t = tanh(softplus(x));
  return mul(dy, add(t, mul(mul(x, sigmoid(x)), sub(scalar(x, 1), mul(t, t)))));
});

/**
 * `x` times the probability that a standard normal number is below `x`: exactly ("none", the default), or by a hyperbolic
 * tangent ("tanh"). ONNX Gelu-20.
 */
export function gelu(x: Value, approximate: "none" | "tanh" = "none"): Value {
  return geluOp.emit([x], { approximate }).output;
}

export const geluOp = defineOperator({
  type: "Gelu",
  since: 20,
  attributes: { approximate: "string" },
  infer: sameType("floating"),
  gradient: (dy, { inputs: [x], attributes: { approximate = "none" }, output: y }) => [
    mul(dy, approximate === "tanh" ? approximateGeluSlope(x, y) : geluSlope(x)),
  ],
});

/** Φ + x φ, where Φ = (1 + erf(x / √2)) / 2 and φ = e^(-x² / 2) / √(2π). */
function geluSlope(x: Value): Value {
  const scaled = mul(x, scalar(x, Math.SQRT1_2));
  // Half of one more than it, in one pass: nothing is cut off.
  const below = hardSigmoid(erf(scaled), { alpha: 0.5 });
  const density = exp(sub(scalar(x, -Math.log(2 * Math.PI) / 2), mul(scaled, scaled)));
  return add(below, mul(x, density));
}

/** y = x s and s = sigmoid(u) with u = x (a + b x²), a = √(8/π), b = 0.044715 a: y' = s + y (1 - s) (a + 3 b x²). */
function approximateGeluSlope(x: Value, y: Value): Value {
  const a = Math.sqrt(8 / Math.PI);
  const b = 0.044715 * a;
  const square = mul(x, x);
  const s = sigmoid(mul(x, add(mul(square, scalar(x, b)), scalar(x, a))));
  const inner = add(mul(square, scalar(x, 3 * b)), scalar(x, a));
  return add(s, mul(mul(y, sub(scalar(x, 1), s)), inner));
}

/** `e^x` divided by its sum over `axis` (default: the last). ONNX Softmax-13. */
export function softmax(x: Value, axis = -1): Value {
  return softmaxOp.emit([x], { axis }).output;
}

export const softmaxOp = defineOperator({
  type: "Softmax",
  since: 13,
  attributes: { axis: "int" },
  infer: alongAxis,
  // dx = y * (dy - sum(dy * y))
  gradient: (dy, { output: y, attributes: { axis = -1 } }) => [
    mul(y, sub(dy, reduceSum(mul(dy, y), [axis], { keepDims: true }))),
  ],
});

/** The logarithm of the softmax over `axis` (default: the last). ONNX LogSoftmax-13. */
export function logSoftmax(x: Value, axis = -1): Value {
  return logSoftmaxOp.emit([x], { axis }).output;
}

export const logSoftmaxOp = defineOperator({
  type: "LogSoftmax",
  since: 13,
  attributes: { axis: "int" },
  infer: alongAxis,
  // dx = dy - e^y * sum(dy)
  gradient: (dy, { output: y, attributes: { axis = -1 } }) => [
    sub(dy, mul(exp(y), reduceSum(dy, [axis], { keepDims: true }))),
  ],
});

/** 1 at the first maximum along `axis` (default: the last), 0 elsewhere. Its gradient is 0. ONNX Hardmax-13. */
export function hardmax(x: Value, axis = -1): Value {
  return hardmaxOp.emit([x], { axis }).output;
}

export const hardmaxOp = defineOperator({
  type: "Hardmax",
  since: 13,
  attributes: { axis: "int" },
  infer: alongAxis,
  gradient: () => [null],
});
