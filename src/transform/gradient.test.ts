import { describe, expect, it } from "vitest";
import { randn, runGraph } from "../../test/support/run.ts";
import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { printGraph } from "../graph/print.ts";
import * as op from "../ops/index.ts";
import { gradients } from "./gradient.ts";

const vector = (...numbers: number[]) => Tensor.of([numbers.length], numbers);

/** The gradients of `build(x, w)` by x and w, run on numbers. */
async function differentiated(x: Tensor, w: Tensor, build: (x: Value, w: Value) => Value) {
  const graph = new Graph();
  const [a, b] = [graph.input("x", "float32", x.shape), graph.parameter("w", w)];
  const [dx, dw] = gradients(build(a, b), [a, b]) as [Value, Value];
  const found = await runGraph(graph, { x }, { dx, dw });
  return { dx: [...found.dx!.toNumbers()], dw: [...found.dw!.toNumbers()], shapes: [dx.shape, dw.shape] };
}

function thrownBy(fail: () => unknown): ArborizeError {
  try {
    fail();
  } catch (error) {
    if (error instanceof ArborizeError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("gradients", () => {
  it("add up over all ways from the loss to a value", async () => {
    // x w + x + w + w, summed: by x it is w + 1, by w it is x + 2.
    const found = await differentiated(vector(1, 2, 3), vector(4, 5, 6), (x, w) =>
      op.reduceSum(op.sum(op.mul(x, w), x, w, w)),
    );
    expect(found.dx).toEqual([5, 6, 7]);
    expect(found.dw).toEqual([3, 4, 5]);
  });

  it("add up in a chain that branches and joins again", async () => {
    // y = w², z = y³ + y: dz/dw = (3 y² + 1) 2 w.
    const { dw } = await differentiated(vector(0), vector(2), (_, w) => {
      const y = op.mul(w, w);
      return op.reduceSum(op.add(op.mul(op.mul(y, y), y), y));
    });
    expect(dw).toEqual([(3 * 16 + 1) * 4]);
  });

  it("sum over the axes that were broadcast", async () => {
    const x = randn([3, 4], "x");
    const found = await differentiated(x, Tensor.of([1, 4], [1, 2, 3, 4]), (a, b) =>
      op.reduceSum(op.mul(a, b)),
    );
    expect(found.shapes).toEqual([
      [3, 4],
      [1, 4],
    ]);
    expect(found.dx).toEqual([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]);
    const columns = [0, 1, 2, 3].map((j) => Math.fround(x.data[j]! + x.data[4 + j]!) + x.data[8 + j]!);
    found.dw.forEach((g, j) => {
      expect(g).toBeCloseTo(columns[j]!, 5);
    });
  });

  it("are zeros where nothing leads to the loss, and one for the loss itself", async () => {
    const graph = new Graph();
    const w = graph.parameter("w", vector(1, 2));
    const unused = graph.parameter("unused", Tensor.of([2, 2], [1, 2, 3, 4]));
    const loss = op.reduceSum(w);
    const [dUnused, dLoss] = gradients(loss, [unused, loss]) as [Value, Value];
    const found = await runGraph(graph, {}, { dUnused, dLoss });
    expect(`${found.dUnused}`).toBe("float32[2, 2]");
    expect([...found.dUnused!.toNumbers()]).toEqual([0, 0, 0, 0]);
    expect(found.dLoss!.item()).toBe(1);
    const scalar = graph.parameter("scalar", Tensor.of([], [3]));
    const [dScalar] = gradients(scalar, [scalar]) as [Value];
    expect((await runGraph(graph, {}, { dScalar })).dScalar!.item()).toBe(1);
  });

  it("do not flow through stopGradient, nor ask for rules behind it", async () => {
    const stopped = await differentiated(vector(1, 2), vector(3, 4), (x, w) =>
      op.reduceSum(op.mul(op.stopGradient(op.mul(x, w)), x)),
    );
    expect(stopped.dx).toEqual([3, 8]);
    expect(stopped.dw).toEqual([0, 0]);
    const graph = new Graph();
    const w = graph.parameter("w", vector(1, 2));
    const behind = op.stopGradient(op.dropout(w, 0.5));
    expect(() => gradients(op.reduceSum(op.mul(behind, w)), [w])).not.toThrow();
  });

  it("need a floating scalar", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", ["batch", 3]);
    const error = thrownBy(() => gradients(x, [x]));
    expect(error.code).toBe("shape_mismatch");
    expect(error.message).toContain('"x" is float32[batch, 3]');
    const count = graph.input("count", "int64", []);
    expect(thrownBy(() => gradients(count, [x])).message).toContain('"count" is int64[]');
  });

  it("name every operator that blocks the way, and the way to it", () => {
    const graph = new Graph();
    const x = graph.parameter("x", vector(1, 2));
    const first = graph.within("layer.drop1", () => op.dropout(x, 0.1));
    const second = graph.within("layer.drop2", () => op.dropout(op.relu(first), 0.2));
    const third = graph.within("other.drop3", () => op.dropout(x, 0.3));
    const loss = op.reduceMean(op.mul(second, third));
    const { code, message } = thrownBy(() => gradients(loss, [x]));
    expect(code).toBe("not_differentiable");
    expect(message).toBe(
      [
        "The loss cannot be differentiated: 3 operators on the way have no gradient.",
        '  Dropout "other.drop3" (node 3): it has not been given a mask: differentiate the training form of the graph',
        "    reached from the loss <- ReduceMean (node 5) <- Mul (node 4)",
        '  Dropout "layer.drop2" (node 2): it has not been given a mask: differentiate the training form of the graph',
        "    reached from the loss <- ReduceMean (node 5) <- Mul (node 4)",
        '  Dropout "layer.drop1" (node 0): it has not been given a mask: differentiate the training form of the graph',
        '    reached from the loss <- ReduceMean (node 5) <- Mul (node 4) <- Dropout "layer.drop2" (node 2) <- Relu "layer.drop2" (node 1)',
      ].join("\n"),
    );
    // What has no gradient but does not lie between the loss and the parameters is no matter.
    const input = graph.input("input", "float32", [2]);
    const beside = op.mul(op.dropout(input, 0.5), x);
    expect(() => gradients(op.reduceSum(beside), [x])).not.toThrow();
    const indices = op.cast(op.argMax(x, 0), "float32");
    expect(() => gradients(op.reduceSum(op.mul(indices, x)), [x])).not.toThrow();
  });

  it("are nodes in the scope of what they differentiate, and share what is equal", () => {
    const graph = new Graph({ name: "small", shareSubexpressions: true });
    const x = graph.input("x", "float32", ["batch", 3]);
    const w = graph.parameter("fc.weight", Tensor.zeros([2, 3]));
    const y = graph.within("fc", () => op.gemm(x, w, null, { transB: true }));
    const loss = op.reduceSum(op.mul(op.tanh(y), op.tanh(y)));
    const [dw] = gradients(loss, [w]) as [Value];
    expect(printGraph(graph, [loss, dw])).toMatchInlineSnapshot(`
      "small(x: float32[batch, 3]) => (ReduceSum: float32[], fc/Gemm_2: float32[2, 3])
        parameter fc.weight: float32[2, 3]
        fc/Gemm: float32[batch, 2] = Gemm(x, fc.weight) <transA = 0, transB = 1>
        Tanh: float32[batch, 2] = Tanh(fc/Gemm)
        Mul: float32[batch, 2] = Mul(Tanh, Tanh)
        ReduceSum: float32[] = ReduceSum(Mul) <keepdims = 0>
        ConstantOfShape: float32[] = ConstantOfShape([]) <value = float32[1]>
        Unsqueeze: float32[1, 1] = Unsqueeze(ConstantOfShape, [0, 1])
        Shape: int64[2] = Shape(Mul) <start = 0, end = 2>
        Expand: float32[batch, 2] = Expand(Unsqueeze, Shape)
        Mul_1: float32[batch, 2] = Mul(Expand, Tanh)
        Add: float32[batch, 2] = Add(Mul_1, Mul_1)
        Sub: float32[batch, 2] = Sub(1, Mul)
        Mul_2: float32[batch, 2] = Mul(Add, Sub)
        fc/Gemm_2: float32[2, 3] = Gemm(Mul_2, x) <transA = 1, transB = 0, alpha = 1>
      "
    `);
    expect(dw.producer!.scope).toBe("fc");
    // Without sharing, tanh(y) is there twice.
    expect(graph.nodes.filter(({ operator }) => operator.type === "Tanh")).toHaveLength(1);
  });
});
