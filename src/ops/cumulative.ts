// Running totals along an axis.

import type { Value } from "../graph/graph.ts";
import { normalizeAxis } from "../graph/shape.ts";
import { constantInts, defineOperator, expectKind, int64 } from "./define.ts";

/** Options of `cumSum`. */
export interface CumSumOptions {
  /** Leave an element out of its own total. Default: false. */
  readonly exclusive?: boolean;
  /** Start from the end of the axis. Default: false. */
  readonly reverse?: boolean;
}

/** The sums of all elements up to each along `axis`. ONNX CumSum-14. */
export function cumSum(x: Value, axis: number, options: CumSumOptions = {}): Value {
  return runningSum(x, int64(x, axis), options);
}

function runningSum(x: Value, axis: Value, { exclusive = false, reverse = false }: CumSumOptions): Value {
  return cumSumOp.emit([x, axis], { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 }).output;
}

export const cumSumOp = defineOperator({
  type: "CumSum",
  since: 14,
  attributes: { exclusive: "int", reverse: "int" },
  infer: ([x, axis]: [Value, Value]) => {
    expectKind("wide", x);
    for (const named of constantInts(axis, "axis")!) normalizeAxis(named, x.rank);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  // An element is in the totals from it on: those are summed from the other end.
  gradient: (dy, { inputs: [, axis], attributes: { exclusive, reverse } }) => [
    runningSum(dy, axis, { exclusive: !!exclusive, reverse: !reverse }),
    null,
  ],
});
