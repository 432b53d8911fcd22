// Many elements to one: sums, extrema, norms, places of extrema, orders.

import type { Value } from "../../graph/graph.ts";
import { isStatic, normalizeAxis, shapeSize, shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";

/** An axis, or several; they may count from the end. */
export type Dims = number | readonly number[];

const axes = (dims: Dims | undefined) => (typeof dims === "number" ? [dims] : dims);

/** The sum over `dims`; default: all, to a scalar. */
export function sum(x: Value, dims?: Dims, options?: op.ReduceOptions): Value {
  return op.reduceSum(x, axes(dims), options);
}

/** The mean over `dims`; default: all, to a scalar. */
export function mean(x: Value, dims?: Dims, options?: op.ReduceOptions): Value {
  return op.reduceMean(x, axes(dims), options);
}

/** The product over `dims`; default: all, to a scalar. */
export function prod(x: Value, dims?: Dims, options?: op.ReduceOptions): Value {
  return op.reduceProd(x, axes(dims), options);
}

/** The maximum over `dims`; default: all, to a scalar. Equal maxima share the gradient. */
export function amax(x: Value, dims?: Dims, options?: op.ReduceOptions): Value {
  return op.reduceMax(x, axes(dims), options);
}

/** The minimum over `dims`; default: all, to a scalar. Equal minima share the gradient. */
export function amin(x: Value, dims?: Dims, options?: op.ReduceOptions): Value {
  return op.reduceMin(x, axes(dims), options);
}

/** Whether all of booleans hold over `dims`; default: all. */
export function all(x: Value, dims?: Dims, options?: op.ReduceOptions): Value {
  return op.reduceMin(x, axes(dims), options);
}

/** Whether any of booleans holds over `dims`; default: all. */
export function any(x: Value, dims?: Dims, options?: op.ReduceOptions): Value {
  return op.reduceMax(x, axes(dims), options);
}

/** The logarithm of the sum of `e^x` over `dims`; default: all. */
export function logsumexp(x: Value, dims?: Dims, options?: op.ReduceOptions): Value {
  return op.reduceLogSumExp(x, axes(dims), options);
}

/** Options of `var` and `std`. */
export interface VarOptions extends op.ReduceOptions {
  /** What is taken off the number of elements that the squares are divided by. Default: 1. */
  readonly correction?: number;
}

/** The variance over `dims`; default: all. */
function variance(x: Value, dims?: Dims, { correction = 1, ...options }: VarOptions = {}): Value {
  const over = axes(dims) ?? x.shape.map((_, axis) => axis);
  const centered = op.sub(x, op.reduceMean(x, over, { keepDims: true }));
  const count = op.elementCount(
    x,
    over.map((axis) => normalizeAxis(axis, x.rank)),
  );
  return op.div(op.reduceSumSquare(centered, over, options), op.sub(count, op.scalar(x, correction)));
}

export { variance as var };

/** The standard deviation over `dims`; default: all. */
export function std(x: Value, dims?: Dims, options?: VarOptions): Value {
  return op.sqrt(variance(x, dims, options));
}

/** Options of `norm`. */
export interface VectorNormOptions extends op.ReduceOptions {
  /** Default: 2, the Euclidean norm. Infinity for the largest size. */
  readonly p?: number;
}

/** `(Σ |x|^p)^(1 / p)` over `dims`; default: all. */
export function norm(x: Value, dims?: Dims, { p = 2, ...options }: VectorNormOptions = {}): Value {
  const over = axes(dims);
  if (p === 2) return op.reduceL2(x, over, options);
  if (p === 1) return op.reduceL1(x, over, options);
  if (p === Number.POSITIVE_INFINITY) return op.reduceMax(op.abs(x), over, options);
  const power = (value: Value, exponent: number) => op.pow(value, op.scalar(value, exponent));
  return power(op.reduceSum(power(op.abs(x), p), over, options), 1 / p);
}

function argExtremum(
  find: typeof op.argMax,
  x: Value,
  dim: number | undefined,
  options: op.ReduceOptions | undefined,
): Value {
  return dim === undefined ? find(op.reshape(x, [shapeSize(x.shape)]), 0) : find(x, dim, options);
}

/** Where the maximum along `dim` is, the first of equal ones; default: among all elements, in row-major order. int64. */
export function argmax(x: Value, dim?: number, options?: op.ReduceOptions): Value {
  return argExtremum(op.argMax, x, dim, options);
}

/** Where the minimum along `dim` is, the first of equal ones; default: among all elements, in row-major order. int64. */
export function argmin(x: Value, dim?: number, options?: op.ReduceOptions): Value {
  return argExtremum(op.argMin, x, dim, options);
}

/** The sums of all elements up to each along `dim`. */
export function cumsum(x: Value, dim: number): Value {
  return op.cumSum(x, dim);
}

/** Options of `topk`. */
export interface TopkOptions {
  /** Default: the last. */
  readonly dim?: number;
  /** The largest ones (default) or the smallest. */
  readonly largest?: boolean;
  /** In order (default), or in any. */
  readonly sorted?: boolean;
}

/** The `k` largest elements along an axis, and where they were. */
export function topk(
  x: Value,
  k: number,
  { dim = -1, ...options }: TopkOptions = {},
): readonly [values: Value, indices: Value] {
  return op.topK(x, k, { axis: dim, ...options });
}

/** Options of `sort`. */
export interface SortOptions {
  /** Default: the last. */
  readonly dim?: number;
  /** From the largest to the smallest. Default: false. */
  readonly descending?: boolean;
}

/** All elements along an axis of known length in order, and where they were. */
export function sort(
  x: Value,
  { dim = -1, descending = false }: SortOptions = {},
): readonly [values: Value, indices: Value] {
  const length = x.shape[normalizeAxis(dim, x.rank)]!;
  expectShape(isStatic(length), () => `axis ${dim} of ${shapeText(x.shape)} must be known to be sorted`);
  return op.topK(x, length, { axis: dim, largest: descending });
}
