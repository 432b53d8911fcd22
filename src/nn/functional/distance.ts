// How far or how alike vectors are.

import type { Value } from "../../graph/graph.ts";
import * as op from "../../ops/index.ts";

/** `x` along `dim` divided by its Euclidean norm, which counts as at least `eps`. Defaults: 1 and 1e-12. */
export function normalize(x: Value, dim = 1, eps = 1e-12): Value {
  const norm = op.reduceL2(x, [dim], { keepDims: true });
  return op.div(x, op.max(norm, op.scalar(x, eps)));
}

/** The cosine of the angle between vectors along `dim`; their norms count as at least `eps`. Defaults: 1 and 1e-8. */
export function cosineSimilarity(x1: Value, x2: Value, dim = 1, eps = 1e-8): Value {
  return op.reduceSum(op.mul(normalize(x1, dim, eps), normalize(x2, dim, eps)), [dim]);
}

/** Options of `pairwiseDistance`. */
export interface PairwiseDistanceOptions {
  /** 1 for the sum of absolute differences, 2 (the default) for the Euclidean distance. */
  readonly p?: 1 | 2;
  /** What is added to each difference. Default: 1e-6. */
  readonly eps?: number;
  /** Keep the axis with length 1. Default: false. */
  readonly keepDims?: boolean;
}

/** The norm of the differences over the last axis. */
export function pairwiseDistance(x1: Value, x2: Value, options: PairwiseDistanceOptions = {}): Value {
  const { p = 2, eps = 1e-6, keepDims = false } = options;
  const difference = op.add(op.sub(x1, x2), op.scalar(x1, eps));
  return (p === 1 ? op.reduceL1 : op.reduceL2)(difference, [-1], { keepDims });
}
