import { describe, expect, it } from "vitest";
import { checkGradient, distinct, type GradientCase } from "../../test/support/checkGradient.ts";
import type { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { contentOf } from "../graph/content.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { gradients } from "../transform/gradient.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };
const below = (limit: number) => (random: Random) => random.integer(limit);
const ints = (shape: readonly number[], draw: (random: Random, i: number) => number, symbolic = {}) =>
  ({ shape, dtype: "int64", draw, symbolic }) as const;
const constant = (like: Value, shape: readonly number[], values: readonly number[]) =>
  like.graph.constant(Tensor.of(shape, values, "int64"));

const CASES: Record<string, GradientCase> = {
  "Gather, rows with repeats": {
    inputs: [{ shape: [5, 3] }, ints([2, 4], below(5), B)],
    build: (x, i) => op.gather(x!, i!),
  },
  "Gather, an inner axis": {
    inputs: [{ shape: [2, 5, 3], symbolic: B }, ints([2, 2], below(5))],
    build: (x, i) => op.gather(x!, i!, 1),
  },
  "Gather, the last axis, counted from the end": {
    inputs: [{ shape: [2, 5, 3], symbolic: B }, ints([4], (r) => r.integer(3) - 3)],
    build: (x, i) => op.gather(x!, i!, -1),
  },
  "Gather, one known index": {
    inputs: [{ shape: [2, 5, 3], symbolic: B }],
    build: (x) => op.gather(x!, constant(x!, [], [-2]), 1),
  },
  "Gather, one known index that stays an axis": {
    inputs: [{ shape: [2, 5, 3], symbolic: B }],
    build: (x) => op.gather(x!, constant(x!, [1], [1]), 2),
  },
  "GatherND, slices": {
    inputs: [{ shape: [3, 4, 2] }, ints([5, 2], below(3))],
    build: (x, i) => op.gatherND(x!, i!),
  },
  "GatherND, two shared axes": {
    inputs: [{ shape: [2, 3, 4, 2], symbolic: B }, ints([2, 3, 5, 1], below(4), B)],
    build: (x, i) => op.gatherND(x!, i!, 2),
  },
  "ScatterND, add": {
    inputs: [{ shape: [4, 3] }, ints([6, 1], below(4)), { shape: [6, 3] }],
    build: (x, i, u) => op.scatterND(x!, i!, u!, { reduction: "add" }),
  },
  "ScatterND, replace": {
    inputs: [{ shape: [6, 3] }, ints([3, 1], (_, i) => 2 * i), { shape: [3, 3] }],
    build: (x, i, u) => op.scatterND(x!, i!, u!),
  },
  "Tile, some axes": { inputs: [{ shape: [2, 3, 2], symbolic: B }], build: (x) => op.tile(x!, [3, 1, 2]) },
  "TopK, the largest": {
    inputs: [{ shape: [3, 6], symbolic: B, draw: distinct }],
    build: (x) => op.topK(x!, 2)[0],
  },
  "TopK, the smallest of an inner axis": {
    inputs: [{ shape: [2, 5, 3], draw: distinct }],
    build: (x) => op.topK(x!, 3, { axis: 1, largest: false })[0],
  },
  "Trilu, upper from the second diagonal": {
    inputs: [{ shape: [2, 4, 5], symbolic: B }],
    build: (x) => op.trilu(x!, { k: 1 }),
  },
  "Trilu, lower": { inputs: [{ shape: [4, 4] }], build: (x) => op.trilu(x!, { upper: false, k: -1 }) },
  ReverseSequence: {
    inputs: [{ shape: [4, 3, 2] }, ints([3], (_, i) => [4, 1, 3][i]!)],
    build: (x, lengths) => op.reverseSequence(x!, lengths!),
    precision: "linear",
  },
  "DepthToSpace, blocks first": {
    inputs: [{ shape: [2, 8, 2, 3], symbolic: B }],
    build: (x) => op.depthToSpace(x!, 2),
  },
  "DepthToSpace, blocks last": {
    inputs: [{ shape: [2, 8, 2, 3], symbolic: B }],
    build: (x) => op.depthToSpace(x!, 2, "CRD"),
  },
  SpaceToDepth: { inputs: [{ shape: [2, 2, 4, 6], symbolic: B }], build: (x) => op.spaceToDepth(x!, 2) },
  EyeLike: { inputs: [{ shape: [3, 4] }], build: (x) => op.mul(x!, op.eyeLike(x!, 1)) },
  ...Object.fromEntries(
    (["reflect", "edge", "wrap"] as const).map((mode): [string, GradientCase] => [
      `Pad, ${mode}, two axes`,
      {
        inputs: [{ shape: [2, 4, 5], symbolic: B }],
        build: (x) =>
          op.pad(
            x!,
            [
              { axis: 1, before: 2, after: 3 },
              { axis: 2, before: 0, after: 4 },
            ],
            mode,
          ),
      },
    ]),
  ),
  "Pad, edge, and cut": {
    inputs: [{ shape: [6, 2] }],
    build: (x) => op.pad(x!, [{ axis: 0, before: -2, after: 3 }], "edge"),
  },
  "Pad, a filling that is computed": {
    inputs: [{ shape: [2, 3], symbolic: B }, { shape: [] }],
    build: (x, value) => op.padOp.emit([x!, op.int64s(x!, [1, 0, 0, 2]), value!]).output,
  },
  "Slice, a symbolic axis": {
    inputs: [{ shape: [2, 6], symbolic: { 0: "batch", 1: "time" } }],
    build: (x) => op.slice(x!, [{ axis: 1, start: 1, end: 2 ** 40 }]),
  },
  "Slice, a symbolic axis from its end": {
    inputs: [{ shape: [6, 2], symbolic: { 0: "time" } }],
    build: (x) => op.slice(x!, [{ axis: 0, start: -1, end: 2 ** 40 }]),
  },
  "Slice, steps before several symbolic axes": {
    inputs: [{ shape: [5, 2, 3], symbolic: { 1: "batch", 2: "time" } }],
    build: (x) => op.slice(x!, [{ axis: 0, start: 0, end: 5, step: 2 }]),
  },
  "Tile, several symbolic axes": {
    inputs: [{ shape: [2, 3, 2], symbolic: { 0: "batch", 2: "time" } }],
    build: (x) => op.tile(x!, [2, 3, 1]),
  },
  "DepthToSpace, blocks last, of any size": {
    inputs: [{ shape: [2, 8, 2, 3], symbolic: { 0: "batch", 2: "height", 3: "width" } }],
    build: (x) => op.depthToSpace(x!, 2, "CRD"),
  },
  "Add, broadcast over a first axis before several symbolic ones": {
    inputs: [
      { shape: [2, 3, 4], symbolic: { 1: "batch", 2: "time" } },
      { shape: [1, 3, 4], symbolic: { 1: "batch", 2: "time" } },
    ],
    build: (a, b) => op.add(a!, b!),
  },
  "Add, broadcast over a first axis before symbolic ones of length 1": {
    inputs: [
      { shape: [2, 3, 1], symbolic: { 1: "batch", 2: "time" } },
      { shape: [1, 3, 1], symbolic: { 1: "batch", 2: "time" } },
    ],
    build: (a, b) => op.add(a!, b!),
  },
  "Concat along a symbolic axis": {
    inputs: [
      { shape: [2, 3], symbolic: { 1: "time" } },
      { shape: [2, 4], symbolic: { 1: "later" } },
    ],
    build: (a, b) => op.concat([a!, b!], 1),
  },
};

describe("indexing", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  it("pads slices of symbolic axes without naming axes, which the runtime overlooks between transposes", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [2, "time", 3]);
    const [dx] = gradients(op.reduceSum(op.slice(x, [{ axis: 1, start: -1, end: 2 ** 31 }])), [x]);
    const { operator, inputs } = dx!.producer!;
    expect([operator, inputs.length]).toEqual([op.padOp, 2]);
    expect(contentOf(inputs[1]!)!.elements).toEqual([0, "time-1", 0, 0, 0, 0]);
  });

  it("refuses indices that are no whole numbers", () => {
    const graph = new Graph();
    const [data, floats] = ["data", "floats"].map((name) => graph.input(name, "float32", [3, 2]));
    for (const build of [op.gather, op.gatherElements, op.gatherND]) {
      expect(() => build(data!, floats!)).toThrow(
        /indices must be int64( or int32)?, "floats" is float32\[3, 2\]/,
      );
    }
  });
});
