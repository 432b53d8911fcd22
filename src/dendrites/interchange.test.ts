import { describe, expect, it } from "vitest";
import { randn } from "../../test/support/run.ts";
import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { fromPerforatedAI, toPerforatedAI } from "./interchange.ts";

/** A state dict of the original: `conv` with `count` dendrites, a Linear without, all of its scaffolding. */
function original(count: number): Map<string, Tensor> {
  const shapes: [string, number[]][] = [
    ["conv.main_module.weight", [4, 2, 3]],
    ["conv.main_module.bias", [4]],
    ["conv.dendrite_module.parent_module.weight", [4, 2, 3]],
    ["conv.dendrite_module.parent_module.bias", [4]],
    ["conv.dendrite_module.num_cycles", [1]],
    ["conv.dendrite_module.this_output_dimensions", [3]],
    ["conv.dendrite_module.dendrite_values.0.shape", [4]],
    ["plain.weight", [3, 4]],
    ["tracker_string", [12]],
  ];
  for (let j = 0; j < count; j++) {
    shapes.push([`conv.dendrite_module.layers.${j}.weight`, [4, 2, 3]]);
    shapes.push([`conv.dendrite_module.layers.${j}.bias`, [4]]);
    shapes.push([`conv.dendrite_module.dendrites_to_dendrites.${j}`, j === 0 ? [0] : [j, 4]]);
    shapes.push([`conv.dendrites_to_top.${j}`, [j + 1, 4]]);
  }
  if (count > 1) shapes.push(["conv.dendrite_module.dendrites_to_candidates.0", [count - 1, 4]]);
  return new Map(shapes.map(([name, shape]) => [name, randn(shape, name)]));
}

const refusal = (tensors: ReadonlyMap<string, Tensor>) => {
  try {
    fromPerforatedAI(tensors);
  } catch (error) {
    expect(error).toBeInstanceOf(ArborizeError);
    return (error as ArborizeError).message;
  }
  return "none";
};

describe("fromPerforatedAI", () => {
  it("gives tensors our names, and keeps what is not computed with apart", () => {
    const tensors = original(2);
    const { dendrites, modules, stateDict, scaffolding } = fromPerforatedAI(tensors);
    expect([dendrites, modules]).toEqual([2, ["conv"]]);
    const names = {
      "conv.weight": "conv.main_module.weight",
      "conv.bias": "conv.main_module.bias",
      "conv.dendrites.0.weight": "conv.dendrite_module.layers.0.weight",
      "conv.dendrites.0.bias": "conv.dendrite_module.layers.0.bias",
      "conv.dendrites.1.weight": "conv.dendrite_module.layers.1.weight",
      "conv.dendrites.1.bias": "conv.dendrite_module.layers.1.bias",
      "conv.dendrites.1.cascade": "conv.dendrite_module.dendrites_to_dendrites.1",
      "conv.dendrites.output": "conv.dendrites_to_top.1",
      "plain.weight": "plain.weight",
    };
    expect([...stateDict.keys()].sort()).toEqual(Object.keys(names).sort());
    for (const [ours, theirs] of Object.entries(names)) expect(stateDict.get(ours)).toBe(tensors.get(theirs));
    expect(stateDict.size + scaffolding.size).toBe(tensors.size);
  });

  it("reads a converted network that has no dendrites yet", () => {
    const { dendrites, stateDict } = fromPerforatedAI(original(0));
    expect([dendrites, [...stateDict.keys()].sort()]).toEqual([
      0,
      ["conv.bias", "conv.weight", "plain.weight"],
    ]);
  });

  it("lists all that is missing, unknown or of another shape", () => {
    const tensors = original(3);
    tensors.delete("conv.dendrite_module.layers.1.bias");
    tensors.delete("conv.dendrite_module.dendrites_to_dendrites.2");
    tensors.set("conv.dendrite_module.layers.2.weight", randn([4, 2, 5], "w"));
    tensors.set("conv.dendrite_module.mystery", randn([1], "m"));
    tensors.set("conv.dendrite_module.dendrites_to_dendrites.3", randn([3, 4], "late"));
    expect(refusal(tensors).split("\n").slice(1).sort()).toEqual([
      "  missing: conv.dendrite_module.dendrites_to_dendrites.2",
      "  missing: conv.dendrite_module.layers.1.bias",
      "  unknown: conv.dendrite_module.dendrites_to_dendrites.3",
      "  unknown: conv.dendrite_module.mystery",
      "  wrong shape: conv.dendrite_module.layers.2.weight is [4, 2, 5], wanted [4, 2, 3]",
    ]);
    const uneven = new Map([...original(2), ["fc.main_module.weight", randn([2, 2], "w")] as const]);
    expect(refusal(uneven)).toMatch(/conv has 2 dendrites.*\n.*fc has 0 dendrites/);
    const orphan = new Map([["conv.dendrites_to_top.0", randn([1, 4], "t")] as const]);
    expect(refusal(orphan)).toContain("missing: conv.main_module.*");
  });
});

describe("toPerforatedAI", () => {
  for (const count of [0, 1, 2, 3]) {
    it(`is the way back, with ${count} dendrites`, () => {
      const before = original(count);
      const { stateDict, scaffolding, modules } = fromPerforatedAI(before);
      // Two for each dendrite, whatever was there.
      before.set("conv.dendrite_module.num_cycles", Tensor.of([1], [2 * count]));
      const cycles = new Map([
        ...scaffolding,
        ["conv.dendrite_module.num_cycles", Tensor.of([1], [2 * count])],
      ]);
      const again = toPerforatedAI(stateDict, { modules, scaffolding: cycles as typeof scaffolding });
      expect([...again.keys()].sort()).toEqual([...before.keys()].sort());
      for (const [name, tensor] of before) expect(again.get(name), name).toEqual(tensor);
    });
  }

  it("makes what it is not given, and what no longer fits", () => {
    const two = fromPerforatedAI(original(2));
    const three = fromPerforatedAI(original(3));
    const bare = toPerforatedAI(three.stateDict);
    const top = bare.get("conv.dendrites_to_top.2")!;
    expect(bare.get("conv.dendrites_to_top.1")).toEqual(
      new Tensor("float32", [2, 4], top.data.slice(0, 8) as Float32Array),
    );
    expect(bare.get("conv.dendrite_module.dendrites_to_candidates.0")).toEqual(Tensor.zeros([2, 4]));
    expect(bare.get("conv.dendrite_module.parent_module.bias")).toBe(three.stateDict.get("conv.bias"));
    expect([...fromPerforatedAI(bare).stateDict]).toEqual([...three.stateDict]);

    const grown = toPerforatedAI(three.stateDict, two);
    expect(grown.get("conv.dendrites_to_top.0")).toBe(two.scaffolding.get("conv.dendrites_to_top.0"));
    expect(grown.get("conv.dendrite_module.dendrites_to_candidates.0")!.shape).toEqual([2, 4]);
    expect(grown.get("conv.dendrite_module.num_cycles")).toEqual(Tensor.of([1], [6]));
    expect([...grown.keys()].sort()).toEqual([...original(3).keys()].sort());
  });
});
