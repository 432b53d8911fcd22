// Reductions over axes.

import type { Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import { isStatic, normalizeAxis, type Shape, shapeSize } from "../graph/shape.ts";
import { cast } from "./cast.ts";
import { constantInts, defineOperator, expectFloats, int64s, scalar } from "./define.ts";
import { div, mul } from "./elementwise.ts";
import { equal } from "./logic.ts";
import { expandLike, reshape, shapeOf } from "./reshape.ts";

/** Options of the reductions. */
export interface ReduceOptions {
  /** Keep reduced axes with length 1. Default: false. */
  readonly keepDims?: boolean;
}

type ReduceInputs = [x: Value, axes?: Value | null | undefined];
const ATTRIBUTES = { keepdims: "int", noop_with_empty_axes: "int" } as const;

/** The axes that are reduced, sorted: all of them when none are named. */
function reducedAxes(x: Value, axes: Value | null | undefined): number[] {
  const named = constantInts(axes, "axes");
  if (!named || named.length === 0) return x.shape.map((_, axis) => axis);
  return named.map((axis) => normalizeAxis(axis, x.rank)).sort((a, b) => a - b);
}

function keptShape(x: Value, axes: readonly number[]): Shape {
  return x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
}

function inferReduction(
  [x, axes]: ReduceInputs,
  { keepdims = 1 }: { keepdims?: number | undefined },
): ValueType[] {
  expectFloats(x);
  const reduced = reducedAxes(x, axes);
  const shape = keepdims ? keptShape(x, reduced) : x.shape.filter((_, axis) => !reduced.includes(axis));
  return [{ dtype: x.dtype, shape }];
}

/** A reduced value (or cotangent) with its reduced axes back, of length 1. */
function withKeptAxes(reduced: Value, x: Value, axes: Value | null | undefined): Value {
  return reshape(reduced, keptShape(x, reducedAxes(x, axes)));
}

/** How many elements there are along `axes`, as a scalar; computed at run time where one of them is symbolic. */
export function elementCount(x: Value, axes: readonly number[]): Value {
  const fixed = shapeSize(axes.map((axis) => x.shape[axis]!).filter(isStatic)) as number;
  let count: Value | null = null;
  for (const axis of axes) {
    if (isStatic(x.shape[axis]!)) continue;
    const length = cast(shapeOf(x, axis, axis + 1), x.dtype);
    count = count ? mul(count, length) : length;
  }
  return count ? reshape(mul(count, scalar(x, fixed)), []) : scalar(x, fixed);
}

/** The sum over `axes` (default: all). ONNX ReduceSum-13. */
export function reduceSum(
  x: Value,
  axes?: readonly number[],
  { keepDims = false }: ReduceOptions = {},
): Value {
  return reduceSumOp.emit([x, axes && int64s(x, axes)], { keepdims: keepDims ? 1 : 0 }).output;
}

export const reduceSumOp = defineOperator({
  type: "ReduceSum",
  since: 13,
  attributes: ATTRIBUTES,
  infer: inferReduction,
  gradient: (dy, { inputs: [x, axes] }) => [expandLike(withKeptAxes(dy, x, axes), x), null],
});

/** The mean over `axes` (default: all). ONNX ReduceMean-18. */
export function reduceMean(
  x: Value,
  axes?: readonly number[],
  { keepDims = false }: ReduceOptions = {},
): Value {
  return reduceMeanOp.emit([x, axes && int64s(x, axes)], { keepdims: keepDims ? 1 : 0 }).output;
}

export const reduceMeanOp = defineOperator({
  type: "ReduceMean",
  since: 18,
  attributes: ATTRIBUTES,
  infer: inferReduction,
  gradient: (dy, { inputs: [x, axes] }) => {
    const share = div(dy, elementCount(x, reducedAxes(x, axes)));
    return [expandLike(withKeptAxes(share, x, axes), x), null];
  },
});

/** The maximum over `axes` (default: all); equal maxima share the gradient evenly. ONNX ReduceMax-18. */
export function reduceMax(
  x: Value,
  axes?: readonly number[],
  { keepDims = false }: ReduceOptions = {},
): Value {
  return reduceMaxOp.emit([x, axes && int64s(x, axes)], { keepdims: keepDims ? 1 : 0 }).output;
}

export const reduceMaxOp = defineOperator({
  type: "ReduceMax",
  since: 18,
  attributes: ATTRIBUTES,
  infer: inferReduction,
  gradient: (dy, { inputs: [x, axes], output: y }) => [extremumGradient(dy, x, axes, y), null],
});

/** The minimum over `axes` (default: all); equal minima share the gradient evenly. ONNX ReduceMin-18. */
export function reduceMin(
  x: Value,
  axes?: readonly number[],
  { keepDims = false }: ReduceOptions = {},
): Value {
  return reduceMinOp.emit([x, axes && int64s(x, axes)], { keepdims: keepDims ? 1 : 0 }).output;
}

export const reduceMinOp = defineOperator({
  type: "ReduceMin",
  since: 18,
  attributes: ATTRIBUTES,
  infer: inferReduction,
  gradient: (dy, { inputs: [x, axes], output: y }) => [extremumGradient(dy, x, axes, y), null],
});

/** dx = dy / (number of extrema) at the extrema, 0 elsewhere. */
function extremumGradient(dy: Value, x: Value, axes: Value | null | undefined, y: Value): Value {
  const hits = cast(equal(x, withKeptAxes(y, x, axes)), x.dtype);
  const count = reduceSum(hits, reducedAxes(x, axes), { keepDims: true });
  return mul(hits, div(withKeptAxes(dy, x, axes), count));
}

/** The index of the maximum over `axis`, the first on ties. int64. ONNX ArgMax-13. */
export function argMax(x: Value, axis: number, { keepDims = false }: ReduceOptions = {}): Value {
  return argMaxOp.emit([x], { axis, keepdims: keepDims ? 1 : 0 }).output;
}

export const argMaxOp = defineOperator({
  type: "ArgMax",
  since: 13,
  attributes: { axis: "int", keepdims: "int", select_last_index: "int" },
  infer: ([x]: [Value], { axis = 0, keepdims = 1 }) => {
    const reduced = [normalizeAxis(axis, x.rank)];
    const shape = keepdims ? keptShape(x, reduced) : x.shape.filter((_, i) => i !== reduced[0]);
    return [{ dtype: "int64", shape }];
  },
  gradient: { nondifferentiable: "its output is an index" },
});
