// Scores that are no mean over batches: they are of a whole data set, however it is cut into batches.

import { expect, it } from "vitest";
import { arborize, losses, metrics, nn, optim, Random, Tensor, type Value } from "../src/index.ts";

/** Its output is its input, times one. */
class Scaled extends nn.Module {
  weight = new nn.Parameter([1], () => Tensor.of([1], [1]));
  forward(x: Value): Value {
    return x.mul(nn.functional.operand(x, this.weight));
  }
}

const random = Random.stream(4, "auc");
const N = 90;
/** Few distinct scores, so that there are ties between the classes. */
const scores = Array.from({ length: N }, () => random.integer(12) / 4);
const targets = scores.map((score) => (random.uniform() < 0.2 + score / 5 ? 1 : 0));
const cuts = [0, 1, 4, 40, 41, N];

/** How often a 1 is scored above a 0, counted pair by pair. */
function pairwise(): number {
  let [won, pairs] = [0, 0];
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < N; j++) {
      if (targets[i] !== 1 || targets[j] !== 0) continue;
      pairs += 1;
      won += scores[i]! > scores[j]! ? 1 : scores[i] === scores[j] ? 0.5 : 0;
    }
  }
  return won / pairs;
}

const inBatches = (
  row: (score: number) => number[],
  dtype: "float32" | "int64",
  labels: readonly number[] = targets,
) =>
  cuts.slice(1).map((end, i) => {
    const part = scores.slice(cuts[i]!, end).map(row);
    const shape = [part.length, ...(part[0]!.length === 1 ? [1] : [2])];
    const target = labels.slice(cuts[i]!, end);
    return {
      x: Tensor.of(shape, part.flat()),
      target: Tensor.of(dtype === "int64" ? [target.length] : [target.length, 1], target, dtype),
    };
  });

const training = (width: number) =>
  arborize(new Scaled(), {
    inputs: { x: ["batch", width] },
    loss: width === 2 ? losses.crossEntropy() : losses.bceWithLogits(),
    optimizer: optim.sgd(),
    metric: metrics.auc,
    growth: { maxDendrites: 0 },
  });

it("AUC counts pairs over all batches together, ties half, of two logits as of one", async () => {
  const one = await training(1);
  expect(await one.evaluate(inBatches((s) => [s], "float32"))).toBeCloseTo(pairwise(), 12);
  const two = await training(2);
  expect(await two.evaluate(inBatches((s) => [1 - s, 1 + s], "int64"))).toBeCloseTo(pairwise(), 12);
  expect(pairwise()).toBeGreaterThan(0.6);
  expect(pairwise()).toBeLessThan(0.95);
});

it("AUC of one class alone, or of nothing, is refused", async () => {
  const two = await training(2);
  const ones = inBatches(
    (s) => [0, s],
    "int64",
    targets.map(() => 1),
  );
  await expect(two.evaluate(ones)).rejects.toThrow(
    "AUC needs samples of both classes; all 90 are of class 1",
  );
  await expect(two.evaluate([])).rejects.toThrow("There is nothing to evaluate");
});

it("the loss over classes is the mean over what counts, by its weight, of all batches together", async () => {
  const weight = [1, 4];
  // Of the first batches nothing counts.
  const labels = targets.map((target, i): number => (i < 4 || i % 5 === 0 ? -100 : target));
  const [sum, total] = scores.reduce(
    ([sum, total], score, i) => {
      const label = labels[i]!;
      if (label < 0) return [sum, total];
      const logits = [1 - score, 1 + score];
      const loss = Math.log(Math.exp(logits[0]!) + Math.exp(logits[1]!)) - logits[label]!;
      return [sum + weight[label]! * loss, total + weight[label]!];
    },
    [0, 0] as [number, number],
  );
  const weighted = await arborize(new Scaled(), {
    inputs: { x: ["batch", 2] },
    loss: losses.crossEntropy({ weight }),
    optimizer: optim.sgd(),
    growth: { maxDendrites: 0 },
  });
  const batches = inBatches((s) => [1 - s, 1 + s], "int64", labels);
  expect(await weighted.evaluate(batches)).toBeCloseTo(sum / total, 6);
  await expect(weighted.evaluate(batches.slice(0, 2))).rejects.toThrow(
    "every label is one that does not count",
  );
});
