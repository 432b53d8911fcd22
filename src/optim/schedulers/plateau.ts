// The schedule that follows the score.

import { checkOptions } from "../optimizer.ts";
import { checkWhole, checkWord, type Scheduler } from "../scheduler.ts";

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

/** What is remembered before the first score. */
const NOTHING_SEEN = { best: null, bad: 0, cooldown: 0 } as const;

const NAME = "reduceLROnPlateau";

/**
 * Multiplies the learning rate by `factor` when the validation score has not got better for more than `patience` epochs.
 * PyTorch's ReduceLROnPlateau.
 *
 * A score is better than the best one when it is beyond `best * (1 ± threshold)` ("rel") or `best ± threshold` ("abs").
 *
 * @throws `bad_option` for options that are unknown or out of range.
 */
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
    start: (learningRate) => ({ learningRate, steps: 0, memory: NOTHING_SEEN }),
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
    forget: (state) => ({ ...state, memory: NOTHING_SEEN }),
  };
}
