import { describe, expect, it } from "vitest";
import { checkGradient, type GradientCase, positive } from "../../test/support/checkGradient.ts";
import { evaluate } from "../../test/support/run.ts";
import { type DType, Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };
const CLASSES = 4;

/** A case of both losses, on images of labels: the scores, the labels, and weights if there are any. */
function both(name: string, options: op.ClassLossOptions, weighted: boolean, dtype: DType = "int64") {
  const inputs: GradientCase["inputs"] = [
    { shape: [3, CLASSES, 2, 2], symbolic: { 0: "batch", 3: "width" } },
    {
      shape: [3, 2, 2],
      symbolic: { 0: "batch", 2: "width" },
      dtype,
      draw: (random) => random.integer(CLASSES),
    },
    ...(weighted ? [{ shape: [CLASSES], draw: positive }] : []),
  ];
  return {
    [`SoftmaxCrossEntropyLoss, ${name}`]: {
      inputs,
      build: (x: Value, t: Value, w?: Value) => op.softmaxCrossEntropyLoss(x, t, w, options),
    },
    [`NegativeLogLikelihoodLoss, ${name}`]: {
      inputs,
      build: (x: Value, t: Value, w?: Value) => op.negativeLogLikelihoodLoss(x, t, w, options),
    },
  } as Record<string, GradientCase>;
}

/** Softmax cross entropy of features, by what is asked of its outputs. */
const outputs = (build: (loss: Value, logs: Value) => Value): GradientCase => ({
  inputs: [
    { shape: [5, CLASSES], symbolic: B },
    { shape: [5], symbolic: B, dtype: "int64", draw: (random) => random.integer(CLASSES) },
  ],
  build: (x, t) => {
    const [loss, logs] = op.softmaxCrossEntropyLossOp.emit([x!, t!]).outputs;
    return build(loss!, logs!);
  },
});

const CASES: Record<string, GradientCase> = {
  ...both("mean", {}, false),
  ...both("mean, weighted", {}, true),
  ...both("mean, some ignored", { ignore_index: 2 }, false),
  ...both("mean, weighted, some ignored", { ignore_index: 1 }, true, "int32"),
  ...both("sum, weighted", { reduction: "sum" }, true),
  ...both("each, some ignored", { reduction: "none", ignore_index: 0 }, false),
  ...both("each, weighted, some ignored", { reduction: "none", ignore_index: 3 }, true),
  "SoftmaxCrossEntropyLoss, of features": outputs((loss) => loss),
  "SoftmaxCrossEntropyLoss, from its logarithms": outputs((_, logs) => op.mul(logs, logs)),
  "SoftmaxCrossEntropyLoss, from both outputs": outputs((loss, logs) => op.mul(loss, op.mul(logs, logs))),
};

describe("losses as operators", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  const SCORES = Tensor.of([3, 4], [0.5, -1, 2, 0.1, 1.5, 0.3, -0.7, 0.9, -0.2, 0.8, 0.4, -1.1]);
  const LABELS = Tensor.of([3], [2, 3, 0], "int64");
  const WEIGHTS = Tensor.of([4], [0.5, 2, 1.5, 1]);
  // By PyTorch 1.13's cross_entropy.
  const WANTED: [options: op.ClassLossOptions, weighted: boolean, loss: number[]][] = [
    [{}, false, [1.136215090751648]],
    [{ ignore_index: 3 }, false, [1.0676438808441162]],
    [{}, true, [0.8978023529052734]],
    [{ ignore_index: 3 }, true, [0.7100249528884888]],
    [{ reduction: "sum" }, false, [3.4086451530456543]],
    [{ reduction: "sum", ignore_index: 3 }, true, [1.4200499057769775]],
    [{ reduction: "none" }, true, [0.5286089181900024, 1.2733571529388428, 0.8914409279823303]],
    [{ reduction: "none", ignore_index: 3 }, false, [0.35240593552589417, 0, 1.7828818559646606]],
  ];

  for (const [options, weighted, wanted] of WANTED) {
    it(`are PyTorch's: ${JSON.stringify(options)}${weighted ? ", weighted" : ""}`, async () => {
      const given = weighted ? [SCORES, LABELS, WEIGHTS] : [SCORES, LABELS];
      const likelihood = (x?: Value, t?: Value, w?: Value) =>
        op.negativeLogLikelihoodLoss(op.logSoftmax(x!, 1), t!, w, options);
      const entropy = (x?: Value, t?: Value, w?: Value) => op.softmaxCrossEntropyLoss(x!, t!, w, options);
      for (const build of [entropy, likelihood]) {
        const found = [...(await evaluate(build, ...given)).toNumbers()];
        found.forEach((each, i) => {
          expect(Math.abs(each - wanted[i]!)).toBeLessThan(1e-6);
        });
        expect(found.length).toBe(wanted.length);
      }
    });
  }

  it("say what does not fit", () => {
    const graph = new Graph();
    const scores = graph.input("scores", "float32", ["batch", 4]);
    const labels = graph.input("labels", "int64", ["batch"]);
    expect(() => op.softmaxCrossEntropyLoss(scores, graph.input("wrong", "int64", ["batch", 4]))).toThrow(
      "SoftmaxCrossEntropyLoss (node 0): labels [batch, 4] do not fit scores [batch, classes, ...] [batch, 4].",
    );
    expect(() => op.softmaxCrossEntropyLoss(scores, scores)).toThrow("its labels must be int32 or int64");
    expect(() =>
      op.negativeLogLikelihoodLoss(scores, labels, graph.input("weights", "float32", [3])),
    ).toThrow("weights [3] do not fit the classes of [batch, 4]");
  });
});
