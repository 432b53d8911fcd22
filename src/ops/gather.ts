// Operators that pick elements by index, and put them back.

import { numbersOf } from "../graph/content.ts";
import type { Value } from "../graph/graph.ts";
import { isStatic, normalizeAxis, shapeText } from "../graph/shape.ts";
import { defineOperator, expectIndices, expectShape } from "./define.ts";
import { eachIndex, elementAt, outputShape } from "./evaluate.ts";
import { fullLike, transpose, unsqueeze } from "./reshape.ts";
import { scatterND } from "./scatter.ts";
import { pad } from "./slice.ts";

/**
 * `data[:, …, indices, …, :]`: the slices that `indices` name along `axis`, whose place in the shape that of `indices` takes.
 * Negative indices count from the end. ONNX Gather-13.
 */
export function gather(data: Value, indices: Value, axis = 0): Value {
  return gatherOp.emit([data, indices], { axis }).output;
}

export const gatherOp = defineOperator({
  type: "Gather",
  since: 13,
  attributes: { axis: "int" },
  infer: ([data, indices]: [Value, Value], { axis = 0 }) => {
    expectIndices(indices);
    const at = normalizeAxis(axis, data.rank);
    expectShape(data.rank > 0, () => "its data must not be a scalar");
    return [
      {
        dtype: data.dtype,
        shape: [...data.shape.slice(0, at), ...indices.shape, ...data.shape.slice(at + 1)],
      },
    ];
  },
  gradient: (dy, { inputs: [data, indices], attributes: { axis = 0 } }) => {
    const at = normalizeAxis(axis, data.rank);
    return [pickedBack(dy, data, indices, at) ?? scatterSlices(dy, data, indices, at), null];
  },
  evaluate: ([data, indices], node) => {
    const { axis = 0 } = node.attributes;
    if (!data || !indices) return null;
    const at = normalizeAxis(axis, data.shape.length);
    const length = data.shape[at]!;
    const rank = indices.shape.length;
    const shape = outputShape(node);
    const elements = eachIndex(shape).map((index) => {
      const picked = elementAt(indices, index.slice(at, at + rank));
      if (typeof picked !== "number") return null;
      const place = picked < 0 ? picked + length : picked;
      return place < length
        ? elementAt(data, [...index.slice(0, at), place, ...index.slice(at + rank)])
        : null;
    });
    return [{ shape, elements }];
  },
});

/** The gradient for one index that is known: dy among zeros. */
function pickedBack(dy: Value, data: Value, indices: Value, axis: number): Value | null {
  const length = data.shape[axis]!;
  const [index, second] = numbersOf(indices) ?? [];
  if (index === undefined || second !== undefined || indices.rank > 1 || !isStatic(length)) return null;
  const place = index < 0 ? index + length : index;
  const row = indices.rank === 0 ? unsqueeze(dy, [axis]) : dy;
  return pad(row, [{ axis, before: place, after: length - place - 1 }]);
}

/** A slice that is picked several times gets the sum of its cotangents. */
function scatterSlices(dy: Value, data: Value, indices: Value, axis: number): Value {
  const rank = indices.rank;
  const front = dy.shape.map((_, i) => i);
  const indexAxes = front.splice(axis, rank);
  const rows = transposeIfMoved(dy, [...indexAxes, ...front]);
  const order = data.shape.map((_, i) => i);
  order.splice(axis, 1);
  const zeros = transposeIfMoved(fullLike(data), [axis, ...order]);
  const summed = scatterND(zeros, unsqueeze(indices, [-1]), rows, { reduction: "add" });
  const back = data.shape.map((_, i) => (i === axis ? 0 : i < axis ? i + 1 : i));
  return transposeIfMoved(summed, back);
}

function transposeIfMoved(x: Value, perm: readonly number[]): Value {
  return perm.every((axis, i) => axis === i) ? x : transpose(x, perm);
}

/** `data[..., indices[..., i, ...], ...]` along `axis`; the output has the shape of `indices`. ONNX GatherElements-13. */
export function gatherElements(data: Value, indices: Value, axis = 0): Value {
  return gatherElementsOp.emit([data, indices], { axis }).output;
}

export const gatherElementsOp = defineOperator({
  type: "GatherElements",
  since: 13,
  attributes: { axis: "int" },
  infer: ([data, indices]: [Value, Value], { axis = 0 }) => {
    expectIndices(indices);
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
    expectIndices(indices);
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
