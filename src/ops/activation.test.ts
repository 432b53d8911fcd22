import { describe, expect, it } from "vitest";
import { checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
import { integral } from "../../test/support/integral.ts";
import { evaluate, gradientsAt } from "../../test/support/run.ts";
import type { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };
const times = (x: Value, factor: number) => op.mul(x, op.scalar(x, factor));
const plus = (x: Value, term: number) => op.add(x, op.scalar(x, term));
const above = (x: Value) => op.max(x, op.scalar(x, 0));
const below = (x: Value) => op.min(x, op.scalar(x, 0));
const less1 = (x: Value) => plus(op.exp(x), -1);
const hardSigmoid = (x: Value, alpha: number, beta: number) =>
  op.clip(plus(times(x, alpha), beta), op.scalar(x, 0), op.scalar(x, 1));
const softplus = (x: Value) => op.log(plus(op.exp(x), 1));

/** Normal numbers of standard deviation 2 that are at least 0.05 from 0. */
const wide = (random: Random) => {
  const drawn = 2 * random.normal();
  return drawn + (drawn < 0 ? -0.05 : 0.05);
};

/** A case in single precision against a function of float64. */
const single = (build: (x: Value) => Value, reference: (x: Value) => Value): GradientCase => ({
  inputs: [{ shape: [4, 15], symbolic: B, draw: wide }],
  build: (x) => build(x!),
  reference: (x) => reference(x!),
});

const shrink = (x: Value, lambd: number, bias: number) => {
  const [size, zero] = [op.abs(x), op.scalar(x, 0)];
  return op.where(op.greater(size, op.scalar(x, lambd)), op.mul(op.sign(x), plus(size, -bias)), zero);
};

/** The exact GELU: Φ is a half and the integral of the normal density. */
const gelu = (x: Value) => {
  const density = (t: Value) => times(op.exp(times(op.mul(t, t), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return op.mul(x, plus(integral(x, density), 0.5));
};

const geluByTanh = (x: Value) => {
  const inner = times(op.add(x, times(op.mul(x, op.mul(x, x)), 0.044715)), Math.sqrt(2 / Math.PI));
  return op.mul(times(x, 0.5), plus(op.tanh(inner), 1));
};

const CASES: Record<string, GradientCase> = {
  Relu: { inputs: [{ shape: [4, 5], symbolic: B }], build: op.relu },
  Sigmoid: { inputs: [{ shape: [4, 5], symbolic: B }], build: op.sigmoid },
  Tanh: { inputs: [{ shape: [4, 5], symbolic: B }], build: op.tanh },
  "Softmax, last axis": { inputs: [{ shape: [4, 5], symbolic: B }], build: (x) => op.softmax(x) },
  "Softmax, inner axis": { inputs: [{ shape: [2, 5, 3] }], build: (x) => op.softmax(x, 1) },
  "LogSoftmax, last axis": { inputs: [{ shape: [4, 5], symbolic: B }], build: (x) => op.logSoftmax(x) },
  "LogSoftmax, first axis": { inputs: [{ shape: [4, 5] }], build: (x) => op.logSoftmax(x, 0) },
  HardSigmoid: single(op.hardSigmoid, (x) => hardSigmoid(x, 0.2, 0.5)),
  "HardSigmoid, of other slopes": single(
    (x) => op.hardSigmoid(x, { alpha: 0.5, beta: 0.25 }),
    (x) => hardSigmoid(x, 0.5, 0.25),
  ),
  HardSwish: single(op.hardSwish, (x) => op.mul(x, hardSigmoid(x, 1 / 6, 0.5))),
  // The runtime fuses x * sigmoid(x) into a kernel that it has in float32 only.
  SiLU: single(op.silu, (x) => op.div(x, plus(op.exp(op.neg(x)), 1))),
  Softplus: single(op.softplus, softplus),
  Softsign: single(op.softsign, (x) => op.div(x, plus(op.abs(x), 1))),
  Mish: single(op.mish, (x) => op.mul(x, op.tanh(softplus(x)))),
  Gelu: single(op.gelu, gelu),
  "Gelu, by tanh": single((x) => op.gelu(x, "tanh"), geluByTanh),
  LeakyRelu: single(op.leakyRelu, (x) => op.add(above(x), times(below(x), 0.01))),
  "LeakyRelu, steeper below": single(
    (x) => op.leakyRelu(x, 1.5),
    (x) => op.add(above(x), times(below(x), 1.5)),
  ),
  "PRelu, a slope for each channel": {
    inputs: [{ shape: [2, 3, 4], symbolic: { ...B, 2: "width" } }, { shape: [3, 1] }],
    build: op.prelu,
    reference: (x, slope) => op.add(above(x!), op.mul(below(x!), slope!)),
  },
  "PRelu, one slope": {
    inputs: [{ shape: [4, 5], symbolic: B }, { shape: [1] }],
    build: op.prelu,
    reference: (x, slope) => op.add(above(x!), op.mul(below(x!), slope!)),
  },
  Elu: single(op.elu, (x) => op.add(above(x), less1(below(x)))),
  "Elu, alpha 0.3": single(
    (x) => op.elu(x, 0.3),
    (x) => op.add(above(x), times(less1(below(x)), 0.3)),
  ),
  Selu: single(op.selu, (x) =>
    times(op.add(above(x), times(less1(below(x)), 1.6732632423543772)), 1.0507009873554805),
  ),
  "Selu, of other constants": single(
    (x) => op.selu(x, { alpha: 0.5, gamma: 2 }),
    (x) => times(op.add(above(x), times(less1(below(x)), 0.5)), 2),
  ),
  Celu: single(op.celu, (x) => op.add(above(x), less1(below(x)))),
  "Celu, alpha 1.7": single(
    (x) => op.celu(x, 1.7),
    (x) => op.add(above(x), times(less1(times(below(x), 1 / 1.7)), 1.7)),
  ),
  ThresholdedRelu: single(op.thresholdedRelu, (x) =>
    op.where(op.greater(x, op.scalar(x, 1)), x, op.scalar(x, 0)),
  ),
  "ThresholdedRelu, from below zero": single(
    (x) => op.thresholdedRelu(x, -0.7),
    (x) => op.where(op.greater(x, op.scalar(x, -0.7)), x, op.scalar(x, 0)),
  ),
  // In float64 the runtime's kernel rounds to float32.
  "Shrink, hard": single(
    (x) => op.shrink(x),
    (x) => shrink(x, 0.5, 0),
  ),
  "Shrink, soft": single(
    (x) => op.shrink(x, { lambd: 0.4, bias: 0.4 }),
    (x) => shrink(x, 0.4, 0.4),
  ),
  Hardmax: {
    inputs: [{ shape: [4, 5], symbolic: B }],
    build: (x) => op.mul(x!, op.hardmax(x!)),
    reference: (x) => op.where(op.equal(x!, op.reduceMax(x!, [1], { keepDims: true })), x!, op.scalar(x!, 0)),
  },
};

describe("activations", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  it("stay finite far from zero, with the slopes of their asymptotes", async () => {
    const far = Tensor.of([2], [-300, 300]);
    const right = { output: [0, 300], gradient: [0, 1] };
    const wanted = new Map([
      [op.softplus, right],
      [op.mish, right],
      [(x: Value) => op.gelu(x), right],
      [(x: Value) => op.gelu(x, "tanh"), right],
      [op.silu, right],
      [op.hardSwish, right],
      [(x: Value) => op.elu(x), { output: [-1, 300], gradient: [0, 1] }],
      [op.sigmoid, { output: [0, 1], gradient: [0, 0] }],
    ]);
    for (const [build, { output, gradient }] of wanted) {
      const rounded = (numbers: Iterable<number>) =>
        Array.from(numbers, (each) => Math.round(each * 1e6) / 1e6 + 0);
      expect(rounded((await evaluate((x) => build(x!), far)).toNumbers())).toEqual(output);
      expect(rounded((await gradientsAt((x) => build(x!), far))[0]!)).toEqual(gradient);
    }
  });

  it("have at a threshold the slope of what is not above it", async () => {
    const slopes = async (build: (x: Value) => Value, at: number) =>
      (await gradientsAt((x) => build(x!), Tensor.of([1], [at])))[0]![0];
    expect(await slopes(op.relu, 0)).toBe(0);
    expect(await slopes((x) => op.leakyRelu(x, 0.25), 0)).toBe(0.25);
    expect(await slopes((x) => op.elu(x, 0.25), 0)).toBe(0.25);
    expect(await slopes((x) => op.celu(x, 2), 0)).toBe(1);
    expect(await slopes((x) => op.thresholdedRelu(x, 1), 1)).toBe(0);
    expect(await slopes((x) => op.shrink(x), 0.5)).toBe(0);
  });

  it("refuse a slope that does not fit", () => {
    const graph = new Graph();
    const [x, slope] = [
      [2, 3],
      [2, 2, 3],
    ].map((shape, i) => graph.input(`x${i}`, "float32", shape));
    expect(() => op.prelu(x!, slope!)).toThrow(
      'PRelu (node 0): "x1" [2, 2, 3] does not broadcast to [2, 3].',
    );
  });
});
