// Operators that join values along an axis and cut them into parts.

import type { Value } from "../graph/graph.ts";
import type { Content } from "../graph/operator.ts";
import { addDims, type Dim, isStatic, normalizeAxis, type Shape, shapeText } from "../graph/shape.ts";
import { defineOperator, expectShape, int64s } from "./define.ts";
import { eachIndex, elementAt, moved, outputShape, unknownContent } from "./evaluate.ts";
import { fullLike, knownDims, reshape, reshapeOp, shapeOf } from "./reshape.ts";

/** The values one after another along `axis`. ONNX Concat-13. */
export function concat(values: readonly Value[], axis: number): Value {
  return values.length === 1 ? values[0]! : concatOp.emit(values, { axis }).output;
}

export const concatOp = defineOperator({
  type: "Concat",
  since: 13,
  attributes: { axis: "int" },
  infer: (values: readonly Value[], { axis = 0 }) => {
    const [first] = values as [Value];
    const at = normalizeAxis(axis, first.rank);
    for (const value of values) {
      const fits =
        value.rank === first.rank && value.shape.every((dim, i) => i === at || dim === first.shape[i]);
      expectShape(
        fits && value.dtype === first.dtype,
        () =>
          `cannot join ${first.dtype}${shapeText(first.shape)} and ${value.dtype}${shapeText(value.shape)} along axis ${at}`,
      );
    }
    const length = values.map((value) => value.shape[at]!).reduce(addDims);
    return [{ dtype: first.dtype, shape: first.shape.map((dim, i) => (i === at ? length : dim)) }];
  },
  gradient: (dy, { inputs: values, attributes: { axis = 0 } }) => {
    const lengths = values.map((value) => value.shape[normalizeAxis(axis, value.rank)]!);
    if (lengths.every(isStatic)) return split(dy, lengths, axis);
    // Symbolic lengths are read off when run.
    const at = normalizeAxis(axis, dy.rank);
    const sizes = concat(
      values.map((value) => shapeOf(value, at, at + 1)),
      0,
    );
    return splitOp.emit([dy, sizes], { axis }).outputs;
  },
  evaluate: (inputs, node) => {
    const { axis = 0 } = node.attributes;
    const at = normalizeAxis(axis, node.output.rank);
    const parts = inputs.map(
      (input, i): Content => input ?? unknownContent(node.inputs[i]!.shape as readonly number[]),
    );
    const shape = outputShape(node);
    const elements = eachIndex(shape).map((index) => {
      let place = index[at]!;
      let part = 0;
      while (place >= parts[part]!.shape[at]!) place -= parts[part++]!.shape[at]!;
      return elementAt(parts[part]!, index.with(at, place));
    });
    return [{ shape, elements }];
  },
});

/** `reshape` to a shape of which several symbolic lengths may move: they are read off `like`, which has them. */
export function reshapeBy(x: Value, shape: Shape, like: Value): Value {
  const moved = shape.filter((dim, axis) => !isStatic(dim) && dim !== x.shape[axis]);
  if (moved.length < 2) return reshape(x, shape);
  const lengths = shape.map((dim) => {
    const axis = like.shape.indexOf(dim);
    return isStatic(dim) ? int64s(x, [dim]) : shapeOf(like, axis, axis + 1);
  });
  return reshapeOp.emit([x, concat(lengths, 0)]).output;
}

/** Consecutive parts of the given `lengths` along `axis`. ONNX Split-18. */
export function split(x: Value, lengths: readonly number[], axis: number): readonly Value[] {
  return lengths.length === 1 ? [x] : splitOp.emit([x, int64s(x, lengths)], { axis }).outputs;
}

export const splitOp = defineOperator({
  type: "Split",
  since: 18,
  attributes: { axis: "int", num_outputs: "int" },
  infer: ([x, lengths]: [Value, (Value | null | undefined)?], { axis = 0, num_outputs: parts }) => {
    const at = normalizeAxis(axis, x.rank);
    const total = x.shape[at]!;
    const each = lengths ? knownDims(lengths) : evenParts(total, parts ?? 0);
    expectShape(
      each.reduce(addDims, 0) === total,
      () => `parts ${shapeText(each)} do not add up to axis ${at} of ${shapeText(x.shape)}`,
    );
    return each.map((length) => ({
      dtype: x.dtype,
      shape: x.shape.map((dim, i) => (i === at ? length : dim)),
    }));
  },
  gradient: (_, { outputs, attributes: { axis = 0 } }, cotangents) => [
    concat(
      outputs.map((part, i) => cotangents[i] ?? fullLike(part)),
      axis,
    ),
    null,
  ],
  evaluate: ([x], { outputs, attributes: { axis = 0 } }) => {
    if (!x) return null;
    const at = normalizeAxis(axis, x.shape.length);
    let start = 0;
    return outputs.map((part) => {
      const shape = part.shape as readonly number[];
      const from = start;
      start += shape[at]!;
      return moved(x, shape, (index) => index.with(at, index[at]! + from));
    });
  },
  variadicOutputs: true,
});

/** Into more parts nothing is split evenly: a damaged file must not take all memory. */
const MOST_PARTS = 65_536;

/** ONNX's rule for `num_outputs`: equal parts, the last one smaller where it does not go up evenly. */
function evenParts(total: Dim, parts: number): number[] {
  expectShape(
    isStatic(total) && parts > 0 && parts <= Math.min(total, MOST_PARTS),
    () => `cannot split an axis of length ${total} into ${parts} parts`,
  );
  const length = Math.ceil(total / parts);
  return Array.from({ length: parts }, (_, i) => Math.min(length, total - i * length));
}
