// Parts of values, values made of parts, and elements picked by index.

import { Tensor } from "../../base/tensor.ts";
import type { Value } from "../../graph/graph.ts";
import { isStatic, multiplyDims, normalizeAxis, shapeText } from "../../graph/shape.ts";
import { expectShape, int64 } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import type { Dims } from "./reduction.ts";

/** Values one after another along `dim` (default: 0). */
export function cat(values: readonly Value[], dim = 0): Value {
  return op.concat(values, dim);
}

/** Values of one shape one after another along a new axis `dim` (default: 0). */
export function stack(values: readonly Value[], dim = 0): Value {
  return op.concat(
    values.map((value) => op.unsqueeze(value, [dim])),
    dim,
  );
}

function knownLength(x: Value, dim: number): number {
  const length = x.shape[normalizeAxis(dim, x.rank)]!;
  expectShape(
    isStatic(length),
    () => `axis ${dim} of ${shapeText(x.shape)} must be known to be cut into parts`,
  );
  return length;
}

/** `x` in parts along `dim` (default: 0): of `size` elements, the last one perhaps of fewer, or of the sizes given. */
export function split(x: Value, size: number | readonly number[], dim = 0): readonly Value[] {
  if (typeof size !== "number") return op.split(x, size, dim);
  const length = knownLength(x, dim);
  const sizes = Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size));
  return op.split(x, sizes, dim);
}

/** `x` in `chunks` parts along `dim` (default: 0), the last one perhaps smaller; fewer where it does not go up. */
export function chunk(x: Value, chunks: number, dim = 0): readonly Value[] {
  return split(x, Math.ceil(knownLength(x, dim) / chunks), dim);
}

/** The parts of length 1 along `dim` (default: 0), without that axis. */
export function unbind(x: Value, dim = 0): readonly Value[] {
  return split(x, 1, dim).map((part) => op.squeeze(part, [dim]));
}

/** What lies at `index` of axis `dim`, without that axis. */
export function select(x: Value, dim: number, index: number): Value {
  return op.gather(x, int64(x, index), dim);
}

/** `length` elements of axis `dim` from `start` on. */
export function narrow(x: Value, dim: number, start: number, length: number): Value {
  return op.slice(x, [{ axis: dim, start, end: start + length }]);
}

/** From here on a bound means the end of an axis. */
const END = 2 ** 31 - 1;

/** Elements `start` (default: 0) to `end` (default: the last and it) of axis `dim`, `step` apart: `x[start:end:step]`. */
export function slice(x: Value, dim: number, start = 0, end = END, step = 1): Value {
  return op.slice(x, [{ axis: dim, start, end, step }]);
}

/** The elements that `index` names along `dim`; it has as many axes as `x`, and the result its shape. */
export function gather(x: Value, dim: number, index: Value): Value {
  return op.gatherElements(x, index, dim);
}

/** The slices along `dim` that a vector of indices names. */
export function indexSelect(x: Value, dim: number, index: Value): Value {
  return op.gather(x, index, dim);
}

/** Axes `dims` from their end to their start. */
export function flip(x: Value, dims: Dims): Value {
  const backwards = [dims].flat().map((axis) => ({ axis, start: -1, end: -END, step: -1 }));
  return op.slice(x, backwards);
}

/** Elements moved by `shifts` along `dims`; those that leave at one end come back at the other. */
export function roll(x: Value, shifts: Dims, dims: Dims): Value {
  const by = [shifts].flat();
  return [dims].flat().reduce((y, axis, i) => {
    const length = knownLength(y, axis);
    const cut = ((-by[i]! % length) + length) % length;
    if (cut === 0) return y;
    const [front, back] = op.split(y, [cut, length - cut], axis) as [Value, Value];
    return op.concat([back, front], axis);
  }, x);
}

/** `x` repeated as often as `sizes` say along each axis; where there are more of them, axes are added in front. */
export function repeat(x: Value, sizes: readonly number[]): Value {
  const added = sizes.length - x.rank;
  expectShape(
    added >= 0,
    () => `${shapeText(sizes)} must have a number for each axis of ${shapeText(x.shape)}`,
  );
  const front = Array.from({ length: added }, (_, axis) => axis);
  return op.tile(added === 0 ? x : op.unsqueeze(x, front), sizes);
}

/** `x` repeated as often as `sizes` say along its last axes. */
export function tile(x: Value, sizes: readonly number[]): Value {
  const missing = Math.max(0, x.rank - sizes.length);
  return repeat(x, [...new Array<number>(missing).fill(1), ...sizes]);
}

/** Each element along `dim` repeated `repeats` times. */
export function repeatInterleave(x: Value, repeats: number, dim: number): Value {
  const axis = normalizeAxis(dim, x.rank);
  const apart = op.unsqueeze(x, [axis + 1]);
  const times = apart.shape.map((_, i) => (i === axis + 1 ? repeats : 1));
  const shape = x.shape.map((length, i) => (i === axis ? multiplyDims(length, repeats) : length));
  return op.reshape(op.tile(apart, times), shape);
}

/** `x` repeated along axes of length 1 to `sizes`; -1 leaves an axis as it is. */
export function expand(x: Value, sizes: readonly number[]): Value {
  return op.expand(
    x,
    sizes.map((size) => (size === -1 ? 1 : size)),
  );
}

/** `x` repeated along axes of length 1 to the shape of `other`. */
export function expandAs(x: Value, other: Value): Value {
  return op.expandLike(x, other);
}

/** The lower triangle of the matrices in the last two axes, zeros elsewhere; `diagonal` moves its edge to the right. */
export function tril(x: Value, diagonal = 0): Value {
  return op.trilu(x, { upper: false, k: diagonal });
}

/** The upper triangle of the matrices in the last two axes, zeros elsewhere; `diagonal` moves its edge to the right. */
export function triu(x: Value, diagonal = 0): Value {
  return op.trilu(x, { upper: true, k: diagonal });
}

/** Vectors of `numClasses` that are 1 at the place that whole numbers name and 0 elsewhere: `[...]` to `[..., numClasses]`. int64. */
export function oneHot(x: Value, numClasses: number): Value {
  const values = x.graph.constant(Tensor.of([2], [0, 1], "int64"));
  return op.oneHot(x, int64(x, numClasses), values);
}
