// What dendrites do, and networks without some, where dendrites are not those of plain layers.

import { describe, expect, it } from "vitest";
import { removed } from "../src/dendrites/removal.ts";
import {
  arborize,
  attachDendrites,
  type Combination,
  data,
  findSites,
  losses,
  nn,
  nodeEngine,
  ops,
  optim,
  Random,
  Tensor,
  type Value,
} from "../src/index.ts";
import { outputOf, randn } from "./support/run.ts";

describe("other networks", () => {
  const adam = optim.adam({ learningRate: 0.01 });
  const engine = nodeEngine({ threads: 1 });
  const sequences = randn([12, 5, 3], "sequences");
  const labels = Tensor.of(
    [12],
    Array.from({ length: 12 }, (_, i) => i % 2),
    "int64",
  );

  class Recurrent extends nn.Module {
    lstm = new nn.LSTM(3, 4, { batchFirst: true });
    head = new nn.Linear(4, 2);
    forward(x: Value): Value {
      const [sequence] = this.lstm.call(x);
      return this.head.call(ops.reduceMean(sequence, [1]));
    }
  }

  it("are explained with recurrent layers, which add to what later steps read", async () => {
    const training = await arborize(new Recurrent(), {
      inputs: { x: ["batch", 5, 3] },
      loss: losses.crossEntropy(),
      optimizer: adam,
      dendrites: { types: ["LSTM", "Linear"], initialScale: 0.5 },
      growth: { switchMode: "every", maxDendrites: 1 },
      engine,
    });
    const dataset = data.tensorDataset({ x: sequences, target: labels });
    const batch = dataset.batch([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    await training.addValidationScore(1);
    for (let i = 0; i < 10; i++) await training.step(batch);
    const found = await training.explain(dataset);
    expect(found).toMatchObject({ metric: "cross entropy", maximize: false });
    expect(found.score).toBeCloseTo(await training.evaluate([batch]), 6);
    expect(found.modules.map(({ id }) => id)).toEqual(["lstm", "head"]);
    for (const { dendrites, share } of found.modules) {
      expect(share).not.toBe(0);
      expect(dendrites[0]!.examples).toHaveLength(8);
      expect(dendrites[0]!.scoreWithout).not.toBe(found.score);
    }
    await training.release();
  });

  it("are explained by what is missing without a dendrite, where a rule of their own combines them", async () => {
    const scaled = {
      combine: ({ neuron, dendrites, weights }: Combination) => {
        const sum = dendrites.map((each, j) => ops.mul(each, weights[j]!)).reduce(ops.add);
        return ops.mul(neuron, ops.add(sum, ops.scalar(sum, 1)));
      },
    };
    const rules = { rules: { fc: scaled } };
    class One extends nn.Module {
      fc = new nn.Linear(3, 2);
      forward(x: Value): Value {
        return this.fc.call(x);
      }
    }
    const net = nn.trace(new One(), { inputs: { x: ["batch", 3] } });
    const sites = findSites(net, rules);
    const random = (name: string) => Random.stream(1, name);
    const plan = { sites, count: 2, random };
    const state = new Map(
      attachDendrites(net, plan).parameters.map(({ name, data }) => [name, randn(data!.shape, name)]),
    );
    const rows = randn([12, 3], "rows");
    const training = await arborize(new One(), {
      inputs: { x: ["batch", 3] },
      loss: losses.crossEntropy(),
      optimizer: adam,
      dendrites: rules,
      state,
      engine,
    });
    const found = await training.explain(data.tensorDataset({ x: rows, target: labels }));
    const T = state.get("fc.dendrites.output")!;
    const outputWith = async (zero?: number) => {
      const weights = Tensor.of(
        [2, 2],
        Array.from(T.toNumbers(), (value, i) => (Math.floor(i / 2) === zero ? 0 : value)),
      );
      const graph = attachDendrites(net, {
        ...plan,
        values: new Map([...state, ["fc.dendrites.output", weights]]),
      });
      return Array.from((await outputOf(graph, rows)).toNumbers());
    };
    const y = await outputWith();
    const centred = (values: number[]) => {
      const means = [0, 1].map(
        (n) => values.reduce((sum, value, i) => sum + (i % 2 === n ? value : 0), 0) / 12,
      );
      return values.map((value, i) => value - means[i % 2]!);
    };
    const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    for (const j of [0, 1]) {
      const without = await outputWith(j);
      const added = centred(y.map((value, i) => value - without[i]!));
      const wanted = dot(added, centred(y)) / dot(centred(y), centred(y));
      expect(found.modules[0]!.dendrites[j]!.share).toBeCloseTo(wanted, 4);
    }
    await training.release();
  });

  it("grow on by correlation from different numbers of dendrites", async () => {
    class Net extends nn.Module {
      conv = new nn.Conv2d(1, 3, 3);
      head = new nn.Linear(12, 3);
      forward(x: Value): Value {
        return this.head.call(this.conv.call(x).tanh().flatten());
      }
    }
    const inputs = { x: ["batch", 1, 4, 4] };
    const base = nn.trace(new Net(), { inputs });
    const random = (name: string) => Random.stream(1, name);
    const { parameters } = attachDendrites(base, { sites: findSites(base), count: 2, random });
    const state = new Map(parameters.map(({ name, data }) => [name, randn(data!.shape, name, 0.5)]));
    const few = removed(state, new Map([["conv", new Set([0, 1])]]));
    const target = Tensor.of(
      [30],
      Array.from({ length: 30 }, (_, i) => i % 3),
      "int64",
    );
    const training = await arborize(new Net(), {
      inputs,
      loss: losses.crossEntropy(),
      optimizer: adam,
      engine,
      state: few,
      dendrites: { learning: "correlation", correlation: { candidates: 2, bootstrapBatches: 1 } },
    });
    const batch = { x: randn([30, 1, 4, 4], "x"), target };
    await training.step(batch);
    await training.addValidationScore(0.5, { forceSwitch: true });
    expect(training.phase).toBe("dendrites");
    for (let i = 0; i < 3; i++) await training.step(batch);
    const scores = await training.evaluate([batch]);
    await training.addValidationScore(scores, { forceSwitch: true });
    expect(training.phase).toBe("neurons");
    const grown = await training.stateDict();
    expect(grown.get("conv.dendrites.output")!.shape).toEqual([1, 3]);
    expect(grown.get("head.dendrites.output")!.shape).toEqual([3, 3]);
    expect(grown.get("head.dendrites.2.cascade")!.shape).toEqual([2, 3]);
    for (const [name, tensor] of few) {
      if (/dendrites\.\d/.test(name)) expect(grown.get(name)!.bytes(), name).toEqual(tensor.bytes());
    }
    await training.release();
  });

  it("lose dendrites of layers that share weights together", async () => {
    class Tied extends nn.Module {
      a = new nn.Linear(4, 4);
      b = new nn.Linear(4, 4);
      constructor() {
        super();
        Object.assign(this.b, { weight: this.a.weight });
      }
      forward(x: Value): Value {
        return this.b.call(this.a.call(x).tanh());
      }
    }
    const make = (state?: ReadonlyMap<string, Tensor>) =>
      arborize(new Tied(), {
        inputs: { x: ["batch", 4] },
        loss: losses.mse(),
        optimizer: adam,
        dendrites: { initialScale: 0.5 },
        growth: { switchMode: "every", maxDendrites: 2 },
        engine,
        ...(state && { state }),
      });
    const training = await make();
    const x = randn([10, 4], "tied");
    const dataset = data.tensorDataset({ x, target: randn([10, 4], "targets") });
    const batch = dataset.batch([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const score of [2, 1]) {
      for (let i = 0; i < 3; i++) await training.step(batch);
      await training.addValidationScore(score);
    }
    for (let i = 0; i < 3; i++) await training.step(batch);
    const pruned = await training.prune(dataset, { maxCost: 0.05 });
    expect(pruned.removed.a).toEqual(pruned.removed.b);
    const smaller = await make(pruned.state);
    const [was, is] = [await training.predict(batch), await smaller.predict(batch)].map((y) => y.toNumbers());
    const changes = Array.from(was!, (value, i) => Math.abs(value - is![i]!));
    expect(Math.max(...changes)).toBeLessThanOrEqual(pruned.largestChange + 1e-6);
    expect(pruned.after.score - pruned.before.score).toBeLessThanOrEqual(0.05);
    await Promise.all([training.release(), smaller.release()]);
  });
});
