// Activations and the softmax family.

import type { Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import { normalizeAxis } from "../graph/shape.ts";
import { cast } from "./cast.ts";
import { defineOperator, defineUnary, sameType, scalar } from "./define.ts";
import { exp, mul, sub } from "./elementwise.ts";
import { greater } from "./logic.ts";
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
export const reluOp = defineUnary("Relu", 14, "signed", (dy, _, y) =>
  mul(dy, cast(greater(y, scalar(y, 0)), dy.dtype)),
);

/** `1 / (1 + e^-x)`. ONNX Sigmoid-13. */
export function sigmoid(x: Value): Value {
  return sigmoidOp.emit([x]).output;
}

// dx = dy * y * (1 - y)
export const sigmoidOp = defineUnary("Sigmoid", 13, "floating", (dy, _, y) =>
  mul(dy, mul(y, sub(scalar(y, 1), y))),
);

/** The hyperbolic tangent. ONNX Tanh-13. */
export function tanh(x: Value): Value {
  return tanhOp.emit([x]).output;
}

// dx = dy * (1 - y²)
export const tanhOp = defineUnary("Tanh", 13, "floating", (dy, _, y) =>
  mul(dy, sub(scalar(y, 1), mul(y, y))),
);

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
