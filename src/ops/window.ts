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

const AUTO_PADS: readonly string[] = ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"];

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

/** For each place in the kernel, the element that it reads in each window; null for padding. */
export function readsOf({ kernel, dilation, stride, before, input, output }: Window): (number | null)[][] {
  return Array.from({ length: kernel }, (_, tap) =>
    Array.from({ length: output }, (_, place) => {
      const at = place * stride + tap * dilation - before;
      return at >= 0 && at < input ? at : null;
    }),
  );
}

/** The windows over the spatial axes (from axis 2 on) of a value of `shape`. @throws `shape_mismatch` when one does not fit. */
export function windows(shape: Shape, kernels: readonly number[], attributes: WindowAttributes): Window[] {
  const { auto_pad: autoPad = "NOTSET", pads, ceil_mode: ceil = 0 } = attributes;
  return axesOf(shape, kernels, attributes).map(({ kernel, stride, dilation, input, axis }, i) => {
    const span = extent({ kernel, dilation });
    const [before, after] =
      autoPad === "NOTSET"
        ? [pads?.[i] ?? 0, pads?.[i + kernels.length] ?? 0]
        : autoPad === "VALID"
          ? [0, 0]
          : halves((Math.ceil(input / stride) - 1) * stride + span - input, autoPad === "SAME_UPPER");
    const room = input + before + after - span;
    expectShape(
      room >= 0,
      () =>
        `a window of ${span} does not fit axis ${axis} of ${shapeText(shape)}, padded by ${before} and ${after}`,
    );
    let output = Math.floor(room / stride) + 1;
    // With ceil_mode a last, partial window counts where it starts inside the input or the padding before it.
    if (ceil && room % stride > 0 && output * stride < input + before) output += 1;
    return { kernel, stride, dilation, before, after, input, output };
  });
}

/** Attributes of transposed windows, under ONNX's names. */
export interface TransposedAttributes extends WindowAttributes {
  readonly output_padding?: readonly number[] | undefined;
  readonly output_shape?: readonly number[] | undefined;
}

/**
 * The windows whose positions are the spatial axes of a value of `shape`: those that a transposed convolution lays out.
 * `output` is the length of the value, `input` that of what the windows cover together.
 *
 * @throws `shape_mismatch` for attributes that do not go together.
 */
export function transposedWindows(
  shape: Shape,
  kernels: readonly number[],
  attributes: TransposedAttributes,
): Window[] {
  const { auto_pad: autoPad = "NOTSET", pads, output_padding: extras, output_shape: wanted } = attributes;
  for (const list of [extras, wanted]) expectLength(list, kernels.length);
  return axesOf(shape, kernels, attributes).map(({ kernel, stride, dilation, input: output, axis }, i) => {
    const extra = extras?.[i] ?? 0;
    const unpadded = (output - 1) * stride + extent({ kernel, dilation }) + extra;
    const same = autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER";
    const goal = wanted?.[i] ?? (same ? Math.min(output * stride, unpadded) : undefined);
    const [before, after] =
      goal !== undefined
        ? halves(unpadded - goal, autoPad === "SAME_UPPER")
        : autoPad === "VALID"
          ? [0, 0]
          : [pads?.[i] ?? 0, pads?.[i + kernels.length] ?? 0];
    const input = goal ?? unpadded - before - after;
    const left = input + before + after - unpadded + extra;
    expectShape(input > 0, () => `padding by ${before} and ${after} leaves nothing of axis ${axis}`);
    expectShape(
      left >= 0 && left < stride,
      () =>
        `${left} elements are to be added after axis ${axis}, which takes a stride above that: it is ${stride}`,
    );
    return { kernel, stride, dilation, before, after, input, output };
  });
}

/** What is known of each spatial axis before its padding. */
function axesOf(shape: Shape, kernels: readonly number[], attributes: WindowAttributes) {
  const { auto_pad: autoPad = "NOTSET", pads, strides, dilations } = attributes;
  if (!AUTO_PADS.includes(autoPad)) {
    throw new ArborizeError("unsupported_attribute", `auto_pad "${autoPad}" is not one of ONNX's`);
  }
  const rank = kernels.length;
  expectShape(
    rank > 0 && shape.length === rank + 2,
    () => `a kernel over ${rank} axes needs an input of ${rank + 2} axes, it is ${shapeText(shape)}`,
  );
  for (const list of [strides, dilations]) expectLength(list, rank);
  expectLength(pads, 2 * rank);
  return kernels.map((kernel, i) => {
    const axis = i + 2;
    const input = shape[axis]!;
    expectShape(isStatic(input), () => `spatial axis ${axis} of ${shapeText(shape)} must not be symbolic`);
    const stride = strides?.[i] ?? 1;
    const dilation = dilations?.[i] ?? 1;
    const whole = [kernel, stride, dilation].every((length) => Number.isSafeInteger(length) && length > 0);
    expectShape(
      whole,
      () =>
        `kernel ${kernel}, stride ${stride} and dilation ${dilation} along axis ${axis} must be at least 1`,
    );
    return { kernel, stride, dilation, input, axis };
  });
}

function expectLength(list: readonly number[] | undefined, length: number): void {
  expectShape(
    list === undefined || list.length === length,
    () => `${shapeText(list!)} must have ${length} numbers`,
  );
}

/** Padding by `total` in two parts, the odd one after (`upper`) or before. */
function halves(total: number, upper: boolean): [number, number] {
  const less = Math.floor(Math.max(total, 0) / 2);
  const more = Math.max(total, 0) - less;
  return upper ? [less, more] : [more, less];
}

/**
 * Attributes as the runtime takes them: `auto_pad` as the pads that it stands for, which it refuses for dilated convolutions
 * and makes too few for dilated pools; and no `ceil_mode` where no partial window counts, since its shape inference counts
 * those that start beyond the input.
 */
export function withPads<A extends WindowAttributes>(attributes: A, over: () => readonly Window[]): A {
  const { auto_pad: autoPad, ceil_mode: ceil } = attributes;
  const padded = autoPad?.startsWith("SAME") ? { auto_pad: undefined, pads: padsOf(over()) } : {};
  const whole = ceil && over().every(({ output, stride, ...at }) => (output - 1) * stride <= room(at));
  return { ...attributes, ...padded, ...(whole ? { ceil_mode: undefined } : {}) };
}

/** How far a window can slide: what its axis has besides it, padding included. */
function room(window: Pick<Window, "kernel" | "dilation" | "input" | "before" | "after">): number {
  return window.input + window.before + window.after - extent(window);
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
