// Pooling by means and norms of windows, and what all pools share.

import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import { multiplyDims } from "../graph/shape.ts";
import { convTranspose } from "./conv.ts";
import { defineOperator, expectFloats, expectShape, scalar } from "./define.ts";
import { onesForZeros } from "./divisor.ts";
import { div, mul, pow, sign } from "./elementwise.ts";
import { expand, reshape, reshapeLike } from "./reshape.ts";
import { pad } from "./slice.ts";
import {
  extent,
  positions,
  WINDOW_ATTRIBUTES,
  type Window,
  type WindowAttributes,
  windows,
  withPads,
} from "./window.ts";

/** Options of the pools; one number per spatial axis. */
export interface PoolOptions {
  readonly kernel_shape: readonly number[];
  /** Default: 1, as in ONNX (PyTorch's default is the kernel's size). */
  readonly strides?: readonly number[];
  /** Padding around the input: all befores, then all afters. Default: 0. */
  readonly pads?: readonly number[];
  /** Padding by rule instead of `pads`: "VALID" for none, "SAME_UPPER" and "SAME_LOWER" for as many outputs as strides. */
  readonly auto_pad?: "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER";
  /** Default: 1. */
  readonly dilations?: readonly number[];
  /** 1 to count a last, partial window. Default: 0. */
  readonly ceil_mode?: number;
}

export const POOL_ATTRIBUTES = { ...WINDOW_ATTRIBUTES, kernel_shape: "ints", ceil_mode: "int" } as const;

/** Values of `POOL_ATTRIBUTES`. */
export type PoolAttributes = WindowAttributes & { readonly kernel_shape?: readonly number[] | undefined };

/** The windows of a pool over `x`. */
export function poolWindows(x: Value, attributes: PoolAttributes): Window[] {
  return windows(x.shape, attributes.kernel_shape ?? [], attributes);
}

/** The type of a pool's output. */
export function inferPool([x]: [Value], attributes: PoolAttributes): [ValueType] {
  expectFloats(x);
  const lengths = poolWindows(x, attributes).map(({ kernel, before, after, output }) => {
    expectShape(
      Math.max(before, after) < kernel,
      () => `padding by ${before} and ${after} must be less than the kernel of ${kernel}`,
    );
    return output;
  });
  return [{ dtype: x.dtype, shape: [x.shape[0]!, x.shape[1]!, ...lengths] }];
}

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
  attributes: { ...POOL_ATTRIBUTES, count_include_pad: "int" },
  infer: inferPool,
  written: ({ inputs: [x], attributes }) => withPads(attributes, () => poolWindows(x, attributes)),
  // dx: each element of dy, divided by how many its window averages, at every place of the window.
  gradient: (dy, { inputs: [x], attributes }) => {
    const over = poolWindows(x, attributes);
    const shares = windowShares(over, attributes.count_include_pad === 1);
    const first = shares[0]!;
    const even = shares.every((share) => share === first);
    const lengths = over.map(({ output }) => output);
    const factor = even ? scalar(x, first) : x.graph.constant(Tensor.of(lengths, shares, x.dtype));
    return [spread(mul(dy, factor), x, over)];
  },
});

/** One over how many elements each window averages. */
function windowShares(over: readonly Window[], includePad: boolean): number[] {
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

/** Options of `lpPool`. */
export interface LpPoolOptions extends PoolOptions {
  /** Which norm, a whole number. Default: 2. */
  readonly p?: number;
}

/** The p-norm of each window, `(Σ |x|^p)^(1/p)`. `[B, C, *in]` to `[B, C, *out]`. ONNX LpPool-18. */
export function lpPool(x: Value, options: LpPoolOptions): Value {
  return lpPoolOp.emit([x], { ...options }).output;
}

export const lpPoolOp = defineOperator({
  type: "LpPool",
  since: 18,
  attributes: { ...POOL_ATTRIBUTES, p: "int" },
  infer: ([x]: [Value], attributes) => {
    expectNorm(attributes.p);
    return inferPool([x], attributes);
  },
  written: ({ inputs: [x], attributes }) => withPads(attributes, () => poolWindows(x, attributes)),
  // dx = sign(x) |x|^(p-1) Σ dy y^(1-p), over the windows that x is in; 0 where they hold only zeros.
  gradient: (dy, { inputs: [x], attributes, output: y }) => {
    const { p = 2 } = attributes;
    return [mul(normSlope(x, p), spread(perNorm(dy, y, p), x, poolWindows(x, attributes)))];
  },
});

/** Checks which norm it is. @throws `shape_mismatch`. */
export function expectNorm(p = 2): void {
  expectShape(Number.isInteger(p) && p > 0, () => `p must be a whole number above 0, it is ${p}`);
}

/** sign(x) |x|^(p-1) */
export function normSlope(x: Value, p: number): Value {
  if (p === 1) return sign(x);
  const power = p === 2 ? x : pow(x, scalar(x, p - 1));
  return p % 2 === 0 ? power : mul(power, sign(x));
}

/** dy y^(1-p), with 1 for a y of 0. */
export function perNorm(dy: Value, y: Value, p: number): Value {
  if (p === 1) return dy;
  const norm = onesForZeros(y);
  return div(dy, p === 2 ? norm : pow(norm, scalar(y, p - 1)));
}

/**
 * Each element of `y` at every place of its window, added up: the transpose of a sum over windows. Windows that lie side
 * by side repeat their element; others are a transposed convolution with a kernel of ones, channel by channel.
 */
function spread(y: Value, like: Value, over: readonly Window[]): Value {
  const rest = y.shape.slice(2);
  const tiled = over.every(
    ({ stride, kernel, dilation, before }) => stride === kernel && dilation === 1 && before === 0,
  );
  const images = multiplyDims(like.shape[0]!, like.shape[1]!);
  const single = reshape(y, [images, 1, ...rest]);
  const ones = () => y.graph.constant(Tensor.full([1, 1, ...over.map(({ kernel }) => kernel)], 1, y.dtype));
  const strides = over.map(({ stride }) => stride);
  const dilations = over.map(({ dilation }) => dilation);
  const covered = tiled
    ? repeated(single, over)
    : convTranspose(single, ones(), null, { strides, dilations });
  return reshapeLike(fitted(covered, over), like);
}

/** Each element along each spatial axis as often as its window is long. */
function repeated(y: Value, over: readonly Window[]): Value {
  const [images] = y.shape;
  const apart = reshape(y, [images!, ...over.flatMap(({ output }) => [output, 1])]);
  const filled = expand(apart, [1, ...over.flatMap(({ kernel }) => [1, kernel])]);
  return reshape(filled, [images!, 1, ...over.map(({ output, kernel }) => output * kernel)]);
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
