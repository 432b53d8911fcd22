import { describe, expect, it } from "vitest";
import { correlationSettings } from "./correlation-settings.ts";
import { fastestGrowth } from "./plan.ts";
import { growthSettings } from "./settings.ts";

const rows = (...given: Parameters<typeof fastestGrowth>) =>
  fastestGrowth(...given).map(({ dendrites, epochs, apart }) => [
    dendrites,
    epochs,
    apart ? "apart" : "with",
  ]);

describe("the fastest growth", () => {
  it("goes by the plan, up to the limits", () => {
    const fixed = growthSettings({ switchMode: "fixed", fixedEpochs: [20, 5], maxDendrites: 2 });
    const all = [
      [0, 20, "with"],
      [1, 5, "with"],
      [2, 5, "with"],
    ];
    expect(rows(fixed, 0, Number.POSITIVE_INFINITY, null)).toEqual(all);
    expect(rows(fixed, 0, 23, null)).toEqual([all[0], [1, 3, "with"]]);
    expect(rows(fixed, 2, 100, null)).toEqual([all[2]]);
    expect(rows(fixed, 0, 0, null)).toEqual([]);
  });

  it("waits for patience", () => {
    const history = growthSettings({ patience: [10, 3], initialHistory: 2 });
    expect(rows(history, 0, 20, null)).toEqual([
      [0, 13, "with"],
      [1, 6, "with"],
      [2, 1, "with"],
    ]);
  });

  it("does not come where none is asked for", () => {
    expect(rows(growthSettings({ switchMode: "never" }), 0, 9, null)).toEqual([[0, 9, "with"]]);
    const without = growthSettings({ maxDendrites: 0 });
    expect(rows(without, 0, Number.POSITIVE_INFINITY, null)).toEqual([[0, 11, "with"]]);
  });

  it("has dendrites learn apart between", () => {
    const fixed = growthSettings({ switchMode: "fixed", fixedEpochs: 4, maxDendrites: 1 });
    const planned = [
      [0, 4, "with"],
      [1, 5, "apart"],
      [1, 4, "with"],
    ];
    expect(rows(fixed, 0, 99, correlationSettings())).toEqual(planned);
    expect(rows(fixed, 0, 6, correlationSettings())).toEqual([planned[0], [1, 2, "apart"]]);
    const free = correlationSettings({ capAtNeuronPhase: false, patience: 7 });
    expect(rows(fixed, 0, 99, free)[1]).toEqual([1, 9, "apart"]);
  });
});
