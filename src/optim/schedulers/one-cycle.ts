// The 1cycle schedule: up and down once.

import { ArborizeError } from "../../base/errors.ts";
import { checkOptions } from "../optimizer.ts";
import { check, checkFactor, checkWhole, checkWord, isWhole, type Scheduler } from "../scheduler.ts";

/** Options of `oneCycleLR`: either `totalSteps`, or `epochs` with or without `stepsPerEpoch`. */
export interface OneCycleLROptions {
  /** The highest learning rate. PyTorch's max_lr. */
  readonly maxLearningRate: number;
  /** Scheduler steps in the cycle. A training takes one an epoch: the number of epochs to train. */
  readonly totalSteps?: number;
  /** The same as a product: of epochs … */
  readonly epochs?: number;
  /** … and scheduler steps in each. Default: 1, as a training takes one an epoch (in PyTorch one a batch is usual). */
  readonly stepsPerEpoch?: number;
  /** The share of the cycle in which the rate rises, from 0 to 1. Default: 0.3. */
  readonly pctStart?: number;
  /** Whether rates lie on a cosine ("cos") or on straight lines ("linear"). Default: "cos". */
  readonly annealStrategy?: "cos" | "linear";
  /** The first rate is `maxLearningRate / divFactor`. Default: 25. */
  readonly divFactor?: number;
  /** The last rate is the first one divided by this. Default: 10000. */
  readonly finalDivFactor?: number;
  /** Whether the rate falls to the first one as fast as it rose, and in a third phase to the last. Default: false. */
  readonly threePhase?: boolean;
}

/** A stretch of the cycle: from where the last one ended to step `end`, in which the rate goes `from` … `to`. */
interface Phase {
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

const NAME = "oneCycleLR";

/**
 * Raises the learning rate to `maxLearningRate` and lowers it far below where it began, once. PyTorch's OneCycleLR, after
 * Smith and Topin 2018, https://arxiv.org/abs/1708.07120.
 *
 *     rate = to + (from - to) * (1 + cos(pi * p)) / 2,  or  from + (to - from) * p  for "linear"
 *
 * at the share p of a phase; phases end at steps `pctStart * totalSteps - 1` (and twice that with three) and
 * `totalSteps - 1`. It differs from other schedules, and from PyTorch's, in this:
 *
 * - It sets the first rate itself: the optimizer's learning rate is not used.
 * - Momentum stays as it is; PyTorch moves it against the rate unless told `cycle_momentum=False`.
 * - The cycle's last rate is that of step `totalSteps - 1`. PyTorch takes one step more and refuses any further one. In
 *   that step the rate turns up again ("cos", as here: little in a long cycle) or falls below 0 ("linear": here the last
 *   rate holds). Growth decides how long a training takes, so here the last rate holds from then on.
 *
 * @throws `bad_option` for options that are unknown, missing, contradictory or out of range.
 */
export function oneCycleLR(options: OneCycleLROptions): Scheduler {
  const { maxLearningRate, pctStart = 0.3, annealStrategy = "cos", threePhase = false } = options;
  const { divFactor = 25, finalDivFactor = 1e4 } = options;
  const own = { maxLearningRate, pctStart, annealStrategy, divFactor, finalDivFactor, threePhase };
  checkOptions(NAME, options, own, {}, ["totalSteps", "epochs", "stepsPerEpoch"]);
  const totalSteps = lengthOf(options);
  check(NAME, { pctStart }, "from 0 to 1", (value) => (value as number) <= 1);
  checkWord(NAME, { annealStrategy }, ["cos", "linear"]);
  checkFactor(NAME, { divFactor, finalDivFactor });
  check(NAME, { threePhase }, "true or false", (value) => typeof value === "boolean");

  const first = maxLearningRate / divFactor;
  const last = first / finalDivFactor;
  const up = { end: pctStart * totalSteps - 1, from: first, to: maxLearningRate };
  const down = { end: 2 * pctStart * totalSteps - 2, from: maxLearningRate, to: first };
  const out = { end: totalSteps - 1, from: threePhase ? first : maxLearningRate, to: last };
  const phases: readonly Phase[] = threePhase ? [up, down, out] : [up, out];
  const anneal = annealStrategy === "cos" ? alongCosine : alongLine;
  const rateAt = (step: number) => {
    if (step > totalSteps) return last;
    const found = phases.findIndex(({ end }) => step <= end);
    const index = found < 0 ? phases.length - 1 : found;
    const { end, from, to } = phases[index]!;
    const begin = phases[index - 1]?.end ?? 0;
    // PyTorch divides by zero in a phase without length.
    const share = end === begin ? 1 : (step - begin) / (end - begin);
    return anneal(from, to, share);
  };
  return {
    name: NAME,
    options: { ...own, totalSteps },
    start: () => ({ learningRate: rateAt(0), steps: 0, memory: {} }),
    step: ({ steps, memory }) => ({ learningRate: rateAt(steps + 1), steps: steps + 1, memory }),
  };
}

function lengthOf(options: OneCycleLROptions): number {
  const { totalSteps, epochs, stepsPerEpoch = 1 } = options;
  if (totalSteps !== undefined) {
    checkWhole(NAME, { totalSteps }, 1);
    if (epochs === undefined && options.stepsPerEpoch === undefined) return totalSteps;
    const problem = `totalSteps is ${totalSteps}, and epochs or stepsPerEpoch is given as well: give one or the other.`;
    throw new ArborizeError("bad_option", `${NAME}: ${problem}`);
  }
  if (epochs === undefined) {
    const wanted = "give totalSteps or epochs, the number of epochs to train";
    throw new ArborizeError("bad_option", `${NAME}: the length of the cycle is missing: ${wanted}.`);
  }
  checkWhole(NAME, { epochs }, 1);
  check(NAME, { stepsPerEpoch }, "a whole number from 1", (value) => isWhole(value, 1));
  return epochs * stepsPerEpoch;
}

function alongCosine(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (Math.cos(Math.PI * share) + 1);
}

function alongLine(from: number, to: number, share: number): number {
  // In the step past the end, where the share is above 1, the line would go below 0.
  return (to - from) * Math.min(share, 1) + from;
}
