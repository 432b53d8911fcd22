// Operators that pick elements by index, and put them back.

import type { Value } from "../graph/graph.ts";
import { normalizeAxis, shapeText } from "../graph/shape.ts";
import { defineOperator, expectShape } from "./define.ts";
import { fullLike } from "./reshape.ts";

/** `data[..., indices[..., i, ...], ...]` along `axis`; the output has the shape of `indices`. ONNX GatherElements-13. */
export function gatherElements(data: Value, indices: Value, axis = 0): Value {
  return gatherElementsOp.emit([data, indices], { axis }).output;
}

export const gatherElementsOp = defineOperator({
  type: "GatherElements",
  since: 13,
  attributes: { axis: "int" },
  infer: ([data, indices]: [Value, Value], { axis = 0 }) => {
    normalizeAxis(axis, data.rank);
    expectShape(
      indices.rank === data.rank,
      () => `indices ${shapeText(indices.shape)} and data ${shapeText(data.shape)} must have as many axes`,
    );
    return [{ dtype: data.dtype, shape: indices.shape }];
  },
  // A place that is picked twice gets the sum of both cotangents.
  gradient: (dy, { inputs: [data, indices], attributes: { axis = 0 } }) => [
    scatterElements(fullLike(data), indices, dy, { axis, reduction: "add" }),
    null,
  ],
});

/** Options of `scatterElements`. */
export interface ScatterOptions {
  /** Default: 0. */
  readonly axis?: number;
  /** What to do with what is there: replace it ("none", the default) or add to it. */
  readonly reduction?: "none" | "add";
}

/** `data` with `updates` written (or added) at `indices` along `axis`. ONNX ScatterElements-18. */
export function scatterElements(
  data: Value,
  indices: Value,
  updates: Value,
  options: ScatterOptions = {},
): Value {
  return scatterElementsOp.emit([data, indices, updates], { ...options }).output;
}

export const scatterElementsOp = defineOperator({
  type: "ScatterElements",
  since: 18,
  attributes: { axis: "int", reduction: "string" },
  infer: ([data, indices, updates]: [Value, Value, Value], { axis = 0 }) => {
    normalizeAxis(axis, data.rank);
    expectShape(
      indices.shape.join() === updates.shape.join(),
      () => `indices ${shapeText(indices.shape)} and updates ${shapeText(updates.shape)} differ in shape`,
    );
    return [{ dtype: data.dtype, shape: data.shape }];
  },
  // Replaced elements of data get none of dy.
  gradient: (dy, { inputs: [, indices, updates], attributes: { axis = 0, reduction = "none" } }) => [
    reduction === "add" ? dy : scatterElements(dy, indices, fullLike(updates), { axis }),
    null,
    gatherElements(dy, indices, axis),
  ],
});
