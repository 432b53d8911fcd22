import { describe, expect, it } from "vitest";
import { checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
import { evaluate, gradientsAt } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { gradients } from "../transform/gradient.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };
const kept = { keepDims: true };

/** By its formula: less the mean, divided by the root of the variance plus `epsilon`, over `axes`. */
function standardized(x: Value, axes: readonly number[], epsilon: number) {
  const mean = op.reduceMean(x, axes, kept);
  const centered = op.sub(x, mean);
  const variance = op.reduceMean(op.mul(centered, centered), axes, kept);
  const inverse = op.reciprocal(op.sqrt(op.add(variance, op.scalar(x, epsilon))));
  return { mean, inverse, y: op.mul(centered, inverse) };
}

/** Groups of channels by the formula: `[B, C, ...]` of known lengths. */
function grouped(x: Value, scale: Value, bias: Value, groups: number, epsilon: number): Value {
  const [, channels, ...places] = x.shape as number[];
  const split = op.reshape(x, [x.shape[0]!, groups, channels! / groups, ...places]);
  const axes = split.shape.map((_, axis) => axis).slice(2);
  const y = op.reshapeLike(standardized(split, axes, epsilon).y, x);
  const perChannel = [channels!, ...places.map(() => 1)];
  return op.add(op.mul(y, op.reshape(scale, perChannel)), op.reshape(bias, perChannel));
}

const group = (shape: readonly number[], groups: number): GradientCase => ({
  inputs: [{ shape, symbolic: B }, { shape: [shape[1]!] }, { shape: [shape[1]!] }],
  build: (x, scale, bias) => op.groupNormalization(x!, scale!, bias!, groups, 0.1),
  reference: (x, scale, bias) => grouped(x!, scale!, bias!, groups, 0.1),
});

/** Everything that layer normalization computes, added up so that gradients flow from all of it. */
const withStatistics = (x: Value, scale: Value) => {
  const outputs = op.layerNormalizationOp.emit([x, scale], { epsilon: 0.1 }).outputs;
  return outputs.reduce(op.add);
};
const withStatisticsByFormula = (x: Value, scale: Value) => {
  const { y, mean, inverse } = standardized(x, [-1], 0.1);
  return op.add(op.add(op.mul(y, scale), mean), inverse);
};
const slopeOfCube = (build: (x: Value, scale: Value) => Value) => (x?: Value, scale?: Value) => {
  const y = build(x!, scale!);
  return gradients(op.reduceSum(op.mul(y, op.mul(y, y))), [x!])[0]!;
};

const CASES: Record<string, GradientCase> = {
  "LayerNormalization, last axis": {
    inputs: [{ shape: [2, 3, 5], symbolic: { 0: "batch", 1: "time" } }, { shape: [5] }, { shape: [5] }],
    build: (x, scale, bias) => op.layerNormalization(x!, scale!, bias),
  },
  "LayerNormalization, two axes": {
    inputs: [{ shape: [3, 2, 4], symbolic: B }, { shape: [2, 4] }, { shape: [2, 4] }],
    build: (x, scale, bias) => op.layerNormalization(x!, scale!, bias, { axis: -2, epsilon: 0.1 }),
  },
  "LayerNormalization, without bias": {
    inputs: [{ shape: [3, 4], symbolic: B }, { shape: [4] }],
    build: (x, scale) => op.layerNormalization(x!, scale!),
  },
  "LayerNormalization, one scale, of symbolic lengths": {
    inputs: [{ shape: [3, 4], symbolic: { 0: "batch", 1: "time" } }, { shape: [1] }, { shape: [1] }],
    build: (x, scale, bias) => op.layerNormalization(x!, scale!, bias),
  },
  "LayerNormalization, a scale for each of two axes": {
    inputs: [{ shape: [3, 2, 4] }, { shape: [2, 1] }, { shape: [4] }],
    build: (x, scale, bias) => op.layerNormalization(x!, scale!, bias, { axis: 1 }),
  },
  "LayerNormalization, from the statistics too": {
    inputs: [{ shape: [3, 6], symbolic: B }, { shape: [6] }],
    build: (x, scale) => withStatistics(x!, scale!),
    reference: (x, scale) => withStatisticsByFormula(x!, scale!),
  },
  "LayerNormalization, from the statistics alone": {
    inputs: [{ shape: [3, 6], symbolic: B }],
    build: (x) => {
      const one = x!.graph.constant(Tensor.full([6], 1));
      const [, mean, inverse] = op.layerNormalizationOp.emit([x!, one]).outputs;
      return op.mul(mean!, inverse!);
    },
    reference: (x) => {
      const { mean, inverse } = standardized(x!, [-1], 1e-5);
      return op.mul(mean, inverse);
    },
  },
  "LayerNormalization, the second derivative": {
    inputs: [{ shape: [3, 6], symbolic: B }, { shape: [6] }],
    build: slopeOfCube((x, scale) => op.layerNormalization(x, scale, null, { epsilon: 0.1 })),
    reference: slopeOfCube((x, scale) => op.mul(standardized(x, [-1], 0.1).y, scale)),
  },
  rmsNorm: {
    inputs: [{ shape: [2, 3, 4], symbolic: B }, { shape: [4] }],
    build: (x, scale) => op.rmsNorm(x!, scale!),
  },
  "rmsNorm, two axes and no scale": {
    inputs: [{ shape: [3, 2, 4], symbolic: B }],
    build: (x) => op.rmsNorm(x!, null, { axis: 1, epsilon: 0.1 }),
  },
  "GroupNormalization, images": group([2, 6, 3, 2], 3),
  "GroupNormalization, features": group([3, 6], 2),
  "GroupNormalization, one group": group([2, 4, 5], 1),
  "GroupNormalization, of symbolic places": {
    ...group([2, 4, 3, 2], 2),
    inputs: [
      { shape: [2, 4, 3, 2], symbolic: { 0: "batch", 2: "height", 3: "width" } },
      { shape: [4] },
      { shape: [4] },
    ],
    reference: (x, scale, bias) => {
      const flat = op.reshape(x!, [x!.shape[0]!, 2, 2, "height*width"]);
      const y = op.reshapeLike(standardized(flat, [2, 3], 0.1).y, x!);
      return op.add(op.mul(y, op.reshape(scale!, [4, 1, 1])), op.reshape(bias!, [4, 1, 1]));
    },
  },
  InstanceNormalization: {
    inputs: [{ shape: [2, 3, 4, 2], symbolic: B }, { shape: [3] }, { shape: [3] }],
    build: (x, scale, bias) => op.instanceNormalization(x!, scale!, bias!, 0.1),
    reference: (x, scale, bias) => grouped(x!, scale!, bias!, 3, 0.1),
  },
  "LpNormalization, Euclidean": {
    inputs: [{ shape: [3, 4], symbolic: B }],
    build: (x) => op.lpNormalization(x!),
  },
  "LpNormalization, absolute, along a symbolic axis": {
    inputs: [{ shape: [3, 4], symbolic: B }],
    build: (x) => op.lpNormalization(x!, { axis: 0, p: 1 }),
  },
  "MeanVarianceNormalization, images": {
    inputs: [{ shape: [2, 3, 4, 2], symbolic: B }],
    build: (x) => op.meanVarianceNormalization(x!),
    reference: (x) => standardized(x!, [0, 2, 3], 0).y,
  },
  "MeanVarianceNormalization, last axis": {
    inputs: [{ shape: [3, 5], symbolic: B }],
    build: (x) => op.meanVarianceNormalization(x!, [-1]),
    reference: (x) => standardized(x!, [-1], 0).y,
  },
  LRN: {
    inputs: [{ shape: [2, 5, 3, 2], symbolic: { 0: "batch", 2: "height", 3: "width" } }],
    build: (x) => op.lrn(x!, 3, { alpha: 0.6, beta: 0.75, bias: 2 }),
    reference: (x) => acrossChannels(x!, 3, { alpha: 0.6, beta: 0.75, bias: 2 }),
  },
  "LRN, by its defaults": {
    inputs: [{ shape: [2, 4, 2, 2], symbolic: B, draw: (random) => 100 * random.normal() }],
    build: (x) => op.lrn(x!, 5),
    reference: (x) => acrossChannels(x!, 5, { alpha: 1e-4, beta: 0.75, bias: 1 }),
  },
};

/** By slices of the channels with zeros around. */
function acrossChannels(x: Value, size: number, { alpha, beta, bias }: Required<op.LrnOptions>): Value {
  const channels = x.shape[1] as number;
  const reach = (size - 1) / 2;
  const padded = op.pad(op.mul(x, x), [{ axis: 1, before: reach, after: reach }]);
  const shifted = Array.from({ length: size }, (_, start) =>
    op.slice(padded, [{ axis: 1, start, end: start + channels }]),
  );
  const base = op.add(op.mul(op.sum(...shifted), op.scalar(x, alpha / size)), op.scalar(x, bias));
  return op.div(x, op.pow(base, op.scalar(x, beta)));
}

describe("normalizations", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  it("leave zeros alone", async () => {
    const zeros = Tensor.zeros([1, 3]);
    for (const p of [1, 2] as const) {
      expect([...(await evaluate((x) => op.lpNormalization(x!, { p }), zeros)).toNumbers()]).toEqual([
        0, 0, 0,
      ]);
      const [slopes] = await gradientsAt((x) => op.lpNormalization(x!, { p }), zeros);
      expect(slopes!.every(Number.isFinite)).toBe(true);
    }
  });

  it("keep the digits of small deviations around a large mean", async () => {
    const x = Tensor.of([1, 4], [4096, 4096.5, 4097, 4097.5]);
    const weights = [1, -2, 4, 3];
    const normalized = (value: Value) =>
      op.mul(
        op.layerNormalization(value, value.graph.constant(Tensor.full([4], 1))),
        value.graph.constant(Tensor.of([4], weights)),
      );
    const [found] = await gradientsAt((value) => normalized(value!), x);
    // By the formula, of deviations -0.75 … 0.75.
    const inverse = 1 / Math.sqrt(0.3125 + 1e-5);
    const normal = [-0.75, -0.25, 0.25, 0.75].map((each) => each * inverse);
    const mean = weights.reduce((a, b) => a + b) / 4;
    const along = weights.reduce((sum, weight, i) => sum + weight * normal[i]!, 0) / 4;
    weights.forEach((weight, i) => {
      const wanted = inverse * (weight - mean - normal[i]! * along);
      expect(Math.abs(found![i]! - wanted)).toBeLessThan(1e-5);
    });
  });

  it("say what does not fit", () => {
    const graph = new Graph();
    const [images, scale] = [["batch", 6, 4, 4], [4]].map((shape, i) =>
      graph.input(`x${i}`, "float32", shape),
    );
    expect(() => op.layerNormalization(images!, scale!, graph.input("b", "float32", [3]))).toThrow(
      'LayerNormalization (node 0): "b" [3] does not broadcast to [batch, 6, 4, 4].',
    );
    expect(() => op.groupNormalization(images!, scale!, scale!, 4)).toThrow(
      "the channels of [batch, 6, 4, 4] do not divide into 4 groups",
    );
    expect(() => op.groupNormalization(images!, scale!, scale!, 2)).toThrow(
      '"x1" [4] does not fit the channels of [batch, 6, 4, 4]',
    );
    expect(() => op.instanceNormalization(scale!, scale!, scale!)).toThrow("its input needs spatial axes");
    expect(() => op.lrn(images!, 4)).toThrow("its size must be odd, it is 4");
  });
});
