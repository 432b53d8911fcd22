import { describe, expect, it } from "vitest";
import { outputOf, randn, runGraph } from "../../test/support/run.ts";
import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { printGraph } from "../graph/print.ts";
import * as nn from "../nn/index.ts";
import * as op from "../ops/index.ts";
import { gradients } from "./gradient.ts";
import { evaluationForm, type Mask, trainingForm } from "./mode.ts";
import { rewrite } from "./rewrite.ts";

class Net extends nn.Module {
  drop = new nn.Dropout(0.25);
  fc = new nn.Linear(8, 8);
  forward(x: Value): Value {
    return this.drop.call(this.fc.call(this.drop.call(x)).relu());
  }
}

const traced = () => nn.trace(new Net(), { inputs: { x: ["batch", 8] }, seed: 2 });

describe("rewrite", () => {
  it("copies a graph as it is: names, modules, scopes, values", () => {
    const graph = traced();
    const { graph: copy, mapped } = rewrite(graph);
    expect(printGraph(copy)).toBe(printGraph(graph));
    expect(copy.name).toBe("Net");
    expect([...copy.modules]).toEqual([...graph.modules]);
    expect(copy.nodes.map(({ scope }) => scope)).toEqual(graph.nodes.map(({ scope }) => scope));
    expect(copy.state.get("fc.weight")!).toBe(graph.state.get("fc.weight")!);
    expect(mapped(graph.outputs[0]!)).toBe(copy.outputs[0]);
    expect(copy.nodes.every(({ output }) => output.graph === copy)).toBe(true);
  });

  it("leaves the old graph alone, and out what no output needs", () => {
    const graph = traced();
    const before = printGraph(graph);
    graph.within("dead", () => op.relu(graph.inputs[0]!));
    const nodes = graph.nodes.length;
    const { graph: copy } = rewrite(graph, (node, [x]) =>
      node.operator === op.reluOp ? [op.tanh(x!)] : undefined,
    );
    expect(graph.nodes.length).toBe(nodes);
    expect(printGraph(graph)).toBe(before);
    expect(copy.nodes.map(({ operator, scope }) => `${scope} ${operator.type}`)).toEqual([
      "drop Dropout",
      "fc Gemm",
      " Tanh",
      "drop Dropout",
    ]);
  });

  it("takes given values of parameters, and computes other outputs", async () => {
    const graph = traced();
    const bias = Tensor.full([8], 5);
    const gemm = graph.nodes.find(({ operator }) => operator === op.gemmOp)!;
    const values = new Map([
      ["fc.bias", bias],
      ["fc.weight", Tensor.zeros([8, 8])],
    ]);
    const { graph: copy } = evaluationForm(graph, { outputs: [gemm.output], values });
    expect(copy.outputs.map(({ name }) => name)).toEqual(["fc/Gemm"]);
    expect((await outputOf(copy, randn([1, 8], "x"))).data).toEqual(bias.data);
  });

  it("shares equal nodes when asked to, but never random ones", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [4]);
    const twice = () => op.add(op.relu(op.add(x, op.scalar(x, 1))), op.softmax(x, 0));
    graph.output(op.mul(twice(), twice()));
    graph.output(op.mul(op.dropout(x, 0.5), op.dropout(x, 0.5)));
    graph.output(op.add(op.softmax(x, -1), op.softmax(x, 0)));
    const types = (given: Graph) => given.nodes.map(({ operator }) => operator.type).sort();
    expect(types(rewrite(graph).graph)).toEqual(types(graph));
    const shared = types(rewrite(graph, undefined, { shareSubexpressions: true }).graph);
    expect(shared).toEqual(
      ["Add", "Add", "Add", "Dropout", "Dropout", "Mul", "Mul", "Relu", "Softmax", "Softmax"].sort(),
    );
  });
});

describe("dropout", () => {
  it("is nothing in evaluation", async () => {
    const { graph } = evaluationForm(traced());
    expect(graph.nodes.map(({ operator }) => operator.type)).toEqual(["Gemm", "Relu"]);
    const x = randn([5, 8], "x");
    const plain = nn.trace(
      new (class extends nn.Module {
        fc = new nn.Linear(8, 8);
        forward(input: Value): Value {
          return this.fc.call(input).relu();
        }
      })(),
      { inputs: { x: ["batch", 8] }, seed: 2 },
    );
    expect((await outputOf(graph, x)).data).toEqual((await outputOf(plain, x)).data);
  });

  it("is a product with a mask of its own for each call in training", async () => {
    const masks: Mask[] = [];
    const { graph } = rewrite(traced(), trainingForm(masks), { shareSubexpressions: true });
    expect(masks.map(({ input, p }) => `${input} ${p}`)).toEqual([
      "drop.mask: bool[batch, 8] 0.25",
      "drop.mask_1: bool[batch, 8] 0.25",
    ]);
    const x = randn([1, 8], "x");
    const first = Tensor.of([1, 8], [1, 0, 1, 0, 1, 1, 1, 1], "bool");
    const second = Tensor.of([1, 8], [1, 1, 1, 1, 0, 0, 1, 1], "bool");
    const y = graph.outputs[0]!;
    const found = await runGraph(graph, { x, "drop.mask": first, "drop.mask_1": second }, { y });
    const dropped = Tensor.of(
      [1, 8],
      Array.from(x.data, (value, i) => (Number(value) * first.data[i]!) / 0.75),
    );
    const hidden = await outputOf(evaluationForm(traced()).graph, dropped);
    hidden.toNumbers();
    Array.from(hidden.toNumbers()).forEach((value, i) => {
      expect(found.y!.data[i]).toBeCloseTo((value * second.data[i]!) / 0.75, 5);
    });
  });

  it("lets no gradient through where it is stopped, without choosing forward", async () => {
    const graph = new Graph();
    const rows = graph.input("rows", "float32", [3, 2]);
    const stopped = graph.input("stopped", "bool", [3, 1]);
    graph.output(op.mul(op.where(stopped, op.stopGradient(rows), rows), op.scalar(rows, 3)));
    const trained = rewrite(graph, trainingForm([]), { shareSubexpressions: true }).graph;
    expect(trained.nodes.map(({ operator }) => operator.type)).not.toContain("Where");
    const [dx] = gradients(op.reduceSum(trained.outputs[0]!), [trained.inputs[0]!]);
    const feeds = { rows: randn([3, 2], "rows"), stopped: Tensor.of([3, 1], [0, 1, 0], "bool") };
    const found = await runGraph(trained, feeds, { y: trained.outputs[0]!, dx: dx! });
    expect([...found.y!.data]).toEqual(
      Array.from(feeds.rows.data, (value) => Math.fround(3 * Number(value))),
    );
    expect([...found.dx!.data]).toEqual([3, 3, 0, 0, 3, 3]);
  });

  it("of probability 0 is nothing in training as well", () => {
    const masks: Mask[] = [];
    const graph = new Graph();
    graph.output(op.relu(op.dropout(graph.input("x", "float32", [3]), 0)));
    expect(rewrite(graph, trainingForm(masks)).graph.nodes.map(({ operator }) => operator.type)).toEqual([
      "Relu",
    ]);
    expect(masks).toEqual([]);
  });

  it.each([-0.1, 1, 1.5, Number.NaN])("refuses p = %s", (p) => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [3]);
    expect(() => nn.functional.dropout(x, p)).toThrow(ArborizeError);
    expect(() => nn.functional.dropout(x, p)).toThrow(`p must be at least 0 and below 1, it is ${p}`);
    expect(() => nn.trace(new nn.Sequential(new nn.Dropout(p)), { inputs: { x: [3] } })).toThrow(
      `it is ${p}`,
    );
  });

  it("refuses a ratio that is computed", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [3]);
    const ratio = graph.input("ratio", "float32", []);
    graph.output(graph.within("drop", () => op.dropoutOp.emit([x, ratio]).output));
    expect(() => rewrite(graph, trainingForm([]))).toThrow(
      'Dropout "drop" (node 0): its ratio must be a constant, not "ratio"',
    );
  });
});
