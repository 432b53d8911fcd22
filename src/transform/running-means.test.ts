import { describe, expect, it } from "vitest";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { nodeEngine } from "../engine/node.ts";
import { Graph, nodesBehind } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import { writeOnnx } from "../onnx/write.ts";
import { add, mul, scalar, splitOp } from "../ops/index.ts";
import { trainingForm } from "./mode.ts";
import { rewrite } from "./rewrite.ts";
import { joinRunningMeans } from "./running-means.ts";

const BATCH = 6;

/** Batch normalizations of several widths and two momenta, and one that is alone with its own. */
class Normalized extends nn.Module {
  readonly first = new nn.BatchNorm2d(3);
  readonly conv = new nn.Conv2d(3, 5, 1);
  readonly second = new nn.BatchNorm2d(5);
  readonly slower = new nn.BatchNorm2d(5, { momentum: 0.01 });
  readonly fc = new nn.Linear(5, 4);
  readonly third = new nn.BatchNorm1d(4);

  forward(x: Parameters<nn.Conv2d["call"]>[0]) {
    const maps = this.slower.call(this.second.call(this.conv.call(this.first.call(x))).relu());
    return this.third.call(this.fc.call(maps.mean([2, 3])));
  }
}

const traced = () => nn.trace(new Normalized(), { inputs: { x: ["batch", 3, 4, 2] } });
const normal = (shape: readonly number[], seed: number) => {
  const random = Random.stream(seed, "test");
  return Tensor.of(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );
};

/** The next running statistics by name, of the training form with or without joining. */
async function updated(join: boolean) {
  const { graph } = rewrite(traced(), trainingForm([]), { shareSubexpressions: true });
  if (join) joinRunningMeans(graph);
  const statistics = [...graph.updates].filter(([buffer]) => buffer.dtype === "float32");
  const outputs = new Map(statistics.map(([buffer, next]) => [`${buffer.name}.next`, next]));
  const splits = nodesBehind([...outputs.values()]).filter(({ operator }) => operator === splitOp);
  const engine = nodeEngine({ threads: 1 });
  const fed = statistics.map(([buffer]) => buffer);
  const program = await engine.compile(writeOnnx(graph, { outputs, fed }), { name: "test" });
  const x = normal([BATCH, 3, 4, 2], 1);
  const before = new Map(fed.map((buffer, i) => [buffer.name, normal(buffer.shape as number[], 10 + i)]));
  const inputs = [["x", x] as const, ...before].map(
    ([name, tensor]) => [name, engine.upload(tensor)] as const,
  );
  const found = await program.run(new Map(inputs), new Map([...outputs.keys()].map((name) => [name, null])));
  const next = new Map<string, Tensor>();
  for (const [name, resident] of found) next.set(name, await engine.download(resident));
  await program.release();
  return { next, before, x, splits };
}

describe("running means", () => {
  it("are parts of one for each momentum, and the same bits as apart", async () => {
    const [apart, joined] = [await updated(false), await updated(true)];
    expect(apart.splits).toHaveLength(0);
    // The three of momentum 0.1, and the mean and variance of the fourth.
    expect(joined.splits.map(({ outputs }) => outputs.length).sort()).toEqual([2, 6]);
    expect([...joined.next.keys()]).toEqual([...apart.next.keys()]);
    for (const [name, tensor] of apart.next) expect(joined.next.get(name)!.data).toEqual(tensor.data);
  });

  it("are those of PyTorch: the unbiased variance by its share, what was before by the rest", async () => {
    const { next, before, x } = await updated(true);
    for (let channel = 0; channel < 3; channel++) {
      const values = [...x.toNumbers()].filter((_, i) => Math.floor(i / 8) % 3 === channel);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
      const [m, v] = ["first.running_mean", "first.running_var"].map((name) => ({
        before: before.get(name)!.toNumbers()[channel]!,
        next: next.get(`${name}.next`)!.toNumbers()[channel]!,
      }));
      expect(m!.next).toBeCloseTo(0.9 * m!.before + 0.1 * mean, 5);
      expect(v!.next).toBeCloseTo(0.9 * v!.before + 0.1 * variance, 5);
    }
  });

  it("stay apart where there is one, and where what is new is broadcast", () => {
    const graph = new Graph();
    const [wide, narrow] = [graph.input("wide", "float32", [3]), graph.input("narrow", "float32", [1])];
    for (const [name, batch] of Object.entries({ alone: wide, broadcast: narrow })) {
      const buffer = graph.buffer(name, Tensor.zeros([3]));
      graph.update(buffer, add(mul(buffer, scalar(wide, 0.9)), mul(batch, scalar(wide, 0.1))));
    }
    const before = [...graph.updates];
    joinRunningMeans(graph);
    expect([...graph.updates]).toEqual(before);
  });
});
