import { describe, expect, it } from "vitest";
import { checkGradient } from "../../test/support/checkGradient.ts";
import { Tensor } from "../base/tensor.ts";
import { nodeEngine } from "../engine/node.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { writeOnnx } from "../onnx/write.ts";
import { logSoftmax, reduceMean } from "../ops/index.ts";
import * as losses from "./losses.ts";
import * as metrics from "./metrics.ts";

const OUTPUT = Tensor.of([2, 3], [1.5, -0.3, 0.2, -2, 0.7, 0.1]);
const LARGE = Tensor.of([2, 3], [150, -30, 20, -200, 70, 10]);
const CLASSES = Tensor.of([2], [2, 1], "int64");
const VALUES = Tensor.of([2, 3], [1, 0, 0.4, 0, 1, 0.9]);
/** Of `OUTPUT` and `VALUES`, by PyTorch. */
const MSE = 0.8516666293144226;

/** What `build` makes of an output and a target. */
async function evaluate(output: Tensor, target: Tensor, build: (output: Value, target: Value) => Value) {
  const graph = new Graph();
  const y = build(
    graph.input("output", "float32", output.shape),
    graph.input("target", target.dtype, target.shape),
  );
  const engine = nodeEngine({ threads: 1 });
  const program = await engine.compile(writeOnnx(graph, { outputs: new Map([["y", y]]) }), { name: "test" });
  const feeds = new Map([
    ["output", engine.upload(output)],
    ["target", engine.upload(target)],
  ]);
  const found = await program.run(feeds, new Map([["y", null]]));
  return (await engine.download(found.get("y")!)).item();
}

describe("losses", () => {
  // By PyTorch 1.13's functions of the same names on the tensors above; nll on log_softmax, the last on 100 times the output.
  const nllOfLogits = {
    ...losses.nll(),
    compute: (y: Value, t: Value) => losses.nll().compute(logSoftmax(y, 1), t),
  };
  const CASES: Record<string, [loss: losses.Loss, output: Tensor, target: Tensor, wanted: number]> = {
    "cross entropy": [losses.crossEntropy(), OUTPUT, CLASSES, 1.0715501308441162],
    "cross entropy, smoothed": [
      losses.crossEntropy({ labelSmoothing: 0.1 }),
      OUTPUT,
      CLASSES,
      1.113216757774353,
    ],
    "negative log likelihood": [nllOfLogits, OUTPUT, CLASSES, 1.0715501308441162],
    "mean squared error": [losses.mse(), OUTPUT, VALUES, MSE],
    "mean absolute error": [losses.l1(), OUTPUT, VALUES, 0.6833333373069763],
    "binary cross entropy": [losses.bceWithLogits(), OUTPUT, VALUES, 0.443069726228714],
    "binary cross entropy of large logits": [losses.bceWithLogits(), LARGE, VALUES, 2.1666743755340576],
  };
  for (const [name, [loss, output, target, wanted]] of Object.entries(CASES)) {
    it(name, async () => {
      expect(Math.abs((await evaluate(output, target, loss.compute)) / wanted - 1)).toBeLessThan(1e-6);
      await checkGradient({
        inputs: [
          { shape: [2, 3], symbolic: { 0: "batch" } },
          target === CLASSES
            ? { shape: [2], symbolic: { 0: "batch" }, dtype: "int64", draw: (random) => random.integer(3) }
            : { shape: [2, 3], symbolic: { 0: "batch" }, draw: (random) => random.uniform() },
        ],
        build: (y, t) => loss.compute(y!, t!),
      });
    });
  }
});

describe("metrics", () => {
  const mean = (metric: metrics.Metric) => (output: Value, target: Value) =>
    reduceMean(metric.compute(output, target));
  it("are what they say", async () => {
    // The largest of each row are 0 and 1; signs agree with targets above a half in all but the last of the first row.
    expect(await evaluate(OUTPUT, CLASSES, mean(metrics.accuracy))).toBe(0.5);
    expect(await evaluate(OUTPUT, VALUES, mean(metrics.binaryAccuracy))).toBeCloseTo(5 / 6, 6);
    expect(Math.abs((await evaluate(OUTPUT, VALUES, mean(metrics.squaredError))) / MSE - 1)).toBeLessThan(
      1e-6,
    );
  });
});
