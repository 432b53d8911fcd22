// PyTorch's functions on values, under PyTorch's names and with its defaults.

import type { Value } from "../graph/graph.ts";
import { normalizeAxis, type Shape, shapeSize, shapeText } from "../graph/shape.ts";
import { expectShape } from "../ops/define.ts";
import * as op from "../ops/index.ts";
import { Parameter, Trace } from "./module.ts";

/** What functions take beside values: parameters of the model being traced, and plain numbers. */
export type Operand = Value | Parameter | number;

/** An operand as a value in the graph of `like`. */
export function operand(like: Value, given: Operand): Value {
  if (typeof given === "number") return op.scalar(like, given);
  return given instanceof Parameter ? Trace.of(like.graph).valueOf(given) : given;
}

/** A number for all spatial axes, or one for each. */
export type PerAxis = number | readonly number[];

function perAxis(given: PerAxis, rank: number): readonly number[] {
  const each = typeof given === "number" ? new Array<number>(rank).fill(given) : given;
  expectShape(
    each.length === rank,
    () => `${shapeText(each)} must have one number for each of ${rank} spatial axes`,
  );
  return each;
}

/** The same padding before and after each axis, as ONNX writes it. */
function bothSides(padding: PerAxis, rank: number): number[] {
  const each = perAxis(padding, rank);
  return [...each, ...each];
}

/** `x Wᵀ + b`. `[..., in]` with weight `[out, in]` and bias `[out]` to `[..., out]`. */
export function linear(x: Value, weight: Operand, bias?: Operand | null): Value {
  const w = operand(x, weight);
  const b = bias == null ? null : operand(x, bias);
  if (x.rank === 2) return op.gemm(x, w, b, { transB: true });
  const product = op.matMul(x, op.transposeLast(w));
  return b ? op.add(product, b) : product;
}

/** Options of the convolutions. */
export interface ConvOptions {
  /** Default: 1. */
  readonly stride?: PerAxis;
  /** Zeros on both sides of each axis, or "same" to keep the lengths (stride 1 only). Default: 0. */
  readonly padding?: PerAxis | "same";
  /** Default: 1. */
  readonly dilation?: PerAxis;
  /** Default: 1. */
  readonly groups?: number;
}

/** `[B, in, H, W]` with weight `[out, in / groups, kH, kW]` and bias `[out]` to `[B, out, H', W']`. */
export function conv2d(x: Value, weight: Operand, bias?: Operand | null, options: ConvOptions = {}): Value {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  const w = operand(x, weight);
  const rank = 2;
  const dilations = perAxis(dilation, rank);
  const strides = perAxis(stride, rank);
  expectShape(
    padding !== "same" || strides.every((each) => each === 1),
    () => `padding "same" needs stride 1, it is ${shapeText(strides)}`,
  );
  return op.conv(x, w, bias == null ? null : operand(x, bias), {
    strides,
    pads: padding === "same" ? samePads(w, dilations) : bothSides(padding, rank),
    dilations,
    group: groups,
  });
}

/** Padding that keeps the lengths at stride 1: the odd zero goes after, as in PyTorch. */
function samePads(w: Value, dilations: readonly number[]): number[] {
  const total = dilations.map((dilation, i) => dilation * ((w.shape[i + 2] as number) - 1));
  return [...total.map((sum) => Math.floor(sum / 2)), ...total.map((sum) => Math.ceil(sum / 2))];
}

/** Options of the pools. */
export interface PoolOptions {
  /** Default: the kernel's size, so that windows do not overlap. */
  readonly stride?: PerAxis;
  /** Default: 0. */
  readonly padding?: PerAxis;
  /** Count a last, partial window. Default: false. */
  readonly ceilMode?: boolean;
}

/** Options of `maxPool2d`. */
export interface MaxPoolOptions extends PoolOptions {
  /** Default: 1. */
  readonly dilation?: PerAxis;
}

/** The maximum of each window. `[B, C, H, W]` to `[B, C, H', W']`. */
export function maxPool2d(x: Value, kernelSize: PerAxis, options: MaxPoolOptions = {}): Value {
  return op.maxPool(x, { ...poolOptions(kernelSize, options), dilations: perAxis(options.dilation ?? 1, 2) });
}

/** Options of `avgPool2d`. */
export interface AvgPoolOptions extends PoolOptions {
  /** Count padding as elements of the mean. Default: true. */
  readonly countIncludePad?: boolean;
}

/** The mean of each window. `[B, C, H, W]` to `[B, C, H', W']`. */
export function avgPool2d(x: Value, kernelSize: PerAxis, options: AvgPoolOptions = {}): Value {
  const count_include_pad = (options.countIncludePad ?? true) ? 1 : 0;
  return op.averagePool(x, { ...poolOptions(kernelSize, options), count_include_pad });
}

function poolOptions(
  kernelSize: PerAxis,
  { stride = kernelSize, padding = 0, ceilMode = false }: PoolOptions,
) {
  return {
    kernel_shape: perAxis(kernelSize, 2),
    strides: perAxis(stride, 2),
    pads: bothSides(padding, 2),
    ceil_mode: ceilMode ? 1 : 0,
  };
}

/** Axes `startDim` to `endDim` as one. Defaults: from axis 1, which keeps the batch, to the last. */
export function flatten(x: Value, startDim = 1, endDim = -1): Value {
  const from = normalizeAxis(startDim, x.rank);
  const to = normalizeAxis(endDim, x.rank);
  if (from === 1 && to === x.rank - 1) return op.flatten(x);
  const joined = shapeSize(x.shape.slice(from, to + 1));
  return op.reshape(x, [...x.shape.slice(0, from), joined, ...x.shape.slice(to + 1)]);
}

/** The elements in another shape, where one -1 stands for what is left over. */
export function reshape(x: Value, shape: Shape): Value {
  const numbers = shape.map((dim, axis) => (typeof dim === "number" ? dim : dim === x.shape[axis] ? 0 : -1));
  return op.reshapeOp.emit([x, op.int64s(x, numbers)]).output;
}

/** Elements set to zero with probability `p` in training and the others scaled by 1 / (1 - p); `x` in evaluation. */
export function dropout(x: Value, p = 0.5): Value {
  expectShape(p >= 0 && p < 1, () => `Dropout's p must be at least 0 and below 1, it is ${p}`);
  return p === 0 ? x : op.dropout(x, p);
}

export { gatherElements, logSoftmax, relu, sigmoid, softmax, tanh } from "../ops/index.ts";
