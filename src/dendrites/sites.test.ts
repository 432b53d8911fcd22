import { describe, expect, it } from "vitest";
import { Random } from "../base/random.ts";
import type { Graph, Value } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import { readOnnx } from "../onnx/read.ts";
import { writeOnnx } from "../onnx/write.ts";
import { add } from "../ops/index.ts";
import { attachDendrites } from "./attach.ts";
import { findSites, inspectModules } from "./sites.ts";

/** A module with `forward` given as a function of its parts. */
function model<P extends object>(parts: P, forward: (x: Value, parts: P) => Value): nn.Module {
  return new (class Model extends nn.Module {
    constructor() {
      super();
      Object.assign(this, parts);
    }
    forward(x: Value): Value {
      return forward(x, parts);
    }
  })();
}

const traced = (module: nn.Module, shape: readonly number[] = [6]): Graph =>
  nn.trace(module, { inputs: { x: ["batch", ...shape] } });

/** Per module: "grows", or why it does not. */
function verdicts(graph: Graph, types?: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    inspectModules(graph, types ? { types } : {}).map((verdict) => [
      `${verdict.id} ${verdict.type}`,
      verdict.site ? "grows" : verdict.reason,
    ]),
  );
}

/** A module with a weight for each feature. */
class Scale extends nn.Module {
  weight: nn.Parameter;
  constructor(features: number) {
    super();
    this.weight = new nn.Parameter([features], nn.init.ones);
  }
  forward(x: Value): Value {
    return x.mul(this.weight);
  }
}

/** A module that reads two values. */
class Pair extends nn.Module {
  weight = new nn.Parameter([6], nn.init.ones);
  forward(a: Value, b: Value): Value {
    return add(a.mul(this.weight), b);
  }
}

describe("inspectModules", () => {
  it("finds Linear and Conv2d in nested scopes, in order, with their axes of neurons", () => {
    class Block extends nn.Module {
      convs = [new nn.Conv2d(3, 4, 3, { padding: 1 }), new nn.Conv2d(4, 3, 1)];
      forward(x: Value): Value {
        return x.add(this.convs[1]!.call(this.convs[0]!.call(x).relu()));
      }
    }
    const net = model(
      { body: new nn.Sequential(new Block(), new Block()), head: new nn.Linear(48, 5) },
      (x, p) => p.head.call(p.body.call(x as never).flatten()),
    );
    const sites = findSites(traced(net, [3, 4, 4]));
    expect(sites.map(({ id, type, channelAxis, channels }) => [id, type, channelAxis, channels])).toEqual([
      ["body.0.convs.0", "Conv2d", 1, 4],
      ["body.0.convs.1", "Conv2d", 1, 3],
      ["body.1.convs.0", "Conv2d", 1, 4],
      ["body.1.convs.1", "Conv2d", 1, 3],
      ["head", "Linear", 1, 5],
    ]);
    expect(sites[4]!.parameters.map(({ name }) => name)).toEqual(["head.weight", "head.bias"]);
    expect(`${sites[0]!.input}`).toBe("x: float32[batch, 3, 4, 4]");
    expect(`${sites[0]!.output.shape}`).toBe("batch,4,4,4");
  });

  it("takes the last axis of a Linear as its neurons", () => {
    const [site] = findSites(nn.trace(new nn.Linear(6, 4), { inputs: { x: ["batch", "time", 6] } }));
    // A model that is one Linear has no scope of its own: nothing would name its dendrites.
    expect(site).toBeUndefined();
    const graph = nn.trace(new nn.Sequential(new nn.Linear(6, 4)), { inputs: { x: ["batch", "time", 6] } });
    expect(findSites(graph).map(({ id, channelAxis }) => [id, channelAxis])).toEqual([["0", 2]]);
  });

  it("says which types grow", () => {
    const net = model({ scale: new Scale(6), fc: new nn.Linear(6, 2) }, (x, p) => p.fc.call(p.scale.call(x)));
    expect(verdicts(traced(net))).toEqual({
      "scale Scale": "Scale is not among the types that grow",
      "fc Linear": "grows",
    });
    expect(verdicts(traced(net), ["Scale"])).toEqual({
      "scale Scale": "grows",
      "fc Linear": "Linear is not among the types that grow",
    });
  });

  it("follows a module that is called twice, however its calls are connected", () => {
    const fc = () => ({ fc: new nn.Linear(6, 6) });
    const onTwo = model(fc(), (x, p) => p.fc.call(p.fc.call(x).relu()));
    const onOne = model(fc(), (x, p) => add(p.fc.call(x), p.fc.call(x)));
    const chained = model(fc(), (x, p) => p.fc.call(p.fc.call(x)));
    for (const net of [onTwo, onOne, chained]) {
      const [site, ...others] = findSites(traced(net));
      expect([site!.id, site!.calls.length, others.length]).toEqual(["fc", 2, 0]);
      expect(site!.calls[1]!.nodes).not.toEqual(site!.nodes);
    }
  });

  it("refuses a module that reads two values", () => {
    const net = model({ pair: new Pair() }, (x, p) => p.pair.call(x, x.relu()));
    expect(verdicts(traced(net), ["Pair"])).toEqual({
      "pair Pair": 'it reads 2 values, "x" and "Relu"; a dendrite needs exactly one',
    });
  });

  it("refuses a module of two outputs", () => {
    class Twice extends nn.Module {
      weight = new nn.Parameter([6], nn.init.ones);
      inner: Value | null = null;
      forward(x: Value): Value {
        this.inner = x.mul(this.weight);
        return this.inner.relu();
      }
    }
    const net = model({ twice: new Twice() }, (x, p) => add(p.twice.call(x), p.twice.inner!));
    expect(verdicts(traced(net), ["Twice"])).toEqual({
      "twice Twice":
        'it has 2 outputs, "twice/Mul" and "twice/Relu": say which one dendrites feed, by dendrites.rules',
    });
  });

  it("leaves out modules without parameters and modules that nothing depends on", () => {
    const net = model(
      { used: new nn.Linear(6, 2), unused: new nn.Linear(6, 2), drop: new nn.Dropout() },
      (x, p) => {
        p.unused.call(x);
        return p.drop.call(p.used.call(x));
      },
    );
    expect(verdicts(traced(net))).toEqual({ "used Linear": "grows" });
  });

  it("finds the same sites in a graph that was written and read", () => {
    const net = model(
      {
        body: new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.ReLU()),
        fc: new nn.Linear(32, 4, { bias: false }),
        head: new nn.Linear(4, 2),
        twice: new nn.Linear(2, 2),
      },
      (x, p) => {
        const y = p.head.call(p.fc.call(p.body.call(x as never).flatten()).sigmoid());
        return p.twice.call(p.twice.call(y).tanh());
      },
    );
    const graph = traced(net, [1, 6, 6]);
    const { graph: again } = readOnnx(writeOnnx(graph));
    expect(verdicts(again)).toEqual({
      "body.0 Conv2d": "grows",
      "fc Linear": "grows",
      "head Linear": "grows",
      "twice Linear": "grows",
    });
    const names = (of: Graph) =>
      attachDendrites(of, { sites: findSites(of), count: 2, random: (name) => Random.stream(0, name) })
        .parameters.map(({ name, shape }) => `${name} ${shape}`)
        .sort();
    expect(names(again)).toEqual(names(graph));
  });
});
