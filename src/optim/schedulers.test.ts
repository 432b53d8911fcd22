import { describe, expect, it } from "vitest";
import { constantLR, reduceLROnPlateau, type Scheduler, stepLR } from "./schedulers.ts";

// Learning rates after each epoch from 0.1 on. PyTorch's come from
//
//   optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)        # PyTorch 1.13
//   scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)    # and so on, with the options below
//   for score in SCORES: optimizer.step(); scheduler.step(score); print(optimizer.param_groups[0]["lr"])
const DOWN = [
  1, 0.9, 0.9, 0.89995, 0.95, 0.8, 0.85, 0.84, 0.83, 0.82, 0.9, 0.81, 0.805, 0.7, 0.7, 0.7, 0.71, 0.72,
];
const UP = [
  0.5, 0.55, 0.55, 0.6, 0.62, 0.58, 0.64, 0.61, 0.7, 0.69, 0.71, 0.65, 0.66, 0.64, 0.9, 0.91, 0.92, 0.9,
];
const BELOW_ZERO = [-1, -1.05, -1.2, -1.19, -1.21, -1.3, -1.25, -1.6, -1.5, -1.4];

/** `[rate, epochs]` runs as a list. */
const runs = (...parts: readonly [number, number][]) =>
  parts.flatMap(([rate, epochs]) => new Array<number>(epochs).fill(rate));

const CASES: Readonly<Record<string, [Scheduler, readonly number[], readonly number[]]>> = {
  constant: [constantLR(), UP, runs([0.1, 18])],
  stepLR: [
    stepLR({ stepSize: 3, gamma: 0.5 }),
    UP.slice(0, 10),
    [0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.0125, 0.0125],
  ],
  "stepLR, defaults": [stepLR({ stepSize: 1 }), UP.slice(0, 4), [0.01, 0.001, 0.0001, 0.00001]],
  "patience and cooldown": [
    reduceLROnPlateau({ patience: 1, cooldown: 2, factor: 0.5 }),
    DOWN,
    runs([0.1, 3], [0.05, 4], [0.025, 4], [0.0125, 4], [0.00625, 3]),
  ],
  "no patience": [
    reduceLROnPlateau({ patience: 0 }),
    DOWN,
    [...runs([0.1, 2], [1e-2, 1], [1e-3, 1], [1e-4, 2], [1e-5, 1], [1e-6, 1], [1e-7, 1]), ...runs([1e-8, 9])],
  ],
  "least rate": [
    reduceLROnPlateau({ patience: 0, factor: 0.3, minLearningRate: 0.004 }),
    DOWN,
    runs([0.1, 2], [0.03, 1], [0.009, 1], [0.004, 14]),
  ],
  "changes too small to make": [
    reduceLROnPlateau({ patience: 0, factor: 0.5, eps: 0.02 }),
    DOWN,
    runs([0.1, 2], [0.05, 1], [0.025, 15]),
  ],
  "relative threshold": [
    reduceLROnPlateau({ patience: 1, factor: 0.5, threshold: 0.1 }),
    DOWN,
    runs([0.1, 2], [0.05, 5], [0.025, 2], [0.0125, 2], [0.00625, 4], [0.003125, 2], [0.0015625, 1]),
  ],
  "absolute threshold": [
    reduceLROnPlateau({ patience: 1, factor: 0.5, threshold: 0.05, thresholdMode: "abs" }),
    DOWN,
    runs([0.1, 3], [0.05, 4], [0.025, 2], [0.0125, 2], [0.00625, 4], [0.003125, 2], [0.0015625, 1]),
  ],
  upwards: [
    reduceLROnPlateau({ mode: "max", patience: 1, factor: 0.5, cooldown: 1 }),
    UP,
    runs([0.1, 12], [0.05, 6]),
  ],
  "upwards, relative threshold": [
    reduceLROnPlateau({ mode: "max", patience: 1, factor: 0.5, threshold: 0.1 }),
    UP,
    runs([0.1, 2], [0.05, 3], [0.025, 2], [0.0125, 3], [0.00625, 2], [0.003125, 4], [0.0015625, 2]),
  ],
  "upwards, absolute threshold": [
    reduceLROnPlateau({ mode: "max", patience: 1, factor: 0.5, threshold: 0.04, thresholdMode: "abs" }),
    UP,
    runs([0.1, 5], [0.05, 2], [0.025, 3], [0.0125, 2], [0.00625, 4], [0.003125, 2]),
  ],
  "scores below zero, relative threshold": [
    reduceLROnPlateau({ patience: 0, factor: 0.5, threshold: 0.1 }),
    BELOW_ZERO,
    runs([0.1, 10]),
  ],
};

function ratesOf(
  scheduler: Scheduler,
  scores: readonly number[],
  through = (state: unknown) => state,
): number[] {
  let state = scheduler.start(0.1);
  return scores.map((score) => {
    state = through(scheduler.step(state, score)) as typeof state;
    return state.learningRate;
  });
}

describe("schedulers compute what PyTorch's do", () => {
  it.each(Object.entries(CASES))("%s", (_, [scheduler, scores, wanted]) => {
    const found = ratesOf(scheduler, scores);
    expect(found).toHaveLength(wanted.length);
    found.forEach((rate, i) => {
      expect(Math.abs(rate / wanted[i]! - 1), `epoch ${i}: ${rate}, wanted ${wanted[i]}`).toBeLessThan(1e-14);
    });
    // Their state survives a checkpoint, which is JSON.
    expect(ratesOf(scheduler, scores, (state) => JSON.parse(JSON.stringify(state)))).toEqual(found);
  });

  it("without changing the state that they are given", () => {
    const scheduler = reduceLROnPlateau({ patience: 0 });
    const state = scheduler.step(scheduler.start(0.1), 1);
    const before = structuredClone(state);
    expect(scheduler.step(state, 2)).toEqual(scheduler.step(state, 2));
    expect(state).toEqual(before);
  });
});

describe("options of schedulers", () => {
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
  ])("%s", (_, make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: "bad_option" }));
    expect(make).toThrow(message);
  });
});
