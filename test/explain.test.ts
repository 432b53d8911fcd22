// What dendrites do and what is left without them, against the same network by plain loops in float64, and pruning against files.

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ArborizeOptions,
  arborize,
  attachDendrites,
  data,
  type Explanation,
  findSites,
  losses,
  metrics,
  nn,
  nodeEngine,
  optim,
  Random,
  Tensor,
  type Training,
  type Value,
} from "../src/index.ts";
import { temporaryFolders } from "./support/folders.ts";
import { conv2d, type Dense, dense, linear, withDendrites } from "./support/reference.ts";
import { randn, runBytes } from "./support/run.ts";

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 3, 3);
  head = new nn.Linear(12, 3);
  forward(x: Value): Value {
    return this.head.call(this.conv.call(x).tanh().flatten());
  }
}

const inputs = { x: ["batch", 1, 4, 4] } as const;
const base = nn.trace(new Net(), { inputs });
const COUNTS = { conv: 2, head: 3 };
const EXAMPLES = 90;
const file = temporaryFolders();

/** A state with two dendrites on the convolution and three on the Linear, random. */
function stateOf(seed: number, scale = 0.8): Map<string, Tensor> {
  const count = new Map(Object.entries(COUNTS));
  const random = (name: string) => Random.stream(1, name);
  const { parameters } = attachDendrites(base, { sites: findSites(base), count, random });
  return new Map(parameters.map(({ name, data }) => [name, randn(data!.shape, `${seed}/${name}`, scale)]));
}

const x = randn([EXAMPLES, 1, 4, 4], "x");
const options: ArborizeOptions = {
  inputs: { x: [...inputs.x] },
  loss: losses.crossEntropy(),
  metric: metrics.accuracy,
  optimizer: optim.adam({ learningRate: 0.01 }),
  growth: { maxDendrites: 4 },
  engine: nodeEngine({ threads: 1 }),
};

/** A training of that state, and examples of which it knows most. */
async function trained(seed: number, scale?: number) {
  const state = stateOf(seed, scale);
  const training = await arborize(new Net(), { ...options, state });
  const scores = (await training.predict({ x })).toNumbers();
  const noise = Random.stream(seed, "labels");
  const target = Array.from({ length: EXAMPLES }, (_, i) => {
    const own = [0, 1, 2].map((c) => scores[3 * i + c]!);
    return noise.uniform() < 0.2 ? noise.integer(3) : own.indexOf(Math.max(...own));
  });
  const dataset = data.tensorDataset({ x, target: Tensor.of([EXAMPLES], target, "int64") });
  return { training, state, target, dataset };
}

type Kept = Readonly<Record<keyof typeof COUNTS, readonly number[]>>;
const ALL: Kept = { conv: [0, 1], head: [0, 1, 2] };

/** The network by hand with the dendrites at these positions alone, and the outputs of its modules. */
function byHand(state: ReadonlyMap<string, Tensor>, kept: Kept, mute: { id?: string; j?: number } = {}) {
  const of = (name: string) => (state.has(name) ? dense(state.get(name)!) : null);
  const rows = (name: string, picked: readonly number[], zero?: number): Dense => {
    const { shape, data } = of(name)!;
    const width = shape[1]!;
    const found = picked.flatMap((row) =>
      [...data.slice(row * width, (row + 1) * width)].map((value) => (row === zero ? 0 : value)),
    );
    return { shape: [picked.length, width], data: Float64Array.from(found) };
  };
  const grown = (id: keyof Kept, module: (path: string) => Dense) =>
    withDendrites(
      module(id),
      {
        own: kept[id].map((j) => module(`${id}.dendrites.${j}`)),
        cascades: kept[id].map((j, i) =>
          i === 0 ? null : rows(`${id}.dendrites.${j}.cascade`, kept[id].slice(0, i)),
        ),
        output: rows(`${id}.dendrites.output`, kept[id], mute.id === id ? mute.j : undefined),
      },
      "sigmoid",
      1,
    );
  const plain = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
  const conv = grown("conv", (path) => conv2d(dense(x), of(`${path}.weight`)!, of(`${path}.bias`), plain));
  const flat = { shape: [EXAMPLES, 12], data: conv.data.map(Math.tanh) };
  return { conv, head: grown("head", (path) => linear(flat, of(`${path}.weight`)!, of(`${path}.bias`))) };
}

function accuracy({ data }: Dense, target: readonly number[]): number {
  const right = target.filter((label, i) => {
    const row = [0, 1, 2].map((c) => data[3 * i + c]!);
    return row.indexOf(Math.max(...row)) === label;
  });
  return right.length / target.length;
}

describe("explain", () => {
  let found: Explanation;
  let given: Awaited<ReturnType<typeof trained>>;
  beforeAll(async () => {
    given = await trained(1, 1.5);
    found = await given.training.explain(given.dataset);
  });
  afterAll(() => given.training.release());

  it("has the scores of networks built by hand without each dendrite, and without all of a module", () => {
    const { state, target } = given;
    const score = (kept: Kept) => accuracy(byHand(state, kept).head, target);
    expect(found).toMatchObject({ metric: "accuracy", maximize: true, examples: EXAMPLES, of: EXAMPLES });
    expect(found.score).toBeCloseTo(score(ALL), 12);
    expect(found.scoreWithout).toBeCloseTo(score({ conv: [], head: [] }), 12);
    expect(found.modules.map(({ id, dendrites }) => [id, dendrites.length])).toEqual(Object.entries(COUNTS));
    const scores = new Set<number>();
    for (const { id, scoreWithout, dendrites } of found.modules) {
      expect(scoreWithout, id).toBeCloseTo(score({ ...ALL, [id]: [] }), 12);
      for (const [j, dendrite] of dendrites.entries()) {
        const others = ALL[id as keyof Kept].filter((each) => each !== j);
        expect(dendrite.scoreWithout, `${id} ${j}`).toBeCloseTo(score({ ...ALL, [id]: others }), 12);
        scores.add(dendrite.scoreWithout);
      }
    }
    expect(scores.size).toBeGreaterThan(3);
  });

  it("has their shares of the variance, and the examples that move them most, as they follow by hand", () => {
    const whole = byHand(given.state, ALL);
    for (const { id, share, dendrites } of found.modules as (Explanation["modules"][number] & {
      id: keyof Kept;
    })[]) {
      const y = whole[id];
      const channels = y.shape[1]!;
      const inner = y.data.length / EXAMPLES / channels;
      const deviations = (values: Float64Array) => {
        const means = new Float64Array(channels);
        const channelOf = (i: number) => Math.floor(i / inner) % channels;
        values.forEach((value, i) => {
          means[channelOf(i)]! += value / EXAMPLES / inner;
        });
        return values.map((value, i) => value - means[channelOf(i)]!);
      };
      const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
      const own = deviations(y.data);
      let total = 0;
      for (const [j, dendrite] of dendrites.entries()) {
        // What it adds is what is missing with its output weight at zero, while later dendrites still hear it.
        const muted = byHand(given.state, ALL, { id, j })[id].data;
        const added = deviations(y.data.map((value, i) => value - muted[i]!));
        const wanted = dot(added, own) / dot(own, own);
        total += wanted;
        expect(dendrite.share, `${id} ${j}`).toBeCloseTo(wanted, 5);
        const moves = Array.from({ length: EXAMPLES }, (_, n) => {
          const part = added.slice(n * channels * inner, (n + 1) * channels * inner);
          return dot(part, part);
        });
        const order = moves.map((_, n) => n).sort((a, b) => moves[b]! - moves[a]!);
        expect(dendrite.examples, `${id} ${j}`).toEqual(order.slice(0, 8));
      }
      expect(share).toBeCloseTo(total, 5);
      expect(Math.abs(share)).toBeGreaterThan(0.01);
    }
  });

  it("shows kernels of the first convolution, and pictures of all examples that it names", () => {
    const { kernels } = found.modules[0]!;
    const weight = dense(given.state.get("conv.dendrites.1.weight")!);
    expect(kernels!.shape).toEqual([1, 3, 3]);
    expect(kernels!.neurons).toHaveLength(3);
    expect(kernels!.neurons[2]!.dendrites[1]!.kernel).toEqual([...weight.data.slice(18, 27)]);
    const output = dense(given.state.get("conv.dendrites.output")!);
    expect(kernels!.neurons[2]!.dendrites[1]!.outputWeight).toBe(output.data[5]);
    expect(found.modules[1]!.kernels).toBeUndefined();
    const named = found.modules.flatMap(({ dendrites }) => dendrites.flatMap(({ examples }) => examples));
    for (const at of named) expect(found.pictures[at]).toMatch(/^data:image\/png;base64,iVBOR/);
  });

  it("counts the numbers that go with a dendrite", () => {
    // 10 (9 and a bias) for each of 3 neurons, 3 output weights, and 3 to the second one.
    expect(found.modules[0]!.dendrites.map(({ parameters }) => parameters)).toEqual([36, 36]);
    expect(found.modules[0]!.parameters).toBe(2 * 33 + 3);
  });

  it("draws the same examples by the same seed, and says of how many", async () => {
    const some = { examples: 20, seed: 3, batchSize: 7 };
    const first = await given.training.explain(given.dataset, some);
    expect(first).toMatchObject({ examples: 20, of: EXAMPLES });
    expect(await given.training.explain(given.dataset, some)).toEqual(first);
    const other = await given.training.explain(given.dataset, { ...some, seed: 4 });
    expect(other.modules).not.toEqual(first.modules);
    const passes: number[] = [];
    const loader = data.batches(given.dataset, { batchSize: 30 });
    const onProgress = (done: number, total: number) => passes.push(done / total);
    expect((await given.training.explain(loader, { examples: 40, onProgress })).examples).toBe(60);
    expect(passes.at(-1)).toBe(1);
    expect(passes).toEqual([...passes].sort((a, b) => a - b));
  });

  it("says of a network without dendrites that it has none", async () => {
    const plain = await arborize(new Net(), options);
    expect(await plain.explain(given.dataset)).toMatchObject({ modules: [], pictures: {} });
    await plain.release();
  });
});

describe("prune", () => {
  const outputs = async (training: Training) => {
    const bytes = await training.toOnnx();
    const [found] = Object.values(await runBytes(bytes, { x }, [base.outputs[0]!.name]));
    return found!.toNumbers();
  };

  it.each([
    [1, 0],
    [2, 0.02],
    [3, 0.1],
    [4, 1],
    [5, 0],
  ])(
    "of seed %i at a cost of %d never changes a prediction by more than it reports",
    async (seed, maxCost) => {
      const { training, dataset, target } = await trained(seed, 0.5);
      const pruned = await training.prune(dataset, { maxCost });
      const { before, after, largestChange } = pruned;
      const smaller = await arborize(new Net(), { ...options, state: pruned.state });
      const [was, is] = [await outputs(training), await outputs(smaller)];
      const changes = Array.from(was, (value, i) => Math.abs(value - is[i]!));
      const largest = Math.max(...changes);
      expect(largest).toBeLessThanOrEqual(largestChange + 1e-5);
      expect(largest).toBeGreaterThan(largestChange - 1e-5);

      const shaped = (data: ArrayLike<number>) => ({ shape: [EXAMPLES, 3], data: Float64Array.from(data) });
      expect(before.score).toBeCloseTo(accuracy(shaped(was), target), 12);
      expect(after.score).toBeCloseTo(accuracy(shaped(is), target), 12);
      expect(before.score - after.score).toBeLessThanOrEqual(maxCost);
      expect([before.parameters, after.parameters]).toEqual([
        training.parameterCount,
        smaller.parameterCount,
      ]);
      for (const [id, count] of Object.entries(COUNTS)) {
        expect((after.dendrites[id] ?? 0) + (pruned.removed[id]?.length ?? 0)).toBe(count);
      }
      if (maxCost === 1) expect(after.dendrites).toEqual({});
      // What is built by hand without them predicts the same.
      const kept = Object.fromEntries(
        Object.entries(ALL).map(([id, all]) => [id, all.filter((j) => !pruned.removed[id]?.includes(j))]),
      ) as unknown as Kept;
      const wanted = byHand(stateOf(seed, 0.5), kept).head.data;
      expect(Math.max(...Array.from(is, (value, i) => Math.abs(value - wanted[i]!)))).toBeLessThan(1e-4);
      await Promise.all([training.release(), smaller.release()]);
    },
  );

  it("leaves a network that is saved, loaded and grown on, with one more dendrite on each module", async () => {
    const { training, dataset } = await trained(3, 0.5);
    const pruned = await training.prune(dataset, { maxCost: 0.1 });
    expect(Object.keys(pruned.removed).length).toBeGreaterThan(0);
    const first = await arborize(new Net(), { ...options, state: pruned.state, origin: "pruned" });
    await first.addValidationScore(await first.evaluate(data.batches(dataset)));
    await first.save(file("pruned.safetensors"));
    const second = await arborize(new Net(), options);
    await second.load(join(file("pruned.safetensors")));
    expect(second.history.origin).toBe("pruned");
    expect(second.parameterCount).toBe(pruned.after.parameters);
    const batch = dataset.batch(Array.from({ length: 30 }, (_, i) => i));
    expect((await second.predict(batch)).bytes()).toEqual((await first.predict(batch)).bytes());
    for (const each of [first, second]) {
      await each.step(batch);
      const { restructured } = await each.addValidationScore(0.99, { forceSwitch: true });
      expect(restructured).toBe(true);
      await each.step(batch);
    }
    const counts = [...(await second.stateDict())].flatMap(([name, { shape }]) => {
      const [, id] = /^(.*)\.dendrites\.output$/.exec(name) ?? [];
      return id === undefined ? [] : [[id, shape[0]]];
    });
    const { dendrites } = pruned.after;
    expect(Object.fromEntries(counts)).toEqual({
      conv: (dendrites.conv ?? 0) + 1,
      head: (dendrites.head ?? 0) + 1,
    });
    expect((await second.predict(batch)).bytes()).toEqual((await first.predict(batch)).bytes());
    await Promise.all([training, first, second].map((each) => each.release()));
  });
});
