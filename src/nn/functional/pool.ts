// Pooling by windows over one, two and three spatial axes.

import type { Value } from "../../graph/graph.ts";
import * as op from "../../ops/index.ts";
import { bothSides, type PerAxis, perAxis } from "./operand.ts";

/** Options of the pools. */
export interface PoolOptions {
  /** Default: the kernel's size, so that windows do not overlap. */
  readonly stride?: PerAxis;
  /** Default: 0. */
  readonly padding?: PerAxis;
  /** Count a last, partial window. Default: false. */
  readonly ceilMode?: boolean;
}

function poolOptions(
  kernelSize: PerAxis,
  { stride = kernelSize, padding = 0, ceilMode = false }: PoolOptions,
  rank: number,
) {
  return {
    kernel_shape: perAxis(kernelSize, rank),
    strides: perAxis(stride, rank),
    pads: bothSides(padding, rank),
    ceil_mode: ceilMode ? 1 : 0,
  };
}

/** Options of the maximum pools. */
export interface MaxPoolOptions extends PoolOptions {
  /** Default: 1. */
  readonly dilation?: PerAxis;
}

/** The maximum of each window. `[B, C, L]` to `[B, C, L']`. */
export function maxPool1d(x: Value, kernelSize: PerAxis, options: MaxPoolOptions = {}): Value {
  return maxPooled(1, x, kernelSize, options);
}

/** The maximum of each window. `[B, C, H, W]` to `[B, C, H', W']`. */
export function maxPool2d(x: Value, kernelSize: PerAxis, options: MaxPoolOptions = {}): Value {
  return maxPooled(2, x, kernelSize, options);
}

/** The maximum of each window. `[B, C, D, H, W]` to `[B, C, D', H', W']`. */
export function maxPool3d(x: Value, kernelSize: PerAxis, options: MaxPoolOptions = {}): Value {
  return maxPooled(3, x, kernelSize, options);
}

function maxPooled(rank: number, x: Value, kernelSize: PerAxis, options: MaxPoolOptions): Value {
  const dilations = perAxis(options.dilation ?? 1, rank);
  return op.maxPool(x, { ...poolOptions(kernelSize, options, rank), dilations });
}

/** Options of the average pools. */
export interface AvgPoolOptions extends PoolOptions {
  /** Count padding as elements of the mean. Default: true. */
  readonly countIncludePad?: boolean;
}

/** The mean of each window. `[B, C, L]` to `[B, C, L']`. */
export function avgPool1d(x: Value, kernelSize: PerAxis, options: AvgPoolOptions = {}): Value {
  return averaged(1, x, kernelSize, options);
}

/** The mean of each window. `[B, C, H, W]` to `[B, C, H', W']`. */
export function avgPool2d(x: Value, kernelSize: PerAxis, options: AvgPoolOptions = {}): Value {
  return averaged(2, x, kernelSize, options);
}

/** The mean of each window. `[B, C, D, H, W]` to `[B, C, D', H', W']`. */
export function avgPool3d(x: Value, kernelSize: PerAxis, options: AvgPoolOptions = {}): Value {
  return averaged(3, x, kernelSize, options);
}

function averaged(rank: number, x: Value, kernelSize: PerAxis, options: AvgPoolOptions): Value {
  const count_include_pad = (options.countIncludePad ?? true) ? 1 : 0;
  return op.averagePool(x, { ...poolOptions(kernelSize, options, rank), count_include_pad });
}

/** Options of `lpPool1d` and `lpPool2d`. */
export type LpPoolOptions = Pick<PoolOptions, "stride" | "ceilMode">;

/** `(Σ x^normType)^(1 / normType)` of each window. `[B, C, L]` to `[B, C, L']`. */
export function lpPool1d(
  x: Value,
  normType: number,
  kernelSize: PerAxis,
  options: LpPoolOptions = {},
): Value {
  return normPooled(1, x, normType, kernelSize, options);
}

/** `(Σ x^normType)^(1 / normType)` of each window. `[B, C, H, W]` to `[B, C, H', W']`. */
export function lpPool2d(
  x: Value,
  normType: number,
  kernelSize: PerAxis,
  options: LpPoolOptions = {},
): Value {
  return normPooled(2, x, normType, kernelSize, options);
}

function normPooled(
  rank: number,
  x: Value,
  normType: number,
  kernelSize: PerAxis,
  options: LpPoolOptions,
): Value {
  const windows = poolOptions(kernelSize, options, rank);
  if (normType % 2 === 0) return op.lpPool(x, { ...windows, p: normType });
  // ONNX takes absolute values, PyTorch does not: with 1 it is the sum.
  const power = (value: Value, exponent: number) =>
    exponent === 1 ? value : op.pow(value, op.scalar(value, exponent));
  const size = windows.kernel_shape.reduce((a, b) => a * b);
  const sums = op.mul(op.averagePool(power(x, normType), windows), op.scalar(x, size));
  return power(sums, 1 / normType);
}
