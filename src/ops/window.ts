// The arithmetic of sliding windows that convolutions and pools share.

import { ArborizeError } from "../base/errors.ts";
import { isStatic, type Shape, shapeText } from "../graph/shape.ts";
import { expectShape } from "./define.ts";

/** The window along one spatial axis. All lengths in elements. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding before and after the input. */
  readonly before: number;
  readonly after: number;
  readonly input: number;
  readonly output: number;
}

/** The attributes that describe windows, under ONNX's names. */
export const WINDOW_ATTRIBUTES = {
  auto_pad: "string",
  dilations: "ints",
  pads: "ints",
  strides: "ints",
} as const;

/** Values of `WINDOW_ATTRIBUTES`. */
export interface WindowAttributes {
  readonly auto_pad?: string | undefined;
  readonly dilations?: readonly number[] | undefined;
  readonly pads?: readonly number[] | undefined;
  readonly strides?: readonly number[] | undefined;
  readonly ceil_mode?: number | undefined;
}

/** How many input elements a window spans, dilation included. */
export function extent({ kernel, dilation }: Pick<Window, "kernel" | "dilation">): number {
  return (kernel - 1) * dilation + 1;
}

/** The windows over the spatial axes (from axis 2 on) of a value of `shape`. @throws `shape_mismatch` when one does not fit. */
export function windows(shape: Shape, kernels: readonly number[], attributes: WindowAttributes): Window[] {
  const { auto_pad: autoPad = "NOTSET", pads, strides, dilations, ceil_mode: ceil = 0 } = attributes;
  const rank = kernels.length;
  expectShape(
    shape.length === rank + 2,
    () => `a kernel over ${rank} axes needs an input of ${rank + 2} axes, it is ${shapeText(shape)}`,
  );
  return kernels.map((kernel, i) => {
    const input = shape[i + 2]!;
    expectShape(isStatic(input), () => `spatial axis ${i + 2} of ${shapeText(shape)} must not be symbolic`);
    const stride = strides?.[i] ?? 1;
    const dilation = dilations?.[i] ?? 1;
    const whole = [kernel, stride, dilation].every((length) => Number.isSafeInteger(length) && length > 0);
    expectShape(
      whole,
      () =>
        `kernel ${kernel}, stride ${stride} and dilation ${dilation} along axis ${i + 2} must be at least 1`,
    );
    const span = extent({ kernel, dilation });
    const [before, after] =
      autoPad === "NOTSET"
        ? [pads?.[i] ?? 0, pads?.[i + rank] ?? 0]
        : autoPadding(autoPad, input, stride, span);
    const room = input + before + after - span;
    expectShape(
      room >= 0,
      () =>
        `a window of ${span} does not fit axis ${i + 2} of ${shapeText(shape)}, padded by ${before} and ${after}`,
    );
    let output = Math.floor(room / stride) + 1;
    // With ceil_mode a last, partial window counts where it starts inside the input or the padding before it.
    if (ceil && room % stride > 0 && output * stride < input + before) output += 1;
    return { kernel, stride, dilation, before, after, input, output };
  });
}

function autoPadding(mode: string, input: number, stride: number, span: number): [number, number] {
  if (mode === "VALID") return [0, 0];
  if (mode !== "SAME_UPPER" && mode !== "SAME_LOWER") {
    throw new ArborizeError("unsupported_attribute", `auto_pad "${mode}" is not one of ONNX's`);
  }
  const total = Math.max((Math.ceil(input / stride) - 1) * stride + span - input, 0);
  const less = Math.floor(total / 2);
  return mode === "SAME_UPPER" ? [less, total - less] : [total - less, less];
}

/** ONNX's `pads` of windows: all befores, then all afters. */
export function padsOf(over: readonly Window[]): number[] {
  return [...over.map(({ before }) => before), ...over.map(({ after }) => after)];
}

/** Every position in a box of the given lengths, last axis fastest. */
export function positions(lengths: readonly number[]): number[][] {
  return lengths.reduce<number[][]>(
    (prefixes, length) => prefixes.flatMap((prefix) => Array.from({ length }, (_, i) => [...prefix, i])),
    [[]],
  );
}
