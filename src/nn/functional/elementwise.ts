// Arithmetic, comparisons and choices, element by element, with broadcasting; numbers stand for scalars.

import type { DType } from "../../base/tensor.ts";
import type { Value } from "../../graph/graph.ts";
import * as op from "../../ops/index.ts";
import { type Operand, operand } from "./operand.ts";

export {
  abs,
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  ceil,
  cos,
  cosh,
  erf,
  exp,
  floor,
  isInf as isinf,
  isNan as isnan,
  log,
  neg,
  not as logicalNot,
  reciprocal,
  round,
  sign,
  sin,
  sinh,
  sqrt,
  stopGradient as detach,
  tan,
} from "../../ops/index.ts";

/** The sum. */
export function add(x: Value, other: Operand): Value {
  return op.add(x, operand(x, other));
}

/** The difference. */
export function sub(x: Value, other: Operand): Value {
  return op.sub(x, operand(x, other));
}

/** The product element by element. */
export function mul(x: Value, other: Operand): Value {
  return op.mul(x, operand(x, other));
}

/** The quotient; of integers, without what is behind the point. */
export function div(x: Value, other: Operand): Value {
  return op.div(x, operand(x, other));
}

/** What is left of a division, with the sign of `other`. */
export function remainder(x: Value, other: Operand): Value {
  const divisor = operand(x, other);
  if (x.dtype !== "float32" && x.dtype !== "float64") return op.mod(x, divisor);
  return op.sub(x, op.mul(op.floor(op.div(x, divisor)), divisor));
}

/** The power element by element. */
export function pow(x: Value, exponent: Operand): Value {
  return op.pow(x, operand(x, exponent));
}

/** `x²`. */
export function square(x: Value): Value {
  return op.mul(x, x);
}

/** `1 / √x`. */
export function rsqrt(x: Value): Value {
  return op.reciprocal(op.sqrt(x));
}

/** The logarithm to base 2. */
export function log2(x: Value): Value {
  return op.mul(op.log(x), op.scalar(x, Math.LOG2E));
}

/** The logarithm to base 10. */
export function log10(x: Value): Value {
  return op.mul(op.log(x), op.scalar(x, Math.LOG10E));
}

/** The larger of two; equal ones share the gradient. */
export function maximum(x: Value, other: Operand): Value {
  return op.max(x, operand(x, other));
}

/** The smaller of two; equal ones share the gradient. */
export function minimum(x: Value, other: Operand): Value {
  return op.min(x, operand(x, other));
}

/** `x` within bounds, either of which may be null. */
export function clamp(x: Value, min: number | null = null, max: number | null = null): Value {
  const bound = (number: number | null) => (number === null ? null : op.scalar(x, number));
  return op.clip(x, bound(min), bound(max));
}

/** Whether equal. */
export function eq(x: Value, other: Operand): Value {
  return op.equal(x, operand(x, other));
}

/** Whether not equal. */
export function ne(x: Value, other: Operand): Value {
  return op.not(eq(x, other));
}

/** Whether less. */
export function lt(x: Value, other: Operand): Value {
  return op.less(x, operand(x, other));
}

/** Whether less or equal. */
export function le(x: Value, other: Operand): Value {
  return op.lessOrEqual(x, operand(x, other));
}

/** Whether greater. */
export function gt(x: Value, other: Operand): Value {
  return op.greater(x, operand(x, other));
}

/** Whether greater or equal. */
export function ge(x: Value, other: Operand): Value {
  return op.greaterOrEqual(x, operand(x, other));
}

/** Whether both hold. */
export function logicalAnd(x: Value, other: Value): Value {
  return op.and(x, other);
}

/** Whether one or both hold. */
export function logicalOr(x: Value, other: Value): Value {
  return op.or(x, other);
}

/** Whether exactly one holds. */
export function logicalXor(x: Value, other: Value): Value {
  return op.xor(x, other);
}

/** `x` where `condition` holds, elsewhere `other`; one of them may be a number. */
export function where(condition: Value, x: Operand, other: Operand): Value {
  const like = [x, other].find((given): given is Exclude<Operand, number> => typeof given !== "number");
  const typed = like === undefined ? op.cast(condition, "float32") : operand(condition, like);
  return op.where(condition, operand(typed, x), operand(typed, other));
}

/** `value` where `mask` holds, elsewhere `x`. */
export function maskedFill(x: Value, mask: Value, value: Operand): Value {
  return op.where(mask, operand(x, value), x);
}

/** `x` in another element type. */
export function to(x: Value, dtype: DType): Value {
  return op.cast(x, dtype);
}

/** `x` as float32. */
export function float(x: Value): Value {
  return op.cast(x, "float32");
}

/** `x` as float64. */
export function double(x: Value): Value {
  return op.cast(x, "float64");
}

/** `x` as int32. */
export function int(x: Value): Value {
  return op.cast(x, "int32");
}

/** `x` as int64. */
export function long(x: Value): Value {
  return op.cast(x, "int64");
}

/** Whether each element is not zero. */
export function bool(x: Value): Value {
  return op.cast(x, "bool");
}
