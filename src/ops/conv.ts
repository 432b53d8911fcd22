// Convolutions over any number of spatial axes, and how their gradients are formulated from inference operators.

import type { Value } from "../graph/graph.ts";
import { type Dim, isStatic, shapeText } from "../graph/shape.ts";
import { defineOperator, expectFloats, expectShape } from "./define.ts";
import { matMul } from "./matmul.ts";
import { reduceSum } from "./reduce.ts";
import { reshape, transpose, transposeLast } from "./reshape.ts";
import { concat, pad, slice } from "./slice.ts";
import { extent, padsOf, positions, WINDOW_ATTRIBUTES, type Window, windows } from "./window.ts";

/** Options of the convolutions; one number per spatial axis. */
export interface ConvOptions {
  /** Default: 1. */
  readonly strides?: readonly number[];
  /** Zeros around the input: all befores, then all afters. Default: 0. */
  readonly pads?: readonly number[];
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
    const over = windows(x.shape, kernelOf(w), attributes);
    const wanted = (w.shape[1] as number) * group;
    expectShape(
      x.shape[1] === wanted,
      () =>
        `weight ${shapeText(w.shape)} takes ${wanted} input channels, its input ${shapeText(x.shape)} has ${x.shape[1]}`,
    );
    const channels = w.shape[0] as number;
    expectShape(
      channels % group === 0,
      () => `${channels} output channels do not divide into ${group} groups`,
    );
    expectBias(b, channels);
    return [{ dtype: x.dtype, shape: [x.shape[0]!, channels, ...over.map(({ output }) => output)] }];
  },
  gradient: (dy, { inputs: [x, w, b], attributes }) => {
    const { group = 1 } = attributes;
    const over = windows(x.shape, kernelOf(w), attributes);
    return [inputGradient(dy, w, over, group), weightGradient(dy, x, w, over, group), b && biasGradient(dy)];
  },
});

/** Options of `convTranspose`. */
export interface ConvTransposeOptions extends ConvOptions {
  /** Elements added after each spatial axis of the output. Default: 0. */
  readonly output_padding?: readonly number[];
}

/** The transpose of `conv`: `[B, C, *in]` with weights `[C, M / group, *kernel]` to `[B, M, *out]`. ONNX ConvTranspose-11. */
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
  attributes: { ...ATTRIBUTES, output_padding: "ints" },
  infer: ([x, w, b]: ConvInputs, attributes) => {
    expectFloats(x, w, b);
    const { group = 1 } = attributes;
    expectShape(
      x.shape[1] === w.shape[0],
      () =>
        `weight ${shapeText(w.shape)} takes ${w.shape[0]} input channels, its input ${shapeText(x.shape)} has ${x.shape[1]}`,
    );
    const channels = (w.shape[1] as number) * group;
    expectBias(b, channels);
    return [{ dtype: x.dtype, shape: [x.shape[0]!, channels, ...transposedLengths(x, w, attributes)] }];
  },
  // The transpose of a transpose: its input gradient is the convolution, and x and dy change places in that of the weights.
  gradient: (dy, { inputs: [x, w, b], attributes }) => {
    const { strides, pads, dilations, group = 1 } = attributes;
    const options = definedOnly({ strides, pads, dilations });
    const over = windows(dy.shape, kernelOf(w), options);
    return [
      conv(dy, w, null, { ...options, group }),
      weightGradient(x, dy, w, over, group),
      b && biasGradient(dy),
    ];
  },
});

function definedOnly(options: { [K in keyof ConvOptions]: ConvOptions[K] | undefined }): ConvOptions {
  return Object.fromEntries(Object.entries(options).filter(([, option]) => option !== undefined));
}

function kernelOf(w: Value): number[] {
  const kernel = w.shape.slice(2);
  expectShape(
    kernel.length > 0 && w.shape.every(isStatic),
    () => `weight ${shapeText(w.shape)} is not a kernel`,
  );
  return kernel as number[];
}

function expectBias(b: Value | null | undefined, channels: number): void {
  const fits = !b || (b.rank === 1 && b.shape[0] === channels);
  expectShape(fits, () => `bias ${shapeText(b!.shape)} does not fit ${channels} output channels`);
}

function transposedLengths(
  x: Value,
  w: Value,
  {
    strides,
    pads,
    dilations,
    output_padding: extra,
  }: { [K in keyof ConvTransposeOptions]: ConvTransposeOptions[K] | undefined },
): Dim[] {
  const kernel = kernelOf(w);
  return kernel.map((length, i) => {
    const input = x.shape[i + 2]!;
    expectShape(isStatic(input), () => `spatial axis ${i + 2} of ${shapeText(x.shape)} must not be symbolic`);
    const padding = (pads?.[i] ?? 0) + (pads?.[i + kernel.length] ?? 0);
    const span = extent({ kernel: length, dilation: dilations?.[i] ?? 1 });
    return (input - 1) * (strides?.[i] ?? 1) - padding + span + (extra?.[i] ?? 0);
  });
}

/** db: the sum over everything but channels. */
function biasGradient(dy: Value): Value {
  return reduceSum(
    dy,
    dy.shape.map((_, axis) => axis).filter((axis) => axis !== 1),
  );
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
    strides: over.map(({ stride }) => stride),
    pads: padsOf(over),
    dilations,
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

/**
 * dw: for each sample the product of dy, as a matrix of channels by positions, with the unfolded input, summed over the
 * batch. Unfolding is a slice of the padded input for each place in the kernel; equal ones are shared by all
 * convolutions that read the same input.
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
  const unfolded = concat(taps, 2);
  const dYs = reshape(dy, [batch, group, outputs / group, length]);
  const product = reduceSum(matMul(dYs, transposeLast(unfolded)), [0]);
  const tapMajor = reshape(product, [outputs, ...kernel, inputs]);
  return transpose(tapMajor, [0, kernel.length + 1, ...kernel.map((_, i) => i + 1)]);
}
