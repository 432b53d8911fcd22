// Whole numbers near a number, and what is left of a division. A step has gradient zero.

import { ArborizeError } from "../base/errors.ts";
import { isFloat } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { broadcastType, defineOperator, defineUnary } from "./define.ts";
import { div, mul, neg, sub } from "./elementwise.ts";
import { ofNumbers } from "./evaluate.ts";

/** The largest whole number that is not above. ONNX Floor-13. */
export function floor(x: Value): Value {
  return floorOp.emit([x]).output;
}

export const floorOp = defineUnary("Floor", 13, "floating", () => null, ofNumbers(Math.floor));

/** The smallest whole number that is not below. ONNX Ceil-13. */
export function ceil(x: Value): Value {
  return ceilOp.emit([x]).output;
}

export const ceilOp = defineUnary("Ceil", 13, "floating", () => null, ofNumbers(Math.ceil));

/** The nearest whole number, of two the even one. ONNX Round-11. */
export function round(x: Value): Value {
  return roundOp.emit([x]).output;
}

export const roundOp = defineUnary("Round", 11, "floating", () => null);

/** Options of `mod`. */
export interface ModOptions {
  /** The sign of what is left: that of the divisor (0, of integers only) or that of the dividend (1). Default: 1 for floats, else 0. */
  readonly fmod?: 0 | 1;
}

/** What is left of `a / b` behind a whole quotient. ONNX Mod-13. */
export function mod(a: Value, b: Value, { fmod = isFloat(a.dtype) ? 1 : 0 }: ModOptions = {}): Value {
  return modOp.emit([a, b], { fmod }).output;
}

export const modOp = defineOperator({
  type: "Mod",
  since: 13,
  attributes: { fmod: "int" },
  infer: (operands: [Value, Value], { fmod = 0 }) => {
    const types = broadcastType("numeric")(operands);
    if (isFloat(operands[0].dtype) && !fmod) {
      throw new ArborizeError("unsupported_attribute", "fmod must be 1 for floating operands");
    }
    return types;
  },
  evaluate: (inputs, { attributes: { fmod = 0 } }) =>
    ofNumbers((a, b) => (fmod ? a % b : a - b * Math.floor(a / b)))(inputs),
  // y = a - b q with a whole quotient q, which is rounded free of the division's error.
  gradient: (dy, { inputs: [a, b], output: y }) => [dy, neg(mul(dy, round(div(sub(a, y), b))))],
  broadcasts: true,
});
