import { describe, expect, it } from "vitest";
import { outputOf, randn } from "../../test/support/run.ts";
import { Random } from "../base/random.ts";
import type { Value } from "../graph/graph.ts";
import { arborize, losses, optim, readOnnx } from "../index.ts";
import * as nn from "../nn/index.ts";
import { add, mul } from "../ops/index.ts";
import { attachDendrites } from "./attach.ts";
import { inspect } from "./inspect.ts";
import type { Selection } from "./selection.ts";
import type { Combine } from "./site.ts";
import { findSites, inspectModules } from "./sites.ts";

class Part extends nn.Module {
  a = new nn.Linear(4, 4);
  b = new nn.Linear(4, 4);
  forward(x: Value): Value {
    return this.b.call(this.a.call(x).tanh());
  }
}

class Net extends nn.Module {
  parts = [new Part(), new Part()];
  head = new nn.Linear(4, 2);
  forward(x: Value): Value {
    return this.head.call(this.parts.reduce((y, part) => part.call(y), x));
  }
}

const base = nn.trace(new Net(), { inputs: { x: ["batch", 4] } });
const ALL = ["parts.0.a", "parts.0.b", "parts.1.a", "parts.1.b", "head"];
const statuses = (selection: Selection) =>
  Object.fromEntries(inspectModules(base, selection).map(({ id, status }) => [id, status]));

describe("a selection", () => {
  it.each<[string, Selection, Record<string, string>]>([
    ["nothing", {}, Object.fromEntries(ALL.map((id) => [id, "grows"]))],
    [
      "track by path before modules",
      { track: ["parts.0.*"], modules: ["parts.*.a"] },
      {
        "parts.0.a": "tracked",
        "parts.0.b": "tracked",
        "parts.1.a": "grows",
        "parts.1.b": "grows",
        head: "grows",
      },
    ],
    [
      "modules before a class that is tracked or skipped",
      { track: ["Linear"], modules: ["head"] },
      { ...Object.fromEntries(ALL.map((id) => [id, "tracked"])), head: "grows" },
    ],
    [
      "skip before types",
      { skip: ["parts.1"] },
      {
        ...Object.fromEntries(ALL.map((id) => [id, "grows"])),
        "parts.1.a": "skipped",
        "parts.1.b": "skipped",
        "parts.1": "skipped",
      },
    ],
    [
      "an outer block hides what is in it",
      { types: [], blocks: ["Part"], track: ["parts.0.a"] },
      {
        ...{ "parts.0": "grows", "parts.0.a": "part", "parts.0.b": "part" },
        ...{ "parts.1": "grows", "parts.1.a": "part", "parts.1.b": "part", head: "stays" },
      },
    ],
  ])("decides by %s", (_, selection, wanted) => {
    expect(statuses(selection)).toEqual(wanted);
  });

  it("names what nothing has, and what may have been meant", () => {
    expect(() => findSites(base, { modules: ["parts.0.c"] })).toThrow('no module with the path "parts.0.c"');
    expect(() => findSites(base, { types: ["Liner"] })).toThrow('Did you mean "Linear"?');
    expect(findSites(base, { types: ["Linear", "LSTM"] })).toHaveLength(5);
  });

  it("leaves parameters that nothing covers, which inspect lists", () => {
    const { uncovered } = inspect(base, {
      types: [],
      modules: ["head"],
      track: ["parts.0"],
      skip: ["parts.1.b"],
    });
    expect(uncovered).toEqual(["parts.1.a.weight", "parts.1.a.bias", "parts.1.b.weight", "parts.1.b.bias"]);
  });

  // The neuron times one and what its dendrites make of it.
  const combine: Combine = ({ neuron, dendrites, weights }) =>
    dendrites.reduce((y, dendrite, i) => add(y, mul(mul(dendrite, weights[i]!), neuron)), neuron);
  const rules = { head: { combine } };

  it("is not known of a file, whose weights go on with it", async () => {
    const dendrites = { types: [], modules: ["head"], rules };
    const options = {
      ...{ inputs: { x: ["batch", 4] }, dendrites, loss: losses.mse() },
      optimizer: optim.sgd({ learningRate: 0.1 }),
      growth: { switchMode: "every" } as const,
    };
    const first = await arborize(new Net(), options);
    const batch = { x: randn([3, 4], "x"), target: randn([3, 2], "y") };
    await first.addValidationScore(1);
    for (let i = 0; i < 2; i++) await first.step(batch);
    await expect(arborize(await readOnnx(await first.toOnnx()), options)).rejects.toThrow(
      /a file cannot say how: go on from the weights instead/,
    );
    const again = await arborize(new Net(), { ...options, state: await first.stateDict() });
    expect((await again.predict(batch)).data).toEqual((await first.predict(batch)).data);
    await Promise.all([first.release(), again.release()]);
  });

  it("may say how dendrites act on an output", async () => {
    const sites = findSites(base, { types: [], modules: ["head"], rules });
    const random = (name: string) => Random.stream(1, name);
    const x = randn([3, 4], "x");
    const plain = (await outputOf(base, x)).toNumbers();
    const fresh = attachDendrites(base, { sites, count: 1, random });
    expect([...(await outputOf(fresh, x)).toNumbers()]).toEqual([...plain]);
    const values = new Map([["head.dendrites.output", randn([1, 2], "weights")]]);
    const found = (await outputOf(attachDendrites(base, { sites, count: 1, random, values }), x)).toNumbers();
    // Fresh dendrites of weights near zero give about a half.
    const weights = values.get("head.dendrites.output")!.toNumbers();
    Array.from(plain).forEach((y, i) => {
      expect(found[i]! / y).toBeCloseTo(1 + 0.5 * weights[i % 2]!, 1);
    });
  });
});
