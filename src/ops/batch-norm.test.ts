import { describe, expect, it } from "vitest";
import { checkGradient, type GradientCase, positive } from "../../test/support/checkGradient.ts";
import { largestError, randn, runGraph } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { gradients } from "../transform/gradient.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };

/** Everything that batch normalization of a batch of `shape` returns, added up so that gradients flow from all of it. */
function training(shape: readonly number[], results: readonly ("y" | "mean" | "variance")[]): GradientCase {
  const channels = [shape[1]!];
  return {
    inputs: [{ shape, symbolic: B }, { shape: channels }, { shape: channels }],
    build: (x, scale, bias) => {
      const made = op.batchNormTraining(x!, scale!, bias!, 0.1);
      const spread = (value: Value) =>
        value.rank === 1 ? op.reshape(value, [shape[1]!, ...shape.slice(2).map(() => 1)]) : value;
      return results.map((name) => spread(made[name])).reduce(op.add);
    },
  };
}

const perChannel = { shape: [3] };
const CASES: Record<string, GradientCase> = {
  "training, images": training([2, 3, 2, 4], ["y"]),
  "training, features": training([5, 3], ["y"]),
  "training, volumes": training([2, 2, 2, 3, 2], ["y"]),
  "training, from the statistics too": training([3, 2, 4], ["y", "mean", "variance"]),
  "training, from the statistics alone": training([3, 2, 4], ["mean", "variance"]),
  "training, running statistics": {
    inputs: [
      { shape: [3, 3, 4], symbolic: B },
      perChannel,
      perChannel,
      perChannel,
      { ...perChannel, draw: positive },
    ],
    build: (x, scale, bias, mean, variance) => {
      // Not the inputs themselves: the runtime writes over them.
      const before = [op.add(mean!, mean!), op.mul(variance!, variance!)] as const;
      const node = op.batchNormalizationOp.emit([x!, scale!, bias!, ...before], {
        training_mode: 1,
        momentum: 0.7,
      });
      return node.outputs
        .map((value) => (value.rank === 1 ? op.reshape(value, [3, 1]) : value))
        .reduce(op.add);
    },
  },
  evaluation: {
    inputs: [
      { shape: [2, 3, 4, 2], symbolic: B },
      perChannel,
      perChannel,
      perChannel,
      { ...perChannel, draw: positive },
    ],
    build: (x, scale, bias, mean, variance) =>
      op.batchNormalization(x!, scale!, bias!, mean!, variance!, 0.01),
  },
  "evaluation, features": {
    inputs: [
      { shape: [4, 3], symbolic: B },
      perChannel,
      perChannel,
      perChannel,
      { ...perChannel, draw: positive },
    ],
    build: (x, scale, bias, mean, variance) => op.batchNormalization(x!, scale!, bias!, mean!, variance!),
  },
  "the second derivative of training": {
    inputs: [{ shape: [3, 2, 2] }, { shape: [2] }, { shape: [2] }],
    build: (x, scale, bias) => {
      const { y } = op.batchNormTraining(x!, scale!, bias!);
      return gradients(op.reduceSum(op.mul(y, op.mul(y, y))), [x!])[0]!;
    },
  },
};

describe("BatchNormalization", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  it("says which of its inputs does not fit the channels", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", ["batch", 32, 8, 8]);
    const scale = graph.input("scale", "float32", [32]);
    const bias = graph.input("bias", "float32", [16]);
    expect(() => graph.within("bn1", () => op.batchNormTraining(x, scale, bias))).toThrow(
      /^BatchNormalization "bn1" \(node \d+\): "bias" \[16\] does not fit the channels of \[batch, 32, 8, 8\]\.$/,
    );
  });

  it("computes in training what the runtime's training form does", async () => {
    const graph = new Graph();
    const [x, scale, bias] = [[8, 5, 3, 3], [5], [5]].map((shape, i) =>
      graph.input(`x${i}`, "float32", shape),
    );
    const zeros = ["mean", "variance"].map((name) => graph.input(name, "float32", [5]));
    const made = op.batchNormTraining(x!, scale!, bias!, 1e-3);
    const inputs = [x!, scale!, bias!, ...zeros] as [Value, Value, Value, Value, Value];
    const whole = op.batchNormalizationOp.emit(inputs, {
      training_mode: 1,
      momentum: 0,
      epsilon: 1e-3,
    }).outputs;
    const found = await runGraph(
      graph,
      {
        x0: randn([8, 5, 3, 3], "x"),
        x1: randn([5], "scale"),
        x2: randn([5], "bias"),
        mean: Tensor.zeros([5]),
        variance: Tensor.zeros([5]),
      },
      {
        y: made.y,
        batchMean: made.mean,
        batchVariance: made.variance,
        wholeY: whole[0]!,
        wholeMean: whole[1]!,
        wholeVariance: whole[2]!,
      },
    );
    expect(largestError(found.y!.toNumbers(), found.wholeY!.toNumbers())).toBeLessThan(1e-5);
    expect(largestError(found.batchMean!.toNumbers(), found.wholeMean!.toNumbers())).toBeLessThan(1e-6);
    expect(largestError(found.batchVariance!.toNumbers(), found.wholeVariance!.toNumbers())).toBeLessThan(
      1e-6,
    );
  });
});
