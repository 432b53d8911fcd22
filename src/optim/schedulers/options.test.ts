import { describe, expect, it } from "vitest";
import {
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  exponentialLR,
  lambdaLR,
  linearLR,
  multiStepLR,
  oneCycleLR,
  reduceLROnPlateau,
  sequentialLR,
  stepLR,
} from "../schedulers.ts";

describe("options of schedulers", () => {
  const top = { maxLearningRate: 1 };
  it.each<[string, () => unknown, string]>([
    ["no step size", () => stepLR({} as never), "stepLR: stepSize is undefined"],
    [
      "a step size of 0",
      () => stepLR({ stepSize: 0 }),
      "stepSize is 0, it must be a whole number of epochs from 1.",
    ],
    ["half an epoch", () => stepLR({ stepSize: 1.5 }), "stepSize is 1.5"],
    ["gamma", () => stepLR({ stepSize: 1, gamma: Number.NaN }), "stepLR: gamma is NaN"],
    [
      "factor of 1",
      () => reduceLROnPlateau({ factor: 1 }),
      "factor is 1, it must be at least 0 and below 1.",
    ],
    ["patience", () => reduceLROnPlateau({ patience: -1 }), "patience is -1"],
    [
      "broken patience",
      () => reduceLROnPlateau({ patience: 2.5 }),
      "patience is 2.5, it must be a whole number",
    ],
    ["cooldown", () => reduceLROnPlateau({ cooldown: 0.5 }), "cooldown is 0.5"],
    ["threshold", () => reduceLROnPlateau({ threshold: -1 }), "threshold is -1"],
    ["mode", () => reduceLROnPlateau({ mode: "up" as never }), 'mode is "up", it must be "min" or "max".'],
    ["threshold mode", () => reduceLROnPlateau({ thresholdMode: "percent" as never }), '"rel" or "abs"'],
    ["PyTorch's names", () => reduceLROnPlateau({ min_lr: 1 } as never), 'Did you mean "minLearningRate"?'],
    [
      "another maker's",
      () => stepLR({ stepSize: 1, betas: 1 } as never),
      'stepLR: there is no option "betas".',
    ],
    ["no milestones", () => multiStepLR({} as never), "milestones is undefined, it must be a list of whole"],
    [
      "a milestone of 0",
      () => multiStepLR({ milestones: [0, 3] }),
      "milestones is [0, 3], it must be a list",
    ],
    ["half a milestone", () => multiStepLR({ milestones: [1.5] }), "milestones is [1.5]"],
    [
      "a milestone's name",
      () => multiStepLR({ milestone: [1] } as never),
      'multiStepLR: there is no option "milestone". Did you mean "milestones"?',
    ],
    ["no gamma", () => exponentialLR({} as never), "exponentialLR: gamma is undefined"],
    ["a negative gamma", () => exponentialLR({ gamma: -1 }), "exponentialLR: gamma is -1"],
    ["no function", () => lambdaLR({ lrLambda: 0.5 as never }), "lrLambda is 0.5, it must be a function"],
    [
      "a function's name",
      () => lambdaLR({ lr_lambda: () => 1 } as never),
      'lambdaLR: there is no option "lr_lambda". Did you mean "lrLambda"?',
    ],
    [
      "a function without a number",
      () => lambdaLR({ lrLambda: (epoch) => 0 / epoch }).start(1),
      "lambdaLR: lrLambda(0) is NaN, it must be a number from 0.",
    ],
    ["a constant of 0", () => constantLR({ factor: 0 }), "factor is 0, it must be above 0 and at most 1."],
    ["a constant above 1", () => constantLR({ factor: 2 }), "constantLR: factor is 2"],
    [
      "no epochs",
      () => constantLR({ totalIters: 0 }),
      "totalIters is 0, it must be a whole number of epochs",
    ],
    [
      "a start of 0",
      () => linearLR({ startFactor: 0 }),
      "startFactor is 0, it must be above 0 and at most 1.",
    ],
    ["an end above 1", () => linearLR({ endFactor: 1.5 }), "endFactor is 1.5, it must be from 0 to 1."],
    ["no way", () => linearLR({ totalIters: 2.5 }), "linearLR: totalIters is 2.5"],
    [
      "T_max",
      () => cosineAnnealingLR({ T_max: 5 } as never),
      'cosineAnnealingLR: there is no option "T_max". Did you mean "tMax"?',
    ],
    ["no tMax", () => cosineAnnealingLR({} as never), "tMax is undefined"],
    ["a negative etaMin", () => cosineAnnealingLR({ tMax: 5, etaMin: -1 }), "etaMin is -1"],
    ["T_0", () => cosineAnnealingWarmRestarts({ T_0: 5 } as never), 'Did you mean "t0"?'],
    [
      "t0",
      () => cosineAnnealingWarmRestarts({ t0: 0 }),
      "t0 is 0, it must be a whole number of epochs from 1.",
    ],
    [
      "a tMult below 1",
      () => cosineAnnealingWarmRestarts({ t0: 5, tMult: 0.5 }),
      "tMult is 0.5, it must be a whole number from 1.",
    ],
    [
      "no length",
      () => oneCycleLR(top),
      "oneCycleLR: the length of the cycle is missing: give totalSteps or epochs",
    ],
    [
      "two lengths",
      () => oneCycleLR({ ...top, totalSteps: 10, epochs: 10 }),
      "totalSteps is 10, and epochs or stepsPerEpoch is given as well",
    ],
    ["a length of 0", () => oneCycleLR({ ...top, totalSteps: 0 }), "totalSteps is 0"],
    ["broken epochs", () => oneCycleLR({ ...top, epochs: 1.5 }), "epochs is 1.5"],
    ["stepsPerEpoch", () => oneCycleLR({ ...top, epochs: 1, stepsPerEpoch: 0 }), "stepsPerEpoch is 0"],
    [
      "pctStart",
      () => oneCycleLR({ ...top, epochs: 9, pctStart: 30 }),
      "pctStart is 30, it must be from 0 to 1.",
    ],
    [
      "annealStrategy",
      () => oneCycleLR({ ...top, epochs: 9, annealStrategy: "cosine" as never }),
      'annealStrategy is "cosine", it must be "cos" or "linear".',
    ],
    [
      "divFactor",
      () => oneCycleLR({ ...top, epochs: 9, divFactor: 0 }),
      "divFactor is 0, it must be a number above 0.",
    ],
    ["threePhase", () => oneCycleLR({ ...top, epochs: 9, threePhase: 1 as never }), "threePhase is 1"],
    ["max_lr", () => oneCycleLR({ max_lr: 1, epochs: 9 } as never), 'Did you mean "maxLearningRate"?'],
    [
      "total_steps",
      () => oneCycleLR({ ...top, total_steps: 9 } as never),
      'oneCycleLR: there is no option "total_steps". Did you mean "totalSteps"?',
    ],
    [
      "momentum",
      () => oneCycleLR({ ...top, epochs: 9, cycleMomentum: true } as never),
      'oneCycleLR: there is no option "cycleMomentum".',
    ],
    [
      "no schedulers",
      () => sequentialLR({ schedulers: [], milestones: [] }),
      "it must be a list of schedulers",
    ],
    [
      "something else",
      () => sequentialLR({ schedulers: [linearLR] as never, milestones: [] }),
      "sequentialLR: schedulers is [a function], it must be a list of schedulers",
    ],
    [
      "too few milestones",
      () => sequentialLR({ schedulers: [linearLR(), linearLR()], milestones: [] }),
      "milestones is [], it must be a list of 1, one less than there are schedulers.",
    ],
    [
      "milestones out of order",
      () => sequentialLR({ schedulers: [linearLR(), linearLR(), linearLR()], milestones: [5, 5] }),
      "milestones is [5, 5], it must be a list of whole numbers of epochs from 1, each above the one before.",
    ],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: "bad_option" }));
    expect(make).toThrow(message);
  });
});
