import { describe, expect, it } from "vitest";
import { conv2d, dense } from "../../test/support/reference.ts";
import { largestError, outputOf, randn } from "../../test/support/run.ts";
import { ArborizeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { printGraph } from "../graph/print.ts";
import type { Shape } from "../graph/shape.ts";
import * as op from "../ops/index.ts";
import * as nn from "./index.ts";

const F = nn.functional;
const traced = (module: nn.Module, shape: Shape): Graph =>
  nn.trace(new nn.Sequential(module), { inputs: { x: shape }, seed: 4 });
const shapeAfter = (module: nn.Module, shape: Shape) => traced(module, shape).outputs[0]!.shape;

/** Mean, standard deviation and largest size of numbers. */
function spread(numbers: ArrayLike<number>) {
  const all = Array.from(numbers);
  const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
  const deviation = Math.sqrt(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length);
  return { mean, deviation, largest: Math.max(...all.map(Math.abs)) };
}

describe("initial values", () => {
  // PyTorch: kaiming_uniform_(a=sqrt(5)) for weights, which is ±1/sqrt(fanIn), and the same bounds for biases.
  it.each<[string, nn.Module, Shape, number]>([
    ["Linear", new nn.Linear(64, 200), ["batch", 64], 64],
    ["Conv2d", new nn.Conv2d(8, 60, [3, 5]), ["batch", 8, 9, 9], 8 * 15],
    ["Conv2d, grouped", new nn.Conv2d(8, 400, 3, { groups: 4 }), ["batch", 8, 9, 9], 2 * 9],
  ])("of %s are uniform over ±1 / sqrt(fanIn)", (_, module, shape, fanIn) => {
    const bound = 1 / Math.sqrt(fanIn);
    const [weight, bias] = traced(module, shape).parameters.map(({ data }) => data!.toNumbers());
    for (const numbers of [weight!, bias!]) {
      const { mean, deviation, largest } = spread(numbers);
      const n = numbers.length;
      expect(largest).toBeLessThanOrEqual(bound);
      expect(largest).toBeGreaterThan(bound * (1 - 20 / n));
      // Five standard errors of a uniform distribution's mean and deviation.
      expect(Math.abs(mean)).toBeLessThan((5 * bound) / Math.sqrt(3 * n));
      expect(Math.abs(deviation / (bound / Math.sqrt(3)) - 1)).toBeLessThan(5 * Math.sqrt(0.2 / n));
    }
  });

  it.each<[string, nn.init.Initializer, number, number]>([
    // Shape [60, 20, 3, 3]: fanIn 180, fanOut 540.
    ["kaimingUniform", nn.init.kaimingUniform(), Math.sqrt(2 / 180), Math.sqrt(6 / 180)],
    ["kaimingUniform(1)", nn.init.kaimingUniform(1), Math.sqrt(1 / 180), Math.sqrt(3 / 180)],
    ["kaimingNormal", nn.init.kaimingNormal(), Math.sqrt(2 / 180), Number.POSITIVE_INFINITY],
    ["xavierUniform(2)", nn.init.xavierUniform(2), 2 * Math.sqrt(2 / 720), 2 * Math.sqrt(6 / 720)],
    ["normal(0, 3)", nn.init.normal(0, 3), 3, Number.POSITIVE_INFINITY],
    ["uniform(-2, 2)", nn.init.uniform(-2, 2), 2 / Math.sqrt(3), 2],
  ])("of %s have its deviation and bound", (_, initializer, deviation, bound) => {
    const found = spread(initializer([60, 20, 3, 3], Random.stream(1, "w")).data);
    // 10,800 draws: the standard error of a normal deviation is 0.7 %.
    expect(Math.abs(found.deviation / deviation - 1)).toBeLessThan(0.035);
    expect(Math.abs(found.mean)).toBeLessThan(0.05 * deviation);
    expect(found.largest).toBeLessThanOrEqual(bound);
    if (bound < Number.POSITIVE_INFINITY) expect(found.largest).toBeGreaterThan(0.99 * bound);
  });
});

describe("shapes of outputs", () => {
  it.each<[string, nn.Module, Shape, Shape]>([
    ["Linear", new nn.Linear(4, 7), ["batch", 4], ["batch", 7]],
    ["Linear on more axes", new nn.Linear(4, 7), ["batch", "time", 4], ["batch", "time", 7]],
    ["Conv2d", new nn.Conv2d(3, 8, 3), ["batch", 3, 10, 12], ["batch", 8, 8, 10]],
    [
      "Conv2d, all options",
      new nn.Conv2d(4, 8, [3, 2], { stride: [2, 3], padding: [1, 0], dilation: [2, 1], groups: 2 }),
      ["batch", 4, 11, 12],
      ["batch", 8, 5, 4],
    ],
    ["MaxPool2d", new nn.MaxPool2d(2), ["batch", 3, 9, 8], ["batch", 3, 4, 4]],
    ["MaxPool2d, ceil", new nn.MaxPool2d(2, { ceilMode: true }), ["batch", 3, 9, 8], ["batch", 3, 5, 4]],
    [
      "MaxPool2d, overlapping",
      new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
      ["batch", 3, 9, 8],
      ["batch", 3, 5, 4],
    ],
    ["AvgPool2d", new nn.AvgPool2d([3, 2], { stride: 1 }), ["batch", 3, 9, 8], ["batch", 3, 7, 7]],
    ["Flatten", new nn.Flatten(), ["batch", 3, 4, 5], ["batch", 60]],
    ["Flatten, inner axes", new nn.Flatten(2, 3), ["batch", 3, 4, 5, 6], ["batch", 3, 20, 6]],
    ["Flatten, batch too", new nn.Flatten(0, 1), ["batch", 3, 4], ["3*batch", 4]],
    ["Dropout", new nn.Dropout(), ["batch", 4], ["batch", 4]],
    ["ReLU", new nn.ReLU(), ["batch", 4], ["batch", 4]],
    ["Sigmoid", new nn.Sigmoid(), ["batch", 4], ["batch", 4]],
    ["Tanh", new nn.Tanh(), ["batch", 4], ["batch", 4]],
    ["Softmax", new nn.Softmax(), ["batch", 4], ["batch", 4]],
    ["LogSoftmax", new nn.LogSoftmax(1), ["batch", 4, 5], ["batch", 4, 5]],
    ["Identity", new nn.Identity(), ["batch", 4], ["batch", 4]],
    ["Sequential", new nn.Sequential(new nn.Linear(4, 5), new nn.Linear(5, 6)), ["batch", 4], ["batch", 6]],
  ])("%s", (_, module, shape, wanted) => {
    expect(shapeAfter(module, shape)).toEqual(wanted);
  });
});

describe('padding "same"', () => {
  it.each<[number | readonly [number, number], number]>([
    [3, 1],
    [[5, 1], 1],
    [3, 2],
    [[2, 4], 1],
  ])("keeps the lengths for kernel %s, dilation %s", async (kernel, dilation) => {
    const graph = traced(new nn.Conv2d(2, 3, kernel, { padding: "same", dilation }), ["batch", 2, 7, 6]);
    expect(graph.outputs[0]!.shape).toEqual(["batch", 3, 7, 6]);
    // The odd zero goes after: the same as padding one more on both sides, and leaving out the first row and column.
    const x = randn([2, 2, 7, 6], "x");
    const [w, b] = graph.parameters.map(({ data }) => dense(data!));
    const total = [0, 1].map((axis) => dilation * (w!.shape[axis + 2]! - 1));
    const padding = total.map((sum) => Math.ceil(sum / 2)) as [number, number];
    const skipped = total.map((sum) => sum % 2);
    const settings = { stride: [1, 1], dilation: [dilation, dilation], padding, groups: 1 } as const;
    const wide = conv2d(dense(x), w!, b!, settings);
    const wanted: number[] = [];
    wide.data.forEach((value, i) => {
      const [height, width] = wide.shape.slice(2) as [number, number];
      if (Math.floor(i / width) % height >= skipped[0]! && i % width >= skipped[1]!) wanted.push(value);
    });
    expect(largestError((await outputOf(graph, x)).toNumbers(), wanted)).toBeLessThan(2e-6);
  });

  it("needs stride 1, as in PyTorch", () => {
    const strided = () =>
      shapeAfter(new nn.Conv2d(2, 3, 3, { padding: "same", stride: 2 }), ["batch", 2, 7, 6]);
    expect(strided).toThrow(ArborizeError);
    expect(strided).toThrow('padding "same" needs stride 1');
  });
});

describe("what does not fit", () => {
  it.each<[string, () => unknown, string]>([
    ["features", () => shapeAfter(new nn.Linear(4, 7), ["batch", 5]), 'Gemm "0"'],
    ["channels", () => shapeAfter(new nn.Conv2d(4, 7, 3), ["batch", 5, 8, 8]), 'Conv "0"'],
    [
      "a kernel too large",
      () => shapeAfter(new nn.Conv2d(1, 1, 9), ["batch", 1, 8, 8]),
      "window of 9 does not fit",
    ],
    [
      "numbers per axis",
      () => shapeAfter(new nn.MaxPool2d([2, 2, 2]), ["batch", 1, 8, 8]),
      "each of 2 spatial axes",
    ],
    ["groups", () => new nn.Conv2d(3, 4, 3, { groups: 2 }), "3 input channels do not divide into 2 groups"],
    ["a count of 0", () => new nn.Linear(3, 0), "Linear: outFeatures is 0"],
    ["a kernel of one number", () => new nn.Conv2d(1, 1, [3]), "Conv2d: kernelWidth is 0"],
  ])("%s", (_, fail, message) => {
    expect(fail).toThrow(ArborizeError);
    expect(fail).toThrow(message);
  });
});

describe("methods of values", () => {
  const CASES: Readonly<Record<string, [(x: Value) => Value, (x: Value) => Value]>> = {
    add: [(x) => x.add(2), (x) => op.add(x, op.scalar(x, 2))],
    sub: [(x) => x.sub(x), (x) => op.sub(x, x)],
    mul: [(x) => x.mul(2), (x) => op.mul(x, op.scalar(x, 2))],
    div: [(x) => x.div(2), (x) => op.div(x, op.scalar(x, 2))],
    pow: [(x) => x.pow(2), (x) => op.pow(x, op.scalar(x, 2))],
    matmul: [(x) => x.matmul(x.transpose(2, -1)), (x) => op.matMul(x, op.transposeLast(x))],
    neg: [(x) => x.neg(), op.neg],
    abs: [(x) => x.abs(), op.abs],
    sqrt: [(x) => x.sqrt(), op.sqrt],
    exp: [(x) => x.exp(), op.exp],
    log: [(x) => x.log(), op.log],
    relu: [(x) => x.relu(), F.relu],
    sigmoid: [(x) => x.sigmoid(), F.sigmoid],
    tanh: [(x) => x.tanh(), F.tanh],
    softmax: [(x) => x.softmax(), (x) => F.softmax(x, -1)],
    logSoftmax: [(x) => x.logSoftmax(1), (x) => F.logSoftmax(x, 1)],
    sum: [(x) => x.sum(), (x) => op.reduceSum(x)],
    mean: [(x) => x.mean(-1), (x) => op.reduceMean(x, [-1])],
    amax: [(x) => x.amax([1, 2], { keepDims: true }), (x) => op.reduceMax(x, [1, 2], { keepDims: true })],
    amin: [(x) => x.amin(1), (x) => op.reduceMin(x, [1])],
    reshape: [(x) => x.reshape("batch", -1), (x) => F.reshape(x, ["batch", -1])],
    flatten: [(x) => x.flatten(2), (x) => F.flatten(x, 2)],
    squeeze: [(x) => x.unsqueeze(1).squeeze(1), (x) => op.squeeze(op.unsqueeze(x, [1]), [1])],
    transpose: [(x) => x.transpose(1, -1), (x) => op.transpose(x, [0, 3, 2, 1])],
    permute: [(x) => x.permute(0, -1, 1, 2), (x) => op.transpose(x, [0, 3, 1, 2])],
    maxPool2d: [(x) => x.maxPool2d(2), (x) => F.maxPool2d(x, 2)],
    avgPool2d: [(x) => x.avgPool2d(3, { stride: 1 }), (x) => F.avgPool2d(x, 3, { stride: 1 })],
    dropout: [(x) => x.dropout(), (x) => F.dropout(x, 0.5)],
    detach: [(x) => x.detach(), op.stopGradient],
  };

  it.each(Object.entries(CASES))("%s", (_, [method, functional]) => {
    const printed = (forward: (x: Value) => Value) => {
      class Net extends nn.Module {
        forward(x: Value): Value {
          return forward(x);
        }
      }
      return printGraph(nn.trace(new Net(), { inputs: { x: ["batch", 2, 4, 6] } }));
    };
    expect(printed(method)).toBe(printed(functional));
  });
});
