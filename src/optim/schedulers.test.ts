import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixedLR } from "./scheduler.ts";
import * as schedulers from "./schedulers.ts";
import { reduceLROnPlateau, type Scheduler, type SchedulerState, stepLR } from "./schedulers.ts";

/** `[name, options]` of a scheduler as test/schedulers/generate.py writes it. */
type Written = [name: string, options: Record<string, unknown>];

const reference: {
  learningRate: number;
  scores: number[];
  cases: [...Written, rates: number[]][];
} = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "test", "schedulers", "pytorch.json"), "utf8"),
);

/** The functions of the reference, by their text in Python. */
const LAMBDAS: Readonly<Record<string, (epoch: number) => number>> = {
  "lambda epoch: 0.95 ** epoch": (epoch) => 0.95 ** epoch,
  "lambda epoch: 1 / (1 + epoch // 30)": (epoch) => 1 / (1 + Math.floor(epoch / 30)),
};

function make([name, written]: Written): Scheduler {
  const options = { ...written };
  if (typeof options.lrLambda === "string") options.lrLambda = LAMBDAS[options.lrLambda];
  if (Array.isArray(options.schedulers)) options.schedulers = options.schedulers.map(make);
  const makers: Readonly<Record<string, (options: never) => Scheduler>> = schedulers;
  return makers[name]!(options as never);
}

/** The learning rates before the first of the epochs and after each, every state passed `through`. */
function allRates(scheduler: Scheduler, through = (state: SchedulerState) => state): number[] {
  let state = through(scheduler.start(reference.learningRate));
  const rates = [state.learningRate];
  for (const score of reference.scores) {
    state = through(scheduler.step(state, score));
    rates.push(state.learningRate);
  }
  return rates;
}

describe("200 epochs of PyTorch's schedulers", () => {
  it("are there for every scheduler, in two configurations or more", () => {
    const count = (name: string) => reference.cases.filter(([found]) => found === name).length;
    for (const name of Object.keys(schedulers)) expect(count(name), name).toBeGreaterThanOrEqual(2);
    expect(reference.scores).toHaveLength(200);
  });

  it.each(reference.cases)("%s %j", (name, options, wanted) => {
    const scheduler = make([name, options]);
    const found = allRates(scheduler);
    expect(found).toHaveLength(wanted.length);
    found.forEach((rate, epoch) => {
      // The reference has ten digits.
      const error = Math.abs(rate - wanted[epoch]!);
      const told = `epoch ${epoch}: ${rate}, wanted ${wanted[epoch]}`;
      expect(error, told).toBeLessThanOrEqual(1e-9 * wanted[epoch]!);
    });
    const written: SchedulerState[] = [];
    const again = allRates(make([name, options]), (state) => {
      written.push(state);
      return JSON.parse(JSON.stringify(state));
    });
    expect(again).toEqual(found);
    expect(JSON.parse(JSON.stringify(written))).toEqual(written);
    expect(JSON.parse(JSON.stringify(scheduler.options))).toEqual(scheduler.options);
  });
});

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
  "no scheduler": [fixedLR(), UP, runs([0.1, 18])],
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

describe("oneCycleLR", () => {
  const rates = (options: Partial<schedulers.OneCycleLROptions>, epochs: number) => {
    const scheduler = schedulers.oneCycleLR({ maxLearningRate: 1, ...options });
    return [scheduler.start(7).learningRate, ...ratesOf(scheduler, new Array<number>(epochs).fill(0))];
  };
  const last = 1 / 25 / 1e4;

  // PyTorch's rates for totalSteps=4, which raises an error in the step after them.
  it.each<["cos" | "linear", number[]]>([
    ["cos", [0.04, 0.811745653949763, 0.28306099820869923, 4e-6, 0.2830609982086991]],
    ["linear", [0.04, 0.7142868571428571, 0.3571454285714285, 4e-6, -0.3571374285714286]],
  ])("keeps its last rate after the cycle, and never goes below 0: %s", (annealStrategy, wanted) => {
    const found = rates({ totalSteps: 4, annealStrategy }, 6);
    const beyond = wanted[4]! < 0 ? last : wanted[4]!;
    const all = [...wanted.slice(0, 4), beyond, last, last];
    expect(found).toEqual(all.map((rate) => expect.closeTo(rate, 12)));
  });

  it("takes epochs for steps unless told otherwise", () => {
    expect(rates({ epochs: 20 }, 20)).toEqual(rates({ totalSteps: 20 }, 20));
    expect(rates({ epochs: 5, stepsPerEpoch: 4 }, 20)).toEqual(rates({ totalSteps: 20 }, 20));
  });

  it("begins at the top where the rise has no length", () => {
    expect(rates({ totalSteps: 10, pctStart: 0.1 }, 0)).toEqual([1]);
  });
});

describe("sequentialLR", () => {
  const { sequentialLR, constantLR, exponentialLR, linearLR } = schedulers;
  const scores = new Array<number>(8).fill(1);

  it("gives the scores of its turn to a scheduler that looks at them", () => {
    const scheduler = sequentialLR({
      schedulers: [linearLR({ totalIters: 2 }), reduceLROnPlateau({ patience: 1, factor: 0.5 })],
      milestones: [2],
    });
    const found = ratesOf(scheduler, scores);
    const wanted = [0.2 / 3, 0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025];
    expect(found).toEqual(wanted.map((rate) => expect.closeTo(rate, 12)));
  });

  it("may be in a sequence itself, at any place", () => {
    const warmUp = constantLR({ factor: 0.5, totalIters: 2 });
    const decay = exponentialLR({ gamma: 0.5 });
    const flat = sequentialLR({ schedulers: [warmUp, decay, warmUp], milestones: [2, 5] });
    const left = sequentialLR({ schedulers: [warmUp, decay], milestones: [2] });
    const right = sequentialLR({ schedulers: [decay, warmUp], milestones: [3] });
    const nested = [
      sequentialLR({ schedulers: [left, warmUp], milestones: [5] }),
      sequentialLR({ schedulers: [warmUp, right], milestones: [2] }),
    ];
    const wanted = [0.05, 0.1, 0.05, 0.025, 0.05, 0.05, 0.1, 0.1];
    for (const each of [flat, ...nested]) expect(ratesOf(each, scores)).toEqual(wanted);
  });
});

it("what was learned from scores can be forgotten, also in a sequence", () => {
  const plateau = reduceLROnPlateau({ patience: 1, mode: "max" });
  const sequence = schedulers.sequentialLR({
    schedulers: [schedulers.linearLR({ startFactor: 0.5, totalIters: 2 }), plateau],
    milestones: [2],
  });
  for (const scheduler of [plateau, sequence]) {
    let state = scheduler.start(0.1);
    for (const score of [5, 5, 5, 5, 5]) state = scheduler.step(state, score);
    const forgotten = scheduler.forget!(state);
    expect({ ...forgotten, memory: null }).toEqual({ ...state, memory: null });
    // A score below the best that was forgotten counts as a first one.
    expect(state.memory.best).toBe(5);
    expect(scheduler.step(forgotten, 1).memory.best).toBe(1);
  }
  expect(stepLR({ stepSize: 2 }).forget).toBeUndefined();
});

describe("a learning rate that was changed by hand", () => {
  const changed = (scheduler: Scheduler) => {
    const state = { ...scheduler.step(scheduler.start(0.1), 0), learningRate: 0.02 };
    return scheduler.step(state, 0).learningRate;
  };
  it("is where schedulers go on from that multiply it", () => {
    expect(changed(schedulers.exponentialLR({ gamma: 0.5 }))).toBe(0.01);
    expect(changed(stepLR({ stepSize: 5 }))).toBe(0.02);
    expect(changed(fixedLR())).toBe(0.02);
  });
  it("is forgotten by those that know every epoch's rate", () => {
    expect(changed(schedulers.lambdaLR({ lrLambda: (epoch) => 1 / (epoch + 1) }))).toBeCloseTo(0.1 / 3, 12);
    expect(changed(schedulers.cosineAnnealingWarmRestarts({ t0: 2 }))).toBe(0.1);
  });
});

describe("the state of another scheduler", () => {
  const { cosineAnnealingLR, cosineAnnealingWarmRestarts, lambdaLR, sequentialLR } = schedulers;
  it.each<[Scheduler, string]>([
    [cosineAnnealingLR({ tMax: 3 }), 'cosineAnnealingLR: the state has no "base"'],
    [cosineAnnealingWarmRestarts({ t0: 3 }), 'no "base"'],
    [lambdaLR({ lrLambda: () => 1 }), 'no "base"'],
    [sequentialLR({ schedulers: [stepLR({ stepSize: 1 })], milestones: [] }), "another scheduler's"],
  ])("is refused: %o", (scheduler, message) => {
    const other = stepLR({ stepSize: 3 }).start(0.1);
    expect(() => scheduler.step(other, 0)).toThrow(expect.objectContaining({ code: "bad_data" }));
    expect(() => scheduler.step(other, 0)).toThrow(message);
  });
});
