// Sigmoids of straight lines.

import type { Value } from "../graph/graph.ts";
import { cast } from "./cast.ts";
import { defineOperator, defineUnary, sameType, scalar } from "./define.ts";
import { add, mul } from "./elementwise.ts";
import { and, greater, less } from "./logic.ts";

/** Options of `hardSigmoid`. */
export interface HardSigmoidOptions {
  /** The slope. Default: 0.2; PyTorch's is 1/6. */
  readonly alpha?: number;
  /** The value at 0. Default: 0.5. */
  readonly beta?: number;
}

/** `alpha x + beta`, at least 0 and at most 1. ONNX HardSigmoid-6. */
export function hardSigmoid(x: Value, options: HardSigmoidOptions = {}): Value {
  return hardSigmoidOp.emit([x], { ...options }).output;
}

export const hardSigmoidOp = defineOperator({
  type: "HardSigmoid",
  since: 6,
  attributes: { alpha: "float", beta: "float" },
  infer: sameType("floating"),
  gradient: (dy, { output: y, attributes: { alpha = 0.2 } }) => [
    mul(dy, mul(isBetween(y, 0, 1), scalar(y, alpha))),
  ],
});

/** 1 where x is between the bounds and not at them, else 0. */
function isBetween(x: Value, low: number, high: number): Value {
  return cast(and(greater(x, scalar(x, low)), less(x, scalar(x, high))), x.dtype);
}

/** `x` times the hard sigmoid of slope 1/6. ONNX HardSwish-14. */
export function hardSwish(x: Value): Value {
  return hardSwishOp.emit([x]).output;
}

// dx = dy * (h + x h'), where h is the hard sigmoid
export const hardSwishOp = defineUnary("HardSwish", 14, "floating", (dy, x) => {
  const h = hardSigmoid(x, { alpha: 1 / 6 });
  return mul(dy, add(h, mul(mul(x, scalar(x, 1 / 6)), isBetween(h, 0, 1))));
});
