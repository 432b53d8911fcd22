// The largest and smallest of several values, and values within bounds.

import type { Value } from "../graph/graph.ts";
import { shapeText } from "../graph/shape.ts";
import { cast } from "./cast.ts";
import { broadcastType, defineOperator, expectKind, expectShape } from "./define.ts";
import { add, div, mul } from "./elementwise.ts";
import { ofNumbers } from "./evaluate.ts";
import { and, equal, greater, less, not } from "./logic.ts";

function defineExtremum(type: "Max" | "Min", pick: (...numbers: number[]) => number) {
  return defineOperator({
    type,
    since: 13,
    infer: broadcastType("numeric"),
    evaluate: ofNumbers(pick),
    gradient: (dy, { inputs, output: y }) => shares(dy, inputs, y),
    broadcasts: true,
  });
}

/** The largest of all operands; where several are, they share the gradient evenly. ONNX Max-13. */
export function max(...values: readonly Value[]): Value {
  return maxOp.emit(values).output;
}

export const maxOp = defineExtremum("Max", Math.max);

/** The smallest of all operands; where several are, they share the gradient evenly. ONNX Min-13. */
export function min(...values: readonly Value[]): Value {
  return minOp.emit(values).output;
}

export const minOp = defineExtremum("Min", Math.min);

/** dx = dy / (how many operands equal y) for those that do, 0 for the others. */
function shares(dy: Value, operands: readonly Value[], y: Value): Value[] {
  if (operands.length === 1) return [dy];
  const hits = operands.map((x) => cast(equal(x, y), dy.dtype));
  const share = div(dy, hits.reduce(add));
  return hits.map((hit) => mul(hit, share));
}

/**
 * `x` within bounds, which are scalars: `min(max(x, low), high)`. Either may be absent. The gradient flows to `x` from
 * between and at the bounds, elsewhere to the bound that was taken. ONNX Clip-13.
 */
export function clip(x: Value, low?: Value | null, high?: Value | null): Value {
  return clipOp.emit([x, low, high]).output;
}

type ClipInputs = [x: Value, low?: Value | null | undefined, high?: Value | null | undefined];

export const clipOp = defineOperator({
  type: "Clip",
  since: 13,
  infer: ([x, ...bounds]: ClipInputs) => {
    expectKind("numeric", x, ...bounds);
    for (const bound of bounds) {
      expectShape(
        !bound?.rank,
        () => `its bounds must be scalars, "${bound!.name}" is ${shapeText(bound!.shape)}`,
      );
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: (dy, { inputs: [x, low, high], output: y }) => {
    const where = (condition: Value) => mul(dy, cast(condition, dy.dtype));
    const below = low && greater(low, x);
    // A high below the low wins everywhere.
    const toLow = below && where(high ? and(below, not(less(high, low))) : below);
    const toHigh = high && where(less(high, low ? max(x, low) : x));
    return [where(equal(x, y)), toLow, toHigh];
  },
  broadcasts: true,
});
