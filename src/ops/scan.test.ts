import { describe, expect, it } from "vitest";
import { evaluate, outputOf } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { printGraph } from "../graph/print.ts";
import { readOnnx } from "../onnx/read.ts";
import { writeOnnx } from "../onnx/write.ts";
import { gradients } from "../transform/gradient.ts";
import * as op from "./index.ts";
import { scan } from "./scan.ts";

/** Horner's rule in `at` for the rows of `x`: after each step, and last. */
function horner(x: Value, at: Value, backwards = false) {
  const zeros = op.fullLike(op.reduceSum(x, [0]));
  return scan({ carried: [zeros], fixed: [at], sequences: [x], backwards }, ([sum], [part], [factor]) => {
    const next = op.add(op.mul(sum!, factor!), part!);
    return { carried: [next], parts: [next] };
  });
}

const X = Tensor.of([3, 2], [1, 2, 3, 4, 5, 6], "float64");
const AT = Tensor.of([], [10], "float64");

function graphOf(build: (x: Value) => Value): Graph {
  const graph = new Graph();
  graph.output(build(graph.input("x", "float64", ["time", 2])));
  return graph;
}

const hornerIn10 = () => graphOf((x) => horner(x, x.graph.constant(AT)).sequences[0]!);

describe("scan", () => {
  it("carries from step to step, and keeps what each makes", async () => {
    const last = await evaluate((x, at) => horner(x!, at!).carried[0]!, X, AT);
    expect([...last.data]).toEqual([135, 246]);
    const all = await evaluate((x, at) => horner(x!, at!).sequences[0]!, X, AT);
    expect([...all.data]).toEqual([1, 2, 13, 24, 135, 246]);
  });

  it("starts at the end if told to, and keeps the order of time", async () => {
    const all = await evaluate((x, at) => horner(x!, at!, true).sequences[0]!, X, AT);
    expect([...all.data]).toEqual([531, 642, 53, 64, 5, 6]);
  });

  it("takes any number of steps, and is written, read and printed with its body", async () => {
    const graph = hornerIn10();
    expect(graph.outputs[0]!.shape).toEqual(["time", 2]);
    const again = readOnnx(writeOnnx(graph)).graph;
    expect(again.outputs[0]!.shape).toEqual(["time", 2]);
    expect([...(await outputOf(again, X)).data]).toEqual([1, 2, 13, 24, 135, 246]);
    expect(printGraph(graph)).toContain("Scan.body/Add: float64[2] = Add(Scan.body/Mul, Scan.body/input_2)");
  });

  it("has no gradient, and says so", () => {
    const graph = hornerIn10();
    expect(() => gradients(op.reduceSum(graph.outputs[0]!), graph.inputs)).toThrow(
      /Scan \(node \d+\): it is a loop/,
    );
  });

  it("refuses a body that does not fit", () => {
    const { attributes } = hornerIn10().nodes.find(({ operator }) => operator === op.scanOp)!;
    const graph = new Graph();
    const [state, factor] = [graph.input("state", "float64", [2]), graph.input("factor", "float64", [])];
    const wide = graph.input("x", "float64", ["time", 3]);
    const add = (...inputs: Value[]) => graph.add(op.scanOp, inputs, attributes);
    expect(() => add(state, factor, wide)).toThrow("its body wants [2] as input 2, it gets [3]");
    expect(() => add(state, factor, factor)).toThrow("input 2 is no sequence");
    expect(() => add(state, wide)).toThrow("its body does not take 2 inputs");
    expect(() => graph.add(op.scanOp, [state, factor, wide])).toThrow("its body does not take 3 inputs");
  });
});
