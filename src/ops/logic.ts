// Comparisons, logic and choices, element by element, with NumPy's broadcasting.

import type { Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import { broadcastShapes, isStatic } from "../graph/shape.ts";
import {
  broadcastType,
  defineOperator,
  expectFloats,
  inferBroadcast,
  type Kind,
  type OperatorDefinition,
  sameType,
  scalar,
} from "./define.ts";
import { elementwise, ofNumbers } from "./evaluate.ts";

const isBoolean = { nondifferentiable: "its output is boolean" } as const;

/** Defines a question about two operands of the given kind, which broadcast. */
function defineQuestion(
  type: string,
  since: number,
  kind: Kind,
  evaluate: OperatorDefinition<Record<never, never>, [Value, Value]>["evaluate"],
) {
  return defineOperator({
    type,
    since,
    infer: (operands: [Value, Value]): ValueType[] => [
      { dtype: "bool", shape: broadcastType(kind)(operands)[0]!.shape },
    ],
    gradient: isBoolean,
    evaluate,
  });
}

/** Whether `a > b`. ONNX Greater-13. */
export function greater(a: Value, b: Value): Value {
  return greaterOp.emit([a, b]).output;
}

export const greaterOp = defineQuestion(
  "Greater",
  13,
  "numeric",
  ofNumbers((a, b) => a > b),
);

/** Whether `a >= b`. ONNX GreaterOrEqual-16. */
export function greaterOrEqual(a: Value, b: Value): Value {
  return greaterOrEqualOp.emit([a, b]).output;
}

export const greaterOrEqualOp = defineQuestion(
  "GreaterOrEqual",
  16,
  "numeric",
  ofNumbers((a, b) => a >= b),
);

/** Whether `a < b`. ONNX Less-13. */
export function less(a: Value, b: Value): Value {
  return lessOp.emit([a, b]).output;
}

export const lessOp = defineQuestion(
  "Less",
  13,
  "numeric",
  ofNumbers((a, b) => a < b),
);

/** Whether `a <= b`. ONNX LessOrEqual-16. */
export function lessOrEqual(a: Value, b: Value): Value {
  return lessOrEqualOp.emit([a, b]).output;
}

export const lessOrEqualOp = defineQuestion(
  "LessOrEqual",
  16,
  "numeric",
  ofNumbers((a, b) => a <= b),
);

/** Whether `a = b`. ONNX Equal-13. */
export function equal(a: Value, b: Value): Value {
  return equalOp.emit([a, b]).output;
}

export const equalOp = defineQuestion(
  "Equal",
  13,
  "ordered",
  elementwise((a, b) => {
    if (a === b) return 1;
    // A length is not negative: where exports ask whether it is -1, it is not.
    const decided = (isStatic(a) && (isStatic(b) || a < 0)) || (isStatic(b) && b < 0);
    return decided ? 0 : undefined;
  }),
);

/** Whether both hold. ONNX And-7. */
export function and(a: Value, b: Value): Value {
  return andOp.emit([a, b]).output;
}

export const andOp = defineQuestion(
  "And",
  7,
  "boolean",
  ofNumbers((a, b) => a && b),
);

/** Whether one or both hold. ONNX Or-7. */
export function or(a: Value, b: Value): Value {
  return orOp.emit([a, b]).output;
}

export const orOp = defineQuestion(
  "Or",
  7,
  "boolean",
  ofNumbers((a, b) => a || b),
);

/** Whether exactly one holds. ONNX Xor-7. */
export function xor(a: Value, b: Value): Value {
  return xorOp.emit([a, b]).output;
}

export const xorOp = defineQuestion(
  "Xor",
  7,
  "boolean",
  ofNumbers((a, b) => a !== b),
);

/** Whether it does not hold. ONNX Not-1. */
export function not(x: Value): Value {
  return notOp.emit([x]).output;
}

export const notOp = defineOperator({
  type: "Not",
  since: 1,
  infer: sameType("boolean"),
  gradient: isBoolean,
  evaluate: ofNumbers((x) => !x),
});

const tested = ([x]: [Value]): ValueType[] => {
  expectFloats(x);
  return [{ dtype: "bool", shape: x.shape }];
};

/** Whether it is not a number. ONNX IsNaN-20. */
export function isNan(x: Value): Value {
  return isNanOp.emit([x]).output;
}

export const isNanOp = defineOperator({ type: "IsNaN", since: 20, infer: tested, gradient: isBoolean });

/** Options of `isInf`. */
export interface IsInfOptions {
  /** Whether infinity counts. Default: true. */
  readonly positive?: boolean;
  /** Whether minus infinity counts. Default: true. */
  readonly negative?: boolean;
}

/** Whether it is infinite. ONNX IsInf-20. */
export function isInf(x: Value, { positive = true, negative = true }: IsInfOptions = {}): Value {
  return isInfOp.emit([x], { detect_positive: positive ? 1 : 0, detect_negative: negative ? 1 : 0 }).output;
}

export const isInfOp = defineOperator({
  type: "IsInf",
  since: 20,
  attributes: { detect_negative: "int", detect_positive: "int" },
  infer: tested,
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
