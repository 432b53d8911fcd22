// Pooling over spatial axes.

import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { isStatic, multiplyDims, shapeSize, shapeText } from "../graph/shape.ts";
import { convTranspose } from "./conv.ts";
import { defineOperator, expectFloats, expectShape, scalar } from "./define.ts";
import { mul } from "./elementwise.ts";
import { gatherElements, scatterElements } from "./gather.ts";
import { expandLike, fullLike, knownDims, reshape, shapeVector } from "./reshape.ts";
import { pad } from "./slice.ts";
import { extent, positions, WINDOW_ATTRIBUTES, type Window, windows } from "./window.ts";

/** Options of the pools; one number per spatial axis. */
export interface PoolOptions {
  readonly kernel_shape: readonly number[];
  /** Default: 1, as in ONNX (PyTorch's default is the kernel's size). */
  readonly strides?: readonly number[];
  /** Padding around the input: all befores, then all afters. Default: 0. */
  readonly pads?: readonly number[];
  /** Default: 1. */
  readonly dilations?: readonly number[];
  /** 1 to count a last, partial window. Default: 0. */
  readonly ceil_mode?: number;
}

const ATTRIBUTES = { ...WINDOW_ATTRIBUTES, kernel_shape: "ints", ceil_mode: "int" } as const;

function pooledShape(x: Value, over: readonly Window[]) {
  return [x.shape[0]!, x.shape[1]!, ...over.map(({ output }) => output)];
}

/** The maximum of each window. `[B, C, *in]` to `[B, C, *out]`. ONNX MaxPool-12. */
export function maxPool(x: Value, options: PoolOptions): Value {
  return maxPoolOp.emit([x], { ...options }).output;
}

export const maxPoolOp = defineOperator({
  type: "MaxPool",
  since: 12,
  attributes: { ...ATTRIBUTES, storage_order: "int" },
  infer: ([x]: [Value], attributes) => {
    expectFloats(x);
    const shape = pooledShape(x, windows(x.shape, attributes.kernel_shape ?? [], attributes));
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  // The second output says where each maximum was found, as an index into all of x. Windows that do not overlap never
  // name a place twice, and MaxUnpool puts dy there; others are added up.
  gradient: (dy, { inputs: [x], outputs: [, indices], attributes }) => {
    const over = windows(x.shape, attributes.kernel_shape ?? [], attributes);
    const apart = over.every((window) => window.stride >= extent(window));
    if (apart && x.dtype === "float32") return [maxUnpool(dy, indices!, x, over)];
    const zeros = flat(fullLike(x));
    return [reshape(scatterElements(zeros, flat(indices!), flat(dy), { reduction: "add" }), x.shape)];
  },
});

/** All elements on one axis. */
function flat(x: Value): Value {
  return reshape(x, [shapeSize(x.shape)]);
}

/** Puts each element of `y` where `indices` say, among zeros in the shape of `like`. ONNX MaxUnpool-11. */
function maxUnpool(y: Value, indices: Value, like: Value, over: readonly Window[]): Value {
  const kernel_shape = over.map(({ kernel }) => kernel);
  const strides = over.map(({ stride }) => stride);
  return maxUnpoolOp.emit([y, indices, shapeVector(like)], { kernel_shape, strides }).output;
}

export const maxUnpoolOp = defineOperator({
  type: "MaxUnpool",
  since: 11,
  attributes: { kernel_shape: "ints", pads: "ints", strides: "ints" },
  infer: ([y, , sizes]: [Value, Value, Value]) => [{ dtype: y.dtype, shape: knownDims(sizes) }],
  gradient: (dy, { inputs: [y, indices] }) => [
    reshape(gatherElements(flat(dy), flat(indices)), y.shape),
    null,
    null,
  ],
});

/** Options of `averagePool`. */
export interface AveragePoolOptions extends PoolOptions {
  /** 1 to count padding as elements of the mean. Default: 0 (PyTorch's default is to count it). */
  readonly count_include_pad?: number;
}

/** The mean of each window. `[B, C, *in]` to `[B, C, *out]`. ONNX AveragePool-19. */
export function averagePool(x: Value, options: AveragePoolOptions): Value {
  return averagePoolOp.emit([x], { ...options }).output;
}

export const averagePoolOp = defineOperator({
  type: "AveragePool",
  since: 19,
  attributes: { ...ATTRIBUTES, count_include_pad: "int" },
  infer: ([x]: [Value], attributes) => {
    expectFloats(x);
    return [
      { dtype: x.dtype, shape: pooledShape(x, windows(x.shape, attributes.kernel_shape ?? [], attributes)) },
    ];
  },
  // Each element of dy, divided by its window's count, goes to every place of the window: a transposed convolution with a
  // kernel of ones, channel by channel.
  gradient: (dy, { inputs: [x], attributes }) => {
    const over = windows(x.shape, attributes.kernel_shape ?? [], attributes);
    const kernel = over.map((window) => window.kernel);
    const counts = windowCounts(over, attributes.count_include_pad === 1);
    const shares = mul(
      dy,
      x.graph.constant(Tensor.of([...over.map(({ output }) => output)], counts, x.dtype)),
    );
    const channels = multiplyDims(x.shape[0]!, x.shape[1]!);
    const ones = x.graph.constant(Tensor.full([1, 1, ...kernel], 1, x.dtype));
    const padded = convTranspose(reshape(shares, [channels, 1, ...shares.shape.slice(2)]), ones, null, {
      strides: over.map(({ stride }) => stride),
      dilations: over.map(({ dilation }) => dilation),
    });
    return [reshape(fitted(padded, over), x.shape)];
  },
});

/** One over how many elements each window averages. */
function windowCounts(over: readonly Window[], includePad: boolean): number[] {
  const along = over.map((window) =>
    Array.from({ length: window.output }, (_, i) => {
      const first = i * window.stride - window.before;
      const [low, high] = includePad ? [-window.before, window.input + window.after] : [0, window.input];
      const places = Array.from({ length: window.kernel }, (_, k) => first + k * window.dilation);
      return places.filter((place) => place >= low && place < high).length;
    }),
  );
  return positions(over.map(({ output }) => output)).map((position) =>
    position.reduce((share, at, axis) => share / along[axis]![at]!, 1),
  );
}

/** What windows cover, cut or filled up with zeros to the input that they slid over. */
function fitted(covered: Value, over: readonly Window[]): Value {
  return pad(
    covered,
    over.map((window, i) => {
      const length = (window.output - 1) * window.stride + extent(window);
      return { axis: i + 2, before: -window.before, after: window.input + window.before - length };
    }),
  );
}

/** The mean over all spatial axes, which stay with length 1. ONNX GlobalAveragePool-1. */
export function globalAveragePool(x: Value): Value {
  return globalAveragePoolOp.emit([x]).output;
}

export const globalAveragePoolOp = defineOperator({
  type: "GlobalAveragePool",
  since: 1,
  infer: ([x]: [Value]) => {
    expectFloats(x);
    expectShape(x.rank > 2, () => `its input needs spatial axes, it is ${shapeText(x.shape)}`);
    return [{ dtype: x.dtype, shape: x.shape.map((dim, axis) => (axis < 2 ? dim : 1)) }];
  },
  gradient: (dy, { inputs: [x] }) => {
    const area = shapeSize(x.shape.slice(2));
    expectShape(
      isStatic(area),
      () => `its gradient needs known spatial axes, its input is ${shapeText(x.shape)}`,
    );
    return [expandLike(mul(dy, scalar(dy, 1 / area)), x)];
  },
});
