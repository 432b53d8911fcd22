// Convolutions over any number of spatial axes, and how their gradients are formulated from inference operators.

import type { Value } from "../graph/graph.ts";
import { isStatic, sameShape, shapeText } from "../graph/shape.ts";
import { sumPerChannel } from "./channels.ts";
import { concat } from "./concat.ts";
import { defineOperator, expectFloats, expectShape } from "./define.ts";
import { withoutChannelFactor } from "./factor.ts";
import { matMul } from "./matmul.ts";
import { reduceSum } from "./reduce.ts";
import { reshape, transpose, transposeLast } from "./reshape.ts";
import { pad, slice } from "./slice.ts";
import {
  extent,
  padsOf,
  positions,
  transposedWindows,
  WINDOW_ATTRIBUTES,
  type Window,
  windows,
  withPads,
} from "./window.ts";

/** Options of the convolutions; one number per spatial axis. */
export interface ConvOptions {
  /** Default: 1. */
  readonly strides?: readonly number[];
  /** Zeros around the input: all befores, then all afters. Default: 0. */
  readonly pads?: readonly number[];
  /** Padding by rule instead of `pads`: "VALID" for none, "SAME_UPPER" and "SAME_LOWER" for as many outputs as strides. */
  readonly auto_pad?: "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER";
  /** Default: 1. */
  readonly dilations?: readonly number[];
  /** Channels are convolved in this many independent groups. Default: 1. */
  readonly group?: number;
}

type ConvInputs = [x: Value, w: Value, b?: Value | null | undefined];

const ATTRIBUTES = { ...WINDOW_ATTRIBUTES, group: "int", kernel_shape: "ints" } as const;

/** `[B, C, *in]` with weights `[M, C / group, *kernel]` and bias `[M]` to `[B, M, *out]`. ONNX Conv-11. */
export function conv(x: Value, w: Value, b?: Value | null, options: ConvOptions = {}): Value {
  return convOp.emit([x, w, b], { ...options, kernel_shape: kernelOf(w) }).output;
}

export const convOp = defineOperator({
  type: "Conv",
  since: 11,
  attributes: ATTRIBUTES,
  infer: ([x, w, b]: ConvInputs, attributes) => {
    expectFloats(x, w, b);
    const { group = 1 } = attributes;
    const over = windows(x.shape, kernelOf(w, attributes), attributes);
    const wanted = (w.shape[1] as number) * group;
    expectShape(
      x.shape[1] === wanted,
      () =>
        `weight ${shapeText(w.shape)} takes ${wanted} input channels, its input ${shapeText(x.shape)} has ${x.shape[1]}`,
    );
    const channels = w.shape[0] as number;
    expectGroups(channels, group);
    expectBias(b, channels);
    return [{ dtype: x.dtype, shape: [x.shape[0]!, channels, ...over.map(({ output }) => output)] }];
  },
  written: ({ inputs: [x, w], attributes }) =>
    withPads(attributes, () => windows(x.shape, kernelOf(w, attributes), attributes)),
  gradient: (dy, { inputs: [x, w, b], attributes }) => {
    const { group = 1 } = attributes;
    const over = windows(x.shape, kernelOf(w, attributes), attributes);
    const { value, times } = withoutChannelFactor(dy, w.shape[0] as number, over.length);
    return [
      inputGradient(value, times(w), over, group),
      times(weightGradient(value, x, w, over, group)),
      b && times(sumPerChannel(value)),
    ];
  },
});

/** Options of `convTranspose`. */
export interface ConvTransposeOptions extends ConvOptions {
  /** Elements added after each spatial axis of the output, fewer than its stride. Default: 0. */
  readonly output_padding?: readonly number[];
  /** Spatial lengths of the output, which decide the padding instead of `pads`. */
  readonly output_shape?: readonly number[];
}

/**
 * The transpose of `conv`: `[B, C, *in]` with weights `[C, M / group, *kernel]` and bias `[M]` to `[B, M, *out]`, where out is
 * `(in - 1) * stride + (kernel - 1) * dilation + 1 + output_padding - padding`. With `auto_pad` SAME_UPPER or SAME_LOWER it is
 * `in * stride` (less where the windows cover less). ONNX ConvTranspose-11.
 */
export function convTranspose(
  x: Value,
  w: Value,
  b?: Value | null,
  options: ConvTransposeOptions = {},
): Value {
  return convTransposeOp.emit([x, w, b], { ...options, kernel_shape: kernelOf(w) }).output;
}

export const convTransposeOp = defineOperator({
  type: "ConvTranspose",
  since: 11,
  attributes: { ...ATTRIBUTES, output_padding: "ints", output_shape: "ints" },
  infer: ([x, w, b]: ConvInputs, attributes) => {
    expectFloats(x, w, b);
    const { group = 1 } = attributes;
    const over = transposedWindows(x.shape, kernelOf(w, attributes), attributes);
    expectShape(
      x.shape[1] === w.shape[0],
      () =>
        `weight ${shapeText(w.shape)} takes ${w.shape[0]} input channels, its input ${shapeText(x.shape)} has ${x.shape[1]}`,
    );
    expectGroups(w.shape[0] as number, group);
    const channels = (w.shape[1] as number) * group;
    expectBias(b, channels);
    return [{ dtype: x.dtype, shape: [x.shape[0]!, channels, ...over.map(({ input }) => input)] }];
  },
  // The transpose of a transpose: its input gradient is the convolution, and x and dy change places in that of the weights.
  gradient: (dy, { inputs: [x, w, b], attributes }) => {
    const { group = 1 } = attributes;
    const over = transposedWindows(x.shape, kernelOf(w, attributes), attributes);
    return [
      conv(dy, w, null, { ...optionsOf(over), group }),
      weightGradient(x, dy, w, over, group),
      b && sumPerChannel(dy),
    ];
  },
});

/** The options of a convolution over windows. */
function optionsOf(over: readonly Window[]): ConvOptions {
  return {
    strides: over.map(({ stride }) => stride),
    pads: padsOf(over),
    dilations: over.map(({ dilation }) => dilation),
  };
}

function kernelOf(w: Value, { kernel_shape: told }: { kernel_shape?: readonly number[] | undefined } = {}) {
  const kernel = w.shape.slice(2);
  expectShape(
    kernel.length > 0 && w.shape.every(isStatic),
    () => `weight ${shapeText(w.shape)} is not a kernel`,
  );
  expectShape(
    told === undefined || sameShape(told, kernel),
    () => `weight ${shapeText(w.shape)} does not have the kernel_shape ${shapeText(told!)}`,
  );
  return kernel as number[];
}

function expectGroups(channels: number, group: number): void {
  expectShape(channels % group === 0, () => `${channels} channels do not divide into ${group} groups`);
}

function expectBias(b: Value | null | undefined, channels: number): void {
  const fits = !b || (b.rank === 1 && b.shape[0] === channels);
  expectShape(fits, () => `bias ${shapeText(b!.shape)} does not fit ${channels} output channels`);
}

/**
 * dx. For stride 1 it is a convolution of dy with the flipped weights, which runs at the speed of the forward pass; in
 * general it is a transposed convolution.
 */
function inputGradient(dy: Value, w: Value, over: readonly Window[], group: number): Value {
  const dilations = over.map(({ dilation }) => dilation);
  const reach = over.map((window) => extent(window) - 1);
  const pads = [
    ...over.map(({ before }, i) => reach[i]! - before),
    ...over.map(({ after }, i) => reach[i]! - after),
  ];
  if (over.every(({ stride }) => stride === 1) && pads.every((amount) => amount >= 0)) {
    return conv(dy, flippedWeights(w, group), null, { pads, dilations, group });
  }
  return convTranspose(dy, w, null, {
    ...optionsOf(over),
    group,
    // The input elements that no window reached.
    output_padding: over.map(
      (window) =>
        window.input + window.before + window.after - ((window.output - 1) * window.stride + extent(window)),
    ),
  });
}

/** `[M, C / group, *kernel]` to `[C, M / group, *kernel]`, every spatial axis reversed. */
function flippedWeights(w: Value, group: number): Value {
  const [outputs, inputs, ...kernel] = w.shape as number[] as [number, number, ...number[]];
  const spatial = kernel.map((_, i) => i + 3);
  const grouped = reshape(w, [group, outputs / group, inputs, ...kernel]);
  const swapped = reshape(transpose(grouped, [0, 2, 1, ...spatial]), [
    group * inputs,
    outputs / group,
    ...kernel,
  ]);
  const reversed = kernel.flatMap((length, i) =>
    length === 1 ? [] : [{ axis: i + 2, start: -1, end: -length - 1, step: -1 }],
  );
  return reversed.length === 0 ? swapped : slice(swapped, reversed);
}

/** Elements of an unfolded input, for each sample, up to which it is made: 4 MB in float32. */
const LARGEST_UNFOLDED = 2 ** 20;

/**
 * dw: for each sample the product of dy, as a matrix of channels by positions, with the unfolded input, summed over the
 * batch. Unfolding is a slice of the padded input for each place in the kernel; equal ones are shared by all
 * convolutions that read the same input. Where that would be too large, there is a product for each place.
 */
function weightGradient(dy: Value, x: Value, w: Value, over: readonly Window[], group: number): Value {
  const [outputs, inputs, ...kernel] = w.shape as number[] as [number, number, ...number[]];
  const batch = dy.shape[0]!;
  const length = over.reduce((product, { output }) => product * output, 1);
  const padded = pad(
    x,
    over.map(({ before, after }, i) => ({ axis: i + 2, before, after })),
  );
  const taps = positions(kernel).map((position) => {
    const tap = slice(
      padded,
      over.map(({ dilation, stride, output }, i) => {
        const start = position[i]! * dilation;
        return { axis: i + 2, start, end: start + (output - 1) * stride + 1, step: stride };
      }),
    );
    return reshape(tap, [batch, group, inputs, length]);
  });
  const dYs = reshape(dy, [batch, group, outputs / group, length]);
  const product = (tap: Value) => reduceSum(matMul(dYs, transposeLast(tap)), [0]);
  const whole = group * inputs * taps.length * length <= LARGEST_UNFOLDED;
  const products = whole ? product(concat(taps, 2)) : concat(taps.map(product), 2);
  const tapMajor = reshape(products, [outputs, ...kernel, inputs]);
  return transpose(tapMajor, [0, kernel.length + 1, ...kernel.map((_, i) => i + 1)]);
}
