// Comparisons, logic and choices, element by element, with NumPy's broadcasting.

import { ArborizeError } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import { broadcastShapes, isStatic } from "../graph/shape.ts";
import { defineOperator, inferBroadcast, scalar } from "./define.ts";
import { elementwise } from "./evaluate.ts";

const compared = ([a, b]: [Value, Value]): ValueType[] => [
  { dtype: "bool", shape: inferBroadcast(a, b)[0]!.shape },
];
const isBoolean = { nondifferentiable: "its output is boolean" } as const;

const comparison = (compare: (a: number, b: number) => boolean) =>
  elementwise((a, b) => (isStatic(a) && isStatic(b) ? Number(compare(a, b)) : undefined));

/** Whether `a > b`. ONNX Greater-13. */
export function greater(a: Value, b: Value): Value {
  return greaterOp.emit([a, b]).output;
}

export const greaterOp = defineOperator({
  type: "Greater",
  since: 13,
  infer: compared,
  gradient: isBoolean,
  evaluate: comparison((a, b) => a > b),
});

/** Whether `a < b`. ONNX Less-13. */
export function less(a: Value, b: Value): Value {
  return lessOp.emit([a, b]).output;
}

export const lessOp = defineOperator({
  type: "Less",
  since: 13,
  infer: compared,
  gradient: isBoolean,
  evaluate: comparison((a, b) => a < b),
});

/** Whether `a = b`. ONNX Equal-13. */
export function equal(a: Value, b: Value): Value {
  return equalOp.emit([a, b]).output;
}

export const equalOp = defineOperator({
  type: "Equal",
  since: 13,
  infer: compared,
  gradient: isBoolean,
  evaluate: elementwise((a, b) => {
    if (a === b) return 1;
    // A length is not negative: where exports ask whether it is -1, it is not.
    const decided = (isStatic(a) && (isStatic(b) || a < 0)) || (isStatic(b) && b < 0);
    return decided ? 0 : undefined;
  }),
});

const logical = ([a, b]: [Value, Value]): ValueType[] => {
  if (a.dtype !== "bool" || b.dtype !== "bool") {
    throw new ArborizeError(
      "dtype_mismatch",
      `its inputs must be boolean, they are ${a.dtype} and ${b.dtype}`,
    );
  }
  return inferBroadcast(a, b);
};

/** Whether both hold. ONNX And-7. */
export function and(a: Value, b: Value): Value {
  return andOp.emit([a, b]).output;
}

export const andOp = defineOperator({
  type: "And",
  since: 7,
  infer: logical,
  gradient: isBoolean,
  evaluate: elementwise((a, b) => (isStatic(a) && isStatic(b) ? a && b : undefined)),
});

/** Whether one or both hold. ONNX Or-7. */
export function or(a: Value, b: Value): Value {
  return orOp.emit([a, b]).output;
}

export const orOp = defineOperator({
  type: "Or",
  since: 7,
  infer: logical,
  gradient: isBoolean,
  evaluate: elementwise((a, b) => (isStatic(a) && isStatic(b) ? a || b : undefined)),
});

/** Whether it does not hold. ONNX Not-1. */
export function not(x: Value): Value {
  return notOp.emit([x]).output;
}

export const notOp = defineOperator({
  type: "Not",
  since: 1,
  infer: ([x]: [Value]) => [{ dtype: "bool", shape: x.shape }],
  gradient: isBoolean,
  evaluate: elementwise((x) => (isStatic(x) ? 1 - x : undefined)),
});

/** `a` where `condition` holds, else `b`; all three broadcast. ONNX Where-16. */
export function where(condition: Value, a: Value, b: Value): Value {
  return whereOp.emit([condition, a, b]).output;
}

export const whereOp = defineOperator({
  type: "Where",
  since: 16,
  infer: ([condition, a, b]: [Value, Value, Value]) => {
    const [{ dtype, shape }] = inferBroadcast(a, b) as [ValueType];
    return [{ dtype, shape: broadcastShapes(condition.shape, shape) }];
  },
  evaluate: elementwise((condition, a, b) => (isStatic(condition) ? (condition ? a : b) : undefined)),
  gradient: (dy, { inputs: [condition] }) => {
    const zero = scalar(dy, 0);
    return [null, where(condition, dy, zero), where(condition, zero, dy)];
  },
  broadcasts: true,
});
