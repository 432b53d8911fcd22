// Losses: what training minimises.

import { type DType, Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { isStatic, type Shape, shapeText } from "../graph/shape.ts";
import { expectShape } from "../ops/define.ts";
import * as op from "../ops/index.ts";
import { IGNORED } from "./labels.ts";

/** What a loss compares the network's output with. */
export interface TargetType {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Of classes: how many there are. Whole numbers from 0 to below it are wanted. */
  readonly classes?: number;
  /** A class that is none: it is not counted. */
  readonly ignored?: number;
}

/** A loss: what target it compares the network's output with, and how. */
export interface Loss {
  readonly name: string;
  /** What the target must be for an output. */
  target(output: Value): TargetType;
  /** The loss as a scalar, averaged over the batch. */
  compute(output: Value, target: Value): Value;
  /** What a batch's loss weighs, a scalar, in the mean over batches. Default: as many as it has examples. */
  weight?(output: Value, target: Value): Value;
}

/** Options of the losses over classes. */
export interface ClassLossOptions {
  /** What each class counts for; the mean is weighted by it. Default: 1 each. */
  readonly weight?: readonly number[];
  /** A target that does not count. Default: -100, as in PyTorch. */
  readonly ignoreIndex?: number;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends ClassLossOptions {
  /** How much of the target's probability is spread evenly over all classes, 0 … 1. Default: 0. */
  readonly labelSmoothing?: number;
}

/**
 * Cross entropy between logits `[B, C, ...]` and integer classes `[B, ...]`, averaged over all of them, in nats.
 * PyTorch's CrossEntropyLoss.
 */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  const { labelSmoothing = 0, ignoreIndex = IGNORED, weight } = options;
  return {
    name: "cross entropy",
    target: (output) => classes(output, ignoreIndex),
    compute(output, target) {
      const weights = weight && vector(output, weight);
      const inputs: [Value, Value, Value | undefined] = [output, target, weights];
      const [hard, logProbabilities] = op.softmaxCrossEntropyLossOp.emit(inputs, {
        ignore_index: ignoreIndex,
      }).outputs;
      if (labelSmoothing === 0) return hard!;
      const even = evenly(logProbabilities!, target, weights, ignoreIndex);
      return op.add(
        op.mul(hard!, op.scalar(output, 1 - labelSmoothing)),
        op.mul(even, op.scalar(output, labelSmoothing)),
      );
    },
    weight: (output, target) => totalWeight(output, target, weight && vector(output, weight), ignoreIndex),
  };
}

/** The cross entropy with all classes evenly, each by its weight, and the mean still by the weights of the targets. */
function evenly(
  logProbabilities: Value,
  target: Value,
  weights: Value | undefined,
  ignoreIndex: number,
): Value {
  const perClass = weights && op.reshape(weights, [-1, ...logProbabilities.shape.slice(2).map(() => 1)]);
  const weighted = perClass ? op.mul(logProbabilities, perClass) : logProbabilities;
  const ignored = op.equal(target, op.scalar(target, ignoreIndex));
  const counted = op.cast(op.not(ignored), logProbabilities.dtype);
  const total = totalWeight(logProbabilities, target, weights, ignoreIndex);
  return op.neg(op.div(op.reduceSum(op.mul(op.reduceMean(weighted, [1]), counted)), total));
}

/** What the targets weigh together: their loss at log-probabilities of -1, of the same shape as `like`. */
function totalWeight(like: Value, target: Value, weights: Value | undefined, ignoreIndex: number): Value {
  return op.negativeLogLikelihoodLoss(op.fullLike(like, -1), target, weights, {
    ignore_index: ignoreIndex,
    reduction: "sum",
  });
}

/** Minus the log-probability `[B, C, ...]` of integer classes `[B, ...]`, averaged. PyTorch's NLLLoss. */
export function nll({ weight, ignoreIndex = IGNORED }: ClassLossOptions = {}): Loss {
  return {
    name: "negative log likelihood",
    target: (output) => classes(output, ignoreIndex),
    compute: (output, target) =>
      op.negativeLogLikelihoodLoss(output, target, weight && vector(output, weight), {
        ignore_index: ignoreIndex,
      }),
    weight: (output, target) => totalWeight(output, target, weight && vector(output, weight), ignoreIndex),
  };
}

function classes(output: Value, ignored: number): TargetType {
  expectShape(
    output.rank >= 2,
    () =>
      `A loss over classes needs an output [batch, classes, ...], the network's is ${shapeText(output.shape)}`,
  );
  const [, count] = output.shape;
  const shape = output.shape.filter((_, axis) => axis !== 1);
  return { dtype: "int64", shape, ...(isStatic(count!) ? { classes: count, ignored } : {}) };
}

/** Numbers as a vector in the element type of `like`. */
function vector(like: Value, numbers: readonly number[]): Value {
  return like.graph.constant(Tensor.of([numbers.length], numbers, like.dtype));
}

/** The mean squared difference over all elements. PyTorch's MSELoss. */
export function mse(): Loss {
  return {
    name: "mean squared error",
    target: sameAsOutput,
    compute(output, target) {
      const difference = op.sub(output, target);
      return op.reduceMean(op.mul(difference, difference));
    },
  };
}

/** The mean absolute difference over all elements. PyTorch's L1Loss. */
export function l1(): Loss {
  return {
    name: "mean absolute error",
    target: sameAsOutput,
    compute: (output, target) => op.reduceMean(op.abs(op.sub(output, target))),
  };
}

/** Options of `huber`. */
export interface HuberOptions {
  /** Where the square ends. Above 0. Default: 1. */
  readonly delta?: number;
}

/**
 * The mean over all elements of half the squared difference, and beyond `delta` of the straight line that goes on from
 * there. PyTorch's HuberLoss.
 */
export function huber({ delta = 1 }: HuberOptions = {}): Loss {
  expectShape(delta > 0, () => `A Huber loss needs a delta above 0, it is ${delta}`);
  return { name: "Huber loss", target: sameAsOutput, compute: (y, target) => huberMean(y, target, delta) };
}

/** d² / 2 up to delta, delta (d - delta / 2) beyond: with c = min(d, delta), c (d - c / 2). */
function huberMean(output: Value, target: Value, delta: number): Value {
  const distance = op.abs(op.sub(output, target));
  const near = op.min(distance, op.scalar(distance, delta));
  return op.reduceMean(op.mul(near, op.sub(distance, op.mul(near, op.scalar(near, 0.5)))));
}

/** Options of `smoothL1`. */
export interface SmoothL1Options {
  /** Where the square ends; 0 for none, which is `l1`. Default: 1. */
  readonly beta?: number;
}

/** The mean over all elements of the absolute difference less `beta / 2`, squared below `beta`. PyTorch's SmoothL1Loss. */
export function smoothL1({ beta = 1 }: SmoothL1Options = {}): Loss {
  expectShape(beta >= 0, () => `A smooth L1 loss needs a beta of at least 0, it is ${beta}`);
  if (beta === 0) return { ...l1(), name: "smooth L1 loss" };
  return {
    name: "smooth L1 loss",
    target: sameAsOutput,
    compute(output, target) {
      const loss = huberMean(output, target, beta);
      return op.div(loss, op.scalar(loss, beta));
    },
  };
}

/** Options of `klDiv`. */
export interface KlDivOptions {
  /** The target holds logarithms of probabilities. Default: false. */
  readonly logTarget?: boolean;
  /** The mean over all elements, PyTorch's default, or the sum divided by the batch, which is the divergence. Default: "mean". */
  readonly reduction?: "mean" | "batchmean";
}

/**
 * The Kullback-Leibler divergence of log-probabilities from the target's probabilities of the same shape, in nats:
 * t (log t - y), and 0 where t is 0. PyTorch's KLDivLoss.
 */
export function klDiv({ logTarget = false, reduction = "mean" }: KlDivOptions = {}): Loss {
  return {
    name: "Kullback-Leibler divergence",
    target: sameAsOutput,
    compute(output, target) {
      const probabilities = logTarget ? op.exp(target) : target;
      const terms = op.mul(probabilities, op.sub(logTarget ? target : logarithm(target), output));
      if (reduction === "mean") return op.reduceMean(terms);
      const perSample = op.reduceSum(terms, terms.shape.map((_, axis) => axis).slice(1));
      return op.reduceMean(perSample);
    },
  };
}

/** The logarithm, of zeros 0: they are multiplied by zero. */
function logarithm(x: Value): Value {
  return op.log(op.add(x, op.cast(op.equal(x, op.scalar(x, 0)), x.dtype)));
}

/**
 * Binary cross entropy between probabilities and target probabilities of the same shape, averaged over all elements, in
 * nats. As in PyTorch's BCELoss logarithms are at least -100, and what slopes are divided by is at least 1e-12; where the
 * network can give logits, `bceWithLogits` needs neither.
 */
export function bce(): Loss {
  return {
    name: "binary cross entropy",
    target: sameAsOutput,
    compute(p, t) {
      const one = op.scalar(p, 1);
      const bounded = (x: Value) => op.max(op.log(x), op.scalar(x, -100));
      const [yes, no] = [bounded(p), bounded(op.sub(one, p))];
      const loss = op.neg(op.reduceMean(op.add(op.mul(t, yes), op.mul(op.sub(one, t), no))));
      // dp = (p - t) / (p (1 - p)), dt = log(1 - p) - log p
      return withSlopes(loss, p, t, () => {
        const divisor = op.max(op.mul(p, op.sub(one, p)), op.scalar(p, 1e-12));
        return [op.div(op.sub(p, t), divisor), op.sub(no, yes)];
      });
    },
  };
}

/** Options of `bceWithLogits`. */
export interface BceWithLogitsOptions {
  /** What targets of 1 count for: one number, or one for each element of the last axis. Default: 1. */
  readonly posWeight?: number | readonly number[];
}

/**
 * Binary cross entropy between logits and target probabilities of the same shape, averaged over all elements, in nats, in
 * the form that does not overflow: (1 - t) x + l log(1 + e^-x) with l = 1 + (posWeight - 1) t. PyTorch's BCEWithLogitsLoss.
 */
export function bceWithLogits({ posWeight = 1 }: BceWithLogitsOptions = {}): Loss {
  return {
    name: "binary cross entropy",
    target: sameAsOutput,
    compute(x, t) {
      const one = op.scalar(x, 1);
      // log(1 + e^-x) = log(1 + e^-|x|) + max(-x, 0)
      const small = op.log(op.add(op.exp(op.neg(op.abs(x))), one));
      const softplus = op.add(small, op.max(op.neg(x), op.scalar(x, 0)));
      const more = posWeight === 1 ? null : op.sub(vector(x, [posWeight].flat()), one);
      const weigh = (value: Value) => (more ? op.mul(value, op.add(op.mul(more, t), one)) : value);
      const loss = op.reduceMean(op.add(op.mul(op.sub(one, t), x), weigh(softplus)));
      // dx = 1 - t - l (1 - sigmoid(x)), dt = (posWeight - 1) log(1 + e^-x) - x
      return withSlopes(loss, x, t, () => [
        op.sub(op.sub(one, t), weigh(op.sub(one, op.sigmoid(x)))),
        more ? op.sub(op.mul(more, softplus), x) : op.neg(x),
      ]);
    },
  };
}

/** Gives a mean over all elements its slopes in closed form: fewer passes than step by step, and right at kinks of the steps. */
function withSlopes(
  loss: Value,
  output: Value,
  target: Value,
  slopes: () => [dOutput: Value, dTarget: Value],
): Value {
  const rule = (dy: Value) => {
    const all = output.shape.map((_, axis) => axis);
    const share = op.div(dy, op.elementCount(output, all));
    return slopes().map((slope) => op.mul(slope, share));
  };
  loss.graph.customGradients.set(loss, { inputs: [output, target], rule });
  return loss;
}

function sameAsOutput(output: Value): TargetType {
  return { dtype: output.dtype, shape: output.shape };
}
