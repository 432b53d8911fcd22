// Arithmetic, comparisons and choices, element by element, with NumPy's broadcasting.

import { isFloat } from "../base/tensor.ts";
import type { Node, Value } from "../graph/graph.ts";
import type { Content, Evaluation, ValueType } from "../graph/operator.ts";
import {
  addDims,
  type Dim,
  divideDims,
  floorDivide,
  isStatic,
  multiplyDims,
  subtractDims,
} from "../graph/shape.ts";
import { defineOperator, inferBroadcast, scalar } from "./define.ts";
import { elementwise } from "./evaluate.ts";

function sameType(x: Value): ValueType[] {
  return [{ dtype: x.dtype, shape: x.shape }];
}

/** `a + b`. ONNX Add-14. */
export function add(a: Value, b: Value): Value {
  return addOp.emit([a, b]).output;
}

export const addOp = defineOperator({
  type: "Add",
  since: 14,
  infer: ([a, b]: [Value, Value]) => inferBroadcast(a, b),
  evaluate: elementwise(addDims),
  gradient: (dy) => [dy, dy],
  broadcasts: true,
});

/** `a - b`. ONNX Sub-14. */
export function sub(a: Value, b: Value): Value {
  return subOp.emit([a, b]).output;
}

export const subOp = defineOperator({
  type: "Sub",
  since: 14,
  infer: ([a, b]: [Value, Value]) => inferBroadcast(a, b),
  evaluate: elementwise(subtractDims),
  gradient: (dy) => [dy, neg(dy)],
  broadcasts: true,
});

/** `a * b`. ONNX Mul-14. */
export function mul(a: Value, b: Value): Value {
  return mulOp.emit([a, b]).output;
}

export const mulOp = defineOperator({
  type: "Mul",
  since: 14,
  infer: ([a, b]: [Value, Value]) => inferBroadcast(a, b),
  evaluate: elementwise(multiplyDims),
  gradient: (dy, { inputs: [a, b] }) => [mul(dy, b), mul(dy, a)],
  broadcasts: true,
});

/** `a / b`. ONNX Div-14. */
export function div(a: Value, b: Value): Value {
  return divOp.emit([a, b]).output;
}

export const divOp = defineOperator({
  type: "Div",
  since: 14,
  infer: ([a, b]: [Value, Value]) => inferBroadcast(a, b),
  // d(a/b)/db = -a/b² = -y/b
  evaluate: quotient,
  gradient: (dy, { inputs: [, b], output: y }) => {
    const da = div(dy, b);
    return [da, neg(mul(da, y))];
  },
  broadcasts: true,
});

/** Of integers rounded towards zero; lengths are not negative. */
function quotient(inputs: readonly (Content | null)[], node: Node): ReturnType<Evaluation> {
  const divide = isFloat(node.output.dtype) ? exactQuotient : wholeQuotient;
  return elementwise(divide)(inputs, node);
}

function exactQuotient(a: Dim, b: Dim): Dim | undefined {
  return isStatic(a) && isStatic(b) ? a / b : divideDims(a, b);
}

function wholeQuotient(a: Dim, b: Dim): Dim | undefined {
  if (isStatic(a) && isStatic(b)) return b === 0 ? undefined : Math.trunc(a / b);
  return divideDims(a, b) ?? (isStatic(b) && b > 0 ? floorDivide(a, b) : undefined);
}

/** The sum of all operands, in one pass over memory. ONNX Sum-13. */
export function sum(...values: readonly Value[]): Value {
  return sumOp.emit(values).output;
}

export const sumOp = defineOperator({
  type: "Sum",
  since: 13,
  infer: (values: readonly Value[]) => inferBroadcast(...values),
  gradient: (dy, { inputs }) => inputs.map(() => dy),
  broadcasts: true,
});

/** `a ** b`, for a positive base where the exponent is not an integer. ONNX Pow-15. */
export function pow(a: Value, b: Value): Value {
  return powOp.emit([a, b]).output;
}

export const powOp = defineOperator({
  type: "Pow",
  since: 15,
  infer: ([a, b]: [Value, Value]) => inferBroadcast(a, b),
  // da = dy * b * a^(b-1);  db = dy * y * ln a
  gradient: (dy, { inputs: [a, b], output: y }) => [
    mul(dy, mul(b, pow(a, sub(b, scalar(b, 1))))),
    b.kind === "constant" ? null : mul(dy, mul(y, log(a))),
  ],
  broadcasts: true,
});

/** The larger of `a` and `b`; where they tie, each gets half the gradient. ONNX Max-13. */
export function max(a: Value, b: Value): Value {
  return maxOp.emit([a, b]).output;
}

export const maxOp = defineOperator({
  type: "Max",
  since: 13,
  infer: ([a, b]: [Value, Value]) => inferBroadcast(a, b),
  evaluate: elementwise((a, b) => (isStatic(a) && isStatic(b) ? Math.max(a, b) : undefined)),
  gradient: (dy, { inputs: [a, b] }) => splitBy(dy, a, b),
  broadcasts: true,
});

/** The smaller of `a` and `b`; where they tie, each gets half the gradient. ONNX Min-13. */
export function min(a: Value, b: Value): Value {
  return minOp.emit([a, b]).output;
}

export const minOp = defineOperator({
  type: "Min",
  since: 13,
  infer: ([a, b]: [Value, Value]) => inferBroadcast(a, b),
  evaluate: elementwise((a, b) => (isStatic(a) && isStatic(b) ? Math.min(a, b) : undefined)),
  gradient: (dy, { inputs: [a, b] }) => splitBy(dy, b, a),
  broadcasts: true,
});

/** The cotangents of two operands of which the larger one passes: dy where ahead, dy/2 on a tie, 0 behind. */
function splitBy(dy: Value, ahead: Value, behind: Value): [Value, Value] {
  const half = scalar(dy, 0.5);
  const share = mul(half, add(sign(sub(ahead, behind)), scalar(dy, 1)));
  const toAhead = mul(dy, share);
  return [toAhead, sub(dy, toAhead)];
}

/** `-x`. ONNX Neg-13. */
export function neg(x: Value): Value {
  return negOp.emit([x]).output;
}

export const negOp = defineOperator({
  type: "Neg",
  since: 13,
  infer: ([x]: [Value]) => sameType(x),
  evaluate: elementwise((x) => multiplyDims(x, -1)),
  gradient: (dy) => [neg(dy)],
});

/** `|x|`; its gradient at 0 is 0. ONNX Abs-13. */
export function abs(x: Value): Value {
  return absOp.emit([x]).output;
}

export const absOp = defineOperator({
  type: "Abs",
  since: 13,
  infer: ([x]: [Value]) => sameType(x),
  gradient: (dy, { inputs: [x] }) => [mul(dy, sign(x))],
});

/** -1, 0 or 1. Its gradient is 0. ONNX Sign-13. */
export function sign(x: Value): Value {
  return signOp.emit([x]).output;
}

export const signOp = defineOperator({
  type: "Sign",
  since: 13,
  infer: ([x]: [Value]) => sameType(x),
  gradient: () => [null],
});

/** The square root. ONNX Sqrt-13. */
export function sqrt(x: Value): Value {
  return sqrtOp.emit([x]).output;
}

export const sqrtOp = defineOperator({
  type: "Sqrt",
  since: 13,
  infer: ([x]: [Value]) => sameType(x),
  gradient: (dy, { output: y }) => [div(mul(dy, scalar(dy, 0.5)), y)],
});

/** `1 / x`. ONNX Reciprocal-13. */
export function reciprocal(x: Value): Value {
  return reciprocalOp.emit([x]).output;
}

export const reciprocalOp = defineOperator({
  type: "Reciprocal",
  since: 13,
  infer: ([x]: [Value]) => sameType(x),
  gradient: (dy, { output: y }) => [neg(mul(dy, mul(y, y)))],
});

/** `e^x`. ONNX Exp-13. */
export function exp(x: Value): Value {
  return expOp.emit([x]).output;
}

export const expOp = defineOperator({
  type: "Exp",
  since: 13,
  infer: ([x]: [Value]) => sameType(x),
  gradient: (dy, { output: y }) => [mul(dy, y)],
});

/** The natural logarithm. ONNX Log-13. */
export function log(x: Value): Value {
  return logOp.emit([x]).output;
}

export const logOp = defineOperator({
  type: "Log",
  since: 13,
  infer: ([x]: [Value]) => sameType(x),
  gradient: (dy, { inputs: [x] }) => [div(dy, x)],
});
