import { describe, expect, it } from "vitest";
import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import type { Graph, Value } from "../graph/graph.ts";
import * as nn from "./index.ts";

class Block extends nn.Module {
  convs = [new nn.Conv2d(2, 2, 3, { padding: 1 }), new nn.Conv2d(2, 2, 1, { bias: false })];
  gain = new nn.Parameter([2, 1, 1], nn.init.ones);
  forward(x: Value): Value {
    return this.convs[1]!.call(this.convs[0]!.call(x)).mul(this.gain);
  }
}

class Net extends nn.Module {
  body = new nn.Sequential(new Block(), new nn.ReLU(), new Block());
  scales = [new nn.Parameter([1], nn.init.zeros), new nn.Parameter([1], nn.init.ones)];
  head: nn.Linear;
  // What is no module and no parameter is no matter.
  settings = { dropped: true };
  note: string | null = null;
  constructor(classes = 3) {
    super();
    this.head = new nn.Linear(8, classes);
  }
  forward(x: Value): Value {
    const y = this.body.call(x as never).flatten();
    return this.head.call(y.mul(this.scales[0]!).add(this.scales[1]!));
  }
}

const INPUTS = { x: ["batch", 2, 2, 2] };
const NAMES = [
  "scales.0",
  "scales.1",
  "body.0.gain",
  "body.0.convs.0.weight",
  "body.0.convs.0.bias",
  "body.0.convs.1.weight",
  "body.2.gain",
  "body.2.convs.0.weight",
  "body.2.convs.0.bias",
  "body.2.convs.1.weight",
  "head.weight",
  "head.bias",
];
const traced = (seed = 0, model: nn.Module = new Net()): Graph => nn.trace(model, { inputs: INPUTS, seed });
const stateOf = (graph: Graph) => new Map(graph.parameters.map(({ name, data }) => [name, data!]));

function thrownBy(fail: () => unknown): ArborizeError {
  try {
    fail();
  } catch (error) {
    if (error instanceof ArborizeError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("names", () => {
  it("are PyTorch's state dict names, for nested modules, arrays and Sequential", () => {
    expect([...new Net().namedParameters().values()].sort()).toEqual([...NAMES].sort());
    expect([...traced().parameters.map(({ name }) => name)].sort()).toEqual([...NAMES].sort());
  });

  it("of modules are scopes of the graph, with their classes", () => {
    expect(Object.fromEntries([...traced().modules].map(([scope, { type }]) => [scope, type]))).toEqual({
      "": "Net",
      body: "Sequential",
      "body.0": "Block",
      "body.0.convs.0": "Conv2d",
      "body.0.convs.1": "Conv2d",
      "body.1": "ReLU",
      "body.2": "Block",
      "body.2.convs.0": "Conv2d",
      "body.2.convs.1": "Conv2d",
      head: "Linear",
    });
    const scopes = traced().nodes.map(({ operator, scope }) => `${operator.type} ${scope}`);
    expect(scopes).toContain("Conv body.2.convs.1");
    expect(scopes).toContain("Mul body.0");
    expect(scopes).toContain("Flatten ");
  });

  it("of what is reached twice are those of its first place", () => {
    const shared = new nn.Linear(8, 8);
    const model = new nn.Sequential(shared, new nn.ReLU(), shared);
    const graph = nn.trace(model, { inputs: { x: ["batch", 8] } });
    expect(graph.parameters.map(({ name }) => name)).toEqual(["0.weight", "0.bias"]);
    expect(graph.nodes.map(({ scope }) => scope)).toEqual(["0", "1", "0"]);
  });
});

describe("initial values", () => {
  it("depend on the seed and the parameter's name, and on nothing else", () => {
    const first = stateOf(traced(1));
    expect(stateOf(traced(1))).toEqual(first);
    const other = stateOf(traced(2));
    for (const name of NAMES.filter((each) => each.endsWith("weight"))) {
      expect(other.get(name)!.data, name).not.toEqual(first.get(name)!.data);
    }
    expect(first.get("body.0.convs.0.weight")!.data).not.toEqual(first.get("body.2.convs.0.weight")!.data);
    class Alone extends nn.Module {
      head = new nn.Linear(8, 3);
      forward(x: Value): Value {
        return this.head.call(x.flatten());
      }
    }
    const alone = stateOf(traced(1, new Alone()));
    expect(alone.get("head.weight")!.data).toEqual(first.get("head.weight")!.data);
    expect(alone.get("head.bias")!.data).toEqual(first.get("head.bias")!.data);
  });
});

describe("loadStateDict", () => {
  it("sets what tracing starts from, in any floating type", () => {
    const state = stateOf(traced(3));
    state.set("head.bias", Tensor.of([3], [0.5, 1.5, -2], "float64"));
    const model = new Net();
    expect(model.loadStateDict(state)).toEqual({ missing: [], unexpected: [] });
    const found = stateOf(traced(9, model));
    for (const name of NAMES)
      expect([...found.get(name)!.toNumbers()]).toEqual([...state.get(name)!.toNumbers()]);
    expect(found.get("head.bias")!.dtype).toBe("float32");
  });

  it("lists all that does not fit, and sets nothing then", () => {
    const state = stateOf(traced(3));
    state.delete("body.0.gain");
    state.delete("scales.1");
    state.set("head.wieght", state.get("head.weight")!);
    state.set("body.2.convs.0.weight", Tensor.zeros([2, 2, 5, 5]));
    const model = new Net();
    const error = thrownBy(() => model.loadStateDict(state));
    expect(error.code).toBe("bad_data");
    for (const part of [
      "does not fit Net:",
      "missing: body.0.gain",
      "missing: scales.1",
      'unexpected: head.wieght. Did you mean "head.weight"?',
      "wrong shape: body.2.convs.0.weight is [2, 2, 5, 5], wanted [2, 2, 3, 3]",
    ]) {
      expect(error.message).toContain(part);
    }
    expect(stateOf(traced(4, model))).toEqual(stateOf(traced(4)));
    const sameShapes = new Map([...state].filter(([name]) => name !== "body.2.convs.0.weight"));
    const report = model.loadStateDict(sameShapes, { strict: false });
    expect(report.missing).toContain("body.0.gain");
    expect(report.unexpected).toEqual(["head.wieght"]);
    expect(stateOf(traced(4, model)).get("head.weight")).toEqual(state.get("head.weight"));
  });
});

describe("what a model does not hold", () => {
  it("is refused by name of its class", () => {
    const loose = new nn.Linear(8, 8);
    class Loose extends nn.Module {
      forward(x: Value): Value {
        return loose.call(x);
      }
    }
    const error = thrownBy(() => nn.trace(new Loose(), { inputs: { x: ["batch", 8] } }));
    expect(error.code).toBe("invalid_graph");
    expect(error.message).toContain("A Linear is called that the model does not hold");
    const parameter = new nn.Parameter([8], nn.init.ones);
    class Astray extends nn.Module {
      forward(x: Value): Value {
        return x.mul(parameter);
      }
    }
    expect(thrownBy(() => nn.trace(new Astray(), { inputs: { x: ["batch", 8] } })).message).toContain(
      "A parameter [8] is used that the model does not hold",
    );
  });

  it("and modules on values of no model", () => {
    const graph = traced();
    const value = graph.inputs[0]!;
    expect(thrownBy(() => new nn.ReLU().call(value)).code).toBe("invalid_graph");
    expect(thrownBy(() => nn.trace(new Net(), { inputs: {} })).code).toBe("missing_input");
  });
});
