import { describe, expect, it } from "vitest";
import { expectJourney, expectSlopes, expectUnchanged } from "../../test/support/grown.ts";
import { outputOf, randn } from "../../test/support/run.ts";
import { findSites } from "../dendrites/sites.ts";
import type { Value } from "../graph/graph.ts";
import { evaluationForm } from "../transform/mode.ts";
import * as nn from "./index.ts";

const namesOf = (module: nn.Module) => [...module.namedParameters().values()];
const linear = () => new nn.Linear(2, 2, { bias: false });

class Mixed extends nn.Module {
  field = linear();
  list = [linear(), new nn.Tanh()];
  sequential = new nn.Sequential({ first: linear(), act: new nn.Tanh() });
  held = new nn.ModuleList([linear()]);
  named = new nn.ModuleDict({ only: linear() });
  again = this.field;
  forward(x: Value): Value {
    const layers = [
      this.field,
      ...this.list,
      this.sequential,
      ...this.held,
      this.named.get("only")!,
      this.again,
    ];
    return layers.reduce((y, layer) => (layer as nn.Linear).call(y), x);
  }
}

describe("replaceModules", () => {
  it("swaps modules wherever they are held, one that is held twice for one", () => {
    const net = new Mixed();
    const before = [...net.namedParameters().keys()];
    const paths: string[] = [];
    const same = nn.replaceModules(net, nn.Linear, (old, path) => {
      paths.push(path);
      return new nn.Sequential(old, new nn.Tanh());
    });
    expect(same).toBe(net);
    expect(paths).toEqual(["field", "list.0", "sequential.first", "held.0", "named.only"]);
    expect(namesOf(net)).toEqual(paths.map((path) => `${path}.0.weight`));
    expect([...net.namedParameters().keys()]).toEqual(before);
    expect(net.again).toBe(net.field);
    const { nodes } = nn.trace(net, { inputs: { x: ["batch", 2] } });
    expect(nodes.filter(({ operator }) => operator.type === "Tanh")).toHaveLength(2 + 6);
  });

  it("swaps what is inside first, and may keep the old one", () => {
    const net = new nn.Sequential(new nn.Sequential(linear()), linear());
    const found = nn.replaceModules(net, nn.Sequential, (old, path) =>
      path === "" ? old : new nn.Block([old, new nn.ReLU()]),
    );
    expect(found).toBe(net);
    expect(namesOf(found)).toEqual(["0.0.0.weight", "1.weight"]);
  });

  it("refuses a class that no module has, and what is no module", () => {
    expect(() => nn.replaceModules(new Mixed(), nn.Bilinear, (old) => old)).toThrow(
      'Mixed has no module of the class Bilinear. Did you mean "Linear"?',
    );
    expect(() => nn.replaceModules(new Mixed(), nn.Tanh, () => undefined as never)).toThrow(
      '"list.1" was swapped for undefined, no module',
    );
  });
});

/** The original's replacement of a ResNet: its first convolution and normalization grow as one. */
class BlockResNet extends nn.Module {
  stem: nn.Block;
  body: nn.models.ResNet;
  constructor(old: nn.models.ResNet) {
    super();
    this.stem = new nn.Block([old.conv1, old.bn1]);
    this.body = old;
  }
  forward(x: Value): Value {
    const first = this.stem.call(x).relu().maxPool2d(3, { stride: 2, padding: 1 });
    const stages = [this.body.layer1, this.body.layer2, this.body.layer3, this.body.layer4];
    const features = stages.reduce((y, stage) => stage.call(y), first);
    return this.body.fc.call(nn.functional.adaptiveAvgPool2d(features, 1).flatten());
  }
}

describe("a ResNet whose stem becomes a block", () => {
  const inputs = { x: ["batch", 3, 32, 32] };
  const x = randn([8, 3, 32, 32], "images");
  const resnet = () => {
    const net = new nn.models.ResNet([1, 1, 1, 1], { numClasses: 3, width: 2 });
    net.loadStateDict(nn.trace(net, { inputs, seed: 5 }).state);
    return net;
  };
  const replaced = () => nn.replaceModules(resnet(), nn.models.ResNet, (old) => new BlockResNet(old));
  const selection = { types: ["Block", "BasicBlock", "Linear"] };

  it("computes the same with the old weights, and has each of them once", async () => {
    const [before, after] = [resnet(), replaced()].map((net) => nn.trace(net, { inputs }));
    const form = (graph: typeof before) => evaluationForm(graph!).graph;
    expect((await outputOf(form(after), x)).data).toEqual((await outputOf(form(before), x)).data);
    const names = [...before!.state.keys()].map((name) =>
      name.replace(/^/, "body.").replace("body.conv1", "stem.0").replace("body.bn1", "stem.1"),
    );
    expect([...after!.state.keys()].sort()).toEqual(names.sort());
  });

  it("grows there as one, as the residual blocks do", async () => {
    const base = nn.trace(replaced(), { inputs });
    const [stem, ...rest] = findSites(base, selection);
    expect([stem!.id, [...stem!.names.values()].slice(0, 3)]).toEqual([
      "stem",
      ["0.weight", "1.weight", "1.bias"],
    ]);
    expect(rest.map(({ id }) => id)).toEqual([1, 2, 3, 4].map((i) => `body.layer${i}.0`).concat("body.fc"));
    await expectUnchanged(base, selection, x);
    await expectSlopes(base, selection, x);
    await expectJourney(replaced, { inputs }, selection, x);
  });
});
