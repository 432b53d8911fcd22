import { describe, expect, it } from "vitest";
import { ArborizeError } from "../base/errors.ts";
import { forDendrites, type GrowthOptions, growthSettings } from "./settings.ts";

/** The message of the `bad_option` that `options` are refused with. */
function refusal(options: object): string {
  try {
    growthSettings(options as GrowthOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(ArborizeError);
    expect((error as ArborizeError).code).toBe("bad_option");
    return (error as ArborizeError).message;
  }
  throw new Error("the settings were accepted");
}

describe("growthSettings", () => {
  it("fills in the defaults", () => {
    expect(growthSettings()).toEqual({
      switchMode: "history",
      maximize: true,
      patience: 10,
      fixedEpochs: 250,
      improvementThreshold: [0.001, 0.0001, 0],
      rawThreshold: 1e-5,
      lookback: 1,
      initialHistory: 0,
      resetRunningScore: false,
      maxDendrites: 100,
      maxTries: 2,
      retainAll: false,
      findBestRate: true,
      holdUntilLowered: true,
    });
  });

  it("keeps what is given, and takes complete settings as well", () => {
    const settings = growthSettings({ patience: [5, 3], maximize: false });
    expect(settings).toMatchObject({ patience: [5, 3], maximize: false, maxTries: 2 });
    expect(growthSettings(settings)).toEqual(settings);
  });

  it("reports all problems at once", () => {
    expect(
      refusal({
        patiense: 3,
        patience: 0,
        switchMode: "sometimes",
        lookback: [1, Number.NaN],
        maximize: "no",
      }),
    ).toBe(`The growth settings have 5 problems:
- switchMode: found "sometimes", wanted "history", "fixed", "every" or "never".
- maximize: found "no", wanted true or false.
- patience: found 0, wanted a whole number of at least 1, or a list of such numbers, one for each count of dendrites.
- lookback: found [1, NaN], wanted a number of at least 1, or a list of such numbers, one for each count of dendrites.
- patiense: there is no such setting. Did you mean "patience"?`);
  });

  it.each([
    { patience: 2.5 },
    { patience: [] },
    { patience: [0, 3, -1] },
    { patience: 3n },
    { patience: null },
    { improvementThreshold: 1 },
    { rawThreshold: -1e-5 },
    { lookback: 0.5 },
    { initialHistory: -1 },
    { fixedEpochs: Number.POSITIVE_INFINITY },
    { maxDendrites: [1, 2] },
    { maxTries: 0 },
    { retainAll: 1 },
  ])("refuses %o", (options) => {
    expect(refusal(options)).toMatch(
      new RegExp(`^The growth settings have a problem:\n- ${Object.keys(options)[0]}: `),
    );
  });

  it("knows the original's names", () => {
    expect(refusal({ n_epochs_to_switch: 3 })).toContain('Here it is "patience".');
  });

  it("refuses a fixed cycle that is over before its scores count", () => {
    expect(refusal({ switchMode: "fixed", fixedEpochs: [5, 2], initialHistory: 3 })).toContain(
      "At dendrite count 1 a cycle has 2 epochs and settles for 3, so no score would count.",
    );
    expect(() => growthSettings({ fixedEpochs: 2, initialHistory: 3 })).not.toThrow();
  });

  it("refuses what is no object", () => {
    expect(refusal("history" as unknown as object)).toContain(
      'found "history", wanted an object of settings',
    );
  });
});

it("a list setting goes by the count of dendrites, and its last entry holds on", () => {
  expect([0, 1, 2, 3, 9].map((d) => forDendrites([5, 4, 3], d))).toEqual([5, 4, 3, 3, 3]);
  expect(forDendrites(7, 3)).toBe(7);
});
