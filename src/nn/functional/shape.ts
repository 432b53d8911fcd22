// The same elements in another shape.

import type { Value } from "../../graph/graph.ts";
import { normalizeAxis, type Shape, shapeSize } from "../../graph/shape.ts";
import * as op from "../../ops/index.ts";

/** Axes `startDim` to `endDim` as one. Defaults: from axis 1, which keeps the batch, to the last. */
export function flatten(x: Value, startDim = 1, endDim = -1): Value {
  const from = normalizeAxis(startDim, x.rank);
  const to = normalizeAxis(endDim, x.rank);
  if (from === 1 && to === x.rank - 1) return op.flatten(x);
  const joined = shapeSize(x.shape.slice(from, to + 1));
  return op.reshape(x, [...x.shape.slice(0, from), joined, ...x.shape.slice(to + 1)]);
}

/** Axis `dim` as several of the lengths `sizes`, where one -1 stands for what is left over. */
export function unflatten(x: Value, dim: number, sizes: Shape): Value {
  const at = normalizeAxis(dim, x.rank);
  return reshape(x, [...x.shape.slice(0, at), ...sizes, ...x.shape.slice(at + 1)]);
}

/** The elements in another shape, where one -1 stands for what is left over. */
export function reshape(x: Value, shape: Shape): Value {
  const numbers = shape.map((dim, axis) => (typeof dim === "number" ? dim : dim === x.shape[axis] ? 0 : -1));
  return op.reshapeOp.emit([x, op.int64s(x, numbers)]).output;
}

/** `x` without axis `dim` of length 1; default: without all such. */
export function squeeze(x: Value, dim?: number): Value {
  return op.squeeze(x, dim === undefined ? undefined : [dim]);
}

/** `x` with a new axis of length 1, at `dim` of the result. */
export function unsqueeze(x: Value, dim: number): Value {
  return op.unsqueeze(x, [dim]);
}

/** Two axes exchanged. */
export function transpose(x: Value, dim0: number, dim1: number): Value {
  const order = x.shape.map((_, axis) => axis);
  const [a, b] = [normalizeAxis(dim0, x.rank), normalizeAxis(dim1, x.rank)];
  [order[a], order[b]] = [b, a];
  return op.transpose(x, order);
}

/** All axes in another order. */
export function permute(x: Value, dims: readonly number[]): Value {
  return op.transpose(
    x,
    dims.map((dim) => normalizeAxis(dim, x.rank)),
  );
}
