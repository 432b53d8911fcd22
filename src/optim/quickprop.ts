// Quickprop (Fahlman 1988): for each weight a step to the minimum of the parabola through its last two slopes.

import { add, div, lessOrEqual, mul, neg, scalar, sign, sub, where } from "../ops/index.ts";
import { checkOptions, type Optimizer, type OptimizerOptions } from "./optimizer.ts";

/** Options of `quickprop`. */
export interface QuickpropOptions extends OptimizerOptions {
  /** By what factor a step may be longer than the last. Default: 2. */
  readonly maxGrowth?: number;
}

/**
 * Quickprop as in the public-domain program for cascade-correlation (Fahlman and Crowder, Carnegie Mellon University, 1990).
 * With s the slope, b the slope before, d the last step and g = `maxGrowth`, a step is the sum of
 *
 *     -rate s         unless the slope now points against d
 *     d s / (b - s)   or g d where s is at least g / (1 + g) of b along d, so that this would be longer
 *
 * It is made for slopes of a whole data set at once. Learning rate: 1.
 */
export function quickprop(options: QuickpropOptions = {}): Optimizer {
  const { learningRate = 1, maxGrowth = 2, weightDecay = 0 } = options;
  const all = { learningRate, maxGrowth, weightDecay };
  checkOptions("quickprop", options, all);
  return {
    name: "quickprop",
    learningRate,
    options: all,
    state: { step: 0, slope: 0 },
    knobs: (_, rate) => ({ rate }),
    update(parameter, gradient, { step: last, slope: before }, { rate }) {
      const decay = mul(parameter, scalar(parameter, weightDecay));
      const slope = weightDecay === 0 ? gradient : add(gradient, decay);
      // Along the last step: negative where it goes on downhill.
      const direction = sign(last!);
      const [along, alongBefore] = [mul(direction, slope), mul(direction, before!)];
      const bound = mul(alongBefore, scalar(slope, maxGrowth / (1 + maxGrowth)));
      const parabola = div(mul(last!, slope), sub(before!, slope));
      const longest = mul(last!, scalar(slope, maxGrowth));
      const jump = where(lessOrEqual(along, bound), longest, parabola);
      const zero = scalar(slope, 0);
      const downhill = where(lessOrEqual(along, zero), neg(mul(slope, rate!)), zero);
      const step = add(downhill, jump);
      return { parameter: add(parameter, step), state: { step, slope } };
    },
  };
}
