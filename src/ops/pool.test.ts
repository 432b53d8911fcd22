import { describe, expect, it } from "vitest";
import { checkGradient, distinct, type GradientCase } from "../../test/support/checkGradient.ts";
import { largestError, randn, runGraph } from "../../test/support/run.ts";
import type { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { gradients } from "../transform/gradient.ts";
import * as op from "./index.ts";
import { positions, windows } from "./window.ts";

const B = { 0: "batch" };

const maximum = (shape: readonly number[], options: op.MaxPoolOptions): GradientCase => ({
  inputs: [{ shape, symbolic: B, draw: distinct }],
  build: (x) => op.maxPool(x!, options),
});
const mean = (shape: readonly number[], options: op.AveragePoolOptions): GradientCase => ({
  inputs: [{ shape, symbolic: B }],
  build: (x) => op.averagePool(x!, options),
  precision: "linear",
});
/** Numbers at least 4 apart, so that a step of 1 changes no maximum. */
const farApart = (_: Random, i: number) => ((i * 7919) % 1009) * 4;

const CASES: Record<string, GradientCase> = {
  "MaxPool 2x2": maximum([2, 3, 6, 4], { kernel_shape: [2, 2], strides: [2, 2] }),
  "MaxPool of an odd length": maximum([2, 3, 7, 5], { kernel_shape: [2, 2], strides: [2, 2] }),
  "MaxPool overlapping, padded, ceil": maximum([2, 2, 7, 6], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    ceil_mode: 1,
  }),
  "MaxPool dilated, 1-d": maximum([2, 2, 9], { kernel_shape: [3], strides: [1], dilations: [2] }),
  "MaxPool 3-d": maximum([1, 2, 4, 3, 5], {
    kernel_shape: [2, 2, 3],
    strides: [2, 1, 2],
    pads: [0, 1, 0, 0, 0, 1],
  }),
  "MaxPool SAME_UPPER": maximum([2, 2, 7, 5], {
    kernel_shape: [4, 3],
    strides: [2, 3],
    auto_pad: "SAME_UPPER",
  }),
  "MaxPool SAME_LOWER, dilated": maximum([2, 2, 6], {
    kernel_shape: [2],
    dilations: [2],
    auto_pad: "SAME_LOWER",
  }),
  "MaxPool VALID": maximum([2, 2, 6], { kernel_shape: [3], strides: [2], auto_pad: "VALID" }),
  "MaxPool, indices along columns": maximum([2, 2, 4, 5], { kernel_shape: [3, 2], storage_order: 1 }),
  "MaxPool in float32, without overlap": {
    inputs: [{ shape: [2, 3, 6, 4], symbolic: B, draw: farApart }],
    build: (x) => op.maxPool(x!, { kernel_shape: [2, 2], strides: [2, 2] }),
    precision: "linear",
  },
  "MaxPool in float32, a last window partly outside": {
    inputs: [{ shape: [2, 3, 5, 7], symbolic: B, draw: farApart }],
    build: (x) => op.maxPool(x!, { kernel_shape: [2, 3], strides: [2, 3], ceil_mode: 1 }),
    precision: "linear",
  },
  "MaxPool in float32, with gaps": {
    inputs: [{ shape: [2, 3, 8, 7], symbolic: B, draw: farApart }],
    build: (x) => op.maxPool(x!, { kernel_shape: [2, 1], strides: [3, 2], pads: [1, 0, 1, 0] }),
    precision: "linear",
  },
  "MaxPool in float32, SAME_UPPER without overlap": {
    inputs: [{ shape: [2, 3, 4, 5], symbolic: B, draw: farApart }],
    build: (x) => op.maxPool(x!, { kernel_shape: [3, 3], strides: [3, 3], auto_pad: "SAME_UPPER" }),
    precision: "linear",
  },
  "MaxPool, ceil, where no partial window starts inside": {
    inputs: [{ shape: [2, 3, 2], symbolic: B, draw: distinct }],
    build: (x) => op.squeeze(op.maxPool(x!, { kernel_shape: [1], strides: [3], ceil_mode: 1 }), [2]),
  },
  "AveragePool of symbolic channels": {
    ...mean([2, 3, 6, 5], { kernel_shape: [2, 2], strides: [2, 1] }),
    inputs: [{ shape: [2, 3, 6, 5], symbolic: { ...B, 1: "channels" } }],
  },
  "GlobalMaxPool of any size": {
    inputs: [{ shape: [2, 3, 4, 5], symbolic: { ...B, 2: "height", 3: "width" }, draw: farApart }],
    build: (x) => op.globalMaxPool(x!),
    precision: "linear",
  },
  "AveragePool 2x2": mean([2, 3, 6, 5], { kernel_shape: [2, 2], strides: [2, 2] }),
  "AveragePool 2x2 with padding after": mean([2, 3, 5, 6], {
    kernel_shape: [2, 2],
    strides: [2, 2],
    pads: [0, 0, 1, 0],
    count_include_pad: 1,
  }),
  "AveragePool overlapping, padding counted": mean([2, 2, 7, 6], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    count_include_pad: 1,
  }),
  "AveragePool overlapping, padding not counted": mean([2, 2, 7, 6], {
    kernel_shape: [3, 2],
    strides: [1, 2],
    pads: [1, 0, 1, 1],
  }),
  "AveragePool ceil": mean([2, 2, 6], { kernel_shape: [3], strides: [2], pads: [1, 0], ceil_mode: 1 }),
  "AveragePool ceil, padding counted": mean([2, 2, 6, 7], {
    kernel_shape: [3, 2],
    strides: [2, 3],
    pads: [1, 0, 1, 1],
    ceil_mode: 1,
    count_include_pad: 1,
  }),
  "AveragePool dilated, ceil, padding counted": mean([2, 2, 8], {
    kernel_shape: [3],
    strides: [2],
    dilations: [2],
    pads: [1, 1],
    ceil_mode: 1,
    count_include_pad: 1,
  }),
  "AveragePool 3-d": mean([1, 2, 3, 4, 3], {
    kernel_shape: [2, 2, 2],
    strides: [2, 2, 1],
    pads: [0, 1, 0, 0, 1, 0],
  }),
  "AveragePool SAME_UPPER": mean([2, 2, 7], { kernel_shape: [4], strides: [2], auto_pad: "SAME_UPPER" }),
  "AveragePool SAME_LOWER, dilated": mean([2, 2, 6], {
    kernel_shape: [3],
    dilations: [2],
    auto_pad: "SAME_LOWER",
  }),
  GlobalAveragePool: {
    inputs: [{ shape: [2, 3, 4, 2], symbolic: B }],
    build: (x) => op.globalAveragePool(x!),
    precision: "linear",
  },
  "GlobalAveragePool over symbolic axes": {
    inputs: [{ shape: [2, 3, 4, 2], symbolic: { 0: "batch", 2: "height", 3: "width" } }],
    build: (x) => op.globalAveragePool(x!),
    precision: "linear",
  },
  GlobalMaxPool: {
    inputs: [{ shape: [2, 3, 4, 2], symbolic: { ...B, 3: "width" }, draw: farApart }],
    build: (x) => op.globalMaxPool(x!),
    precision: "linear",
  },
  "MaxUnpool of indices": {
    inputs: [{ shape: [2, 1, 2, 2] }],
    build: (y) => {
      // Places in the whole of [2, 1, 4, 4], one in each window of 2 x 2.
      const indices = y!.graph.constant(Tensor.of([2, 1, 2, 2], [1, 6, 8, 15, 16, 19, 29, 30], "int64"));
      return op.maxUnpool(y!, indices, { kernel_shape: [2, 2], strides: [2, 2] });
    },
    precision: "linear",
  },
  "MaxUnpool of what MaxPool left, to the old lengths": {
    inputs: [
      { shape: [2, 2, 5, 4], symbolic: B, draw: farApart },
      { shape: [2, 2, 2, 2], symbolic: B },
    ],
    build: (x, y) => {
      const windows = { kernel_shape: [2, 2], strides: [2, 2] };
      const [, indices] = op.maxPoolOp.emit([x!], windows).outputs;
      return op.maxUnpoolOp.emit([y!, indices!, op.shapeOf(x!)], windows).output;
    },
    precision: "linear",
  },
};

describe("pools", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  it("give the gradient of equal maxima to the first", async () => {
    const overlapping = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] };
    const found = await gradientOf((x) => op.maxPool(x, overlapping), Tensor.full([1, 1, 3, 3], -5));
    // By windows, row by row: the first place of each that is not padding.
    expect([...found.toNumbers()]).toEqual([4, 2, 0, 2, 1, 0, 0, 0, 0]);
    const whole = await gradientOf((x) => op.globalMaxPool(x), Tensor.of([1, 1, 2, 3], [1, 7, 7, 7, 0, 7]));
    expect([...whole.toNumbers()]).toEqual([0, 1, 0, 0, 0, 0]);
  });

  it("refuse padding as long as the kernel", () => {
    const x = new Graph().input("x", "float32", [1, 1, 4]);
    expect(() => op.maxPool(x, { kernel_shape: [2], pads: [2, 0] })).toThrow(
      "padding by 2 and 0 must be less than the kernel of 2",
    );
  });

  it("refuse a norm that is none", () => {
    const x = new Graph().input("x", "float32", [1, 1, 4]);
    expect(() => op.lpPool(x, { kernel_shape: [2], p: 0 })).toThrow(
      "p must be a whole number above 0, it is 0",
    );
  });
});

describe("norms, which the runtime has in float32 only", () => {
  for (const p of [1, 2, 3, 4]) {
    it(`LpPool of p = ${p} is that of slices in float64`, () =>
      agrees(
        (x) => op.lpPool(x, { ...WINDOWS, p }),
        (x) => normOfSlices(x, p),
      ));
    it(`GlobalLpPool of p = ${p} is that of reductions in float64`, () =>
      agrees(
        (x) => op.globalLpPool(x, p),
        (x) => norm(op.reduceSum(powers(x, p), [2, 3], { keepDims: true }), p),
      ));
  }

  it("are without a gradient where all is zero", async () => {
    const zeros = Tensor.zeros([1, 1, 2, 4]);
    for (const p of [1, 2, 3]) {
      const options = { kernel_shape: [1, 2], strides: [1, 2], p };
      expect([...(await gradientOf((x) => op.lpPool(x, options), zeros)).toNumbers()]).toEqual(
        new Array(8).fill(0),
      );
    }
  });
});

const WINDOWS = {
  kernel_shape: [3, 2],
  strides: [2, 1],
  dilations: [1, 2],
  pads: [1, 0, 1, 1],
  ceil_mode: 1,
};

async function gradientOf(build: (x: Value) => Value, at: Tensor): Promise<Tensor> {
  const graph = new Graph();
  const x = graph.input("x", at.dtype, at.shape);
  const [dx] = gradients(op.reduceSum(build(x)), [x]);
  return (await runGraph(graph, { x: at }, { dx: dx! })).dx!;
}

/** Compares values and gradients; both sides round relative to sums of at most a few dozen float32 terms. */
async function agrees(build: (x: Value) => Value, reference: (x: Value) => Value): Promise<void> {
  const data = randn([2, 3, 6, 5], "x");
  const sides = [
    [build, data],
    [reference, data.to("float64")],
  ] as const;
  const [found, wanted] = await Promise.all(
    sides.map(async ([side, at]) => {
      const graph = new Graph();
      const x = graph.input("x", at.dtype, ["batch", ...at.shape.slice(1)]);
      const y = side(x);
      const [dx] = gradients(op.reduceSum(op.mul(y, y)), [x]);
      return runGraph(graph, { x: at }, { y, dx: dx! });
    }),
  );
  expect(largestError(found!.y!.toNumbers(), wanted!.y!.toNumbers())).toBeLessThan(1e-6);
  expect(largestError(found!.dx!.toNumbers(), wanted!.dx!.toNumbers())).toBeLessThan(1e-5);
}

const powers = (x: Value, p: number) => op.pow(op.abs(x), op.scalar(x, p));
const norm = (total: Value, p: number) => op.pow(total, op.scalar(total, 1 / p));

/** LpPool over `WINDOWS`, a slice for each place in the window. */
function normOfSlices(x: Value, p: number): Value {
  const over = windows(x.shape, WINDOWS.kernel_shape, WINDOWS);
  const room = over.map(({ before, output, stride, kernel, dilation, input }, i) => ({
    axis: i + 2,
    before,
    after: Math.max(0, (output - 1) * stride + (kernel - 1) * dilation + 1 - input - before),
  }));
  const padded = op.pad(powers(x, p), room);
  const taps = positions(WINDOWS.kernel_shape).map((position) =>
    op.slice(
      padded,
      over.map(({ dilation, stride, output }, i) => {
        const start = position[i]! * dilation;
        return { axis: i + 2, start, end: start + (output - 1) * stride + 1, step: stride };
      }),
    ),
  );
  return norm(taps.reduce(op.add), p);
}
