import { describe, expect, it } from "vitest";
import { checkGradient, distinct, type GradientCase } from "../../test/support/checkGradient.ts";
import { Random } from "../base/random.ts";
import { Graph } from "../graph/graph.ts";
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
  "Conv 3-d": convCase([1, 2, 4, 5, 3], [3, 2, 2, 3, 2], { pads: [0, 1, 1, 1, 1, 0] }),
  ConvTranspose: {
    inputs: [{ shape: [2, 4, 3, 4], symbolic: B }, { shape: [4, 3, 3, 2] }, { shape: [6] }],
    build: (x, w, b) =>
      op.convTranspose(x!, w!, b, { strides: [2, 3], pads: [1, 0, 0, 1], group: 2, output_padding: [1, 2] }),
    precision: "linear",
  },
  "MaxPool 2x2": {
    inputs: [{ shape: [2, 3, 6, 4], symbolic: B, draw: distinct }],
    build: (x) => op.maxPool(x!, { kernel_shape: [2, 2], strides: [2, 2] }),
  },
  "MaxPool of an odd length": {
    inputs: [{ shape: [2, 3, 7, 5], symbolic: B, draw: distinct }],
    build: (x) => op.maxPool(x!, { kernel_shape: [2, 2], strides: [2, 2] }),
  },
  "MaxPool overlapping, padded, ceil": {
    inputs: [{ shape: [2, 2, 7, 6], symbolic: B, draw: distinct }],
    build: (x) => op.maxPool(x!, { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }),
  },
  "MaxPool dilated, 1-d": {
    inputs: [{ shape: [2, 2, 9], symbolic: B, draw: distinct }],
    build: (x) => op.maxPool(x!, { kernel_shape: [3], strides: [1], dilations: [2] }),
  },
  "AveragePool 2x2": {
    inputs: [{ shape: [2, 3, 6, 5], symbolic: B }],
    build: (x) => op.averagePool(x!, { kernel_shape: [2, 2], strides: [2, 2] }),
    precision: "linear",
  },
  "AveragePool overlapping, padding counted": {
    inputs: [{ shape: [2, 2, 7, 6], symbolic: B }],
    build: (x) =>
      op.averagePool(x!, { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
    precision: "linear",
  },
  "AveragePool overlapping, padding not counted": {
    inputs: [{ shape: [2, 2, 7, 6], symbolic: B }],
    build: (x) => op.averagePool(x!, { kernel_shape: [3, 2], strides: [1, 2], pads: [1, 0, 1, 1] }),
    precision: "linear",
  },
  "AveragePool ceil": {
    inputs: [{ shape: [2, 2, 6], symbolic: B }],
    build: (x) => op.averagePool(x!, { kernel_shape: [3], strides: [2], pads: [1, 0], ceil_mode: 1 }),
    precision: "linear",
  },
};

describe("convolutions and pools", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  it("Conv over random shapes, strides, pads, dilations and groups", async () => {
    for (let seed = 1; seed <= 25; seed++) await checkGradient({ ...randomConv(seed), samples: 6, seed });
  });

  it("MaxPool without overlap in float32 puts dy where the maximum was", async () => {
    await checkGradient({
      inputs: [{ shape: [2, 3, 6, 4], symbolic: B, draw: (_, i) => ((i * 7919) % 1009) * 4 }],
      build: (x) => op.maxPool(x!, { kernel_shape: [2, 2], strides: [2, 2] }),
      precision: "linear",
    });
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
