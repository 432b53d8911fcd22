import { describe, expect, it } from "vitest";
import { expectJourney, expectSlopes, expectUnchanged } from "../../test/support/grown.ts";
import { largestError, outputOf, randn } from "../../test/support/run.ts";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { arborize, losses, ops, optim, readOnnx, writeOnnx } from "../index.ts";
import { operand } from "../nn/functional/operand.ts";
import * as nn from "../nn/index.ts";
import { attachDendrites } from "./attach.ts";
import { findSites, inspectModules } from "./sites.ts";

const traced = (module: nn.Module, shape: readonly number[]): Graph =>
  nn.trace(module, { inputs: { x: ["batch", ...shape] } });
const grown = (base: Graph, count: number, values?: ReadonlyMap<string, Tensor>) =>
  attachDendrites(base, {
    sites: findSites(base),
    count,
    random: (name) => Random.stream(4, name),
    ...(values && { values }),
  });

describe("nn.Block", () => {
  const net = new nn.Sequential(
    new nn.Block([new nn.Conv2d(2, 3, 3), new nn.BatchNorm2d(3), new nn.Tanh(), new nn.Conv2d(3, 4, 1)]),
    new nn.Flatten(),
    new nn.Linear(36, 2),
  );
  const base = traced(net, [2, 5, 5]);
  const x = randn([3, 2, 5, 5], "x");

  it("grows as one, with its own name", () => {
    expect(inspectModules(base).map(({ id, status, reason }) => [id, status, reason])).toEqual([
      ["0", "grows", "Block grows as one"],
      ["0.0", "part", "it is in 0"],
      ["0.1", "part", "it is in 0"],
      ["0.3", "part", "it is in 0"],
      ["2", "grows", "Linear grows by default"],
    ]);
    const names = grown(base, 1).parameters.map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("0.dendrites"))).toEqual([
      "0.dendrites.0.0.weight",
      "0.dendrites.0.0.bias",
      "0.dendrites.0.1.weight",
      "0.dendrites.0.1.bias",
      "0.dendrites.0.3.weight",
      "0.dendrites.0.3.bias",
      "0.dendrites.output",
    ]);
  });

  it("has dendrites with statistics of their own, which training updates", () => {
    const graph = grown(base, 2);
    const values = new Map(graph.buffers.map(({ name, data }) => [name, [...data!.toNumbers()]]));
    expect(values.get("0.dendrites.1.1.running_mean")).toEqual([0, 0, 0]);
    expect(values.get("0.dendrites.1.1.running_var")).toEqual([1, 1, 1]);
    expect(values.get("0.dendrites.1.1.num_batches_tracked")).toEqual([0]);
    const updated = [...graph.updates].map(([buffer]) => buffer.name);
    expect(updated.filter((name) => name.startsWith("0.dendrites.1."))).toHaveLength(3);
  });

  it("computes the same at first and has the gradients of central differences", async () => {
    await expectUnchanged(base, {}, x);
    await expectSlopes(base, {}, x);
  });
});

describe("a block between two values", () => {
  class Net extends nn.Module {
    a = new nn.Linear(4, 5);
    b = new nn.Linear(5, 3);
    forward(x: Value): Value {
      return this.b.call(this.a.call(x).tanh().mul(2)).tanh();
    }
  }
  const base = traced(new Net(), [4]);
  const end = base.outputs[0]!.name;

  it("is what lies between them", async () => {
    const selection = { types: [], blocks: [{ from: "x", to: end, id: "all" }] };
    const [site] = findSites(base, selection);
    expect([site!.id, site!.channels, site!.input.name, site!.output.name]).toEqual(["all", 3, "x", end]);
    expect(site!.parameters.map((each) => site!.names.get(each))).toEqual([
      ...["a.weight", "a.bias", "b.weight", "b.bias"],
    ]);
    expect(inspectModules(base, selection).map(({ id, status }) => `${id} ${status}`)).toEqual([
      ...["a part", "b part", "all grows"],
    ]);
    await expectUnchanged(base, selection, randn([2, 4], "x"));
    await expectSlopes(base, selection, randn([2, 4], "x"));
  });

  it("is found in a frozen network, in a file, and in a file of what grew on it", async () => {
    const blocks = [{ from: "x", to: "hidden", id: "first" }];
    const graph = new Graph({ name: "named" });
    const x = graph.input("x", "float32", ["batch", 4]);
    const weight = (name: string, shape: number[]) => graph.parameter(name, randn(shape, name));
    const layer = (input: Value, name: string, shape: [number, number]) =>
      ops.gemm(input, weight(`${name}.weight`, shape), weight(`${name}.bias`, shape.slice(0, 1)), {
        transB: true,
      });
    const hidden = graph.add(ops.tanhOp, [layer(x, "a", [5, 4])], {}, ["hidden"]);
    graph.output(layer(hidden.output, "b", [3, 5]), "y");
    const options = {
      loss: losses.mse(),
      optimizer: optim.sgd({ learningRate: 0.1 }),
      growth: { switchMode: "every" } as const,
      dendrites: { types: [], blocks },
      freeze: ["a.*"],
    };
    const first = await arborize(await readOnnx(writeOnnx(graph)), options);
    const batch = { x: randn([4, 4], "x"), target: randn([4, 3], "y") };
    await first.addValidationScore(1);
    for (let i = 0; i < 3; i++) await first.step(batch);
    const again = await arborize(await readOnnx(await first.toOnnx()), options);
    expect([again.sites, again.dendrites]).toEqual([["first"], 1]);
    const [found, wanted] = [await again.predict(batch), await first.predict(batch)];
    expect(largestError(found.toNumbers(), wanted.toNumbers())).toBeLessThan(1e-6);
    await Promise.all([first.release(), again.release()]);
  });

  it("names the value that does not fit", () => {
    const reasons = (from: string, to: string) =>
      inspectModules(base, { blocks: [{ from, to }] }).at(-1)!.reason;
    const before = base.nodes.find(({ operator }) => operator.type === "Gemm")!.output.name;
    expect(reasons(end, before)).toBe(`"${before}" does not follow from "${end}"`);
    expect(() => reasons("y", end)).toThrow('has no value "y"');
  });
});

describe("a module that is called twice", () => {
  class Twice extends nn.Module {
    fc = new nn.Linear(4, 4);
    forward(x: Value): Value {
      return this.fc.call(this.fc.call(x).tanh());
    }
  }
  const base = traced(new Twice(), [4]);
  const x = randn([3, 4], "x");

  it("has dendrites of the same weights after each call, counted once", async () => {
    await expectUnchanged(base, {}, x);
    await expectSlopes(base, {}, x);
    const values = new Map(
      grown(base, 1).parameters.map(({ name, data }) => [name, randn(data!.shape, name)]),
    );
    const found = await outputOf(grown(base, 1, values), x);
    const of = (name: string) => Array.from(values.get(name)!.toNumbers());
    const linear = (input: number[], path: string) =>
      Array.from({ length: 12 }, (_, at) => {
        const [row, column] = [Math.floor(at / 4), at % 4];
        const products = [0, 1, 2, 3].map((i) => input[4 * row + i]! * of(`${path}.weight`)[4 * column + i]!);
        return products.reduce((a, b) => a + b, of(`${path}.bias`)[column]!);
      });
    const module = (input: number[]) => {
      const dendrite = linear(input, "fc.dendrites.0").map((each) => 1 / (1 + Math.exp(-each)));
      return linear(input, "fc").map((y, i) => y + of("fc.dendrites.output")[i % 4]! * dendrite[i]!);
    };
    const wanted = module(module(Array.from(x.toNumbers())).map(Math.tanh));
    Array.from(found.toNumbers()).forEach((y, i) => {
      expect(y).toBeCloseTo(wanted[i]!, 5);
    });
  });

  it("has one set of statistics, updated by each call in turn", () => {
    class Shared extends nn.Module {
      conv = new nn.Conv1d(2, 2, 1);
      norm = new nn.BatchNorm1d(2);
      forward(x: Value): Value {
        const once = (y: Value) => this.norm.call(this.conv.call(y)).tanh();
        return once(once(x));
      }
    }
    const shared = traced(new Shared(), [2, 6]);
    expect(findSites(shared).map(({ id, calls, statistics }) => [id, calls.length, statistics.size])).toEqual(
      [["conv", 2, 3]],
    );
    const graph = grown(shared, 1);
    const [, mean] = [...graph.updates].find(([{ name }]) => name === "conv.dendrites.0.norm.running_mean")!;
    const second = mean.producer!;
    const first = second.inputs[3]!.producer!;
    expect([first.operator.type, first.inputs[3]!.name]).toEqual([
      "BatchNormalization",
      "conv.dendrites.0.norm.running_mean",
    ]);
  });
});

describe("a fixed buffer in a block", () => {
  class Shifted extends nn.Module {
    fc = new nn.Linear(4, 4);
    table = new nn.Buffer(Tensor.of([4], [1, -2, 3, -4]));
    forward(x: Value): Value {
      return this.fc.call(nn.functional.add(x, operand(x, this.table))).tanh();
    }
  }
  const make = () => new nn.Sequential(new Shifted(), new nn.Linear(4, 2));
  const base = traced(make(), [4]);
  const selection = { types: ["Shifted"] };

  it("is the same to neurons and dendrites, here and in a file", async () => {
    const x = randn([3, 4], "x");
    for (const graph of [base, (await readOnnx(writeOnnx(base))).graph]) {
      const sites = findSites(graph, graph === base ? selection : { types: [], modules: ["0"] });
      expect(graph.buffers.map(({ name }) => name)).toEqual(["0.table"]);
      expect([...sites[0]!.names.values()].sort()).toEqual(["fc.bias", "fc.weight"]);
    }
    await expectUnchanged(base, selection, x);
    await expectSlopes(base, selection, x);
    await expectJourney(make, { inputs: { x: ["batch", 4] } }, selection, x);
  });

  it("differs from a frozen weight, of which a dendrite has its own", () => {
    const module = make();
    module.requiresGrad(false);
    const [site] = findSites(traced(module, [4]), selection);
    expect([...site!.names.values()].sort()).toEqual(["fc.bias", "fc.weight"]);
  });
});
