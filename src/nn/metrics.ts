// Metrics: what evaluation reports and growth is decided by.

import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { shapeText } from "../graph/shape.ts";
import { expectShape } from "../ops/define.ts";
import * as op from "../ops/index.ts";
import { IGNORED } from "./labels.ts";

/** A metric: the mean over samples of something computed from output and target, or a function of all samples together. */
export interface Metric {
  readonly name: string;
  /** Whether more is better. */
  readonly maximize: boolean;
  /** The metric of every element, in any shape; evaluation takes the mean over all of a data set. */
  compute(output: Value, target: Value): Value;
  /** Which elements count, 1 or 0 for each of `compute`'s. Default: all. */
  counts?(output: Value, target: Value): Value;
  /** What is made of `compute`'s values and the targets of a whole data set, in one order, where that is no mean. */
  overall?(values: Float64Array, targets: Float64Array): number;
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

/**
 * The area under the receiver operating characteristic: how often a sample of class 1 is scored above one of class 0, ties
 * counted half (Mann and Whitney 1947). Exact, over the whole data set. Of logits `[B, 2]`, or of one logit a sample, `[B]` or
 * `[B, 1]`. Fails with `bad_data` where one of the classes is missing or a target is neither 0 nor 1.
 */
export const auc: Metric = {
  name: "AUC",
  maximize: true,
  compute(output) {
    const last = output.shape.at(-1);
    const fits = output.rank === 1 || (output.rank === 2 && (last === 1 || last === 2));
    expectShape(
      fits,
      () => `AUC needs an output [batch, 2], [batch, 1] or [batch], it is ${shapeText(output.shape)}`,
    );
    const logits = op.cast(output, "float64");
    if (output.rank === 1) return logits;
    const signs = last === 1 ? [1] : [-1, 1];
    return op.reduceSum(
      op.mul(logits, output.graph.constant(Tensor.of([signs.length], signs, "float64"))),
      [1],
    );
  },
  overall: rankAuc,
};

function rankAuc(scores: Float64Array, targets: Float64Array): number {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  let ones = 0;
  let ranks = 0;
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) end += 1;
    for (let i = start; i < end; i++) {
      const target = targets[order[i]!]!;
      if (target !== 0 && target !== 1) {
        throw new ArborizeError("bad_data", `AUC is of two classes, 0 and 1; a target is ${target}.`);
      }
      ones += target;
      // Ranks count from 1; ties share the mean of theirs.
      if (target === 1) ranks += (start + 1 + end) / 2;
    }
    start = end;
  }
  const zeros = order.length - ones;
  if (ones > 0 && zeros > 0) return (ranks - (ones * (ones + 1)) / 2) / (ones * zeros);
  throw new ArborizeError(
    "bad_data",
    `AUC needs samples of both classes; all ${order.length} are of class ${ones > 0 ? 1 : 0}.`,
  );
}
