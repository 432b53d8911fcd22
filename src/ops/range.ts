// Operators that make values from numbers: ranges, one-hot vectors, identity matrices.

import { ArborizeError } from "../base/errors.ts";
import { elementsOf } from "../graph/content.ts";
import type { Value } from "../graph/graph.ts";
import { ceilDivide, type Dim, isStatic, normalizeAxis, shapeText, subtractDims } from "../graph/shape.ts";
import { constantInts, defineOperator, expectShape } from "./define.ts";
import { outputShape } from "./evaluate.ts";

/** `start`, `start + delta`, … up to, not including, `limit`; three scalars of one type. ONNX Range-11. */
export function range(start: Value, limit: Value, delta: Value): Value {
  return rangeOp.emit([start, limit, delta]).output;
}

export const rangeOp = defineOperator({
  type: "Range",
  since: 11,
  infer: (inputs: [start: Value, limit: Value, delta: Value]) => [
    { dtype: inputs[0].dtype, shape: [rangeLength(inputs)] },
  ],
  gradient: { nondifferentiable: "its length depends on its inputs" },
  evaluate: ([start, , delta], node) => {
    const [first, step] = [start?.elements[0], delta?.elements[0]];
    if (typeof first !== "number" || typeof step !== "number") return null;
    const shape = outputShape(node);
    return [{ shape, elements: Array.from({ length: shape[0]! }, (_, i) => first + i * step) }];
  },
});

function rangeLength(inputs: readonly Value[]): Dim {
  const [start, limit, step] = inputs.map((input) => elementsOf(input)?.[0]);
  if (start === undefined || limit === undefined || typeof step !== "number" || step === 0) {
    throw new ArborizeError("invalid_graph", "how many numbers it gives does not follow from the graph");
  }
  if (isStatic(start) && isStatic(limit)) return Math.max(0, Math.ceil((limit - start) / step));
  const span = step > 0 ? subtractDims(limit, start) : subtractDims(start, limit);
  return ceilDivide(span, Math.abs(step));
}

/**
 * Vectors along a new `axis` (default: the last) that are `values[1]` at the place that `indices` name and `values[0]`
 * elsewhere. ONNX OneHot-11.
 */
export function oneHot(indices: Value, depth: Value, values: Value, axis = -1): Value {
  return oneHotOp.emit([indices, depth, values], { axis }).output;
}

export const oneHotOp = defineOperator({
  type: "OneHot",
  since: 11,
  attributes: { axis: "int" },
  infer: ([indices, depth, values]: [Value, Value, Value], { axis = -1 }) => {
    const at = normalizeAxis(axis, indices.rank + 1);
    const [length] = constantInts(depth, "depth") as [number];
    return [{ dtype: values.dtype, shape: indices.shape.toSpliced(at, 0, length) }];
  },
  gradient: { nondifferentiable: "its output is made of indices" },
});

/** A matrix of the shape and element type of `like` with ones on diagonal `k` (default: the main one). ONNX EyeLike-9. */
export function eyeLike(like: Value, k = 0): Value {
  return eyeLikeOp.emit([like], { k }).output;
}

export const eyeLikeOp = defineOperator({
  type: "EyeLike",
  since: 9,
  attributes: { k: "int" },
  infer: ([like]: [Value]) => {
    expectShape(like.rank === 2, () => `its input must be a matrix, it is ${shapeText(like.shape)}`);
    return [{ dtype: like.dtype, shape: like.shape }];
  },
  gradient: () => [null],
});
