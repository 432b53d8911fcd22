import { describe, expect, it } from "vitest";
import { randn, runGraph } from "../../test/support/run.ts";
import { Random } from "../base/random.ts";
import type { Value } from "../graph/graph.ts";
import * as nn from "../nn/index.ts";
import { attachDendrites } from "./attach.ts";
import { attachCandidates } from "./candidates.ts";
import { findSites } from "./sites.ts";

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 3, 3);
  fc = new nn.Linear(48, 2);
  forward(x: Value): Value {
    return this.fc.call(this.conv.call(x).relu().flatten());
  }
}

describe("candidates", () => {
  const base = nn.trace(new Net(), { inputs: { x: ["batch", 1, 6, 6] }, seed: 2 });
  const x = randn([5, 1, 6, 6], "x");
  const random = (name: string) => Random.stream(4, name);
  const plan = { sites: findSites(base), random, initialScale: 0.7 };

  it.each([0, 1, 2])("beside %i dendrites compute what the next dendrite would", async (count) => {
    const { graph, sites } = attachCandidates(base, { ...plan, count }, 2);
    // The second candidate's weights under the next dendrite's name, with an output weight to be heard by.
    const values = new Map(
      [...graph.state].map(([name, data]) => [name.replace(".candidates.1.", `.dendrites.${count}.`), data]),
    );
    const joined = attachDendrites(base, { ...plan, count: count + 1, values });
    const outputs = Object.fromEntries([
      ...sites.map(({ site, places }) => [site.id, places[0]!.candidates[1]!] as const),
      ["y", graph.outputs[0]!],
    ]);
    const found = await runGraph(graph, { x }, outputs);
    const last = joined.nodes.filter(({ scope }) => scope.endsWith(`.dendrites.${count}`));
    const outputOf = (id: string) => last.findLast(({ scope }) => scope.startsWith(`${id}.`))!.output;
    const wanted = await runGraph(
      joined,
      { x },
      {
        conv: outputOf("conv"),
        fc: outputOf("fc"),
        y: joined.outputs[0]!,
      },
    );
    for (const id of ["conv", "fc", "y"]) expect(found[id]!.bytes(), id).toEqual(wanted[id]!.bytes());
    const names = [...graph.state.keys()].filter((name) => name.startsWith("fc.candidates.0."));
    const own = ["fc.candidates.0.weight", "fc.candidates.0.bias"];
    expect(names.sort()).toEqual([...own, ...(count > 0 ? ["fc.candidates.0.cascade"] : [])].sort());
  });
});
