import { describe, expect, it } from "vitest";
import {
  type Dense,
  dense,
  conv2d as plainConv,
  linear as plainLinear,
} from "../../test/support/reference.ts";
import { largestError, randn, runGraph } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import { matMulOp, relu, sigmoid, tanh } from "../ops/index.ts";
import { gradients } from "../transform/gradient.ts";
import { trainingForm } from "../transform/mode.ts";
import { rewrite } from "../transform/rewrite.ts";
import { correlation } from "./correlation.ts";

/** A dendrite's module, and the same in float64 by plain loops. */
interface Subject {
  readonly module: () => nn.Module;
  readonly input: readonly number[];
  readonly channelAxis: number;
  readonly compute: (x: Dense, weights: Readonly<Record<string, Dense>>) => Dense;
}

const PLAIN = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
const to2d = ({ shape, data }: Dense): Dense => ({ shape: [...shape.slice(0, 2), 1, shape[2]!], data });

/** `y` per channel by the batch: 0 mean, variance 1, then scaled and shifted. */
function normalized({ shape, data }: Dense, scale: Dense, shift: Dense): Dense {
  const inner = shape.slice(2).reduce((a, b) => a * b, 1);
  const out = data.slice();
  for (let c = 0; c < shape[1]!; c++) {
    const at = [...data.keys()].filter((i) => Math.floor(i / inner) % shape[1]! === c);
    const mean = at.reduce((sum, i) => sum + data[i]!, 0) / at.length;
    const variance = at.reduce((sum, i) => sum + (data[i]! - mean) ** 2, 0) / at.length;
    for (const i of at)
      out[i] = ((data[i]! - mean) / Math.sqrt(variance + 1e-5)) * scale.data[c]! + shift.data[c]!;
  }
  return { shape, data: out };
}

/** The hidden states of an LSTM over `[L, B, I]`, gates in PyTorch's order: input, forget, cell, output. */
function lstm(x: Dense, w: Dense, r: Dense, bw: Dense, br: Dense): Dense {
  const [length, batch, width] = x.shape as [number, number, number];
  const H = r.shape[1]!;
  const logistic = (value: number) => 1 / (1 + Math.exp(-value));
  const data = new Float64Array(length * batch * H);
  for (let b = 0; b < batch; b++) {
    let [h, c] = [new Float64Array(H), new Float64Array(H)];
    for (let t = 0; t < length; t++) {
      const gate = (row: number) => {
        let sum = bw.data[row]! + br.data[row]!;
        for (let i = 0; i < width; i++)
          sum += w.data[row * width + i]! * x.data[(t * batch + b) * width + i]!;
        for (let i = 0; i < H; i++) sum += r.data[row * H + i]! * h[i]!;
        return sum;
      };
      c = c.map((cell, k) => logistic(gate(H + k)) * cell + logistic(gate(k)) * Math.tanh(gate(2 * H + k)));
      h = c.map((cell, k) => logistic(gate(3 * H + k)) * Math.tanh(cell));
      data.set(h, (t * batch + b) * H);
    }
  }
  return { shape: [length, batch, H], data };
}

class Normalized extends nn.Module {
  conv = new nn.Conv2d(2, 3, 3);
  norm = new nn.BatchNorm2d(3);
  forward(x: Value): Value {
    return this.norm.call(this.conv.call(x));
  }
}

class Recurrent extends nn.Module {
  lstm = new nn.LSTM(3, 4);
  forward(x: Value): Value {
    return this.lstm.call(x)[0];
  }
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  Linear: {
    module: () => new nn.Linear(5, 3),
    input: [40, 5],
    channelAxis: 1,
    compute: (x, { weight, bias }) => plainLinear(x, weight!, bias!),
  },
  Conv1d: {
    module: () => new nn.Conv1d(2, 3, 4),
    input: [5, 2, 11],
    channelAxis: 1,
    compute: (x, { weight, bias }) => {
      const { data } = plainConv(to2d(x), { shape: [3, 2, 1, 4], data: weight!.data }, bias!, PLAIN);
      return { shape: [5, 3, 8], data };
    },
  },
  Conv2d: {
    module: () => new nn.Conv2d(2, 3, 3, { padding: 1 }),
    input: [4, 2, 6, 5],
    channelAxis: 1,
    compute: (x, { weight, bias }) => plainConv(x, weight!, bias!, { ...PLAIN, padding: [1, 1] }),
  },
  "Conv2d and BatchNorm2d": {
    module: () => new Normalized(),
    input: [4, 2, 6, 5],
    channelAxis: 1,
    compute: (x, of) =>
      normalized(
        plainConv(x, of["conv.weight"]!, of["conv.bias"]!, PLAIN),
        of["norm.weight"]!,
        of["norm.bias"]!,
      ),
  },
  LSTM: {
    module: () => new Recurrent(),
    input: [5, 6, 3],
    channelAxis: 2,
    compute: (x, of) => {
      const named = (name: string) => of[`lstm.${name}_l0`]!;
      return lstm(x, named("weight_ih"), named("weight_hh"), named("bias_ih"), named("bias_hh"));
    },
  },
};

/** C_n by the definition: mean (v - mean v) (e - mean e) over all but the neurons' axis. */
function covariances(
  v: Float64Array,
  e: ArrayLike<number>,
  shape: readonly number[],
  axis: number,
): number[] {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  return Array.from({ length: shape[axis]! }, (_, n) => {
    const at = [...v.keys()].filter((i) => Math.floor(i / inner) % shape[axis]! === n);
    const mean = (x: ArrayLike<number>) => at.reduce((sum, i) => sum + x[i]!, 0) / at.length;
    const [mv, me] = [mean(v), mean(e)];
    return at.reduce((sum, i) => sum + (v[i]! - mv) * (e[i]! - me), 0) / at.length;
  });
}

const logistic = (data: Float64Array) => data.map((value) => 1 / (1 + Math.exp(-value)));

describe.each(Object.entries(SUBJECTS))("the surrogate of %s", (_, subject) => {
  const { channelAxis, input } = subject;
  const traced = nn.trace(subject.module(), { inputs: { x: ["batch", ...input.slice(1)] }, seed: 3 });
  const { graph } = rewrite(traced, trainingForm([]));
  for (const { data } of graph.parameters)
    (data!.data as Float32Array).set((data!.data as Float32Array).map((value) => 2 * value));
  const x = randn(input, "x");
  const weights = Object.fromEntries(graph.parameters.map(({ name, data }) => [name, dense(data!)]));
  const compute = () => {
    const { shape, data } = subject.compute(dense(x), weights);
    return { shape, data: logistic(data) };
  };
  const { shape } = compute();
  const channels = shape[channelAxis]!;
  // A mean other than zero: the objective is of deviations.
  const e = Tensor.of(
    shape,
    Array.from(randn(shape, "e").data, (value) => value + 0.7),
  );
  const scale = Array.from({ length: channels }, (_, n) => 0.5 + n);
  const objective = () => {
    const found = covariances(compute().data, e.data as Float32Array, shape, channelAxis);
    return found.reduce((sum, covariance, n) => sum + Math.abs(covariance) / scale[n]!, 0);
  };
  const v = sigmoid(graph.outputs[0]!);
  const error = graph.input("e", "float32", v.shape);
  const gain = graph.input("gain", "float32", [channels]);

  it.each(["of the gain", "of the batch"])(
    "has the negative gradient of sum |C| / Z, by central differences in float64, with the sign %s",
    async (source) => {
      const batchSign = source === "of the batch";
      const { surrogate, statistics } = correlation({ output: v, error, channelAxis, gain, batchSign });
      const wanted = covariances(compute().data, e.data as Float32Array, shape, channelAxis);
      const sign = (n: number) => (batchSign ? 1 : Math.sign(wanted[n]!));
      const feeds = {
        x,
        e,
        gain: Tensor.of(
          [channels],
          scale.map((z, n) => sign(n) / z),
        ),
      };
      const outputs = Object.fromEntries(
        gradients(surrogate, graph.parameters).map((g, i) => [`g${i}`, g] as const),
      );
      const found = await runGraph(graph, feeds, { ...outputs, c: statistics.covariance });
      expect(largestError(found.c!.toNumbers(), wanted)).toBeLessThan(1e-6);
      const differences: number[] = [];
      const errors: number[] = [];
      graph.parameters.forEach(({ name }, i) => {
        const { data } = weights[name]!;
        const slopes = found[`g${i}`]!.toNumbers();
        for (let k = 0; k < data.length; k += Math.ceil(data.length / 16)) {
          const before = data[k]!;
          const at = (value: number) => {
            data[k] = value;
            return objective();
          };
          const slope = (at(before + 1e-5) - at(before - 1e-5)) / 2e-5;
          data[k] = before;
          differences.push(slope);
          errors.push(slope + slopes[k]!);
        }
      });
      const size = (values: number[]) => Math.hypot(...values);
      expect(differences.length).toBeGreaterThan(12);
      // What is left is the rounding of float32, in which the graph is computed.
      expect(size(errors) / size(differences)).toBeLessThan(2e-6);
    },
  );
});

describe("a surrogate with a given mean error", () => {
  it("follows deviations from that", async () => {
    const graph = nn.trace(new nn.Linear(2, 1), { inputs: { x: ["batch", 2] }, seed: 1 });
    const output = graph.outputs[0]!;
    const [error, gain, meanError] = (["e", "gain", "mean"] as const).map((name) =>
      graph.input(name, "float32", name === "e" ? output.shape : [1]),
    ) as [Value, Value, Value];
    const { surrogate } = correlation({ output, error, channelAxis: 1, gain, meanError });
    const [slope] = gradients(surrogate, graph.parameters);
    const column = (...values: number[]) => Tensor.of([values.length, 1], values);
    const feeds = {
      x: Tensor.of([3, 2], [1, 0, 0, 1, 1, 1]),
      e: column(1, 2, 6),
      gain: Tensor.of([1], [2]),
      mean: Tensor.of([1], [1.5]),
    };
    const { g } = await runGraph(graph, feeds, { g: slope! });
    // -2 / 3 * sum_p (e_p - 1.5) x_p
    expect(Array.from(g!.toNumbers()).map((value) => value * -1.5)).toEqual(
      [4, 5].map((value) => expect.closeTo(value, 5)),
    );
  });
});

describe("statistics of outputs that hardly vary", () => {
  const ROWS = { shape: [4000, 2], axes: ["batch", 2], channelAxis: 1, vectors: false };
  const VECTORS = { shape: [3, 2, 20, 70], axes: [3, 2, 20, "batch"], channelAxis: 1, vectors: true };
  it.each([
    ["in the middle, as rows", 0, 0.004, ROWS],
    ["near the end, as rows", 4, 0.04, ROWS],
    ["in the middle, as vectors", 0, 0.004, VECTORS],
    ["near the end, as vectors", 4, 0.04, VECTORS],
  ])("are accurate to 1e-3 %s", async (_, middle, deviation, { shape, axes, channelAxis, vectors }) => {
    const graph = new Graph();
    const a = graph.input("a", "float32", axes);
    const error = graph.input("e", "float32", axes);
    const gain = graph.constant(Tensor.full([2], 1));
    const { statistics } = correlation({ output: sigmoid(a), error, channelAxis, gain, vectors });
    const noise = randn(shape, "a", deviation).data;
    const e = randn(shape, "e").data;
    // A little of the error, whose own mean is far from zero.
    const feeds = {
      a: Tensor.of(
        shape,
        Array.from(noise, (value, i) => middle + value + 0.5 * deviation * Number(e[i])),
      ),
      e: Tensor.of(
        shape,
        Array.from(e, (value) => Number(value) + 3),
      ),
    };
    const found = await runGraph(graph, feeds, { ...statistics });
    const ranks = graph.nodes.flatMap(({ operator, output }) => (operator === matMulOp ? [output.rank] : []));
    expect(ranks.includes(4)).toBe(vectors);
    const v = logistic(Float64Array.from(feeds.a.data as Float32Array));
    const errors = Float64Array.from(feeds.e.data);
    const wanted = {
      varianceOutput: covariances(v, v, shape, channelAxis),
      varianceError: covariances(errors, errors, shape, channelAxis),
      covariance: covariances(v, errors, shape, channelAxis),
    };
    for (const [name, values] of Object.entries(wanted)) {
      const told = Array.from(found[name]!.toNumbers());
      values.forEach((value, n) => {
        expect(Math.abs(told[n]! / value - 1), name).toBeLessThan(1e-3);
      });
    }
  });
});

describe.each(["sigmoid", "tanh", "relu"] as const)("the gradient behind %s", (activation) => {
  it("is the same with its scale apart, and with what follows the surrogate", async () => {
    const graph = nn.trace(new nn.Linear(4, 3), { inputs: { x: ["batch", 4] }, seed: 1 });
    const output = { sigmoid, tanh, relu }[activation](graph.outputs[0]!);
    const error = graph.input("e", "float32", output.shape);
    const gain = graph.constant(Tensor.of([3], [2, -0.5, 1]));
    const terms = { output, error, channelAxis: 1, gain };
    const whole = correlation(terms).surrogate;
    const [weight] = graph.parameters;
    const [slope] = gradients(whole, [weight!]);
    const [tripled] = gradients(whole.mul(3), [weight!]);
    const [byOutput] = gradients(whole, [output]);
    const own = nn.trace(new nn.Linear(4, 3), { inputs: { x: ["batch", 4] }, seed: 1 });
    const apart = correlation({
      output: { sigmoid, tanh, relu }[activation](own.outputs[0]!),
      error: own.input("e", "float32", output.shape),
      channelAxis: 1,
      gain: own.constant(gain.data!),
      scaleApart: true,
    });
    const [unscaled] = gradients(apart.surrogate, [own.parameters[0]!]);
    const feeds = { x: randn([20, 4], "x"), e: randn([20, 3], "e") };
    const found = await runGraph(graph, feeds, { slope: slope!, tripled: tripled!, byOutput: byOutput! });
    const other = await runGraph(own, feeds, { unscaled: unscaled!, scale: apart.scale });
    const scaled = Array.from(
      other.unscaled!.toNumbers(),
      (value, i) => value * Number(other.scale!.data[Math.floor(i / 4)]),
    );
    expect(largestError(scaled, found.slope!.toNumbers())).toBeLessThan(1e-6);
    const third = Array.from(found.tripled!.toNumbers(), (value) => value / 3);
    expect(largestError(third, found.slope!.toNumbers())).toBeLessThan(1e-6);
    expect(Math.hypot(...Array.from(found.byOutput!.toNumbers()))).toBeGreaterThan(0);
  });
});
