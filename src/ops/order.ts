// Operators that repeat, order, mask and reverse.

import type { Value } from "../graph/graph.ts";
import { isStatic, multiplyDims, normalizeAxis, shapeText } from "../graph/shape.ts";
import { reshapeBy } from "./concat.ts";
import { constantInts, defineOperator, expectShape, int64, int64s } from "./define.ts";
import { moved, outputShape } from "./evaluate.ts";
import { scatterElements } from "./gather.ts";
import { reduceSum } from "./reduce.ts";
import { fullLike, knownDims } from "./reshape.ts";

/** `x` repeated `repeats[axis]` times along each axis. ONNX Tile-13. */
export function tile(x: Value, repeats: readonly number[]): Value {
  return tileOp.emit([x, int64s(x, repeats)]).output;
}

export const tileOp = defineOperator({
  type: "Tile",
  since: 13,
  infer: ([x, repeats]: [Value, Value]) => {
    const times = knownDims(repeats);
    expectShape(
      times.length === x.rank,
      () => `repeats ${shapeText(times)} must have a number for each axis of ${shapeText(x.shape)}`,
    );
    return [{ dtype: x.dtype, shape: x.shape.map((dim, axis) => multiplyDims(dim, times[axis]!)) }];
  },
  // Each repetition on an axis of its own, and summed over it.
  gradient: (dy, { inputs: [x, repeats] }) => {
    const times = knownDims(repeats);
    const repeated = times.map((_, axis) => axis).filter((axis) => times[axis] !== 1);
    const shape = x.shape.flatMap((dim, axis) => (times[axis] === 1 ? [dim] : [times[axis]!, dim]));
    const axes = repeated.map((axis, i) => axis + i);
    return [axes.length === 0 ? dy : reduceSum(reshapeBy(dy, shape, x), axes), null];
  },
  evaluate: ([x], node) =>
    x ? [moved(x, outputShape(node), (index) => index.map((at, axis) => at % x.shape[axis]!))] : null,
});

/** Options of `topK`. */
export interface TopKOptions {
  /** Default: the last. */
  readonly axis?: number;
  /** The largest ones (default) or the smallest. */
  readonly largest?: boolean;
  /** In order (default), or in any. */
  readonly sorted?: boolean;
}

/** The `k` largest elements along an axis and, int64, where they were. ONNX TopK-11. */
export function topK(
  x: Value,
  k: number,
  options: TopKOptions = {},
): readonly [values: Value, indices: Value] {
  const { axis = -1, largest = true, sorted = true } = options;
  const attributes = { axis, largest: Number(largest), sorted: Number(sorted) };
  return topKOp.emit([x, int64s(x, [k])], attributes).outputs as unknown as [Value, Value];
}

export const topKOp = defineOperator({
  type: "TopK",
  since: 11,
  attributes: { axis: "int", largest: "int", sorted: "int" },
  infer: ([x, k]: [Value, Value], { axis = -1 }) => {
    const at = normalizeAxis(axis, x.rank);
    const [count] = constantInts(k, "k") as [number];
    const length = x.shape[at]!;
    expectShape(
      count >= 0 && (!isStatic(length) || count <= length),
      () => `there are no ${count} elements along axis ${at} of ${shapeText(x.shape)}`,
    );
    const shape = x.shape.with(at, count);
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  gradient: (dy, { inputs: [x], outputs: [, indices], attributes: { axis = -1 } }) => [
    scatterElements(fullLike(x), indices!, dy, { axis }),
    null,
  ],
  // The indices come with the values.
  variadicOutputs: true,
});

/**
 * The upper (default) or lower triangle of the matrices in the last two axes, zeros elsewhere. `k` moves the diagonal, which
 * is kept, to the right. ONNX Trilu-14.
 */
export function trilu(
  x: Value,
  { upper = true, k = 0 }: { readonly upper?: boolean; readonly k?: number } = {},
): Value {
  return triangle(x, int64(x, k), Number(upper));
}

function triangle(x: Value, k: Value | null | undefined, upper: number): Value {
  return triluOp.emit([x, k], { upper }).output;
}

export const triluOp = defineOperator({
  type: "Trilu",
  since: 14,
  attributes: { upper: "int" },
  infer: ([x]: [Value, (Value | null | undefined)?]) => {
    expectShape(x.rank >= 2, () => `its input needs two axes, it is ${shapeText(x.shape)}`);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: (dy, { inputs: [, k], attributes: { upper = 1 } }) => [triangle(dy, k, upper), null],
});

/** Axes of `reverseSequence`. */
export interface ReverseSequenceOptions {
  /** Default: 0. */
  readonly timeAxis?: number;
  /** Default: 1. */
  readonly batchAxis?: number;
}

/** The first `lengths[b]` (int64 `[batch]`) elements of each sequence in reversed order, the rest as it is. ONNX ReverseSequence-10. */
export function reverseSequence(x: Value, lengths: Value, options: ReverseSequenceOptions = {}): Value {
  const { timeAxis = 0, batchAxis = 1 } = options;
  return reverseSequenceOp.emit([x, lengths], { time_axis: timeAxis, batch_axis: batchAxis }).output;
}

export const reverseSequenceOp = defineOperator({
  type: "ReverseSequence",
  since: 10,
  attributes: { batch_axis: "int", time_axis: "int" },
  infer: ([x]: [Value, Value]) => [x],
  gradient: (
    dy,
    { inputs: [, lengths], attributes: { time_axis: timeAxis = 0, batch_axis: batchAxis = 1 } },
  ) => [reverseSequence(dy, lengths, { timeAxis, batchAxis }), null],
});
