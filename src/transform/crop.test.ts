import { describe, expect, it } from "vitest";
import { largestError, outputOf, randn } from "../../test/support/run.ts";
import { Graph } from "../graph/graph.ts";
import { add, type ConvOptions, conv, mul, reduceSum, reshape } from "../ops/index.ts";
import { cropKernels, findCrops } from "./crop.ts";

const KERNEL = "kernel";

/** One convolution of `[2, C, *places]` by a parameter. */
function convolution(x: readonly number[], w: readonly number[], options: ConvOptions): Graph {
  const graph = new Graph();
  const weight = graph.parameter(KERNEL, randn(w, KERNEL));
  graph.output(conv(graph.input("x", "float32", ["batch", ...x]), weight, null, options));
  return graph;
}

const cropped = (graph: Graph) => cropKernels(graph, findCrops(graph));

/** What is left of the kernel; its whole shape where nothing is cropped. */
const left = (graph: Graph) => cropped(graph).state.get(KERNEL)!.shape.slice(2);

interface Case {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly options: ConvOptions;
  readonly left: readonly number[];
}

const CASES: Readonly<Record<string, Case>> = {
  "a map of one place": { x: [3, 1, 1], w: [4, 3, 3, 3], options: { pads: [1, 1, 1, 1] }, left: [1, 1] },
  "of one place along one side": {
    x: [3, 1, 5],
    w: [4, 3, 3, 3],
    options: { pads: [1, 1, 1, 1] },
    left: [1, 3],
  },
  "two places, every second window": {
    x: [2, 2, 2],
    w: [3, 2, 3, 3],
    options: { pads: [1, 1, 1, 1], strides: [2, 2] },
    left: [2, 2],
  },
  "dilated past the map": {
    x: [2, 3, 4],
    w: [3, 2, 3, 3],
    options: { pads: [4, 4, 4, 4], dilations: [4, 4] },
    left: [1, 1],
  },
  // The first place reads nothing, but there is no whole dilation of padding to cut off with it.
  "dilated by more than is padded": {
    x: [1, 3],
    w: [1, 1, 2],
    options: { pads: [1, 2], dilations: [2], strides: [4] },
    left: [2],
  },
  groups: { x: [4, 1, 1], w: [8, 2, 5, 3], options: { pads: [2, 1, 2, 1], group: 2 }, left: [1, 1] },
  "same padding": { x: [2, 1, 2], w: [3, 2, 4, 4], options: { auto_pad: "SAME_UPPER" }, left: [1, 3] },
  "one axis": { x: [2, 2], w: [3, 2, 7], options: { pads: [3, 3] }, left: [3] },
  "three axes": {
    x: [2, 1, 1, 2],
    w: [3, 2, 3, 3, 3],
    options: { pads: new Array(6).fill(1) },
    left: [1, 1, 3],
  },
  "nothing to crop": { x: [2, 2, 2], w: [3, 2, 3, 3], options: { pads: [1, 1, 1, 1] }, left: [3, 3] },
  "nothing but padding": { x: [1, 1], w: [1, 1, 1], options: { pads: [1, 1], strides: [2] }, left: [1] },
};

describe("cropped kernels", () => {
  it.each(Object.keys(CASES))("compute the same: %s", async (name) => {
    const { x, w, options, left: wanted } = CASES[name]!;
    const graph = convolution(x, w, options);
    expect(left(graph)).toEqual(wanted);
    const input = randn([2, ...x], "x");
    const found = await outputOf(cropped(graph), input);
    const whole = await outputOf(graph, input);
    expect(found.shape).toEqual(whole.shape);
    expect(largestError(found.data as Float32Array, whole.data as Float32Array)).toBeLessThan(1e-6);
  });

  it("are parts of whole ones, which come back around any other part", () => {
    const { x, w, options } = CASES["two places, every second window"]!;
    const crop = findCrops(convolution(x, w, options)).get(KERNEL)!;
    const whole = randn(w, "whole");
    const part = crop.partOf(whole);
    // The last two of three rows and columns.
    const inPart = [...whole.data.keys()].filter((i) => i % 9 >= 3 && i % 3 > 0);
    expect([...part.data]).toEqual(inPart.map((i) => whole.data[i]));
    const other = randn(part.shape, "other");
    const around = crop.around(other, whole);
    expect([...crop.partOf(around).data]).toEqual([...other.data]);
    expect([...crop.around(part, around).data]).toEqual([...whole.data]);
    // 0.1 is another number in float32.
    for (const value of [0, 0.1]) expect(crop.surroundedBy(value, crop.around(part, value))).toBe(true);
    expect(crop.surroundedBy(0.1, whole)).toBe(false);
  });

  const shared = (build: (graph: Graph, w: ReturnType<Graph["parameter"]>) => void): Graph => {
    const graph = new Graph();
    build(graph, graph.parameter(KERNEL, randn([2, 2, 3, 3], KERNEL)));
    return graph;
  };
  const row = (graph: Graph, name: string, length: number) =>
    graph.input(name, "float32", ["batch", 2, 1, length]);
  const padded = { pads: [1, 1, 1, 1] };

  it("may be read by several convolutions that read the same places of them", () => {
    const twice = (a: number, b: number) =>
      shared((graph, w) => {
        graph.output(conv(row(graph, "a", a), w, null, padded));
        graph.output(conv(row(graph, "b", b), w, null, padded));
      });
    expect(left(twice(5, 4))).toEqual([1, 3]);
    expect(left(twice(1, 1))).toEqual([1, 1]);
    expect(left(twice(5, 1))).toEqual([3, 3]);
  });

  it("are read by nothing else", () => {
    const penalized = shared((graph, w) => {
      const y = conv(row(graph, "x", 1), w, null, padded);
      graph.output(add(y, reduceSum(mul(w, w))));
    });
    const asImage = shared((graph, w) => {
      const one = reshape(w, [4, 1, 3, 3]);
      graph.output(conv(row(graph, "x", 1), w, null, padded));
      graph.output(one);
    });
    for (const graph of [penalized, asImage]) expect(left(graph)).toEqual([3, 3]);
  });

  it("are only those that are asked for", () => {
    const graph = convolution([3, 1, 1], [4, 3, 3, 3], padded);
    expect([...findCrops(graph).keys()]).toEqual([KERNEL]);
    expect(cropKernels(graph, new Map())).toBe(graph);
  });
});
