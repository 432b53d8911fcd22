// Learning-rate schedulers, as PyTorch computes them: pure functions on a state that can be saved.

import { ArborizeError } from "../base/errors.ts";
import { checkOptions } from "./optimizer.ts";

/** Where a scheduler stands. Plain JSON. */
export interface SchedulerState {
  readonly learningRate: number;
  /** Scheduler steps so far. */
  readonly steps: number;
  /** What else the scheduler remembers. */
  readonly memory: Readonly<Record<string, number | null>>;
}

/** A learning-rate schedule; steps are taken after epochs. */
export interface Scheduler {
  readonly name: string;
  /** Everything it was made with, for reports. */
  readonly options: Readonly<Record<string, number | string>>;
  /** The state before the first epoch, from the optimizer's learning rate. */
  start(learningRate: number): SchedulerState;
  /** The state after one more epoch, which had the given score. */
  step(state: SchedulerState, score: number): SchedulerState;
}

/** The same learning rate throughout. */
export function constantLR(): Scheduler {
  return {
    name: "constantLR",
    options: {},
    start: (learningRate) => ({ learningRate, steps: 0, memory: {} }),
    step: (state) => ({ ...state, steps: state.steps + 1 }),
  };
}

/** Options of `stepLR`. */
export interface StepLROptions {
  /** Epochs between two changes. */
  readonly stepSize: number;
  /** Factor of each change. Default: 0.1. */
  readonly gamma?: number;
}

/** Multiplies the learning rate by `gamma` every `stepSize` epochs. PyTorch's StepLR. */
export function stepLR(options: StepLROptions): Scheduler {
  const { stepSize, gamma = 0.1 } = options;
  checkOptions("stepLR", options, { stepSize, gamma });
  checkWhole("stepLR", { stepSize }, 1);
  return {
    name: "stepLR",
    options: { stepSize, gamma },
    start: (learningRate) => ({ learningRate, steps: 0, memory: {} }),
    step({ learningRate, steps, memory }) {
      const changes = (steps + 1) % stepSize === 0;
      return { learningRate: changes ? learningRate * gamma : learningRate, steps: steps + 1, memory };
    },
  };
}

/** Options of `reduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions {
  /** Whether scores get better downwards ("min") or upwards. Default: "min". */
  readonly mode?: "min" | "max";
  /** Factor of each change. Default: 0.1. */
  readonly factor?: number;
  /** Epochs without improvement that are tolerated; one more lowers the rate. Default: 10. */
  readonly patience?: number;
  /** How much better than the best a score must be. Default: 1e-4. */
  readonly threshold?: number;
  /** Whether the threshold is a share of the best score ("rel") or a difference ("abs"). Default: "rel". */
  readonly thresholdMode?: "rel" | "abs";
  /** Epochs after a change in which nothing is counted. Default: 0. */
  readonly cooldown?: number;
  /** The learning rate never falls below this. Default: 0. */
  readonly minLearningRate?: number;
  /** Changes smaller than this are not made. Default: 1e-8. */
  readonly eps?: number;
}

const NAME = "reduceLROnPlateau";

/** Lowers the learning rate when the score stops getting better. PyTorch's ReduceLROnPlateau. */
export function reduceLROnPlateau(options: ReduceLROnPlateauOptions = {}): Scheduler {
  const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = "rel" } = options;
  const { cooldown = 0, minLearningRate = 0, eps = 1e-8 } = options;
  const all = { mode, factor, patience, threshold, thresholdMode, cooldown, minLearningRate, eps };
  checkOptions(NAME, options, all, { factor: [0, 1] });
  checkWhole(NAME, { patience, cooldown }, 0);
  checkWord(NAME, { mode }, ["min", "max"]);
  checkWord(NAME, { thresholdMode }, ["rel", "abs"]);
  const sign = mode === "min" ? -1 : 1;
  const better = (score: number, best: number) => {
    if (thresholdMode === "abs") return sign * score > sign * best + threshold;
    return sign * score > sign * best * (1 + sign * threshold);
  };
  return {
    name: NAME,
    options: all,
    start: (learningRate) => ({ learningRate, steps: 0, memory: { best: null, bad: 0, cooldown: 0 } }),
    step({ learningRate, steps, memory }, score) {
      const previous = memory.best ?? null;
      const improved = previous === null || better(score, previous);
      const best = improved ? score : previous;
      const waiting = memory.cooldown ?? 0;
      let bad = improved || waiting > 0 ? 0 : (memory.bad ?? 0) + 1;
      let cooling = Math.max(0, waiting - 1);
      let rate = learningRate;
      if (bad > patience) {
        const lowered = Math.max(learningRate * factor, minLearningRate);
        if (learningRate - lowered > eps) rate = lowered;
        cooling = cooldown;
        bad = 0;
      }
      return { learningRate: rate, steps: steps + 1, memory: { best, bad, cooldown: cooling } };
    },
  };
}

function checkWhole(owner: string, options: Readonly<Record<string, number>>, least: number): void {
  for (const [name, value] of Object.entries(options)) {
    if (Number.isInteger(value) && value >= least) continue;
    const wanted = `it must be a whole number of epochs from ${least}`;
    throw new ArborizeError("bad_option", `${owner}: ${name} is ${value}, ${wanted}.`);
  }
}

function checkWord(owner: string, options: Readonly<Record<string, string>>, words: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (words.includes(value)) continue;
    const wanted = words.map((word) => `"${word}"`).join(" or ");
    throw new ArborizeError("bad_option", `${owner}: ${name} is "${value}", it must be ${wanted}.`);
  }
}
