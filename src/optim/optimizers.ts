// The optimizers: SGD, Adam, AdamW, Adadelta, Adagrad, RMSprop, with PyTorch's formulas and defaults.

import { ArborizeError } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";
import { add, div, max, mul, scalar, sqrt, sub } from "../ops/index.ts";
import { checkOptions, type Optimizer, type OptimizerOptions } from "./optimizer.ts";

const UNIT = [0, 1] as const;

/** The gradient with the L2 penalty's, where there is one. */
function decayed(gradient: Value, parameter: Value, weightDecay: number): Value {
  return weightDecay === 0 ? gradient : add(gradient, mul(parameter, scalar(parameter, weightDecay)));
}

/** Running mean: `rate * mean + (1 - rate) * value`. */
function running(mean: Value, value: Value, rate: number): Value {
  return add(mul(mean, scalar(mean, rate)), mul(value, scalar(value, 1 - rate)));
}

/** Options of `sgd`. */
export interface SgdOptions extends OptimizerOptions {
  /** How much of the last step's direction is kept. Default: 0. */
  readonly momentum?: number;
  /** How much of the gradient is left out of the momentum. Default: 0. */
  readonly dampening?: number;
  /** Look ahead along the momentum (Nesterov 1983). Default: false. */
  readonly nesterov?: boolean;
}

/** Stochastic gradient descent (Robbins and Monro 1951), with momentum as PyTorch has it. Learning rate: 0.001. */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { learningRate = 0.001, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false } = options;
  const all = { learningRate, momentum, dampening, weightDecay, nesterov };
  checkOptions("sgd", options, all);
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new ArborizeError("bad_option", "sgd: nesterov needs a momentum above 0 and no dampening.");
  }
  return {
    name: "sgd",
    learningRate,
    options: all,
    state: momentum === 0 ? {} : { momentum_buffer: 0 },
    sparse: momentum === 0 && weightDecay === 0,
    // The first step fills the empty buffer with the whole gradient.
    knobs: (step, rate) => ({ rate, kept: step === 1 ? 1 : 1 - dampening }),
    update(parameter, gradient, { momentum_buffer: buffer }, { rate, kept }) {
      const g = decayed(gradient, parameter, weightDecay);
      if (!buffer) return { parameter: sub(parameter, mul(g, rate!)), state: {} };
      const next = add(mul(buffer, scalar(buffer, momentum)), dampening === 0 ? g : mul(g, kept!));
      const direction = nesterov ? add(g, mul(next, scalar(next, momentum))) : next;
      return { parameter: sub(parameter, mul(direction, rate!)), state: { momentum_buffer: next } };
    },
  };
}

/** Options of `adam` and `adamw`. */
export interface AdamOptions extends OptimizerOptions {
  /** Rates of the running means of the gradient and of its square. Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator. Default: 1e-8. */
  readonly eps?: number;
  /** Divide by the largest running mean of squares so far (Reddi et al. 2018). Default: false. */
  readonly amsgrad?: boolean;
  /**
   * Leave rows of an embedding that are not in the batch as they are, their running means and weight decay too: PyTorch's
   * SparseAdam. Faster with large vocabularies, but not the same. Default: false.
   */
  readonly lazy?: boolean;
}

/** Adam (Kingma and Ba 2015). Learning rate: 0.001; weight decay: 0. */
export function adam(options: AdamOptions = {}): Optimizer {
  return adaptiveMoments("adam", { weightDecay: 0, ...options }, false);
}

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019). Learning rate: 0.001; weight decay: 0.01. */
export function adamw(options: AdamOptions = {}): Optimizer {
  return adaptiveMoments("adamw", { weightDecay: 0.01, ...options }, true);
}

function adaptiveMoments(
  name: string,
  options: AdamOptions & { weightDecay: number },
  decoupled: boolean,
): Optimizer {
  const {
    learningRate = 0.001,
    betas: [beta1, beta2] = [0.9, 0.999],
    eps = 1e-8,
    weightDecay,
    amsgrad = false,
    lazy = false,
  } = options;
  const all = { learningRate, beta1, beta2, eps, weightDecay, amsgrad, lazy };
  checkOptions(name, options, all, { beta1: UNIT, beta2: UNIT }, ["betas"]);
  return {
    name,
    learningRate,
    options: all,
    state: { exp_avg: 0, exp_avg_sq: 0, ...(amsgrad ? { max_exp_avg_sq: 0 } : {}) },
    sparse: lazy,
    // Both running means start at zero and are too small at first by 1 - beta^step.
    knobs: (step, rate) => ({
      rate: rate / (1 - beta1 ** step),
      correction: 1 / Math.sqrt(1 - beta2 ** step),
      shrink: 1 - rate * weightDecay,
    }),
    update(parameter, gradient, { exp_avg, exp_avg_sq, max_exp_avg_sq }, { rate, correction, shrink }) {
      const g = decoupled ? gradient : decayed(gradient, parameter, weightDecay);
      const p = decoupled && weightDecay !== 0 ? mul(parameter, shrink!) : parameter;
      const mean = running(exp_avg!, g, beta1);
      const square = running(exp_avg_sq!, mul(g, g), beta2);
      const largest = max_exp_avg_sq && max(max_exp_avg_sq, square);
      const denominator = add(mul(sqrt(largest ?? square), correction!), scalar(square, eps));
      return {
        parameter: sub(p, div(mul(mean, rate!), denominator)),
        state: { exp_avg: mean, exp_avg_sq: square, ...(largest ? { max_exp_avg_sq: largest } : {}) },
      };
    },
  };
}

/** Options of `adadelta`. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** Rate of both running means. Default: 0.9. */
  readonly rho?: number;
  /** Added under the roots. Default: 1e-6. */
  readonly eps?: number;
}

/** Adadelta (Zeiler 2012). Learning rate: 1. */
export function adadelta(options: AdadeltaOptions = {}): Optimizer {
  const { learningRate = 1, rho = 0.9, eps = 1e-6, weightDecay = 0 } = options;
  const all = { learningRate, rho, eps, weightDecay };
  checkOptions("adadelta", options, all, { rho: UNIT });
  return {
    name: "adadelta",
    learningRate,
    options: all,
    state: { square_avg: 0, acc_delta: 0 },
    knobs: (_, rate) => ({ rate }),
    update(parameter, gradient, { square_avg, acc_delta }, { rate }) {
      const g = decayed(gradient, parameter, weightDecay);
      const epsilon = scalar(g, eps);
      const square = running(square_avg!, mul(g, g), rho);
      const delta = mul(sqrt(div(add(acc_delta!, epsilon), add(square, epsilon))), g);
      return {
        parameter: sub(parameter, mul(delta, rate!)),
        state: { square_avg: square, acc_delta: running(acc_delta!, mul(delta, delta), rho) },
      };
    },
  };
}

/** Options of `adagrad`. */
export interface AdagradOptions extends OptimizerOptions {
  /** The learning rate falls as 1 / (1 + learningRateDecay * step). Default: 0. */
  readonly learningRateDecay?: number;
  /** What the sums of squares start from. Default: 0. */
  readonly initialAccumulator?: number;
  /** Added to the denominator. Default: 1e-10. */
  readonly eps?: number;
}

/** Adagrad (Duchi et al. 2011). Learning rate: 0.01. */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const {
    learningRate = 0.01,
    learningRateDecay = 0,
    initialAccumulator = 0,
    eps = 1e-10,
    weightDecay = 0,
  } = options;
  const all = { learningRate, learningRateDecay, initialAccumulator, eps, weightDecay };
  checkOptions("adagrad", options, all);
  return {
    name: "adagrad",
    learningRate,
    options: all,
    state: { sum: initialAccumulator },
    sparse: weightDecay === 0,
    knobs: (step, rate) => ({ rate: rate / (1 + (step - 1) * learningRateDecay) }),
    update(parameter, gradient, { sum }, { rate }) {
      const g = decayed(gradient, parameter, weightDecay);
      const next = add(sum!, mul(g, g));
      const step = div(mul(g, rate!), add(sqrt(next), scalar(next, eps)));
      return { parameter: sub(parameter, step), state: { sum: next } };
    },
  };
}

/** Options of `rmsprop`. */
export interface RmspropOptions extends OptimizerOptions {
  /** Rate of the running mean of squares. Default: 0.99. */
  readonly alpha?: number;
  /** Added to the denominator. Default: 1e-8. */
  readonly eps?: number;
  /** How much of the last step's direction is kept. Default: 0. */
  readonly momentum?: number;
  /** Divide by the standard deviation instead of the root mean square (Graves 2013). Default: false. */
  readonly centered?: boolean;
}

/** RMSprop (Hinton 2012). Learning rate: 0.01. */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const {
    learningRate = 0.01,
    alpha = 0.99,
    eps = 1e-8,
    momentum = 0,
    centered = false,
    weightDecay = 0,
  } = options;
  const all = { learningRate, alpha, eps, momentum, centered, weightDecay };
  checkOptions("rmsprop", options, all, { alpha: UNIT });
  return {
    name: "rmsprop",
    learningRate,
    options: all,
    state: {
      square_avg: 0,
      ...(momentum === 0 ? {} : { momentum_buffer: 0 }),
      ...(centered ? { grad_avg: 0 } : {}),
    },
    knobs: (_, rate) => ({ rate }),
    update(parameter, gradient, { square_avg, momentum_buffer: buffer, grad_avg }, { rate }) {
      const g = decayed(gradient, parameter, weightDecay);
      const square = running(square_avg!, mul(g, g), alpha);
      const mean = grad_avg && running(grad_avg, g, alpha);
      const variance = mean ? sub(square, mul(mean, mean)) : square;
      const scaled = div(g, add(sqrt(variance), scalar(g, eps)));
      const direction = buffer ? add(mul(buffer, scalar(buffer, momentum)), scaled) : scaled;
      return {
        parameter: sub(parameter, mul(direction, rate!)),
        state: {
          square_avg: square,
          ...(buffer ? { momentum_buffer: direction } : {}),
          ...(mean ? { grad_avg: mean } : {}),
        },
      };
    },
  };
}
