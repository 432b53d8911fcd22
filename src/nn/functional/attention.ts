// PyTorch's attention.

import type { Value } from "../../graph/graph.ts";
import * as op from "../../ops/index.ts";
import { dropout } from "./dropout.ts";

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions extends Omit<op.AttentionWeightsOptions, "softcap"> {
  /** Weights dropped in training. Default: 0. */
  readonly dropoutP?: number;
}

/** `softmax(Q Kᵀ / sqrt(E)) V`. Q `[..., L, E]`, K `[..., S, E]` and V `[..., S, Ev]` to `[..., L, Ev]`. */
export function scaledDotProductAttention(
  query: Value,
  key: Value,
  value: Value,
  options: AttentionOptions = {},
): Value {
  const { dropoutP = 0, ...given } = options;
  return op.matMul(dropout(op.attentionWeights(query, key, given), dropoutP), value);
}
