// Convolutions over one, two and three spatial axes, and their transposes.

import type { Value } from "../../graph/graph.ts";
import { shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import { bothSides, type Operand, operand, optional, type PerAxis, perAxis } from "./operand.ts";

/** Options of the convolutions. */
export interface ConvOptions {
  /** Default: 1. */
  readonly stride?: PerAxis;
  /** Zeros on both sides of each axis, "same" to keep the lengths (stride 1 only), or "valid" for none. Default: 0. */
  readonly padding?: PerAxis | "same" | "valid";
  /** Default: 1. */
  readonly dilation?: PerAxis;
  /** Default: 1. */
  readonly groups?: number;
}

/** `[B, in, L]` with weight `[out, in / groups, k]` and bias `[out]` to `[B, out, L']`. */
export function conv1d(x: Value, weight: Operand, bias?: Operand | null, options: ConvOptions = {}): Value {
  return convolved(1, x, weight, bias, options);
}

/** `[B, in, H, W]` with weight `[out, in / groups, kH, kW]` and bias `[out]` to `[B, out, H', W']`. */
export function conv2d(x: Value, weight: Operand, bias?: Operand | null, options: ConvOptions = {}): Value {
  return convolved(2, x, weight, bias, options);
}

/** `[B, in, D, H, W]` with weight `[out, in / groups, kD, kH, kW]` and bias `[out]` to `[B, out, D', H', W']`. */
export function conv3d(x: Value, weight: Operand, bias?: Operand | null, options: ConvOptions = {}): Value {
  return convolved(3, x, weight, bias, options);
}

function convolved(
  rank: number,
  x: Value,
  weight: Operand,
  bias: Operand | null | undefined,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvOptions,
): Value {
  const w = operand(x, weight);
  const dilations = perAxis(dilation, rank);
  const strides = perAxis(stride, rank);
  expectShape(
    padding !== "same" || strides.every((each) => each === 1),
    () => `padding "same" needs stride 1, it is ${shapeText(strides)}`,
  );
  return op.conv(x, w, optional(x, bias), {
    strides,
    pads: sidesOf(padding, w.shape.slice(2) as readonly number[], dilations),
    dilations,
    group: groups,
  });
}

/** What goes before and after each axis, as ONNX writes it. With "same" the odd element goes after, as in PyTorch. */
export function sidesOf(
  padding: PerAxis | "same" | "valid",
  kernel: readonly number[],
  dilations: readonly number[],
): number[] {
  if (padding !== "same") return bothSides(padding === "valid" ? 0 : padding, kernel.length);
  const total = dilations.map((dilation, i) => dilation * (kernel[i]! - 1));
  return [...total.map((sum) => Math.floor(sum / 2)), ...total.map((sum) => Math.ceil(sum / 2))];
}

/** Options of the transposed convolutions. */
export interface ConvTransposeOptions {
  /** Default: 1. */
  readonly stride?: PerAxis;
  /** How much less of each end of the output there is. Default: 0. */
  readonly padding?: PerAxis;
  /** How much more of the end of the output there is, less than the stride. Default: 0. */
  readonly outputPadding?: PerAxis;
  /** Default: 1. */
  readonly dilation?: PerAxis;
  /** Default: 1. */
  readonly groups?: number;
}

/**
 * `[B, in, L]` with weight `[in, out / groups, k]` and bias `[out]` to `[B, out, L']`, where L' is
 * `(L - 1) * stride - 2 * padding + dilation * (k - 1) + outputPadding + 1`.
 */
export function convTranspose1d(
  x: Value,
  weight: Operand,
  bias?: Operand | null,
  options: ConvTransposeOptions = {},
): Value {
  return convolvedBack(1, x, weight, bias, options);
}

/** `convTranspose1d` along both axes of `[B, in, H, W]`, with weight `[in, out / groups, kH, kW]`. */
export function convTranspose2d(
  x: Value,
  weight: Operand,
  bias?: Operand | null,
  options: ConvTransposeOptions = {},
): Value {
  return convolvedBack(2, x, weight, bias, options);
}

/** `convTranspose1d` along the three axes of `[B, in, D, H, W]`, with weight `[in, out / groups, kD, kH, kW]`. */
export function convTranspose3d(
  x: Value,
  weight: Operand,
  bias?: Operand | null,
  options: ConvTransposeOptions = {},
): Value {
  return convolvedBack(3, x, weight, bias, options);
}

function convolvedBack(
  rank: number,
  x: Value,
  weight: Operand,
  bias: Operand | null | undefined,
  { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 }: ConvTransposeOptions,
): Value {
  return op.convTranspose(x, operand(x, weight), optional(x, bias), {
    strides: perAxis(stride, rank),
    pads: bothSides(padding, rank),
    output_padding: perAxis(outputPadding, rank),
    dilations: perAxis(dilation, rank),
    group: groups,
  });
}
