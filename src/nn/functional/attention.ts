// Attention: means of values, weighted by how well keys answer queries.

import { Tensor } from "../../base/tensor.ts";
import type { Value } from "../../graph/graph.ts";
import { isStatic, shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import { dropout } from "./dropout.ts";

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /** `[..., L, S]`, broadcasting: booleans say what takes part, numbers are added to scores. Default: everything does. */
  readonly attnMask?: Value | null;
  /** Weights dropped in training. Default: 0. */
  readonly dropoutP?: number;
  /** Whether a query attends to no key after it. Default: false. */
  readonly isCausal?: boolean;
  /** What scores are multiplied by. Default: 1 / sqrt(E). */
  readonly scale?: number;
}

/** `softmax(Q Kᵀ / sqrt(E)) V`. Q `[..., L, E]`, K `[..., S, E]` and V `[..., S, Ev]` to `[..., L, Ev]`. */
export function scaledDotProductAttention(
  query: Value,
  key: Value,
  value: Value,
  options: AttentionOptions = {},
): Value {
  const { dropoutP = 0, ...given } = options;
  return op.matMul(dropout(attentionWeights(query, key, given), dropoutP), value);
}

/** The weights of `scaledDotProductAttention`, `[..., L, S]`. */
export function attentionWeights(
  query: Value,
  key: Value,
  { attnMask, isCausal = false, scale }: Omit<AttentionOptions, "dropoutP">,
): Value {
  const width = query.shape.at(-1)!;
  expectShape(
    isStatic(width) || scale !== undefined,
    () => `the last axis of ${shapeText(query.shape)} must be known, or scale given`,
  );
  const factor = scale ?? 1 / Math.sqrt(width as number);
  let scores = op.matMul(op.mul(query, op.scalar(query, factor)), op.transposeLast(key));
  if (isCausal) scores = op.add(scores, laterKeys(query, key));
  if (attnMask)
    scores = op.add(scores, attnMask.dtype === "bool" ? excluded(query, op.not(attnMask)) : attnMask);
  return op.softmax(scores, -1);
}

/** Minus infinity where `mask` holds, else 0, in the element type of `like`. */
export function excluded(like: Value, mask: Value): Value {
  return op.where(mask, op.scalar(like, Number.NEGATIVE_INFINITY), op.scalar(like, 0));
}

/** Minus infinity where a key comes after the query, else 0, `[L, S]`. */
function laterKeys(query: Value, key: Value): Value {
  const lengthOf = (x: Value) => op.shapeOf(x, x.rank - 2, x.rank - 1);
  const shape = op.concat([lengthOf(query), lengthOf(key)], 0);
  const value = Tensor.full([1], Number.NEGATIVE_INFINITY, query.dtype);
  return op.trilu(op.constantOfShapeOp.emit([shape], { value }).output, { k: 1 });
}
