import { expect, it } from "vitest";
import type { Value } from "../../graph/graph.ts";
import * as nn from "../index.ts";

const namesOf = (module: nn.Module) => [...module.namedParameters().values()];
const linear = () => new nn.Linear(2, 2, { bias: false });

it("Sequential names its modules by position, or as they are named", () => {
  expect(namesOf(new nn.Sequential(linear(), new nn.ReLU(), linear()))).toEqual(["0.weight", "2.weight"]);
  const named = new nn.Sequential({ fc1: linear(), act: new nn.ReLU(), fc2: linear() });
  expect(namesOf(named)).toEqual(["fc1.weight", "fc2.weight"]);
  const graph = nn.trace(named, { inputs: { x: ["batch", 2] } });
  expect(graph.nodes.map(({ scope }) => scope)).toEqual(["fc1", "act", "fc2"]);
});

it("ModuleList and ModuleDict hold modules for a forward that calls them", () => {
  class Net extends nn.Module {
    readonly blocks = new nn.ModuleList([linear(), linear()]).append(linear());
    readonly heads = new nn.ModuleDict({ left: linear() }).set("right", linear());

    forward(x: Value): Value {
      let y = x;
      for (const block of this.blocks) y = block.call(y);
      for (const [, head] of this.heads) y = head.call(y);
      return this.heads.get("left")!.call(this.blocks.at(-1)!.call(y));
    }
  }
  const net = new Net();
  expect(net.blocks.length).toBe(3);
  expect([...net.heads.keys()]).toEqual(["left", "right"]);
  expect(namesOf(net)).toEqual([
    "blocks.0.weight",
    "blocks.1.weight",
    "blocks.2.weight",
    "heads.left.weight",
    "heads.right.weight",
  ]);
  const { nodes } = nn.trace(net, { inputs: { x: ["batch", 2] } });
  expect(nodes.map(({ scope }) => scope)).toEqual([
    "blocks.0",
    "blocks.1",
    "blocks.2",
    "heads.left",
    "heads.right",
    "blocks.2",
    "heads.left",
  ]);
});

it("a list that is called itself says what to call", () => {
  expect(() => new nn.ModuleList().forward()).toThrow("A ModuleList computes nothing by itself");
  expect(() => new nn.ModuleDict().forward()).toThrow("A ModuleDict computes nothing by itself");
});
