import { describe, expect, it } from "vitest";
import {
  correlationSettings,
  dendriteImproves,
  nextPhaseProgress,
  phaseEnd,
} from "./correlation-settings.ts";

describe("settings of correlation", () => {
  it("name every problem at once", () => {
    const wrong = {
      candidates: 0,
      patience: 1.5,
      normalizer: "RMS",
      sign: 1,
      requireFlat: "no",
      cacheMegabytes: -1,
    };
    const problems = [
      "candidates: found 0, wanted a whole number of at least 1.",
      "patience: found 1.5, wanted a whole number of at least 1.",
      'normalizer: found "RMS", wanted "rms" or "energy" or "pearson" or "none".',
      'sign: found 1, wanted "epoch" or "running" or "batch".',
      'requireFlat: found "no", wanted true or false.',
      "cacheMegabytes: found -1, wanted a number of at least 0.",
    ];
    const tried = () => correlationSettings(wrong as never);
    for (const problem of problems) expect(tried).toThrow(problem);
    expect(() => correlationSettings({ candidate: 3 } as never)).toThrow('Did you mean "candidates"?');
    expect(() => correlationSettings(3 as never)).toThrow("wanted an object of settings");
  });
});

describe("the end of a phase", () => {
  const settings = correlationSettings({ improvementThreshold: 0.1, rawThreshold: 0.01, patience: 2 });

  it.each([
    // Both thresholds count, and noise does not.
    [0.3, 0.2, true],
    [0.219, 0.2, false],
    [0.055, 0.05, false],
    [0.061, 0.05, true],
    [0.001, 0, false],
    [0.011, 0, true],
  ])("a score of %d after %d: %s", (score, reference, better) => {
    expect(dendriteImproves(score, reference, settings)).toBe(better);
  });

  it("comes by patience, or after as many epochs as the neurons had", () => {
    let progress = { epochs: 0, waited: 0 };
    const ends = [true, false, true, false, false].map((improved) => {
      progress = nextPhaseProgress(progress, improved);
      return phaseEnd(progress, 10, settings);
    });
    expect(ends).toEqual([null, null, null, null, "patience"]);
    expect(phaseEnd({ epochs: 3, waited: 0 }, 3, settings)).toBe("cap");
    expect(
      phaseEnd({ epochs: 3, waited: 0 }, 3, correlationSettings({ capAtNeuronPhase: false })),
    ).toBeNull();
  });
});
