// Schedules that multiply the learning rate by a factor.

import { checkOptions } from "../optimizer.ts";
import { chained, check, checkMilestones, checkWhole, recall, type Scheduler } from "../scheduler.ts";

/** Options of `stepLR`. */
export interface StepLROptions {
  /** Epochs between two changes. */
  readonly stepSize: number;
  /** Factor of each change. Default: 0.1. */
  readonly gamma?: number;
}

/**
 * Multiplies the learning rate by `gamma` every `stepSize` epochs. PyTorch's StepLR.
 *
 *     rate(t) = rate(t - 1) * (gamma if t is a multiple of stepSize, else 1)
 *
 * @throws `bad_option` for options that are unknown or out of range.
 */
export function stepLR(options: StepLROptions): Scheduler {
  const { stepSize, gamma = 0.1 } = options;
  checkOptions("stepLR", options, { stepSize, gamma });
  checkWhole("stepLR", { stepSize }, 1);
  return chained("stepLR", { stepSize, gamma }, (rate, epoch) =>
    epoch > 0 && epoch % stepSize === 0 ? rate * gamma : rate,
  );
}

/** Options of `multiStepLR`. */
export interface MultiStepLROptions {
  /** The epochs after which the rate changes; one that is listed twice counts twice. */
  readonly milestones: readonly number[];
  /** Factor of each change. Default: 0.1. */
  readonly gamma?: number;
}

/**
 * Multiplies the learning rate by `gamma` after each of the given epochs. PyTorch's MultiStepLR.
 *
 *     rate(t) = rate(t - 1) * gamma ** (how often t is a milestone)
 *
 * @throws `bad_option` for options that are unknown or out of range.
 */
export function multiStepLR(options: MultiStepLROptions): Scheduler {
  const { milestones, gamma = 0.1 } = options;
  checkOptions("multiStepLR", options, { gamma }, {}, ["milestones"]);
  checkMilestones("multiStepLR", milestones, false);
  const epochs = [...milestones];
  return chained("multiStepLR", { milestones: epochs, gamma }, (rate, epoch) => {
    const times = epochs.filter((milestone) => milestone === epoch).length;
    return times > 0 ? rate * gamma ** times : rate;
  });
}

/** Options of `exponentialLR`. */
export interface ExponentialLROptions {
  /** Factor of each change. */
  readonly gamma: number;
}

/**
 * Multiplies the learning rate by `gamma` every epoch. PyTorch's ExponentialLR.
 *
 *     rate(t) = rate(t - 1) * gamma
 *
 * @throws `bad_option` for options that are unknown or out of range.
 */
export function exponentialLR(options: ExponentialLROptions): Scheduler {
  const { gamma } = options;
  checkOptions("exponentialLR", options, { gamma });
  return chained("exponentialLR", { gamma }, (rate, epoch) => (epoch > 0 ? rate * gamma : rate));
}

/** Options of `lambdaLR`. */
export interface LambdaLROptions {
  /**
   * The factor on the optimizer's learning rate in an epoch; the first epoch is 0. It must depend on nothing else, or
   * a training that resumes goes other ways than one that was not interrupted.
   */
  readonly lrLambda: (epoch: number) => number;
}

/**
 * Multiplies the optimizer's learning rate by a function of the epoch. PyTorch's LambdaLR.
 *
 *     rate(t) = rate of the optimizer * lrLambda(t)
 *
 * @throws `bad_option` for options that are unknown or no function; when it runs, for a factor that is no number from 0.
 */
export function lambdaLR(options: LambdaLROptions): Scheduler {
  const { lrLambda } = options;
  const name = "lambdaLR";
  checkOptions(name, options, {}, {}, ["lrLambda"]);
  check(name, { lrLambda }, "a function of the epoch", (value) => typeof value === "function");
  const factor = (epoch: number) => {
    const value = lrLambda(epoch);
    const fits = (found: unknown) => Number.isFinite(found) && (found as number) >= 0;
    check(name, { [`lrLambda(${epoch})`]: value }, "a number from 0", fits);
    return value;
  };
  return {
    name,
    options: { lrLambda: String(lrLambda) },
    start: (base) => ({ learningRate: base * factor(0), steps: 0, memory: { base } }),
    step(state) {
      const steps = state.steps + 1;
      return { learningRate: recall(name, state, "base") * factor(steps), steps, memory: state.memory };
    },
  };
}
