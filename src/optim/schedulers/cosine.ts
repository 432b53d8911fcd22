// Schedules that follow half a wave of the cosine.

import { checkOptions } from "../optimizer.ts";
import { check, checkWhole, isWhole, recall, type Scheduler } from "../scheduler.ts";

/** Options of `cosineAnnealingLR`. */
export interface CosineAnnealingLROptions {
  /** Epochs from the optimizer's learning rate down to the least; it takes as many to rise again. PyTorch's T_max. */
  readonly tMax: number;
  /** The least learning rate. Default: 0. */
  readonly etaMin?: number;
}

/**
 * Moves the learning rate along a cosine, from the optimizer's down to `etaMin` in `tMax` epochs and up again in as many.
 * PyTorch's CosineAnnealingLR, after Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983, without restarts.
 *
 *     rate(t) = etaMin + (rate of the optimizer - etaMin) * (1 + cos(pi * t / tMax)) / 2
 *
 * computed from the epoch before, as PyTorch does, so that a change of the rate by hand lasts to the next turn.
 *
 * @throws `bad_option` for options that are unknown or out of range.
 */
export function cosineAnnealingLR(options: CosineAnnealingLROptions): Scheduler {
  const { tMax, etaMin = 0 } = options;
  const name = "cosineAnnealingLR";
  checkOptions(name, options, { tMax, etaMin });
  checkWhole(name, { tMax }, 1);
  const height = (epoch: number) => 1 + Math.cos((Math.PI * epoch) / tMax);
  return {
    name,
    options: { tMax, etaMin },
    start: (base) => ({ learningRate: base, steps: 0, memory: { base } }),
    step(state) {
      const { learningRate, steps, memory } = state;
      const base = recall(name, state, "base");
      // At the bottom the height is 0, and the next one is no multiple of it.
      const fromBottom = (steps - tMax) % (2 * tMax) === 0;
      const rate = fromBottom
        ? learningRate + ((base - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2
        : (height(steps + 1) / height(steps)) * (learningRate - etaMin) + etaMin;
      return { learningRate: rate, steps: steps + 1, memory };
    },
  };
}

/** Options of `cosineAnnealingWarmRestarts`. */
export interface CosineAnnealingWarmRestartsOptions {
  /** Epochs to the first restart. PyTorch's T_0. */
  readonly t0: number;
  /** How many times as long as the last each further period is, a whole number. Default: 1. PyTorch's T_mult. */
  readonly tMult?: number;
  /** The least learning rate, which a period ends just above. Default: 0. */
  readonly etaMin?: number;
}

/**
 * Lowers the learning rate along a cosine and jumps back to the optimizer's, again and again. PyTorch's
 * CosineAnnealingWarmRestarts, after Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5.
 *
 *     rate(t) = etaMin + (rate of the optimizer - etaMin) * (1 + cos(pi * c / T)) / 2
 *
 * for c epochs since the last restart in a period of T epochs: t0, then t0 * tMult, then t0 * tMult ** 2, …
 *
 * @throws `bad_option` for options that are unknown or out of range.
 */
export function cosineAnnealingWarmRestarts(options: CosineAnnealingWarmRestartsOptions): Scheduler {
  const { t0, tMult = 1, etaMin = 0 } = options;
  const name = "cosineAnnealingWarmRestarts";
  checkOptions(name, options, { t0, tMult, etaMin });
  checkWhole(name, { t0 }, 1);
  check(name, { tMult }, "a whole number from 1", (value) => isWhole(value, 1));
  return {
    name,
    options: { t0, tMult, etaMin },
    start: (base) => ({ learningRate: base, steps: 0, memory: { base, position: 0, period: t0 } }),
    step(state) {
      const base = recall(name, state, "base");
      const before = recall(name, state, "period");
      const next = recall(name, state, "position") + 1;
      const [position, period] = next >= before ? [0, before * tMult] : [next, before];
      const learningRate = etaMin + ((base - etaMin) * (1 + Math.cos((Math.PI * position) / period))) / 2;
      return { learningRate, steps: state.steps + 1, memory: { base, position, period } };
    },
  };
}
