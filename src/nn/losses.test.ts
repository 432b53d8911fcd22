import { describe, expect, it } from "vitest";
import { checkGradient } from "../../test/support/checkGradient.ts";
import { evaluate, gradientsAt } from "../../test/support/run.ts";
import type { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph } from "../graph/graph.ts";
import { logSoftmax, reduceMean } from "../ops/index.ts";
import * as losses from "./losses.ts";
import * as metrics from "./metrics.ts";

const OUTPUT = Tensor.of([2, 3], [1.5, -0.3, 0.2, -2, 0.7, 0.1]);
const LARGE = Tensor.of([2, 3], [150, -30, 20, -200, 70, 10]);
const CLASSES = Tensor.of([2], [2, 1], "int64");
const VALUES = Tensor.of([2, 3], [1, 0, 0.4, 0, 1, 0.9]);
/** Of `OUTPUT` and `VALUES`, by PyTorch. */
const MSE = 0.8516666293144226;

describe("losses", () => {
  // By PyTorch 1.13's functions of the same names on the tensors above and below.
  const onSoftmax = (loss: losses.Loss): losses.Loss => ({
    ...loss,
    compute: (y, t) => loss.compute(logSoftmax(y, 1), t),
  });
  const weight = [0.5, 2, 1.5];
  const SOME = Tensor.of([2], [2, -100], "int64");
  const PROBABILITIES = Tensor.of([2, 3], [0.9, 0.2, 0.5, 0.1, 0.6, 0]);
  const DISTRIBUTIONS = Tensor.of([2, 3], [0.2, 0.5, 0.3, 0, 0.4, 0.6]);
  /** The logarithm of the softmax of `VALUES`. */
  const LOGARITHMS = Tensor.of(
    [2, 3],
    [
      -0.6506003141403198, -1.6506003141403198, -1.2506003379821777, -1.82097589969635, -0.8209758996963501,
      -0.920975923538208,
    ],
  );
  const IMAGES = Tensor.of([2, 2, 3], [0.5, -1, 2, 1.5, 0.3, -0.7, -0.2, 0.8, 0.4, 0.9, 0.1, -1.1]);
  const LABELS = Tensor.of([2, 3], [1, 0, 1, 0, 0, 1], "int64");
  const CASES: Record<string, [loss: losses.Loss, output: Tensor, target: Tensor, wanted: number]> = {
    "cross entropy": [losses.crossEntropy(), OUTPUT, CLASSES, 1.0715501308441162],
    "cross entropy, smoothed": [
      losses.crossEntropy({ labelSmoothing: 0.1 }),
      OUTPUT,
      CLASSES,
      1.113216757774353,
    ],
    "cross entropy, all smoothed": [
      losses.crossEntropy({ labelSmoothing: 1 }),
      OUTPUT,
      CLASSES,
      1.488216757774353,
    ],
    "cross entropy, weighted": [losses.crossEntropy({ weight }), OUTPUT, CLASSES, 0.9870378375053406],
    "cross entropy, some ignored": [losses.crossEntropy(), OUTPUT, SOME, 1.6631355285644531],
    "cross entropy, weighted, smoothed": [
      losses.crossEntropy({ weight, labelSmoothing: 0.1 }),
      OUTPUT,
      CLASSES,
      0.9947378635406494,
    ],
    "cross entropy, smoothed, a class ignored": [
      losses.crossEntropy({ labelSmoothing: 0.1, ignoreIndex: 1 }),
      OUTPUT,
      CLASSES,
      1.636468768119812,
    ],
    "cross entropy, weighted, smoothed, a class ignored": [
      losses.crossEntropy({ weight, labelSmoothing: 0.1, ignoreIndex: 1 }),
      OUTPUT,
      CLASSES,
      1.6524338722229004,
    ],
    "cross entropy of places": [losses.crossEntropy(), IMAGES, LABELS, 1.351874828338623],
    "cross entropy of places, weighted, a class ignored": [
      losses.crossEntropy({ weight: [0.5, 2], ignoreIndex: 0 }),
      IMAGES,
      LABELS,
      1.593239665031433,
    ],
    "cross entropy of places, weighted, smoothed": [
      losses.crossEntropy({ weight: [0.5, 2], labelSmoothing: 0.2 }),
      IMAGES,
      LABELS,
      1.401063084602356,
    ],
    "negative log likelihood": [onSoftmax(losses.nll()), OUTPUT, CLASSES, 1.0715501308441162],
    "negative log likelihood, weighted": [
      onSoftmax(losses.nll({ weight })),
      OUTPUT,
      CLASSES,
      0.9870378375053406,
    ],
    "negative log likelihood, weighted, a class ignored": [
      onSoftmax(losses.nll({ weight, ignoreIndex: 1 })),
      OUTPUT,
      CLASSES,
      1.6631355285644531,
    ],
    "mean squared error": [losses.mse(), OUTPUT, VALUES, MSE],
    "mean absolute error": [losses.l1(), OUTPUT, VALUES, 0.6833333373069763],
    "smooth L1": [losses.smoothL1(), OUTPUT, VALUES, 0.3424999713897705],
    "smooth L1, beta 0.5": [losses.smoothL1({ beta: 0.5 }), OUTPUT, VALUES, 0.46166667342185974],
    "smooth L1, beta 0": [losses.smoothL1({ beta: 0 }), OUTPUT, VALUES, 0.6833333373069763],
    Huber: [losses.huber(), OUTPUT, VALUES, 0.3424999713897705],
    "Huber, delta 0.5": [losses.huber({ delta: 0.5 }), OUTPUT, VALUES, 0.23083333671092987],
    "Kullback-Leibler": [onSoftmax(losses.klDiv()), OUTPUT, DISTRIBUTIONS, 0.13173924386501312],
    "Kullback-Leibler, of batches": [
      onSoftmax(losses.klDiv({ reduction: "batchmean" })),
      OUTPUT,
      DISTRIBUTIONS,
      0.3952177166938782,
    ],
    "Kullback-Leibler, of logarithms": [
      onSoftmax(losses.klDiv({ reduction: "batchmean", logTarget: true })),
      OUTPUT,
      LOGARITHMS,
      0.09987244009971619,
    ],
    "binary cross entropy of probabilities": [losses.bce(), PROBABILITIES, VALUES, 15.27297306060791],
    "binary cross entropy": [losses.bceWithLogits(), OUTPUT, VALUES, 0.443069726228714],
    "binary cross entropy of large logits": [losses.bceWithLogits(), LARGE, VALUES, 2.1666743755340576],
    "binary cross entropy, weighted": [
      losses.bceWithLogits({ posWeight: weight }),
      OUTPUT,
      VALUES,
      0.5617507100105286,
    ],
  };
  for (const [name, [loss, output, target, wanted]] of Object.entries(CASES)) {
    it(name, async () => {
      expect(
        Math.abs((await evaluate((y, t) => loss.compute(y!, t!), output, target)).item() / wanted - 1),
      ).toBeLessThan(1e-6);
      const probabilities = (random: Random) => random.uniform(0.05, 0.95);
      await checkGradient({
        inputs: [
          {
            shape: output.shape,
            symbolic: { 0: "batch" },
            ...(output === PROBABILITIES ? { draw: probabilities } : {}),
          },
          target.dtype === "int64"
            ? {
                shape: target.shape,
                symbolic: { 0: "batch" },
                dtype: "int64",
                draw: (_, i) => Number(target.data[i]),
              }
            : { shape: target.shape, symbolic: { 0: "batch" }, draw: probabilities },
        ],
        build: (y, t) => loss.compute(y!, t!),
      });
    });
  }

  it("have slopes at the edges of probabilities and logits", async () => {
    const slope = async (loss: losses.Loss, output: number, target: number) => {
      const numbers = [output, target].map((number) => Tensor.of([1, 1], [number]));
      return (await gradientsAt((y, t) => loss.compute(y!, t!), ...numbers))[0]![0]!;
    };
    expect(await slope(losses.bceWithLogits(), 0, 1)).toBe(-0.5);
    expect(await slope(losses.bceWithLogits({ posWeight: 3 }), 0, 1)).toBe(-1.5);
    // PyTorch's, by 1e-12 in the divisor.
    expect(await slope(losses.bce(), 0, 1)).toBeCloseTo(-1e12, -6);
    expect(await slope(losses.bce(), 1, 0)).toBeCloseTo(1e12, -6);
    expect(await slope(losses.bce(), 1, 1)).toBe(0);
  });

  it("count no class that is to be ignored, and refuse weights that do not fit", () => {
    const graph = new Graph();
    const output = graph.input("output", "float32", ["batch", 3]);
    const target = graph.input("target", "int64", ["batch"]);
    expect(losses.crossEntropy().target(output)).toMatchObject({ classes: 3, ignored: -100 });
    expect(losses.nll({ ignoreIndex: 7 }).target(output)).toMatchObject({ classes: 3, ignored: 7 });
    expect(() => losses.crossEntropy({ weight: [1, 2] }).compute(output, target)).toThrow(
      "weights [2] do not fit the classes of [batch, 3]",
    );
    expect(() => losses.huber({ delta: 0 })).toThrow("A Huber loss needs a delta above 0, it is 0");
    expect(() => losses.smoothL1({ beta: -1 })).toThrow("a beta of at least 0, it is -1");
  });
});

describe("metrics", () => {
  const mean = async (metric: metrics.Metric, target: Tensor) =>
    (await evaluate((y, t) => reduceMean(metric.compute(y!, t!)), OUTPUT, target)).item();
  it("are what they say", async () => {
    // The largest of each row are 0 and 1; signs agree with targets above a half in all but the last of the first row.
    expect(await mean(metrics.accuracy, CLASSES)).toBe(0.5);
    expect(await mean(metrics.binaryAccuracy, VALUES)).toBeCloseTo(5 / 6, 6);
    expect(Math.abs((await mean(metrics.squaredError, VALUES)) / MSE - 1)).toBeLessThan(1e-6);
  });
});
