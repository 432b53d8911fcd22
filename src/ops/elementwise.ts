// Arithmetic, powers and exponentials, element by element, with NumPy's broadcasting. Integers are computed, not differentiated.

import { isFloat } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import type { Contents } from "../graph/operator.ts";
import {
  addDims,
  broadcastShapes,
  type Dim,
  divideDims,
  floorDivide,
  isStatic,
  multiplyDims,
  subtractDims,
} from "../graph/shape.ts";
import { cast } from "./cast.ts";
import { broadcastType, defineBinary, defineOperator, defineUnary, expectKind, scalar } from "./define.ts";
import { elementwise } from "./evaluate.ts";
import { equal, not } from "./logic.ts";

/** `a + b`. ONNX Add-14. */
export function add(a: Value, b: Value): Value {
  return addOp.emit([a, b]).output;
}

export const addOp = defineBinary("Add", 14, "numeric", (dy) => [dy, dy], elementwise(addDims));

/** `a - b`. ONNX Sub-14. */
export function sub(a: Value, b: Value): Value {
  return subOp.emit([a, b]).output;
}

export const subOp = defineBinary("Sub", 14, "numeric", (dy) => [dy, neg(dy)], elementwise(subtractDims));

/** `a * b`. ONNX Mul-14. */
export function mul(a: Value, b: Value): Value {
  return mulOp.emit([a, b]).output;
}

export const mulOp = defineBinary(
  "Mul",
  14,
  "numeric",
  (dy, a, b) => [mul(dy, b), mul(dy, a)],
  elementwise(multiplyDims),
);

/** `a / b`; of integers, without what is behind the point. ONNX Div-14. */
export function div(a: Value, b: Value): Value {
  return divOp.emit([a, b]).output;
}

// d(a/b)/db = -a/b² = -y/b
export const divOp = defineBinary(
  "Div",
  14,
  "numeric",
  (dy, _, b, y) => {
    const da = div(dy, b);
    return [da, neg(mul(da, y))];
  },
  quotient,
);

/** Of integers rounded towards zero; lengths are not negative. */
function quotient(inputs: Contents, { output }: { readonly output: Value }): Contents | null {
  return elementwise(isFloat(output.dtype) ? exactQuotient : wholeQuotient)(inputs);
}

function exactQuotient(a: Dim, b: Dim): Dim | undefined {
  return isStatic(a) && isStatic(b) ? a / b : divideDims(a, b);
}

function wholeQuotient(a: Dim, b: Dim): Dim | undefined {
  if (isStatic(a) && isStatic(b)) return b === 0 ? undefined : Math.trunc(a / b);
  return divideDims(a, b) ?? (isStatic(b) && b > 0 ? floorDivide(a, b) : undefined);
}

/** The sum of all operands. ONNX Sum-13. */
export function sum(...values: readonly Value[]): Value {
  return sumOp.emit(values).output;
}

export const sumOp = defineOperator({
  type: "Sum",
  since: 13,
  infer: broadcastType("floating"),
  gradient: (dy, { inputs }) => inputs.map(() => dy),
  broadcasts: true,
});

/** The mean of all operands. ONNX Mean-13. */
export function mean(...values: readonly Value[]): Value {
  return meanOp.emit(values).output;
}

export const meanOp = defineOperator({
  type: "Mean",
  since: 13,
  infer: broadcastType("floating"),
  gradient: (dy, { inputs }) => {
    const share = mul(dy, scalar(dy, 1 / inputs.length));
    return inputs.map(() => share);
  },
  broadcasts: true,
});

/**
 * `a ** b` in the element type of `a`, the exponent's may be another. A negative base takes whole exponents; its gradient
 * to the exponent is NaN, since nothing lies between those. ONNX Pow-15.
 */
export function pow(a: Value, b: Value): Value {
  return powOp.emit([a, b]).output;
}

export const powOp = defineOperator({
  type: "Pow",
  since: 15,
  infer: ([a, b]: [Value, Value]) => {
    expectKind("wide", a);
    expectKind("numeric", b);
    return [{ dtype: a.dtype, shape: broadcastShapes(a.shape, b.shape) }];
  },
  // da = dy * b * a^(b-1);  db = dy * y * ln a, where 0^b is flat
  gradient: (dy, { inputs: [a, b], output: y }) => [
    mul(dy, powerSlope(a, b)),
    isFloat(b.dtype) ? cast(mul(dy, mul(y, log(add(a, cast(isZero(a), a.dtype))))), b.dtype) : null,
  ],
  broadcasts: true,
});

/** b * a^(b-1), without the 0 * 0^-1 where both are zero. */
function powerSlope(a: Value, b: Value): Value {
  // The runtime computes a^2 as a product, but a^1 as a power.
  if (b.rank === 0 && b.data?.item() === 2) return mul(a, scalar(a, 2));
  const lower = sub(b, cast(not(isZero(b)), b.dtype));
  return mul(pow(a, lower), cast(b, a.dtype));
}

function isZero(x: Value): Value {
  return equal(x, scalar(x, 0));
}

/** `-x`. ONNX Neg-13. */
export function neg(x: Value): Value {
  return negOp.emit([x]).output;
}

export const negOp = defineUnary(
  "Neg",
  13,
  "signed",
  (dy) => neg(dy),
  elementwise((x) => multiplyDims(x, -1)),
);

/** `|x|`; its gradient at 0 is 0. ONNX Abs-13. */
export function abs(x: Value): Value {
  return absOp.emit([x]).output;
}

export const absOp = defineUnary("Abs", 13, "numeric", (dy, x) => mul(dy, sign(x)));

/** -1, 0 or 1. Its gradient is 0. ONNX Sign-13. */
export function sign(x: Value): Value {
  return signOp.emit([x]).output;
}

export const signOp = defineUnary("Sign", 13, "numeric", () => null);

/** The square root. ONNX Sqrt-13. */
export function sqrt(x: Value): Value {
  return sqrtOp.emit([x]).output;
}

export const sqrtOp = defineUnary("Sqrt", 13, "floating", (dy, _, y) => div(mul(dy, scalar(dy, 0.5)), y));

/** `1 / x`. ONNX Reciprocal-13. */
export function reciprocal(x: Value): Value {
  return reciprocalOp.emit([x]).output;
}

export const reciprocalOp = defineUnary("Reciprocal", 13, "floating", (dy, _, y) => neg(mul(dy, mul(y, y))));

/** `e^x`. ONNX Exp-13. */
export function exp(x: Value): Value {
  return expOp.emit([x]).output;
}

export const expOp = defineUnary("Exp", 13, "floating", (dy, _, y) => mul(dy, y));

/** The natural logarithm. ONNX Log-13. */
export function log(x: Value): Value {
  return logOp.emit([x]).output;
}

export const logOp = defineUnary("Log", 13, "floating", (dy, x) => div(dy, x));

/** The error function, `2 / √π ∫ e^(-t²) dt` from 0 to `x`. ONNX Erf-13. */
export function erf(x: Value): Value {
  return erfOp.emit([x]).output;
}

// dx = dy * 2 / √π * e^(-x²)
export const erfOp = defineUnary("Erf", 13, "floating", (dy, x) =>
  mul(mul(dy, scalar(dy, 2 / Math.sqrt(Math.PI))), exp(neg(mul(x, x)))),
);
