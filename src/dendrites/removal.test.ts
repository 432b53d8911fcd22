import { describe, expect, it } from "vitest";
import { conv2d, dense, linear, withDendrites } from "../../test/support/reference.ts";
import { largestError, outputOf, randn } from "../../test/support/run.ts";
import { Random } from "../base/random.ts";
import type { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import { readOnnx } from "../onnx/read.ts";
import { writeOnnx } from "../onnx/write.ts";
import { attachDendrites } from "./attach.ts";
import { countsFor, countsIn } from "./counts.ts";
import { detachDendrites } from "./detach.ts";
import { removed, silenced, tiedSites } from "./removal.ts";
import { findSites } from "./sites.ts";

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 3, 3);
  head = new nn.Linear(12, 2);
  forward(x: Value): Value {
    return this.head.call(this.conv.call(x).tanh().flatten());
  }
}

const base = nn.trace(new Net(), { inputs: { x: ["batch", 1, 4, 4] } });
const sites = findSites(base);
const x = randn([3, 1, 4, 4], "x");
const known = () => {
  throw new Error("every weight is known");
};

/** A graph with so many dendrites on each module, or with those that values are for. */
function graphOf(values: ReadonlyMap<string, Tensor>) {
  return attachDendrites(base, { sites, count: countsIn(values), values, random: known });
}

const fresh = attachDendrites(base, { sites, count: 3, random: (name) => Random.stream(1, name) });
const values = new Map(fresh.parameters.map(({ name, shape }) => [name, randn(shape as number[], name)]));

/** The network by plain loops in float64, with the dendrites of each module at these positions alone. */
function byHand(kept: Readonly<Record<"conv" | "head", readonly number[]>>): Float64Array {
  const of = (name: string) => (values.has(name) ? dense(values.get(name)!) : null);
  const rows = (name: string, of: readonly number[]) => {
    const { shape, data } = dense(values.get(name)!);
    const width = shape[1]!;
    const picked = of.flatMap((row) => [...data.slice(row * width, (row + 1) * width)]);
    return { shape: [of.length, width], data: Float64Array.from(picked) };
  };
  const grown = (id: "conv" | "head", module: (path: string) => ReturnType<typeof linear>) =>
    withDendrites(
      module(id),
      {
        own: kept[id].map((j) => module(`${id}.dendrites.${j}`)),
        cascades: kept[id].map((j, i) =>
          j === 0 ? null : rows(`${id}.dendrites.${j}.cascade`, kept[id].slice(0, i)),
        ),
        output: rows(`${id}.dendrites.output`, kept[id]),
      },
      "sigmoid",
      1,
    );
  const plain = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
  const convolved = grown("conv", (path) =>
    conv2d(dense(x), of(`${path}.weight`)!, of(`${path}.bias`), plain),
  );
  const flat = { shape: [3, 12], data: convolved.data.map(Math.tanh) };
  return grown("head", (path) => linear(flat, of(`${path}.weight`)!, of(`${path}.bias`))).data;
}

const CHOICES: readonly (readonly [conv: number[], head: number[]])[] = [
  [[0], []],
  [[1], []],
  [[2], []],
  [[0, 2], [1]],
  [[], [0, 1]],
  [[0, 1, 2], [2]],
  [
    [0, 1, 2],
    [0, 1, 2],
  ],
];

describe.each(CHOICES)("without dendrites %j of a convolution and %j of a Linear", (conv, head) => {
  const chosen = new Map(
    Object.entries({ conv, head })
      .filter(([, positions]) => positions.length > 0)
      .map(([id, positions]) => [id, new Set(positions)]),
  );
  const others = (positions: readonly number[]) => [0, 1, 2].filter((j) => !positions.includes(j));
  const wanted = byHand({ conv: others(conv), head: others(head) });

  it("silenced ones are heard by nothing", async () => {
    const state = new Map([...values, ...silenced(values, chosen)]);
    expect(largestError((await outputOf(graphOf(state), x)).toNumbers(), wanted)).toBeLessThan(2e-6);
  });

  it("removed ones leave a smaller network, which is taken apart and put together as such", async () => {
    const state = removed(values, chosen);
    const left = [
      ["conv", 3 - conv.length],
      ["head", 3 - head.length],
    ].filter(([, count]) => count !== 0);
    expect([...countsIn(state)].sort()).toEqual(left);
    const graph = graphOf(state);
    expect([...graph.state.keys()].sort()).toEqual([...state.keys()].sort());
    expect(largestError((await outputOf(graph, x)).toNumbers(), wanted)).toBeLessThan(2e-6);

    const found = detachDendrites(readOnnx(writeOnnx(graph)).graph);
    expect([...found.counts].sort()).toEqual(left);
    const again = attachDendrites(found.base, {
      sites: findSites(found.base),
      count: found.counts,
      values: found.values,
      random: known,
    });
    expect((await outputOf(again, x)).bytes()).toEqual((await outputOf(graph, x)).bytes());
  });

  it("growing goes on from what is left, with one more on each module", async () => {
    const state = removed(values, chosen);
    const most = Math.max(0, ...countsIn(state).values());
    const count = countsFor(most + 1, sites, state);
    expect([...count]).toEqual(
      most === 0
        ? [
            ["conv", 1],
            ["head", 1],
          ]
        : [
            ["conv", 4 - conv.length],
            ["head", 4 - head.length],
          ],
    );
    const plan = { sites, count, values: state, random: (name: string) => Random.stream(2, name) };
    const grown = await outputOf(attachDendrites(base, plan), x);
    expect(grown.bytes()).toEqual((await outputOf(graphOf(state), x)).bytes());
  });
});

it("counts dendrites by what is left of a damaged state", () => {
  const lost = new Map([...values].filter(([name]) => name !== "conv.dendrites.output"));
  expect([...countsIn(lost)].sort()).toEqual([
    ["conv", 3],
    ["head", 3],
  ]);
});

it("modules that share weights are one group, whatever is between them", () => {
  class Tied extends nn.Module {
    a = new nn.Linear(4, 4);
    b = new nn.Linear(4, 4);
    c = new nn.Linear(4, 4);
    constructor() {
      super();
      Object.assign(this.c, { weight: this.a.weight });
    }
    forward(x: Value): Value {
      return this.c.call(this.b.call(this.a.call(x)));
    }
  }
  const found = findSites(nn.trace(new Tied(), { inputs: { x: ["batch", 4] } }));
  const groups = tiedSites(found).map((group) => group.map(({ id }) => id));
  expect(groups).toEqual([["b"], ["a", "c"]]);
});
