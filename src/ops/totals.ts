// Sums and means in the forms that the runtime computes fastest. Internal: no operators, no public names.

import { sizeOf, Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { isStatic, isStaticShape, normalizeAxis, type Shape, shapeSize } from "../graph/shape.ts";
import { div, mul } from "./elementwise.ts";
import { matMul } from "./matmul.ts";
import { elementCount, type ReduceOptions, reduceMean, reduceSum } from "./reduce.ts";
import { constantOfShapeOp, reshape, shapeOf, transposeLast } from "./reshape.ts";

/** From this many elements on a sum of products is computed by the runtime's product of two vectors. */
const LEAST_VECTOR = 256;
/** The least that a symbolic length is taken for. */
const LEAST_LENGTH = 16;

/** `reduceSum` over `axes`; over none it is `x`. */
export function sumOver(x: Value, axes: readonly number[], { keepDims = false }: ReduceOptions = {}): Value {
  if (axes.length === 0) return x;
  const over = axes.map((axis) => normalizeAxis(axis, x.rank));
  const row = rowBehind(x, over);
  if (!row) return endFirst(reduceSum, x, over, { keepDims });
  const sum = sumOfRows(reshape(x, [shapeSize(x.shape.slice(0, over.length)), sizeOf(row)]));
  return reshape(sum, [...(keepDims ? over.map(() => 1) : []), ...row]);
}

/** `reduceMean` over `axes`; over none it is `x`. */
export function meanOver(x: Value, axes: readonly number[], options: ReduceOptions = {}): Value {
  if (axes.length === 0) return x;
  const over = axes.map((axis) => normalizeAxis(axis, x.rank));
  return rowBehind(x, over)
    ? div(sumOver(x, over, options), elementCount(x, over))
    : endFirst(reduceMean, x, over, options);
}

/**
 * The mean of `a` times `b`, which have one shape, over axes, which stay with length 1. As products of vectors, without writing
 * what is summed. Fast where the runtime has a kernel for a row by a row (`Engine`).
 */
export function meanOfProducts(a: Value, b: Value, axes: readonly number[]): Value {
  const over = axes.map((axis) => normalizeAxis(axis, a.rank));
  const end = endOf(a, over);
  const [before, behind] = [a.shape.slice(0, end), a.shape.slice(end)];
  if (a.dtype !== "float32" || leastSize(behind) < LEAST_VECTOR)
    return meanOver(mul(a, b), over, { keepDims: true });
  const vectors = (x: Value) => reshape(x, [...before, 1, shapeSize(behind)]);
  const products = matMul(vectors(a), transposeLast(vectors(b)));
  const sums = reshape(products, [...before, ...behind.map(() => 1)]);
  const rest = over.filter((axis) => axis < end);
  const sum = rest.length === 0 ? sums : reduceSum(sums, rest, { keepDims: true });
  return div(sum, elementCount(a, over));
}

/**
 * The other axes, where those that are reduced all lead, the others' lengths are known, and there are numbers to share a row. Of
 * float32: a factor that the runtime draws into a product is rounded to that, and of one row the mean must be the row.
 */
function rowBehind({ dtype, shape }: Value, axes: readonly number[]): readonly number[] | null {
  const row = shape.slice(axes.length);
  const leads = axes.every((axis) => axis < axes.length);
  return dtype === "float32" && leads && isStaticShape(row) && sizeOf(row) > 1 ? row : null;
}

/** `[R, N]` to `[N]`, as a product with a row of ones: two to four times as fast as a ReduceSum. */
function sumOfRows(rows: Value): Value {
  const value = Tensor.full([1], 1);
  const ones = constantOfShapeOp.emit([shapeOf(rows, 0, 1)], { value }).output;
  return matMul(ones, rows);
}

/** Over the axes at the end, then over the rest: at once, axes with others between them take two to three times as long. */
function endFirst(
  reduction: typeof reduceSum,
  x: Value,
  axes: readonly number[],
  options: ReduceOptions,
): Value {
  const end = endOf(x, axes);
  const [atEnd, rest] = [axes.filter((axis) => axis >= end), axes.filter((axis) => axis < end)];
  if (atEnd.length === 0 || rest.length === 0) return reduction(x, axes, options);
  return reduction(reduction(x, atEnd, options), rest, options);
}

/** Where the axes begin that are reduced and have none behind them that stays. */
function endOf(x: Value, axes: readonly number[]): number {
  let end = x.rank;
  while (axes.includes(end - 1)) end--;
  return end;
}

function leastSize(shape: Shape): number {
  return shape.reduce<number>((size, dim) => size * (isStatic(dim) ? dim : LEAST_LENGTH), 1);
}
