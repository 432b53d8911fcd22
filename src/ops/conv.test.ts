import { describe, expect, it } from "vitest";
import { checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
import { Random } from "../base/random.ts";
import { Graph } from "../graph/graph.ts";
import { gradients } from "../transform/gradient.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };
const convCase = (
  x: readonly number[],
  w: readonly number[],
  options: op.ConvOptions = {},
  bias = true,
): GradientCase => ({
  inputs: [{ shape: x, symbolic: B }, { shape: w }, ...(bias ? [{ shape: [w[0]!] }] : [])],
  build: (input, weight, b) => op.conv(input!, weight!, b, options),
  precision: "linear",
});

const transposeCase = (
  x: readonly number[],
  w: readonly number[],
  options: op.ConvTransposeOptions = {},
  bias = true,
): GradientCase => ({
  inputs: [
    { shape: x, symbolic: B },
    { shape: w },
    ...(bias ? [{ shape: [w[1]! * (options.group ?? 1)] }] : []),
  ],
  build: (input, weight, b) => op.convTranspose(input!, weight!, b, options),
  precision: "linear",
});

const CASES: Record<string, GradientCase> = {
  "Conv 3x3": convCase([2, 3, 6, 5], [4, 3, 3, 3]),
  "Conv 1x1, no bias": convCase([2, 3, 4, 4], [5, 3, 1, 1], {}, false),
  "Conv padded unevenly": convCase([2, 2, 5, 6], [3, 2, 3, 2], { pads: [1, 0, 2, 1] }),
  "Conv padded beyond the kernel": convCase([1, 2, 4, 4], [2, 2, 2, 2], { pads: [3, 3, 3, 3] }),
  "Conv strided with a remainder": convCase([2, 2, 8, 7], [3, 2, 3, 2], {
    strides: [3, 2],
    pads: [1, 1, 0, 0],
  }),
  "Conv dilated": convCase([2, 2, 9, 8], [3, 2, 3, 2], { dilations: [2, 3], pads: [1, 1, 1, 1] }),
  "Conv strided and dilated": convCase([1, 2, 11, 10], [2, 2, 3, 3], { strides: [2, 3], dilations: [2, 2] }),
  "Conv grouped": convCase([2, 6, 5, 5], [4, 3, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  "Conv depthwise, strided": convCase([2, 4, 6, 6], [4, 1, 3, 3], { group: 4, strides: [2, 2] }),
  "Conv 1-d": convCase([2, 3, 9], [4, 3, 4], { strides: [2], pads: [1, 2] }),
  "Conv of an input too large to be unfolded": convCase([1, 8, 900], [2, 8, 300]),
  "Conv 3-d": convCase([1, 2, 4, 5, 3], [3, 2, 2, 3, 2], { pads: [0, 1, 1, 1, 1, 0] }),
  "Conv SAME_UPPER, strided": convCase([2, 2, 7, 6], [3, 2, 4, 3], {
    auto_pad: "SAME_UPPER",
    strides: [2, 3],
  }),
  "Conv SAME_LOWER, dilated": convCase([1, 2, 7, 6], [3, 2, 2, 3], {
    auto_pad: "SAME_LOWER",
    dilations: [3, 2],
  }),
  "Conv VALID": convCase([1, 2, 5, 4], [3, 2, 2, 3], { auto_pad: "VALID" }),
  "ConvTranspose 1x1, no bias": transposeCase([2, 3, 3, 4], [3, 5, 1, 1], {}, false),
  "ConvTranspose grouped, with output_padding": transposeCase([2, 4, 3, 4], [4, 3, 3, 2], {
    strides: [2, 3],
    pads: [1, 0, 0, 1],
    group: 2,
    output_padding: [1, 2],
  }),
  "ConvTranspose depthwise, 1-d": transposeCase([2, 4, 5], [4, 1, 3], {
    strides: [2],
    group: 4,
    pads: [2, 0],
  }),
  "ConvTranspose dilated, 3-d": transposeCase([1, 2, 2, 3, 2], [2, 3, 2, 2, 1], {
    strides: [2, 1, 3],
    dilations: [1, 3, 2],
    pads: [0, 1, 0, 1, 0, 0],
  }),
  "ConvTranspose SAME_UPPER": transposeCase([1, 2, 3, 4], [2, 3, 4, 2], {
    auto_pad: "SAME_UPPER",
    strides: [3, 3],
  }),
  "ConvTranspose SAME_LOWER": transposeCase([1, 2, 3, 4], [2, 3, 4, 5], {
    auto_pad: "SAME_LOWER",
    strides: [3, 2],
  }),
  "ConvTranspose VALID": transposeCase([1, 2, 3], [2, 3, 3], { auto_pad: "VALID", strides: [2] }),
  "ConvTranspose to output_shape": transposeCase([1, 2, 3, 3], [2, 3, 3, 3], {
    output_shape: [6, 8],
    strides: [2, 2],
  }),
  "ConvTranspose to output_shape, SAME_UPPER": transposeCase([1, 2, 3, 3], [2, 3, 4, 3], {
    output_shape: [7, 6],
    strides: [2, 2],
    auto_pad: "SAME_UPPER",
  }),
};

/** The gradient of a product of two convolutions, which is linear in each of its inputs again. */
function secondDerivative(convolve: typeof op.conv, weight: readonly number[], wrt: "x" | "w"): GradientCase {
  const image = { shape: [2, 2, 5, 4], symbolic: B };
  const options = { strides: [2, 1], pads: [1, 0, 1, 1] };
  return {
    inputs: [image, { shape: weight }, image, { shape: weight }],
    build: (x, w, other, otherW) => {
      const both = op.mul(convolve(x!, w!, null, options), convolve(other!, otherW!, null, options));
      return gradients(op.reduceSum(both), [wrt === "x" ? x! : w!])[0]!;
    },
    precision: "linear",
  };
}

describe("convolutions", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  for (const wrt of ["x", "w"] as const) {
    it(`Conv, the second derivative by ${wrt}`, () =>
      checkGradient(secondDerivative(op.conv, [3, 2, 3, 2], wrt)));
    it(`ConvTranspose, the second derivative by ${wrt}`, () =>
      checkGradient(secondDerivative(op.convTranspose, [2, 3, 3, 2], wrt)));
  }

  it("ConvTranspose over random shapes, strides, pads, dilations and groups", async () => {
    for (let seed = 1; seed <= 15; seed++)
      await checkGradient({ ...randomTranspose(seed), samples: 6, seed });
  });

  it("Conv over random shapes, strides, pads, dilations and groups", async () => {
    for (let seed = 1; seed <= 25; seed++) await checkGradient({ ...randomConv(seed), samples: 6, seed });
  });

  it("says which module's weight does not fit", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", ["batch", 32, 8, 8]);
    const w = graph.input("w", "float32", [16, 64, 3, 3]);
    expect(() => graph.within("layer1.0.conv1", () => op.conv(x, w))).toThrow(
      'Conv "layer1.0.conv1" (node 0): weight [16, 64, 3, 3] takes 64 input channels, its input [batch, 32, 8, 8] has 32.',
    );
  });
});

function randomConv(seed: number): GradientCase {
  const random = Random.stream(seed, "conv");
  const rank = 1 + random.integer(2);
  const each = (draw: () => number) => Array.from({ length: rank }, draw);
  const group = 1 + random.integer(3);
  const kernel = each(() => 1 + random.integer(3));
  const dilations = each(() => 1 + random.integer(2));
  const strides = each(() => 1 + random.integer(3));
  const pads = [...each(() => random.integer(3)), ...each(() => random.integer(3))];
  const lengths = kernel.map((k, i) => (k - 1) * dilations[i]! + 1 + random.integer(5));
  const channels = group * (1 + random.integer(2));
  const outputs = group * (1 + random.integer(2));
  return convCase([1 + random.integer(3), channels, ...lengths], [outputs, channels / group, ...kernel], {
    group,
    dilations,
    strides,
    pads,
  });
}

function randomTranspose(seed: number): GradientCase {
  const random = Random.stream(seed, "transpose");
  const rank = 1 + random.integer(2);
  const each = (draw: (i: number) => number) => Array.from({ length: rank }, (_, i) => draw(i));
  const group = 1 + random.integer(2);
  const kernel = each(() => 1 + random.integer(3));
  const dilations = each(() => 1 + random.integer(2));
  const strides = each(() => 1 + random.integer(3));
  const lengths = each(() => 2 + random.integer(3));
  const output_padding = each((i) => random.integer(strides[i]!));
  // At least one element stays of each axis.
  const room = each((i) => (lengths[i]! - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]!);
  const before = each((i) => random.integer(Math.min(room[i]!, 2) + 1));
  const after = each((i) => random.integer(Math.min(room[i]! - before[i]!, 2) + 1));
  const channels = group * (1 + random.integer(2));
  return transposeCase(
    [1 + random.integer(3), channels, ...lengths],
    [channels, 1 + random.integer(2), ...kernel],
    {
      group,
      dilations,
      strides,
      output_padding,
      pads: [...before, ...after],
    },
  );
}
