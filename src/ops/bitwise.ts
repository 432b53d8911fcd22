// The bits of integers, element by element, with NumPy's broadcasting.

import { ArborizeError } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";
import { broadcastType, defineOperator, sameType } from "./define.ts";

const isInteger = { nondifferentiable: "its output is an integer" } as const;

function defineBits(type: "BitwiseAnd" | "BitwiseOr" | "BitwiseXor") {
  const infer = (operands: [Value, Value]) => broadcastType("integer")(operands);
  return defineOperator({ type, since: 18, infer, gradient: isInteger });
}

/** The bits that both have. ONNX BitwiseAnd-18. */
export function bitwiseAnd(a: Value, b: Value): Value {
  return bitwiseAndOp.emit([a, b]).output;
}

export const bitwiseAndOp = defineBits("BitwiseAnd");

/** The bits that one or both have. ONNX BitwiseOr-18. */
export function bitwiseOr(a: Value, b: Value): Value {
  return bitwiseOrOp.emit([a, b]).output;
}

export const bitwiseOrOp = defineBits("BitwiseOr");

/** The bits that exactly one has. ONNX BitwiseXor-18. */
export function bitwiseXor(a: Value, b: Value): Value {
  return bitwiseXorOp.emit([a, b]).output;
}

export const bitwiseXorOp = defineBits("BitwiseXor");

/** The bits that it does not have. ONNX BitwiseNot-18. */
export function bitwiseNot(x: Value): Value {
  return bitwiseNotOp.emit([x]).output;
}

export const bitwiseNotOp = defineOperator({
  type: "BitwiseNot",
  since: 18,
  infer: sameType("integer"),
  gradient: isInteger,
});

/** The bits of `x`, uint8, moved by `amount` places to the left or right; zeros come in. ONNX BitShift-11. */
export function bitShift(x: Value, amount: Value, direction: "LEFT" | "RIGHT"): Value {
  return bitShiftOp.emit([x, amount], { direction }).output;
}

export const bitShiftOp = defineOperator({
  type: "BitShift",
  since: 11,
  attributes: { direction: "string" },
  infer: (operands: [Value, Value], { direction }) => {
    if (direction !== "LEFT" && direction !== "RIGHT") {
      throw new ArborizeError(
        "unsupported_attribute",
        `its direction must be LEFT or RIGHT, it is ${direction}`,
      );
    }
    return broadcastType("unsigned")(operands);
  },
  gradient: isInteger,
});
