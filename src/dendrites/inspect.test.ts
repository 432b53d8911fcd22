import { describe, expect, it } from "vitest";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import * as op from "../ops/index.ts";
import { attachDendrites } from "./attach.ts";
import { inspect, type ModuleReport } from "./inspect.ts";
import { findSites } from "./sites.ts";

class Block extends nn.Module {
  conv = new nn.Conv2d(3, 3, 3, { padding: 1 });
  norm = new nn.BatchNorm2d(3);
  forward(x: Value): Value {
    return x.add(this.norm.call(this.conv.call(x)).relu());
  }
}

class Net extends nn.Module {
  scale = new nn.Parameter([3, 1, 1], nn.init.ones);
  stem = new nn.Conv2d(1, 3, 3);
  blocks = new nn.Sequential(new Block(), new Block());
  drop = new nn.Dropout(0.5);
  fc = new nn.Linear(75, 4);
  forward(x: Value): Value {
    const y = this.blocks.call(this.stem.call(x)).mul(this.scale);
    return this.fc.call(this.drop.call(y.flatten()));
  }
}

const traced = () => nn.trace(new Net(), { inputs: { x: ["batch", 1, 7, 7] } });
const outline = ({ id, type, parameters, trains, verdict, modules }: ModuleReport): unknown => [
  id,
  type,
  parameters,
  trains,
  verdict,
  ...modules.map(outline),
];

describe("inspect", () => {
  it("gives the tree of modules with sums, and what learns and grows", () => {
    const report = inspect(traced());
    const block = (i: number) => [
      `blocks.${i}`,
      "Block",
      90,
      null,
      null,
      [`blocks.${i}.conv`, "Conv2d", 84, true, "grows"],
      [`blocks.${i}.norm`, "BatchNorm2d", 6, true, "part"],
    ];
    expect(report.modules.map(outline)).toEqual([
      ["stem", "Conv2d", 30, true, "grows"],
      ["blocks", "Sequential", 180, null, null, block(0), block(1)],
      ["drop", "Dropout", 0, null, null],
      ["fc", "Linear", 304, true, "grows"],
    ]);
    expect(report.modules.map(({ outputs }) => outputs)).toEqual([
      [["batch", 3, 5, 5]],
      [["batch", 3, 5, 5]],
      [["batch", 75]],
      [["batch", 4]],
    ]);
    expect(report.outside).toEqual([
      { name: "scale", dtype: "float32", shape: [3, 1, 1], size: 3, trains: true },
    ]);
    expect([report.inputs, report.outputs.map(({ shape }) => shape)]).toEqual([
      [{ name: "x", dtype: "float32", shape: ["batch", 1, 7, 7] }],
      [["batch", 4]],
    ]);
    // Running means and variances, and how many batches there were, of two normalizations.
    const buffers = traced().buffers.reduce((sum, { data }) => sum + data!.data.length, 0);
    expect(report.count).toEqual({ parameters: 517, learned: 517, buffers });
    expect(report.obstacles).toEqual([]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it("asks for the classes that may grow", () => {
    const [stem, , , fc] = inspect(traced(), { types: ["Linear"] }).modules;
    expect(stem).toMatchObject({
      verdict: "stays",
      reason: "Conv2d is not among the types that grow",
    });
    expect(fc).toMatchObject({ verdict: "grows", reason: 'types has "Linear"' });
  });

  it("says what keeps weights from learning", () => {
    const graph = new Graph({ name: "net" });
    const weight = (name: string) => graph.parameter(`${name}.weight`, Tensor.full([4, 4], 1));
    const layer = (name: string, x: Value) => graph.within(name, () => op.matMul(x, weight(name)));
    const x = graph.input("x", "float32", ["batch", 4]);
    const hidden = layer("before", layer("first", x));
    const picked = graph.within("choice", () => op.argMax(hidden, 1));
    const table = graph.parameter("table", Tensor.full([4, 2], 1));
    const frozen = graph.buffer("frozen.weight", Tensor.full([2, 2], 1));
    const rows = op.gather(table, picked);
    graph.output(graph.within("frozen", () => op.matMul(rows, frozen)));
    // Shapes stop nothing that learns elsewhere.
    graph.output(op.reshapeLike(layer("beside", x), x));
    const report = inspect(graph);
    const { node, ...obstacle } = report.obstacles[0]!;
    expect(obstacle).toEqual({
      operator: "ArgMax",
      reason: "its output is an index",
      blocks: ["first.weight", "before.weight"],
    });
    expect(node).toMatch(/^ArgMax "choice" \(node \d+\)$/);
    expect(report.obstacles).toHaveLength(1);
    const answers = report.modules.map(({ id, trains, trainsNot }) => [id, trains, trainsNot]);
    expect(answers).toEqual([
      ["first", false, `no gradient passes ${node}`],
      ["before", false, `no gradient passes ${node}`],
      ["frozen", false, "it is a buffer, which is not learned"],
      ["beside", true, undefined],
    ]);
    expect(report.outside).toMatchObject([{ name: "table", trains: true }]);
    expect(report.count).toEqual({ parameters: 56, learned: 24, buffers: 4 });
  });

  it("takes stopped gradients for what they are, and outputs that are whole numbers", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", [2, 3]);
    const [a, b] = ["a", "b"].map((name) => graph.parameter(name, Tensor.full([3], 1)));
    graph.output(op.add(op.stopGradient(op.mul(x, a!)), b!));
    expect(inspect(graph)).toMatchObject({
      obstacles: [{ operator: "Identity", blocks: ["a"], reason: "it stops gradients on purpose" }],
      count: { parameters: 6, learned: 3 },
    });
    const whole = new Graph();
    const c = whole.parameter("c", Tensor.full([3], 1));
    whole.output(op.argMax(op.mul(whole.input("x", "float32", [2, 3]), c), 1));
    expect(inspect(whole)).toMatchObject({ obstacles: [{ operator: "ArgMax", blocks: ["c"] }] });
  });

  it("tells of a grown network without its dendrites, and of them", () => {
    const base = nn.trace(new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(4, 2)), {
      inputs: { x: ["batch", 3] },
    });
    const random = (name: string) => Random.stream(1, name);
    const grown = inspect(attachDendrites(base, { sites: findSites(base), count: 2, random }));
    // For each layer two copies, two output weights a neuron, and one from the first to the second.
    const parameters = 2 * (16 + 10) + 2 * (4 + 2) + (4 + 2);
    expect(grown.dendrites).toEqual({ modules: { "0": 2, "2": 2 }, parameters });
    expect(grown.modules).toEqual(inspect(base).modules);
    expect(grown.count).toEqual(inspect(base).count);
  });
});
