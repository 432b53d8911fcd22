import { describe, expect, it } from "vitest";
import { randn } from "../../test/support/run.ts";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import { readOnnx } from "../onnx/read.ts";
import { writeOnnx } from "../onnx/write.ts";
import { mul } from "../ops/index.ts";
import { attachDendrites, type DendriteActivation } from "./attach.ts";
import { detachDendrites } from "./detach.ts";
import { findSites } from "./sites.ts";

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 3, 3);
  body = new nn.Sequential(new nn.Linear(12, 5), new nn.ReLU());
  head = new nn.Linear(5, 2);
  forward(x: Value): Value {
    return this.head.call(this.body.call(this.conv.call(x).sigmoid().flatten() as never)).add(1);
  }
}

const base = nn.trace(new Net(), { inputs: { x: ["batch", 1, 4, 4] } });

function grown(count: number, activation: DendriteActivation = "sigmoid"): Graph {
  const plan = {
    sites: findSites(base),
    count,
    activation,
    random: (name: string) => Random.stream(1, name),
  };
  const values = new Map(
    attachDendrites(base, plan).parameters.map(({ name, shape }) => [name, randn(shape as number[], name)]),
  );
  return attachDendrites(base, { ...plan, values });
}

/** What a graph computes, whatever its values are called. */
const shapes = (graph: Graph) =>
  graph.nodes.map(({ operator, output }) => `${operator.type} ${output.shape}`);

describe("detachDendrites", () => {
  for (const activation of ["sigmoid", "tanh", "relu", "sin"] as const) {
    for (const count of [1, 2, 3]) {
      it(`takes ${count} ${activation} dendrites off, and puts them on again, also through a file`, () => {
        const graph = grown(count, activation);
        for (const given of [graph, readOnnx(writeOnnx(graph)).graph]) {
          const found = detachDendrites(given);
          expect(shapes(found.base)).toEqual(shapes(base));
          expect(found.base.parameters.map(({ name }) => name)).toEqual(
            base.parameters.map(({ name }) => name),
          );
          expect(found.activation).toBe(activation);
          expect([...found.counts]).toEqual(["conv", "body.0", "head"].map((id) => [id, count]));
          const again = attachDendrites(found.base, {
            sites: findSites(found.base),
            count,
            activation,
            values: found.values,
            random: () => {
              throw new Error("every weight is known");
            },
          });
          const parameters = (of: Graph) =>
            new Map(of.parameters.map(({ name, data }) => [name, data!.data]));
          expect(parameters(again)).toEqual(parameters(graph));
        }
      });
    }
  }

  it("leaves a graph without dendrites as it is", () => {
    expect(detachDendrites(base)).toMatchObject({ base, counts: new Map(), activation: null });
  });

  it("refuses names of dendrites without their nodes", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", ["batch", 3]);
    graph.output(mul(x, graph.parameter("fc.dendrites.output", Tensor.zeros([1, 3]))));
    expect(() => detachDendrites(graph)).toThrow("names dendrites on fc, but its nodes are not those");
  });
});
