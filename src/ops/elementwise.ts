// Arithmetic, comparisons and choices, element by element, with NumPy's broadcasting.

import { ArborizeError } from "../base/errors.ts";
import { type DType, isFloat } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import { broadcastShapes } from "../graph/shape.ts";
import { defineOperator, expectFloats, scalar } from "./define.ts";

function sameType(x: Value): ValueType[] {
  expectFloats(x);
  return [{ dtype: x.dtype, shape: x.shape }];
}

function broadcast(...values: readonly Value[]): ValueType[] {
  const dtype = values[0]!.dtype;
  if (values.some((value) => value.dtype !== dtype)) {
    const found = values.map((value) => value.dtype).join(" and ");
    throw new ArborizeError("dtype_mismatch", `its inputs must share one element type, they are ${found}`);
  }
  return [{ dtype, shape: broadcastShapes(...values.map((value) => value.shape)) }];
}

const compared = ([a, b]: [Value, Value]): ValueType[] => [
  { dtype: "bool", shape: broadcast(a, b)[0]!.shape },
];
const isBoolean = { nondifferentiable: "its output is boolean" } as const;

/** `a + b`. ONNX Add-14. */
export function add(a: Value, b: Value): Value {
  return addOp.emit([a, b]).output;
}

export const addOp = defineOperator({
  type: "Add",
  since: 14,
  infer: ([a, b]: [Value, Value]) => broadcast(a, b),
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
  infer: ([a, b]: [Value, Value]) => broadcast(a, b),
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
  infer: ([a, b]: [Value, Value]) => broadcast(a, b),
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
  infer: ([a, b]: [Value, Value]) => broadcast(a, b),
  // d(a/b)/db = -a/b² = -y/b
  gradient: (dy, { inputs: [, b], output: y }) => {
    const da = div(dy, b);
    return [da, neg(mul(da, y))];
  },
  broadcasts: true,
});

/** The sum of all operands, in one pass over memory. ONNX Sum-13. */
export function sum(...values: readonly Value[]): Value {
  return sumOp.emit(values).output;
}

export const sumOp = defineOperator({
  type: "Sum",
  since: 13,
  infer: (values: readonly Value[]) => broadcast(...values),
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
  infer: ([a, b]: [Value, Value]) => broadcast(a, b),
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
  infer: ([a, b]: [Value, Value]) => broadcast(a, b),
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
  infer: ([a, b]: [Value, Value]) => broadcast(a, b),
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

/** Whether `a > b`. ONNX Greater-13. */
export function greater(a: Value, b: Value): Value {
  return greaterOp.emit([a, b]).output;
}

export const greaterOp = defineOperator({ type: "Greater", since: 13, infer: compared, gradient: isBoolean });

/** Whether `a < b`. ONNX Less-13. */
export function less(a: Value, b: Value): Value {
  return lessOp.emit([a, b]).output;
}

export const lessOp = defineOperator({ type: "Less", since: 13, infer: compared, gradient: isBoolean });

/** Whether `a = b`. ONNX Equal-13. */
export function equal(a: Value, b: Value): Value {
  return equalOp.emit([a, b]).output;
}

export const equalOp = defineOperator({ type: "Equal", since: 13, infer: compared, gradient: isBoolean });

const logical = ([a, b]: [Value, Value]): ValueType[] => {
  if (a.dtype !== "bool" || b.dtype !== "bool") {
    throw new ArborizeError(
      "dtype_mismatch",
      `its inputs must be boolean, they are ${a.dtype} and ${b.dtype}`,
    );
  }
  return broadcast(a, b);
};

/** Whether both hold. ONNX And-7. */
export function and(a: Value, b: Value): Value {
  return andOp.emit([a, b]).output;
}

export const andOp = defineOperator({ type: "And", since: 7, infer: logical, gradient: isBoolean });

/** Whether one or both hold. ONNX Or-7. */
export function or(a: Value, b: Value): Value {
  return orOp.emit([a, b]).output;
}

export const orOp = defineOperator({ type: "Or", since: 7, infer: logical, gradient: isBoolean });

/** Whether it does not hold. ONNX Not-1. */
export function not(x: Value): Value {
  return notOp.emit([x]).output;
}

export const notOp = defineOperator({
  type: "Not",
  since: 1,
  infer: ([x]: [Value]) => [{ dtype: "bool", shape: x.shape }],
  gradient: isBoolean,
});

/** `a` where `condition` holds, else `b`; all three broadcast. ONNX Where-16. */
export function where(condition: Value, a: Value, b: Value): Value {
  return whereOp.emit([condition, a, b]).output;
}

export const whereOp = defineOperator({
  type: "Where",
  since: 16,
  infer: ([condition, a, b]: [Value, Value, Value]) => {
    const [{ dtype, shape }] = broadcast(a, b) as [ValueType];
    return [{ dtype, shape: broadcastShapes(condition.shape, shape) }];
  },
  gradient: (dy, { inputs: [condition] }) => {
    const zero = scalar(dy, 0);
    return [null, where(condition, dy, zero), where(condition, zero, dy)];
  },
  broadcasts: true,
});

/** ONNX's numbers of element types, as the attribute of Cast has them. */
export const ONNX_DTYPES: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};

/** The element type that ONNX gives the number `code`. @throws `dtype_mismatch` for types not supported. */
export function dtypeOfOnnx(code: number): DType {
  const found = Object.entries(ONNX_DTYPES).find(([, number]) => number === code);
  if (!found) throw new ArborizeError("dtype_mismatch", `ONNX element type ${code} is not supported`);
  return found[0] as DType;
}

/** `x` in another element type. ONNX Cast-19. */
export function cast(x: Value, dtype: DType): Value {
  return x.dtype === dtype ? x : castOp.emit([x], { to: ONNX_DTYPES[dtype] }).output;
}

export const castOp = defineOperator({
  type: "Cast",
  since: 19,
  attributes: { to: "int", saturate: "int" },
  infer: ([x]: [Value], { to }) => [{ dtype: dtypeOfOnnx(to ?? 0), shape: x.shape }],
  gradient: (dy, { inputs: [x] }) => [isFloat(x.dtype) && isFloat(dy.dtype) ? cast(dy, x.dtype) : null],
});
