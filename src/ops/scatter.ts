// Operators that pick slices by coordinates, and write them.

import type { Value } from "../graph/graph.ts";
import { isStatic, type Shape, sameShape, shapeText } from "../graph/shape.ts";
import { concat } from "./concat.ts";
import { defineOperator, expectIndices, expectShape, int64, int64s } from "./define.ts";
import { range } from "./range.ts";
import { expandOp, fullLike, reshape, shapeOf, unsqueeze } from "./reshape.ts";

/**
 * The slices of `data` at coordinates: the last axis of `indices`, `[..., k]`, names a place on `k` axes, after `batchDims`
 * axes that both share. ONNX GatherND-13.
 */
export function gatherND(data: Value, indices: Value, batchDims = 0): Value {
  return gatherNDOp.emit([data, indices], { batch_dims: batchDims }).output;
}

export const gatherNDOp = defineOperator({
  type: "GatherND",
  since: 13,
  attributes: { batch_dims: "int" },
  infer: ([data, indices]: [Value, Value], { batch_dims: shared = 0 }) => {
    const depth = depthOf(indices);
    expectShape(
      shared < Math.min(data.rank, indices.rank) && shared + depth <= data.rank,
      () =>
        `indices ${shapeText(indices.shape)} after ${shared} shared axes do not fit ${shapeText(data.shape)}`,
    );
    return [
      { dtype: data.dtype, shape: [...indices.shape.slice(0, -1), ...data.shape.slice(shared + depth)] },
    ];
  },
  // A slice that is picked several times gets the sum of its cotangents.
  gradient: (dy, { inputs: [data, indices], attributes: { batch_dims: shared = 0 } }) => {
    const whole = Array.from({ length: shared }, (_, axis) => coordinates(indices, axis));
    const places = shared === 0 ? indices : concat([...whole, indices], -1);
    return [scatterND(fullLike(data), places, dy, { reduction: "add" }), null];
  },
});

/** The number of axes that the last axis of `indices` names. */
function depthOf(indices: Value): number {
  expectIndices(indices, ["int64"]);
  const depth = indices.shape.at(-1);
  expectShape(
    depth !== undefined && isStatic(depth),
    () => `indices ${shapeText(indices.shape)} have no known depth`,
  );
  return depth;
}

/** `[..., 1]`: where each index lies along one of its own axes. */
function coordinates(indices: Value, axis: number): Value {
  const length = reshape(shapeOf(indices, axis, axis + 1), []);
  const along = range(int64(indices, 0), length, int64(indices, 1));
  const trailing = indices.shape.slice(axis + 1).map((_, i) => i + 1);
  const shape = concat([shapeOf(indices, 0, indices.rank - 1), int64s(indices, [1])], 0);
  return expandOp.emit([unsqueeze(along, trailing), shape]).output;
}

/** Options of `scatterND`. */
export interface ScatterNDOptions {
  /** What to do with what is there: replace it ("none", the default) or add to it. */
  readonly reduction?: "none" | "add";
}

/** `data` with the slices `updates` written (or added) at the coordinates that the last axis of `indices` holds. ONNX ScatterND-18. */
export function scatterND(
  data: Value,
  indices: Value,
  updates: Value,
  options: ScatterNDOptions = {},
): Value {
  return scatterNDOp.emit([data, indices, updates], { ...options }).output;
}

export const scatterNDOp = defineOperator({
  type: "ScatterND",
  since: 18,
  attributes: { reduction: "string" },
  infer: ([data, indices, updates]: [Value, Value, Value]) => {
    const wanted: Shape = [...indices.shape.slice(0, -1), ...data.shape.slice(depthOf(indices))];
    expectShape(
      sameShape(updates.shape, wanted),
      () =>
        `updates ${shapeText(updates.shape)} at indices ${shapeText(indices.shape)} must be ${shapeText(wanted)}`,
    );
    return [{ dtype: data.dtype, shape: data.shape }];
  },
  // Replaced slices of data get none of dy. Where one is written twice, the last one counts in both directions.
  gradient: (dy, { inputs: [, indices, updates], attributes: { reduction = "none" } }) => {
    expectShape(
      reduction === "none" || reduction === "add",
      () => `reduction "${reduction}" has no gradient, "none" and "add" do`,
    );
    return [
      reduction === "add" ? dy : scatterND(dy, indices, fullLike(updates)),
      null,
      gatherND(dy, indices),
    ];
  },
});
