// Schedules that begin below the optimizer's learning rate.

import { checkOptions } from "../optimizer.ts";
import { chained, check, checkFactor, checkWhole, type Scheduler } from "../scheduler.ts";

/** Options of `constantLR`. */
export interface ConstantLROptions {
  /** Factor in the first epochs, above 0 and at most 1. Default: 1/3. */
  readonly factor?: number;
  /** How many epochs that are. Default: 5. */
  readonly totalIters?: number;
}

/**
 * Multiplies the learning rate by `factor` in the first `totalIters` epochs. PyTorch's ConstantLR. (For the same rate
 * throughout, leave the scheduler out.)
 *
 *     rate(t) = rate of the optimizer * (factor if t < totalIters, else 1)
 *
 * @throws `bad_option` for options that are unknown or out of range.
 */
export function constantLR(options: ConstantLROptions = {}): Scheduler {
  const { factor = 1 / 3, totalIters = 5 } = options;
  checkOptions("constantLR", options, { factor, totalIters });
  checkFactor("constantLR", { factor }, 1);
  checkWhole("constantLR", { totalIters }, 1);
  return chained("constantLR", { factor, totalIters }, (rate, epoch) => {
    if (epoch === 0) return rate * factor;
    return epoch === totalIters ? rate * (1 / factor) : rate;
  });
}

/** Options of `linearLR`. */
export interface LinearLROptions {
  /** Factor in the first epoch, above 0 and at most 1. Default: 1/3. */
  readonly startFactor?: number;
  /** Factor from epoch `totalIters` on, from 0 to 1. Default: 1. */
  readonly endFactor?: number;
  /** Epochs from one to the other. Default: 5. */
  readonly totalIters?: number;
}

/**
 * Goes from a share of the learning rate to another in a straight line: a warm-up (Goyal et al. 2017,
 * https://arxiv.org/abs/1706.02677, section 2.2), or a decay. PyTorch's LinearLR.
 *
 *     rate(t) = rate of the optimizer * (startFactor + (endFactor - startFactor) * min(t, totalIters) / totalIters)
 *
 * computed from the epoch before, as PyTorch does.
 *
 * @throws `bad_option` for options that are unknown or out of range.
 */
export function linearLR(options: LinearLROptions = {}): Scheduler {
  const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
  checkOptions("linearLR", options, { startFactor, endFactor, totalIters });
  checkFactor("linearLR", { startFactor }, 1);
  check("linearLR", { endFactor }, "from 0 to 1", (value) => (value as number) <= 1);
  checkWhole("linearLR", { totalIters }, 1);
  const rise = endFactor - startFactor;
  return chained("linearLR", { startFactor, endFactor, totalIters }, (rate, epoch) => {
    if (epoch === 0) return rate * startFactor;
    if (epoch > totalIters) return rate;
    return rate * (1 + rise / (totalIters * startFactor + (epoch - 1) * rise));
  });
}
