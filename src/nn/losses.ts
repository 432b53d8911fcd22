// Losses: what training minimises.

import type { DType } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { isStatic, type Shape, shapeText } from "../graph/shape.ts";
import { expectShape } from "../ops/define.ts";
import * as op from "../ops/index.ts";

/** What a loss compares the network's output with. */
export interface TargetType {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Of classes: how many there are. Whole numbers from 0 to below it are wanted. */
  readonly classes?: number;
}

/** A loss: what target it compares the network's output with, and how. */
export interface Loss {
  readonly name: string;
  /** What the target must be for an output. */
  target(output: Value): TargetType;
  /** The loss as a scalar, averaged over the batch. */
  compute(output: Value, target: Value): Value;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions {
  /** How much of the target's probability is spread evenly over all classes, 0 … 1. Default: 0. */
  readonly labelSmoothing?: number;
}

/**
 * Cross entropy between logits `[B, C, ...]` and integer classes `[B, ...]`, averaged over all of them, in nats.
 * PyTorch's CrossEntropyLoss.
 */
export function crossEntropy({ labelSmoothing = 0 }: CrossEntropyOptions = {}): Loss {
  return {
    name: "cross entropy",
    target: classes,
    compute(output, target) {
      const logProbabilities = op.logSoftmax(output, 1);
      const picked = op.reduceMean(pick(logProbabilities, target));
      if (labelSmoothing === 0) return op.neg(picked);
      const even = op.reduceMean(logProbabilities);
      const weighted = op.add(
        op.mul(picked, op.scalar(picked, 1 - labelSmoothing)),
        op.mul(even, op.scalar(picked, labelSmoothing)),
      );
      return op.neg(weighted);
    },
  };
}

/** Minus the log-probability `[B, C, ...]` of integer classes `[B, ...]`, averaged. PyTorch's NLLLoss. */
export function nll(): Loss {
  return {
    name: "negative log likelihood",
    target: classes,
    compute: (output, target) => op.neg(op.reduceMean(pick(output, target))),
  };
}

function classes(output: Value): TargetType {
  expectShape(
    output.rank >= 2,
    () =>
      `A loss over classes needs an output [batch, classes, ...], the network's is ${shapeText(output.shape)}`,
  );
  const [, count] = output.shape;
  const shape = output.shape.filter((_, axis) => axis !== 1);
  return { dtype: "int64", shape, ...(isStatic(count!) ? { classes: count } : {}) };
}

/** The element of axis 1 that `target` names. */
function pick(values: Value, target: Value): Value {
  return op.gatherElements(values, op.unsqueeze(target, [1]), 1);
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

/**
 * Binary cross entropy between logits and probabilities of the same shape, averaged over all elements, in nats, in the
 * form that does not overflow: max(x, 0) - x t + log(1 + e^-|x|). PyTorch's BCEWithLogitsLoss.
 */
export function bceWithLogits(): Loss {
  return {
    name: "binary cross entropy",
    target: sameAsOutput,
    compute(output, target) {
      const softplus = op.log(op.add(op.exp(op.neg(op.abs(output))), op.scalar(output, 1)));
      return op.reduceMean(op.add(op.sub(op.relu(output), op.mul(output, target)), softplus));
    },
  };
}

function sameAsOutput(output: Value): TargetType {
  return { dtype: output.dtype, shape: output.shape };
}
