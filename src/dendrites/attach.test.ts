import { describe, expect, it } from "vitest";
import {
  type ConvSettings,
  conv2d,
  type Dense,
  dense,
  linear,
  withDendrites,
} from "../../test/support/reference.ts";
import { largestError, outputOf, randn, runGraph } from "../../test/support/run.ts";
import { Random } from "../base/random.ts";
import { sizeOf, Tensor } from "../base/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import { mul, reduceMean } from "../ops/index.ts";
import { gradients } from "../transform/gradient.ts";
import { attachDendrites, type DendriteActivation, type DendritePlan } from "./attach.ts";
import { findSites } from "./sites.ts";

const ACTIVATIONS: readonly DendriteActivation[] = ["sigmoid", "tanh", "relu", "sin"];
const drawn = (name: string) => Random.stream(7, name);

/** A network of one module called `m`, and what the module computes. */
interface Subject {
  readonly module: () => nn.Module;
  readonly input: readonly number[];
  readonly channelAxis: number;
  readonly compute: (x: Dense, w: Dense, b: Dense | null) => Dense;
}

const convolution = (
  make: () => nn.Conv2d,
  input: readonly number[],
  changes: Partial<ConvSettings> = {},
): Subject => {
  const plain: ConvSettings = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };
  const settings = { ...plain, ...changes };
  return { module: make, input, channelAxis: 1, compute: (x, w, b) => conv2d(x, w, b, settings) };
};

const SUBJECTS: Readonly<Record<string, Subject>> = {
  "Linear on 2 axes": {
    module: () => new nn.Linear(5, 4),
    input: [6, 5],
    channelAxis: 1,
    compute: linear,
  },
  "Linear without bias on 3 axes": {
    module: () => new nn.Linear(5, 4, { bias: false }),
    input: [2, 3, 5],
    channelAxis: 2,
    compute: linear,
  },
  Conv2d: convolution(() => new nn.Conv2d(2, 3, 3), [2, 2, 6, 5]),
  "Conv2d, strided and padded": convolution(
    () => new nn.Conv2d(2, 3, 3, { stride: [2, 1], padding: [1, 2], bias: false }),
    [2, 2, 7, 5],
    { stride: [2, 1], padding: [1, 2] },
  ),
  "Conv2d, grouped, padded to the same lengths": convolution(
    () => new nn.Conv2d(4, 6, 3, { groups: 2, padding: "same" }),
    [2, 4, 5, 4],
    { padding: [1, 1], groups: 2 },
  ),
  "Conv2d, dilated, of an uneven kernel": convolution(
    () => new nn.Conv2d(1, 4, [2, 3], { dilation: [3, 1] }),
    [1, 1, 8, 6],
    { dilation: [3, 1] },
  ),
};

function traced(subject: Pick<Subject, "module" | "input">): Graph {
  class Net extends nn.Module {
    m = subject.module();
    forward(x: Parameters<nn.Linear["forward"]>[0]) {
      return this.m.call(x as never);
    }
  }
  return nn.trace(new Net(), { inputs: { x: ["batch", ...subject.input.slice(1)] }, seed: 3 });
}

function grown(base: Graph, count: number, more: Partial<DendritePlan> = {}): Graph {
  return attachDendrites(base, { sites: findSites(base), count, random: drawn, ...more });
}

const valuesOf = (graph: Graph) => new Map(graph.parameters.map(({ name, data }) => [name, data!]));

/** Random numbers for every parameter of a graph. */
function scrambled(graph: Graph): Map<string, Tensor> {
  return new Map(graph.parameters.map(({ name, data }) => [name, randn(data!.shape, name, 0.8)]));
}

describe.each(Object.entries(SUBJECTS))("%s", (_, subject) => {
  const base = traced(subject);
  const x = randn(subject.input, "x");

  it("gives the same bits with fresh dendrites", async () => {
    const before = await outputOf(base, x);
    for (const activation of ACTIVATIONS) {
      for (const count of [1, 2, 3]) {
        const after = await outputOf(grown(base, count, { activation }), x);
        expect(after.shape).toEqual(before.shape);
        expect(after.bytes(), `${count} ${activation}`).toEqual(before.bytes());
      }
    }
  });

  it("computes the formula", async () => {
    for (const activation of ACTIVATIONS) {
      for (const count of [0, 1, 2, 3]) {
        const values = scrambled(grown(base, count));
        const found = await outputOf(grown(base, count, { activation, values }), x);
        const of = (name: string) => (values.has(name) ? dense(values.get(name)!) : null);
        const module = (path: string) => subject.compute(dense(x), of(`${path}.weight`)!, of(`${path}.bias`));
        const indices = Array.from({ length: count }, (_, j) => j);
        const wanted = withDendrites(
          module("m"),
          {
            own: indices.map((j) => module(`m.dendrites.${j}`)),
            cascades: indices.map((j) => of(`m.dendrites.${j}.cascade`)),
            output: of("m.dendrites.output"),
          },
          activation,
          subject.channelAxis,
        );
        expect(found.shape).toEqual(wanted.shape);
        expect(largestError(found.toNumbers(), wanted.data), `${count} ${activation}`).toBeLessThan(2e-6);
      }
    }
  });

  it("has as many parameters as the formula of growth.md 1.9", () => {
    const total = (graph: Graph) => graph.parameters.reduce((sum, { data }) => sum + sizeOf(data!.shape), 0);
    const P = total(base);
    const C = base.outputs[0]!.shape[subject.channelAxis] as number;
    for (const k of [0, 1, 2, 3, 5]) {
      expect(total(grown(base, k)), `${k} dendrites`).toBe(P * (k + 1) + C * k + (C * k * (k - 1)) / 2);
    }
  });
});

describe("attachDendrites", () => {
  const base = traced({ module: () => new nn.Linear(3, 2), input: [4, 3] });
  const x = randn([4, 3], "x");

  it("names dendrites after their module, and their parameters after its", () => {
    const shapes = Object.fromEntries(grown(base, 3).parameters.map(({ name, shape }) => [name, shape]));
    expect(shapes).toEqual({
      "m.weight": [2, 3],
      "m.bias": [2],
      "m.dendrites.0.weight": [2, 3],
      "m.dendrites.0.bias": [2],
      "m.dendrites.1.weight": [2, 3],
      "m.dendrites.1.bias": [2],
      "m.dendrites.1.cascade": [1, 2],
      "m.dendrites.2.weight": [2, 3],
      "m.dendrites.2.bias": [2],
      "m.dendrites.2.cascade": [2, 2],
      "m.dendrites.output": [3, 2],
    });
  });

  it("lets a dendrite read earlier dendrites and no later ones", async () => {
    const values = scrambled(grown(base, 3));
    const outputWith = async (shown: number, changed?: number) => {
      const T = [0, 0, 0, 0, 0, 0];
      T[2 * shown] = T[2 * shown + 1] = 1;
      const own = new Map(values);

      own.set("m.dendrites.output", Tensor.of([3, 2], T));
      if (changed !== undefined) {
        const name = `m.dendrites.${changed}.weight`;
        own.set(name, randn([2, 3], "another"));
      }
      return (await outputOf(grown(base, 3, { values: own }), x)).data;
    };
    for (const shown of [0, 1, 2]) {
      const before = await outputWith(shown);
      for (const changed of [0, 1, 2]) {
        const after = await outputWith(shown, changed);
        if (changed > shown) expect(after, `dendrite ${changed} in ${shown}`).toEqual(before);
        else expect(after, `dendrite ${changed} in ${shown}`).not.toEqual(before);
      }
    }
  });

  it("keeps all values when it grows, and starts new connections from zero", async () => {
    for (const k of [1, 2, 3]) {
      const values = scrambled(grown(base, k));
      const before = grown(base, k, { values });
      const after = grown(base, k + 1, { values });
      const found = valuesOf(after);
      for (const [name, value] of values) {
        if (name !== "m.dendrites.output") expect(found.get(name)!.data, name).toEqual(value.data);
      }
      const rows = [...values.get("m.dendrites.output")!.toNumbers(), 0, 0];
      expect([...found.get("m.dendrites.output")!.toNumbers()]).toEqual(rows);
      expect([...found.get(`m.dendrites.${k}.cascade`)!.toNumbers()]).toEqual(new Array(2 * k).fill(0));
      expect((await outputOf(after, x)).bytes()).toEqual((await outputOf(before, x)).bytes());
    }
  });

  it("draws new weights of the asked deviation, from their name's stream alone", () => {
    const wide = traced({ module: () => new nn.Linear(120, 100), input: [1, 120] });
    const weights = (graph: Graph, name = "m.dendrites.0.weight") =>
      valuesOf(graph).get(name)!.toNumbers() as Float32Array;
    const fresh = weights(grown(wide, 1));
    // 12,000 draws: the standard error of their deviation is 0.65 %, of their mean 0.9 % of it.
    expect(Math.sqrt(fresh.reduce((sum, w) => sum + w * w, 0) / fresh.length)).toBeCloseTo(0.01, 3);
    expect(Math.abs(fresh.reduce((sum, w) => sum + w, 0) / fresh.length)).toBeLessThan(5e-4);
    expect(new Set(fresh).size).toBeGreaterThan(11_000);
    expect(weights(grown(wide, 3))).toEqual(fresh);
    expect(weights(grown(wide, 2), "m.dendrites.1.weight")).not.toEqual(fresh);
    expect(weights(grown(wide, 1, { random: (name) => Random.stream(8, name) }))).not.toEqual(fresh);
    const scaled = weights(grown(wide, 1, { initialScale: 0.5 }));
    expect(
      largestError(
        scaled,
        fresh.map((w) => w * 50),
      ),
    ).toBeLessThan(1e-6);

    const more = nn.trace(
      new (class extends nn.Module {
        first = new nn.Linear(120, 120);
        m = new nn.Linear(120, 100);
        forward(input: Parameters<nn.Linear["forward"]>[0]) {
          return this.m.call(this.first.call(input));
        }
      })(),
      { inputs: { x: ["batch", 120] } },
    );
    expect(weights(grown(more, 1)), "another module beside it").toEqual(fresh);
  });

  it("gives new dendrites no gradient at first, but their output weights", async () => {
    for (const count of [1, 2]) {
      const values = count === 1 ? new Map() : scrambled(grown(base, count - 1));
      const graph = grown(base, count, { values });
      const y = graph.outputs[0]!;
      const grads = gradients(reduceMean(mul(y, y)), graph.parameters);
      const named = Object.fromEntries(graph.parameters.map(({ name }, i) => [`grad.${name}`, grads[i]!]));
      const found = await runGraph(graph, { x }, named);
      const nonzero = (name: string, from = 0) =>
        found[`grad.${name}`]!.data.slice(from).some((g) => g !== 0);
      const fresh = `m.dendrites.${count - 1}`;
      expect(nonzero(`${fresh}.weight`)).toBe(false);
      expect(nonzero(`${fresh}.bias`)).toBe(false);
      expect(nonzero("m.dendrites.output", 2 * (count - 1)), "the new row").toBe(true);
      expect(nonzero("m.weight")).toBe(true);
      if (count === 2) {
        expect(nonzero(`${fresh}.cascade`)).toBe(false);
        expect(nonzero("m.dendrites.0.weight"), "an earlier dendrite").toBe(true);
      }
    }
  });
});
