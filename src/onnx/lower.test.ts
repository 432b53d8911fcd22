import { describe, expect, it } from "vitest";
import { largestError, randn, runBytes } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import * as op from "../ops/index.ts";
import { readOnnx } from "./read.ts";
import { writeOnnx } from "./write.ts";

const int64s = (values: readonly number[]) => Tensor.of([values.length], values, "int64");
const constant = (x: Value, values: readonly number[]) => x.graph.constant(int64s(values));

/** What is written in another form, or as it is, for an older opset; `x` is `[2, 3, 6, 4]`. */
const WRITTEN: Readonly<Record<string, (x: Value) => Value>> = {
  AveragePool: (x) => op.averagePool(x, { kernel_shape: [2, 2], dilations: [1, 1], count_include_pad: 1 }),
  LpPool: (x) => op.lpPool(x, { kernel_shape: [3, 2], strides: [1, 2], p: 2 }),
  Cast: (x) => op.cast(op.cast(x, "int32"), "float32"),
  IsNaN: (x) => op.cast(op.isNanOp.emit([op.log(x)]).output, "float32"),
  Pad: (x) => op.padOp.emit([x, constant(x, [0, 0, 1, 0, 0, 0, 2, 1])], { mode: "reflect" }).output,
  ReduceMean: (x) => op.reduceMean(x, [1, 3]),
  "ReduceMax of all": (x) => op.reduceMax(x),
  "ReduceMin that keeps axes": (x) => op.reduceMin(x, [-1], { keepDims: true }),
  ReduceL2: (x) => op.reduceL2(x, [0]),
  ReduceLogSumExp: (x) => op.reduceLogSumExp(x, [2]),
  ReduceSum: (x) => op.reduceSum(x, [2]),
  ReduceProd: (x) => op.reduceProd(x, [3]),
  Reshape: (x) => op.reshape(x, [2, 72]),
  Resize: (x) => op.resizeOp.emit([x, null, null, constant(x, [2, 3, 9, 8])], { mode: "linear" }).output,
  ScatterND: (x) =>
    op.scatterNDOp.emit(
      [x, x.graph.constant(Tensor.of([1, 1], [1], "int64")), op.slice(x, [{ axis: 0, start: 0, end: 1 }])],
      {
        reduction: "add",
      },
    ).output,
  Shape: (x) => op.cast(op.shapeOf(x), "float32"),
  "Split into even parts": (x) => op.splitOp.emit([x], { axis: 2, num_outputs: 3 }).outputs[1]!,
  "Split by lengths": (x) => op.split(x, [2, 4], 2)[1]!,
};

/** What an older opset has nothing for. */
const REFUSED: Readonly<
  Record<string, readonly [opset: number, build: (x: Value) => Value, reason: RegExp]>
> = {
  "a dilated pool": [
    18,
    (x) => op.averagePool(x, { kernel_shape: [2, 2], dilations: [2, 1] }),
    /no dilations/,
  ],
  "padding along axes": [
    17,
    (x) => op.padOp.emit([x, constant(x, [1, 1]), null, constant(x, [2])], {}).output,
    /no axes/,
  ],
  "a reduction over nothing": [
    17,
    (x) => op.reduceMeanOp.emit([x, null], { noop_with_empty_axes: 1 }).output,
    /always reduces/,
  ],
  "antialiased resizing": [
    17,
    (x) =>
      op.resizeOp.emit([x, null, null, constant(x, [2, 3, 3, 2])], { mode: "linear", antialias: 1 }).output,
    /no antialias/,
  ],
  "uneven parts": [17, (x) => op.splitOp.emit([x], { axis: 2, num_outputs: 4 }).outputs[0]!, /must be even/],
  "a Gelu": [19, (x) => op.gelu(x), /needs opset 20/],
};

function graphOf(build: (x: Value) => Value): Graph {
  const graph = new Graph();
  graph.output(build(graph.input("x", "float32", [2, 3, 6, 4])), "y");
  return graph;
}

describe("writeOnnx for older opsets", () => {
  const x = randn([2, 3, 6, 4], "x");

  it.each(Object.entries(WRITTEN))("%s computes the same in all of them", async (_, build) => {
    const graph = graphOf(build);
    const { y: wanted } = await runBytes(writeOnnx(graph), { x }, ["y"]);
    for (const opset of [17, 18, 19, 20]) {
      const { y } = await runBytes(writeOnnx(graph, { opset }), { x }, ["y"]);
      const error = largestError(y!.toNumbers(), wanted!.toNumbers());
      expect(error, `opset ${opset}`).toBeLessThan(1e-6);
    }
  });

  it.each(Object.entries(REFUSED))("%s is refused", (_, [opset, build, reason]) => {
    const graph = graphOf(build);
    expect(() => writeOnnx(graph, { opset })).toThrow(reason);
    expect(() => writeOnnx(graph)).not.toThrow();
  });

  it("stores nothing that the older form does not read", () => {
    const graph = graphOf((x) => op.reduceMean(x, [1, 3]));
    const { graph: read } = readOnnx(writeOnnx(graph, { opset: 17 }));
    // Read again, axes are an input once more: one constant, not that and another of the file.
    expect(read.constants.map(({ data }) => [...data!.toNumbers()])).toEqual([[1, 3]]);
  });

  it("gives an output its name, and what had it another", async () => {
    const graph = new Graph();
    const input = graph.input("x", "float32", [2, 3, 6, 4]);
    const inner = graph.add(op.reluOp, [input], {}, ["y"]).output;
    graph.output(op.neg(inner), "y");
    graph.output(inner, "z");
    graph.output(inner, "again");
    const { y, z, again } = await runBytes(writeOnnx(graph), { x }, ["y", "z", "again"]);
    expect([...y!.toNumbers()]).toEqual(Array.from(z!.toNumbers(), (value) => -value));
    expect(again!.data).toEqual(z!.data);
  });
});
