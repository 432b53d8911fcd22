// Pooling by maxima, and its inverse.

import type { Value } from "../graph/graph.ts";
import { type Dim, isStatic, shapeSize, shapeText } from "../graph/shape.ts";
import { defineOperator, expectFloats, expectShape } from "./define.ts";
import { gatherElements, scatterElements } from "./gather.ts";
import { inferPool, POOL_ATTRIBUTES, type PoolAttributes, type PoolOptions, poolWindows } from "./pool.ts";
import { fullLike, knownDims, reshape, shapeVector } from "./reshape.ts";
import { extent, type Window, withPads } from "./window.ts";

/** Options of `maxPool`. */
export interface MaxPoolOptions extends PoolOptions {
  /** 1 for indices (the second output) that count along columns. Default: 0, along rows. */
  readonly storage_order?: number;
}

/**
 * The maximum of each window; its gradient goes to the first of equal maxima, in row-major order. `[B, C, *in]` to
 * `[B, C, *out]`. ONNX MaxPool-12.
 */
export function maxPool(x: Value, options: MaxPoolOptions): Value {
  return maxPoolOp.emit([x], { ...options }).output;
}

export const maxPoolOp = defineOperator({
  type: "MaxPool",
  since: 12,
  attributes: { ...POOL_ATTRIBUTES, storage_order: "int" },
  infer: ([x]: [Value], attributes) => {
    const [y] = inferPool([x], attributes);
    return [y, { dtype: "int64", shape: y.shape }];
  },
  written: ({ inputs: [x], attributes }) => withPads(attributes, () => poolWindows(x, attributes)),
  // The second output says where each maximum was found, as an index into all of x. Windows that do not overlap never
  // name a place twice, and MaxUnpool puts dy there, if all of them lie within x; others are added up.
  gradient: (dy, { inputs: [x], outputs, attributes }) => {
    const over = poolWindows(x, attributes);
    const indices = attributes.storage_order === 1 ? rowMajorIndices(x, attributes) : outputs[1]!;
    const apart = over.every(
      ({ stride, kernel, output, input, ...window }) =>
        stride >= extent({ kernel, ...window }) && (output - 1) * stride + kernel <= input,
    );
    if (apart && x.dtype === "float32") return [unpooled(dy, indices, x, over)];
    const zeros = flat(fullLike(x));
    return [reshape(scatterElements(zeros, flat(indices), flat(dy), { reduction: "add" }), x.shape)];
  },
});

/** Where the maxima are, counted along rows whatever `attributes` say. */
function rowMajorIndices(x: Value, attributes: PoolAttributes): Value {
  return maxPoolOp.emit([x], { ...attributes, storage_order: 0 }).outputs[1]!;
}

/** All elements on one axis. */
function flat(x: Value): Value {
  return reshape(x, [shapeSize(x.shape)]);
}

/** dy at the maxima that `indices` name, among zeros in the shape of `like`. */
function unpooled(dy: Value, indices: Value, like: Value, over: readonly Window[]): Value {
  const kernel_shape = over.map(({ kernel }) => kernel);
  const strides = over.map(({ stride }) => stride);
  return maxUnpoolOp.emit([dy, indices, shapeVector(like)], { kernel_shape, strides }).output;
}

/** Options of `maxUnpool`: those of the `maxPool` it undoes; one number per spatial axis. */
export interface MaxUnpoolOptions {
  readonly kernel_shape: readonly number[];
  /** Default: 1. */
  readonly strides?: readonly number[];
  /** All befores, then all afters. Default: 0. */
  readonly pads?: readonly number[];
}

/**
 * Each element of `y` where `indices`, the second output of MaxPool, say that it was; zeros elsewhere. `[B, C, *in]` to
 * `[B, C, *out]`, where out is `(in - 1) * stride + kernel - padding`. ONNX MaxUnpool-11.
 */
export function maxUnpool(y: Value, indices: Value, options: MaxUnpoolOptions): Value {
  return maxUnpoolOp.emit([y, indices], { ...options }).output;
}

type UnpoolInputs = [y: Value, indices: Value, sizes?: Value | null | undefined];

export const maxUnpoolOp = defineOperator({
  type: "MaxUnpool",
  since: 11,
  attributes: { kernel_shape: "ints", pads: "ints", strides: "ints" },
  infer: ([y, indices, sizes]: UnpoolInputs, { kernel_shape: kernels = [], pads = [], strides = [] }) => {
    expectFloats(y);
    const rank = kernels.length;
    expectShape(
      rank > 0 && y.rank === rank + 2 && indices.shape.join() === y.shape.join(),
      () =>
        `a kernel over ${rank} axes and indices ${shapeText(indices.shape)} do not fit ${shapeText(y.shape)}`,
    );
    const unpooledLength = (length: Dim, i: number): Dim => {
      expectShape(
        isStatic(length),
        () => `spatial axis ${i + 2} of ${shapeText(y.shape)} must not be symbolic`,
      );
      return (length - 1) * (strides[i] ?? 1) + kernels[i]! - (pads[i] ?? 0) - (pads[i + rank] ?? 0);
    };
    const shape = sizes
      ? knownDims(sizes)
      : [y.shape[0]!, y.shape[1]!, ...y.shape.slice(2).map(unpooledLength)];
    return [{ dtype: y.dtype, shape }];
  },
  // Each element's own place.
  gradient: (dy, { inputs: [y, indices] }) => [
    reshape(gatherElements(flat(dy), flat(indices)), y.shape),
    null,
    null,
  ],
});
