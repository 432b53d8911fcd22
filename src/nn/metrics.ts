// Metrics: what evaluation reports and growth is decided by.

import type { Value } from "../graph/graph.ts";
import * as op from "../ops/index.ts";
import { IGNORED } from "./labels.ts";

/** A metric: the mean over samples of something computed from output and target. */
export interface Metric {
  readonly name: string;
  /** Whether more is better. */
  readonly maximize: boolean;
  /** The metric of every element, in any shape; evaluation takes the mean over all of a data set. */
  compute(output: Value, target: Value): Value;
  /** Which elements count, 1 or 0 for each of `compute`'s. Default: all. */
  counts?(output: Value, target: Value): Value;
}

/** Options of `classAccuracy`. */
export interface AccuracyOptions {
  /** Elements with this label count neither way. Default: -100, as in `losses.crossEntropy`. */
  readonly ignoreIndex?: number;
}

/** The share of elements whose class (the largest of axis 1) is the target, 0 … 1. */
export function classAccuracy({ ignoreIndex = IGNORED }: AccuracyOptions = {}): Metric {
  return {
    name: "accuracy",
    maximize: true,
    compute: (output, target) => op.cast(op.equal(op.argMax(output, 1), target), output.dtype),
    counts: (output, target) =>
      op.cast(op.not(op.equal(target, op.scalar(target, ignoreIndex))), output.dtype),
  };
}

/** `classAccuracy` with its defaults. */
export const accuracy: Metric = classAccuracy();

/** The share of logits on the right side of 0 for targets of 0 and 1, 0 … 1. */
export const binaryAccuracy: Metric = {
  name: "accuracy",
  maximize: true,
  compute(output, target) {
    const said = op.greater(output, op.scalar(output, 0));
    return op.cast(op.equal(said, op.greater(target, op.scalar(target, 0.5))), output.dtype);
  },
};

/** The squared difference. */
export const squaredError: Metric = {
  name: "mean squared error",
  maximize: false,
  compute(output, target) {
    const difference = op.sub(output, target);
    return op.mul(difference, difference);
  },
};
