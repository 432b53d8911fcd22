// Attention: means of values, weighted by how well keys answer queries. Made of products and a softmax.

import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { isStatic, shapeText } from "../graph/shape.ts";
import { softmax, tanh } from "./activation.ts";
import { concat } from "./concat.ts";
import { expectShape, scalar } from "./define.ts";
import { add, div, mul } from "./elementwise.ts";
import { not, where } from "./logic.ts";
import { matMul } from "./matmul.ts";
import { trilu } from "./order.ts";
import { constantOfShapeOp, shapeOf, transposeLast } from "./reshape.ts";

/** Options of `attentionWeights`. */
export interface AttentionWeightsOptions {
  /** `[..., L, S]`, broadcasting: booleans say what takes part, numbers are added to scores. Default: everything does. */
  readonly attnMask?: Value | null | undefined;
  /** Whether a query attends to no key after it. Default: false. */
  readonly isCausal?: boolean | undefined;
  /** What scores are multiplied by. Default: 1 / sqrt(E). */
  readonly scale?: number | undefined;
  /** Scores s become `softcap * tanh(s / softcap)`. Default: they stay. */
  readonly softcap?: number | undefined;
}

/** `softmax(Q Kᵀ * scale + mask)` over keys: Q `[..., L, E]` and K `[..., S, E]` to `[..., L, S]` (Vaswani et al. 2017). */
export function attentionWeights(
  query: Value,
  key: Value,
  { attnMask, isCausal = false, scale, softcap = 0 }: AttentionWeightsOptions = {},
): Value {
  const width = query.shape.at(-1)!;
  expectShape(
    isStatic(width) || scale !== undefined,
    () => `the last axis of ${shapeText(query.shape)} must be known, or scale given`,
  );
  const factor = scale ?? 1 / Math.sqrt(width as number);
  let scores = matMul(mul(query, scalar(query, factor)), transposeLast(key));
  if (softcap !== 0) {
    const cap = scalar(query, softcap);
    scores = mul(cap, tanh(div(scores, cap)));
  }
  if (isCausal) scores = add(scores, laterKeys(query, key));
  if (attnMask) scores = add(scores, attnMask.dtype === "bool" ? excluded(query, not(attnMask)) : attnMask);
  return softmax(scores, -1);
}

/** Minus infinity where `mask` holds, else 0, in the element type of `like`. */
export function excluded(like: Value, mask: Value): Value {
  return where(mask, scalar(like, Number.NEGATIVE_INFINITY), scalar(like, 0));
}

/** Minus infinity where a key comes after the query, else 0, `[L, S]`. */
function laterKeys(query: Value, key: Value): Value {
  const lengthOf = (x: Value) => shapeOf(x, x.rank - 2, x.rank - 1);
  const shape = concat([lengthOf(query), lengthOf(key)], 0);
  const value = Tensor.full([1], Number.NEGATIVE_INFINITY, query.dtype);
  return trilu(constantOfShapeOp.emit([shape], { value }).output, { k: 1 });
}
