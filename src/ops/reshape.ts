// Operators that give the same elements another shape or order.

import { ArborizeError } from "../base/errors.ts";
import { sizeOf, Tensor } from "../base/tensor.ts";
import { elementsOf } from "../graph/content.ts";
import type { Value } from "../graph/graph.ts";
import type { Content, Contents } from "../graph/operator.ts";
import {
  broadcastShapes,
  type Dim,
  divideDims,
  isStatic,
  isStaticShape,
  normalizeAxis,
  type Shape,
  sameShape,
  shapeSize,
  shapeText,
} from "../graph/shape.ts";
import { constantInts, defineOperator, expectShape, int64s } from "./define.ts";
import { moved, outputShape } from "./evaluate.ts";

/** `x` itself. ONNX Identity-19. */
export function identity(x: Value): Value {
  return identityOp.emit([x]).output;
}

export const identityOp = defineOperator({
  type: "Identity",
  since: 19,
  infer: ([x]: [Value]) => [x],
  gradient: (dy) => [dy],
  evaluate: (inputs) => inputs,
});

/** `x` itself, to which no gradient flows back: PyTorch's `detach`. */
export function stopGradient(x: Value): Value {
  return stopGradientOp.emit([x]).output;
}

export const stopGradientOp = defineOperator({
  type: "Identity",
  since: 19,
  infer: ([x]: [Value]) => [x],
  gradient: () => [null],
});

/** The lengths of axes `start` to `end` (default: all) at run time, int64. ONNX Shape-19. */
export function shapeOf(x: Value, start = 0, end = x.rank): Value {
  if (end - start !== 1) return shapeOp.emit([x], { start, end }).output;
  const { value, axis } = sourceOf(x, start);
  return shapeOp.emit([value], { start: axis, end: axis + 1 }).output;
}

/**
 * Where to read a symbolic length: at the graph input that has an axis of that name, so that all who ask for a batch's length
 * share one node and keep no map of features alive for it.
 */
function sourceOf(x: Value, axis: number): { readonly value: Value; readonly axis: number } {
  const dim = x.shape[axis]!;
  for (const value of isStatic(dim) ? [] : x.graph.inputs) {
    const found = value.shape.indexOf(dim);
    if (found >= 0) return { value, axis: found };
  }
  return { value: x, axis };
}

export const shapeOp = defineOperator({
  type: "Shape",
  since: 19,
  attributes: { start: "int", end: "int" },
  infer: ([x]: [Value], { start = 0, end = x.rank }) => [
    { dtype: "int64", shape: [x.shape.slice(start, end).length] },
  ],
  gradient: { nondifferentiable: "its output is a shape" },
  evaluate: (_, node) => {
    const [x] = node.inputs;
    const { start = 0, end = x.rank } = node.attributes;
    return [{ shape: outputShape(node), elements: x.shape.slice(start, end) }];
  },
});

/** The number of elements, an int64 scalar. ONNX Size-19. */
export function sizeOfValue(x: Value): Value {
  return sizeOp.emit([x]).output;
}

export const sizeOp = defineOperator({
  type: "Size",
  since: 19,
  infer: ([_]: [Value]) => [{ dtype: "int64", shape: [] }],
  gradient: { nondifferentiable: "its output is a number of elements" },
  evaluate: (_, { inputs: [x] }) => [{ shape: [], elements: [shapeSize(x.shape)] }],
});

/** The dimensions that an int64 shape input stands for. @throws `invalid_graph` where they do not follow from the graph. */
export function knownDims(shape: Value): Shape {
  const dims = elementsOf(shape);
  if (dims) return dims;
  throw new ArborizeError(
    "invalid_graph",
    `its shape does not follow from the graph: "${shape.name}" depends on data`,
  );
}

/** The shape of `like`, as an int64 vector: a constant where it is known. */
export function shapeVector(like: Value): Value {
  return isStaticShape(like.shape) ? int64s(like, like.shape) : shapeOf(like);
}

/** `value` (default: 0) everywhere, in the shape and element type of `like`. ONNX ConstantOfShape-20. */
export function fullLike(like: Value, value = 0): Value {
  return constantOfShapeOp.emit([shapeVector(like)], { value: Tensor.full([1], value, like.dtype) }).output;
}

export const constantOfShapeOp = defineOperator({
  type: "ConstantOfShape",
  since: 20,
  attributes: { value: "tensor" },
  infer: ([shape]: [Value], { value }) => [{ dtype: value?.dtype ?? "float32", shape: knownDims(shape) }],
  gradient: { nondifferentiable: "its input is a shape" },
  evaluate: (_, node) => {
    const filling = node.attributes.value?.item() ?? 0;
    const shape = outputShape(node);
    return [{ shape, elements: new Array<number>(sizeOf(shape)).fill(filling) }];
  },
});

/**
 * The elements in another shape. One dimension may be symbolic, or several that stay on their axis or only move by axes of
 * length 1. ONNX Reshape-19.
 *
 * @throws `shape_mismatch` when the number of elements differs.
 */
export function reshape(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  const target = shape.map((dim, axis) => (isStatic(dim) ? dim : dim === x.shape[axis] ? 0 : -1));
  if (target.filter((dim) => dim === -1).length > 1) {
    expectShape(
      sameShape(withoutOnes(x.shape), withoutOnes(shape)),
      () => `cannot reshape ${shapeText(x.shape)} to ${shapeText(shape)}: only one symbolic axis may move`,
    );
    const [gone, added] = [onesOf(x.shape), onesOf(shape)];
    const bare = gone.length === 0 ? x : squeeze(x, gone);
    return added.length === 0 ? bare : unsqueeze(bare, added);
  }
  return reshapeOp.emit([x, int64s(x, target)]).output;
}

const withoutOnes = (shape: Shape) => shape.filter((dim) => dim !== 1);
const onesOf = (shape: Shape) => shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));

/** `x` in the shape of `like`, which has as many elements. */
export function reshapeLike(x: Value, like: Value): Value {
  const moved = like.shape.filter((dim, axis) => !isStatic(dim) && dim !== x.shape[axis]);
  return moved.length <= 1 ? reshape(x, like.shape) : reshapeOp.emit([x, shapeOf(like)]).output;
}

export const reshapeOp = defineOperator({
  type: "Reshape",
  since: 19,
  attributes: { allowzero: "int" },
  evaluate: reshapedContent,
  infer: ([x, target]: [Value, Value], { allowzero = 0 }) => {
    const dims = knownDims(target).map((dim, axis) => (dim === 0 && !allowzero ? (x.shape[axis] ?? 0) : dim));
    const size = shapeSize(x.shape);
    const known = shapeSize(dims.filter((dim) => dim !== -1));
    const rest = divideDims(size, known);
    const mismatch = () => `cannot reshape ${shapeText(x.shape)} to ${shapeText(dims)}: the sizes differ`;
    expectShape(dims.filter((dim) => dim === -1).length <= 1 && rest !== undefined, mismatch);
    expectShape(dims.includes(-1) || rest === 1, mismatch);
    return [{ dtype: x.dtype, shape: dims.map((dim) => (dim === -1 ? rest : dim)) }];
  },
  gradient: (dy, { inputs: [x] }) => [reshapeLike(dy, x), null],
});

/** The same elements in the shape that was inferred. */
function reshapedContent([x]: Contents, node: { readonly output: Value }): [Content] | null {
  return x ? [{ shape: outputShape(node), elements: x.elements }] : null;
}

/** `[d0, …, dn]` to two axes: those before `axis` and those from it on. ONNX Flatten-13. */
export function flatten(x: Value, axis = 1): Value {
  return flattenOp.emit([x], { axis }).output;
}

export const flattenOp = defineOperator({
  type: "Flatten",
  since: 13,
  evaluate: reshapedContent,
  attributes: { axis: "int" },
  infer: ([x]: [Value], { axis = 1 }) => {
    const at = axis < 0 ? axis + x.rank : axis;
    return [{ dtype: x.dtype, shape: [shapeSize(x.shape.slice(0, at)), shapeSize(x.shape.slice(at))] }];
  },
  gradient: (dy, { inputs: [x] }) => [reshapeLike(dy, x)],
});

/** `x` without `axes` of length 1 (default: all such). ONNX Squeeze-13. */
export function squeeze(x: Value, axes?: readonly number[]): Value {
  return squeezeOp.emit([x, axes && int64s(x, axes)]).output;
}

export const squeezeOp = defineOperator({
  type: "Squeeze",
  since: 13,
  evaluate: reshapedContent,
  infer: ([x, axes]: [Value, (Value | null | undefined)?]) => {
    const named = constantInts(axes, "axes")?.map((axis) => normalizeAxis(axis, x.rank));
    const wrong = named?.find((axis) => x.shape[axis] !== 1);
    expectShape(wrong === undefined, () => `axis ${wrong} of ${shapeText(x.shape)} does not have length 1`);
    const dropped = (dim: Dim, axis: number) => (named ? named.includes(axis) : dim === 1);
    return [{ dtype: x.dtype, shape: x.shape.filter((dim, axis) => !dropped(dim, axis)) }];
  },
  gradient: (dy, { inputs: [x] }) => [reshapeLike(dy, x), null],
});

/** `x` with new axes of length 1, at `axes` of the result. ONNX Unsqueeze-13. */
export function unsqueeze(x: Value, axes: readonly number[]): Value {
  return unsqueezeOp.emit([x, int64s(x, axes)]).output;
}

export const unsqueezeOp = defineOperator({
  type: "Unsqueeze",
  since: 13,
  evaluate: reshapedContent,
  infer: ([x, axes]: [Value, Value]) => {
    const named = constantInts(axes, "axes") ?? [];
    const rank = x.rank + named.length;
    const added = named.map((axis) => normalizeAxis(axis, rank));
    expectShape(new Set(added).size === added.length, () => `axes ${shapeText(named)} name one axis twice`);
    const rest = [...x.shape];
    return [
      {
        dtype: x.dtype,
        shape: Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : rest.shift()!)),
      },
    ];
  },
  gradient: (dy, { inputs: [x] }) => [reshapeLike(dy, x), null],
});

/** `x` with its axes in the order `perm` (default: reversed). ONNX Transpose-13. */
export function transpose(x: Value, perm?: readonly number[]): Value {
  return transposeOp.emit([x], { perm }).output;
}

/** `x` with its last two axes exchanged. */
export function transposeLast(x: Value): Value {
  const axes = x.shape.map((_, axis) => axis);
  return transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2]);
}

export const transposeOp = defineOperator({
  type: "Transpose",
  since: 13,
  attributes: { perm: "ints" },
  infer: ([x]: [Value], { perm = x.shape.map((_, axis) => x.rank - 1 - axis) }) => {
    const valid = [...perm].sort((a, b) => a - b).every((axis, i) => axis === i) && perm.length === x.rank;
    expectShape(valid, () => `perm ${shapeText(perm)} does not name each axis of ${shapeText(x.shape)} once`);
    return [{ dtype: x.dtype, shape: perm.map((axis) => x.shape[axis]!) }];
  },
  gradient: (dy, { attributes: { perm } }) => [
    transpose(
      dy,
      perm?.map((_, axis) => perm.indexOf(axis)),
    ),
  ],
  evaluate: ([x], node) => {
    if (!x) return null;
    const { perm = x.shape.map((_, i) => i).reverse() } = node.attributes;
    return [moved(x, outputShape(node), (index) => x.shape.map((_, axis) => index[perm.indexOf(axis)]!))];
  },
});

/** `x` repeated along axes of length 1 to `shape`. ONNX Expand-13. */
export function expand(x: Value, shape: readonly number[]): Value {
  return expandOp.emit([x, int64s(x, shape)]).output;
}

/** `x` repeated along axes of length 1 to the shape of `like`. ONNX Expand-13. */
export function expandLike(x: Value, like: Value): Value {
  return sameShape(x.shape, like.shape) ? x : expandOp.emit([x, shapeVector(like)]).output;
}

export const expandOp = defineOperator({
  type: "Expand",
  since: 13,
  infer: ([x, shape]: [Value, Value]) => [
    { dtype: x.dtype, shape: broadcastShapes(x.shape, knownDims(shape)) },
  ],
  gradient: (dy) => [dy, null],
  evaluate: ([x], node) => (x ? [moved(x, outputShape(node), (index) => index)] : null),
  broadcasts: true,
});
