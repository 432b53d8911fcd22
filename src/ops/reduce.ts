// Reductions over axes. Integers are reduced, not differentiated.

import type { Value } from "../graph/graph.ts";
import type { Element, ValueType } from "../graph/operator.ts";
import {
  addDims,
  type Dim,
  isStatic,
  multiplyDims,
  normalizeAxis,
  type Shape,
  shapeSize,
} from "../graph/shape.ts";
import { cast } from "./cast.ts";
import {
  constantInts,
  type DefinedOperator,
  defineOperator,
  expectKind,
  int64s,
  type Kind,
  type OperatorDefinition,
  scalar,
} from "./define.ts";
import { onesForZeros, zerosOf } from "./divisor.ts";
import { add, div, exp, mul, sign, sub } from "./elementwise.ts";
import { eachIndex, outputShape } from "./evaluate.ts";
import { equal } from "./logic.ts";
import { expandLike, reshape, shapeOf, unsqueeze } from "./reshape.ts";

/** Options of the reductions. */
export interface ReduceOptions {
  /** Keep reduced axes with length 1. Default: false. */
  readonly keepDims?: boolean;
}

type ReduceInputs = [x: Value, axes?: Value | null | undefined];
const ATTRIBUTES = { keepdims: "int", noop_with_empty_axes: "int" } as const;
type Reduction = DefinedOperator<typeof ATTRIBUTES, ReduceInputs>;
type Definition = OperatorDefinition<typeof ATTRIBUTES, ReduceInputs>;

/** The axes that are reduced, sorted: where none are named all of them, or none with `noop_with_empty_axes`. */
function reducedAxes(x: Value, axes: Value | null | undefined, noop: number | undefined): number[] {
  const named = constantInts(axes, "axes") ?? [];
  if (named.length === 0) return noop ? [] : x.shape.map((_, axis) => axis);
  return named.map((axis) => normalizeAxis(axis, x.rank)).sort((a, b) => a - b);
}

function reducedShape({ shape }: Value, axes: readonly number[], keepdims: number): Shape {
  return keepdims
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/**
 * Defines a reduction of values of the given kind. `slope` gives dx from dy and y, which have their reduced axes back with
 * length 1, and from x and the axes, of which there may be none.
 */
function defineReduction(
  type: string,
  since: number,
  kind: Kind,
  slope: (dy: Value, x: Value, y: Value, axes: readonly number[]) => Value,
  combine?: (a: Dim, b: Dim) => Dim | undefined,
): Reduction {
  return defineOperator({
    type,
    since,
    attributes: ATTRIBUTES,
    infer: ([x, axes]: ReduceInputs, { keepdims = 1, noop_with_empty_axes: noop }): ValueType[] => {
      expectKind(kind, x);
      return [{ dtype: x.dtype, shape: reducedShape(x, reducedAxes(x, axes, noop), keepdims) }];
    },
    gradient: (dy, { inputs: [x, named], attributes: { noop_with_empty_axes: noop }, output: y }) => {
      const axes = reducedAxes(x, named, noop);
      const restored = (value: Value) => (value.rank === x.rank ? value : unsqueeze(value, axes));
      return [slope(restored(dy), x, restored(y), axes), null];
    },
    evaluate: combine && folded(combine),
  });
}

/** How shapes are followed: element after element. */
function folded(combine: (a: Dim, b: Dim) => Dim | undefined): Definition["evaluate"] {
  return ([content], node) => {
    if (!content || content.elements.length === 0) return null;
    const axes = reducedAxes(...node.inputs, node.attributes.noop_with_empty_axes);
    const totals = new Map<string, Element>();
    eachIndex(content.shape).forEach((index, i) => {
      const place = index.filter((_, axis) => !axes.includes(axis)).join();
      const [total, element] = [totals.get(place), content.elements[i]!];
      if (total === undefined) totals.set(place, element);
      else totals.set(place, total === null || element === null ? null : (combine(total, element) ?? null));
    });
    return [{ shape: outputShape(node), elements: [...totals.values()] }];
  };
}

function reduce(
  operator: Reduction,
  x: Value,
  axes: readonly number[] | undefined,
  { keepDims = false }: ReduceOptions,
): Value {
  return operator.emit([x, axes && int64s(x, axes)], { keepdims: keepDims ? 1 : 0 }).output;
}

/** A reduction inside a rule: the axes stay, and no axes are none. */
function keeping(operator: Reduction, x: Value, axes: readonly number[]): Value {
  return axes.length === 0 ? x : reduce(operator, x, axes, { keepDims: true });
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
export function reduceSum(x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value {
  return reduce(reduceSumOp, x, axes, options);
}

export const reduceSumOp = defineReduction("ReduceSum", 13, "wide", (dy, x) => expandLike(dy, x), addDims);

/** The mean over `axes` (default: all). ONNX ReduceMean-18. */
export function reduceMean(x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value {
  return reduce(reduceMeanOp, x, axes, options);
}

export const reduceMeanOp = defineReduction("ReduceMean", 18, "wide", (dy, x, _, axes) =>
  expandLike(div(dy, elementCount(x, axes)), x),
);

/** The maximum over `axes` (default: all); equal maxima share the gradient evenly. ONNX ReduceMax-20. */
export function reduceMax(x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value {
  return reduce(reduceMaxOp, x, axes, options);
}

export const reduceMaxOp = defineReduction("ReduceMax", 20, "ordered", shares, ofLengths(Math.max));

/** The minimum over `axes` (default: all); equal minima share the gradient evenly. ONNX ReduceMin-20. */
export function reduceMin(x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value {
  return reduce(reduceMinOp, x, axes, options);
}

export const reduceMinOp = defineReduction("ReduceMin", 20, "ordered", shares, ofLengths(Math.min));

/** dx = dy / (number of extrema) at the extrema, 0 elsewhere. */
function shares(dy: Value, x: Value, y: Value, axes: readonly number[]): Value {
  const hits = cast(equal(x, y), x.dtype);
  return mul(hits, div(dy, keeping(reduceSumOp, hits, axes)));
}

function ofLengths(compute: (a: number, b: number) => number): (a: Dim, b: Dim) => Dim | undefined {
  return (a, b) => (isStatic(a) && isStatic(b) ? compute(a, b) : undefined);
}

/** The product over `axes` (default: all). ONNX ReduceProd-18. */
export function reduceProd(x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value {
  return reduce(reduceProdOp, x, axes, options);
}

export const reduceProdOp = defineReduction("ReduceProd", 18, "wide", productOfOthers, multiplyDims);

/** dx = dy * (the product of the other elements): with ones for zeros it is a quotient, and 0 where another is zero. */
function productOfOthers(dy: Value, x: Value, _: Value, axes: readonly number[]): Value {
  const zeros = zerosOf(x);
  const filled = add(x, zeros);
  const others = sub(keeping(reduceSumOp, zeros, axes), zeros);
  const product = mul(dy, keeping(reduceProdOp, filled, axes));
  return mul(div(product, filled), zerosOf(others));
}

/** The sum of absolute values over `axes` (default: all). ONNX ReduceL1-18. */
export function reduceL1(x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value {
  return reduce(reduceL1Op, x, axes, options);
}

export const reduceL1Op = defineReduction("ReduceL1", 18, "wide", (dy, x) => mul(dy, sign(x)));

/** The Euclidean norm over `axes` (default: all); its gradient at zero is 0. ONNX ReduceL2-18. */
export function reduceL2(x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value {
  return reduce(reduceL2Op, x, axes, options);
}

// dx = dy * x / y, and 0 where y is: the divisor is 1 there.
export const reduceL2Op = defineReduction("ReduceL2", 18, "wide", (dy, x, y) =>
  mul(x, div(dy, onesForZeros(y))),
);

/** The logarithm of the sum over `axes` (default: all). ONNX ReduceLogSum-18. */
export function reduceLogSum(x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value {
  return reduce(reduceLogSumOp, x, axes, options);
}

export const reduceLogSumOp = defineReduction("ReduceLogSum", 18, "wide", (dy, x, y) =>
  expandLike(div(dy, exp(y)), x),
);

/** The logarithm of the sum of `e^x` over `axes` (default: all), without overflow. ONNX ReduceLogSumExp-18. */
export function reduceLogSumExp(x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value {
  return reduce(reduceLogSumExpOp, x, axes, options);
}

export const reduceLogSumExpOp = defineReduction("ReduceLogSumExp", 18, "wide", (dy, x, y) =>
  mul(dy, exp(sub(x, y))),
);

/** The sum of squares over `axes` (default: all). ONNX ReduceSumSquare-18. */
export function reduceSumSquare(x: Value, axes?: readonly number[], options: ReduceOptions = {}): Value {
  return reduce(reduceSumSquareOp, x, axes, options);
}

export const reduceSumSquareOp = defineReduction("ReduceSumSquare", 18, "wide", (dy, x) =>
  mul(x, mul(dy, scalar(dy, 2))),
);

function defineArg(type: "ArgMax" | "ArgMin") {
  return defineOperator({
    type,
    since: 13,
    attributes: { axis: "int", keepdims: "int", select_last_index: "int" },
    infer: ([x]: [Value], { axis = 0, keepdims = 1 }) => {
      expectKind("numeric", x);
      return [{ dtype: "int64", shape: reducedShape(x, [normalizeAxis(axis, x.rank)], keepdims) }];
    },
    gradient: { nondifferentiable: "its output is an index" },
  });
}

/** The index of the maximum over `axis`, the first on ties. int64. ONNX ArgMax-13. */
export function argMax(x: Value, axis: number, { keepDims = false }: ReduceOptions = {}): Value {
  return argMaxOp.emit([x], { axis, keepdims: keepDims ? 1 : 0 }).output;
}

export const argMaxOp = defineArg("ArgMax");

/** The index of the minimum over `axis`, the first on ties. int64. ONNX ArgMin-13. */
export function argMin(x: Value, axis: number, { keepDims = false }: ReduceOptions = {}): Value {
  return argMinOp.emit([x], { axis, keepdims: keepDims ? 1 : 0 }).output;
}

export const argMinOp = defineArg("ArgMin");
