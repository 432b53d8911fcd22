// Trigonometric and hyperbolic functions and their inverses, of radians, element by element.

import type { Value } from "../graph/graph.ts";
import { defineUnary, scalar } from "./define.ts";
import { add, div, mul, neg, sqrt, sub } from "./elementwise.ts";

/** The sine. ONNX Sin-7. */
export function sin(x: Value): Value {
  return sinOp.emit([x]).output;
}

export const sinOp = defineUnary("Sin", 7, "floating", (dy, x) => mul(dy, cos(x)));

/** The cosine. ONNX Cos-7. */
export function cos(x: Value): Value {
  return cosOp.emit([x]).output;
}

export const cosOp = defineUnary("Cos", 7, "floating", (dy, x) => neg(mul(dy, sin(x))));

/** The tangent. ONNX Tan-7. */
export function tan(x: Value): Value {
  return tanOp.emit([x]).output;
}

// dx = dy * (1 + y²)
export const tanOp = defineUnary("Tan", 7, "floating", (dy, _, y) => mul(dy, add(mul(y, y), scalar(y, 1))));

/** The angle in [-π/2, π/2] whose sine is `x`. ONNX Asin-7. */
export function asin(x: Value): Value {
  return asinOp.emit([x]).output;
}

export const asinOp = defineUnary("Asin", 7, "floating", (dy, x) => div(dy, sqrt(oneLessSquare(x))));

/** The angle in [0, π] whose cosine is `x`. ONNX Acos-7. */
export function acos(x: Value): Value {
  return acosOp.emit([x]).output;
}

export const acosOp = defineUnary("Acos", 7, "floating", (dy, x) => neg(div(dy, sqrt(oneLessSquare(x)))));

/** The angle in [-π/2, π/2] whose tangent is `x`. ONNX Atan-7. */
export function atan(x: Value): Value {
  return atanOp.emit([x]).output;
}

export const atanOp = defineUnary("Atan", 7, "floating", (dy, x) => div(dy, add(mul(x, x), scalar(x, 1))));

/** The hyperbolic sine. ONNX Sinh-9. */
export function sinh(x: Value): Value {
  return sinhOp.emit([x]).output;
}

export const sinhOp = defineUnary("Sinh", 9, "floating", (dy, x) => mul(dy, cosh(x)));

/** The hyperbolic cosine. ONNX Cosh-9. */
export function cosh(x: Value): Value {
  return coshOp.emit([x]).output;
}

export const coshOp = defineUnary("Cosh", 9, "floating", (dy, x) => mul(dy, sinh(x)));

/** The inverse of the hyperbolic sine. ONNX Asinh-9. */
export function asinh(x: Value): Value {
  return asinhOp.emit([x]).output;
}

export const asinhOp = defineUnary("Asinh", 9, "floating", (dy, x) =>
  div(dy, sqrt(add(mul(x, x), scalar(x, 1)))),
);

/** The inverse of the hyperbolic cosine, not below 0. ONNX Acosh-9. */
export function acosh(x: Value): Value {
  return acoshOp.emit([x]).output;
}

export const acoshOp = defineUnary("Acosh", 9, "floating", (dy, x) => div(dy, sqrt(neg(oneLessSquare(x)))));

/** The inverse of the hyperbolic tangent. ONNX Atanh-9. */
export function atanh(x: Value): Value {
  return atanhOp.emit([x]).output;
}

export const atanhOp = defineUnary("Atanh", 9, "floating", (dy, x) => div(dy, oneLessSquare(x)));

/** 1 - x², as a product that keeps its digits near 1. */
function oneLessSquare(x: Value): Value {
  return mul(sub(scalar(x, 1), x), add(x, scalar(x, 1)));
}
