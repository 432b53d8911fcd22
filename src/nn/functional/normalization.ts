// Normalization by each example's own statistics.

import { Tensor } from "../../base/tensor.ts";
import type { Value } from "../../graph/graph.ts";
import { isStatic, sameShape, shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import { mapAxis } from "../../ops/map-axis.ts";
import { type Operand, operand, optional } from "./operand.ts";

/** Options of the normalizations. */
export interface NormOptions {
  /** What the result is multiplied by. Default: nothing. */
  readonly weight?: Operand | null;
  /** What is added to it. Default: nothing. */
  readonly bias?: Operand | null;
  /** What is added to a variance before its root is taken. Default: 1e-5. */
  readonly eps?: number;
}

/** `number` in the given shape. */
function filled(like: Value, shape: readonly number[], number: number): Value {
  return like.graph.constant(Tensor.full(shape, number, like.dtype));
}

function expectLastAxes(x: Value, normalizedShape: readonly number[]): void {
  expectShape(
    normalizedShape.length > 0 && sameShape(x.shape.slice(-normalizedShape.length), normalizedShape),
    () => `the last axes of ${shapeText(x.shape)} are not ${shapeText(normalizedShape)}`,
  );
}

/** `(x - mean) / sqrt(variance + eps) * weight + bias` over the last axes, which are `normalizedShape`. */
export function layerNorm(x: Value, normalizedShape: readonly number[], options: NormOptions = {}): Value {
  expectLastAxes(x, normalizedShape);
  const weight = optional(x, options.weight) ?? filled(x, normalizedShape, 1);
  return op.layerNormalization(x, weight, optional(x, options.bias), {
    axis: -normalizedShape.length,
    ...(options.eps === undefined ? {} : { epsilon: options.eps }),
  });
}

/** Options of `rmsNorm`. */
export interface RmsNormOptions {
  /** What the result is multiplied by. Default: nothing. */
  readonly weight?: Operand | null;
  /** What is added to the mean square. Default: 2^-23, float32's precision, as in PyTorch. */
  readonly eps?: number;
}

/** `x / sqrt(mean(x²) + eps) * weight` over the last axes, which are `normalizedShape`. */
export function rmsNorm(x: Value, normalizedShape: readonly number[], options: RmsNormOptions = {}): Value {
  expectLastAxes(x, normalizedShape);
  const { weight, eps: epsilon = 2 ** -23 } = options;
  return op.rmsNorm(x, optional(x, weight), { axis: -normalizedShape.length, epsilon });
}

/** The channels of `[B, C, ...]`. @throws `shape_mismatch` where they are not known. */
function channelsOf(x: Value): number {
  const channels = x.shape[1];
  expectShape(
    channels !== undefined && isStatic(channels),
    () => `the channels of ${shapeText(x.shape)} must be known`,
  );
  return channels;
}

function perChannel(x: Value, { weight, bias }: NormOptions): [scale: Value, bias: Value] {
  const shape = [channelsOf(x)];
  return [optional(x, weight) ?? filled(x, shape, 1), optional(x, bias) ?? filled(x, shape, 0)];
}

/** The channels of `[B, C, ...]` in `numGroups`, each normalized over channels and places; weight and bias are `[C]`. */
export function groupNorm(x: Value, numGroups: number, options: NormOptions = {}): Value {
  return op.groupNormalization(x, ...perChannel(x, options), numGroups, options.eps);
}

/** Each channel of `[B, C, ...]` normalized over its places; weight and bias are `[C]`. */
export function instanceNorm(x: Value, options: NormOptions = {}): Value {
  return op.instanceNormalization(x, ...perChannel(x, options), options.eps);
}

/** Options of `localResponseNorm`. */
export interface LocalResponseNormOptions {
  /** Default: 1e-4. */
  readonly alpha?: number;
  /** Default: 0.75. */
  readonly beta?: number;
  /** Default: 1. */
  readonly k?: number;
}

/** `x / (k + alpha / size * Σ x²) ** beta`, summed over `size` channels around each. `[B, C, ...]`. */
export function localResponseNorm(x: Value, size: number, options: LocalResponseNormOptions = {}): Value {
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  if (x.rank === 4 && size % 2 === 1) return op.lrn(x, size, { alpha, beta, bias: k });
  const channels = channelsOf(x);
  const before = Math.floor(size / 2);
  // PyTorch takes one more before than after, where it is not the same.
  const rows = Array.from({ length: channels }, (_, i) =>
    Array.from({ length: channels }, (_, j) => (j >= i - before && j < i - before + size ? 1 : 0)),
  );
  const sums = mapAxis(op.mul(x, x), 1, rows);
  const base = op.add(op.mul(sums, operand(x, alpha / size)), operand(x, k));
  return op.div(x, op.pow(base, operand(x, beta)));
}
