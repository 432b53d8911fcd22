// Multi-head attention.

import { ArborizeError } from "../../base/errors.ts";
import type { Value } from "../../graph/graph.ts";
import { type Dim, shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import * as F from "../functional/index.ts";
import { operand, optional } from "../functional/operand.ts";
import { xavierUniform, zeros } from "../init.ts";
import { Module, Parameter } from "../module.ts";
import { Linear } from "./linear.ts";
import { type BiasOption, checkCounts } from "./options.ts";

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions extends BiasOption {
  /** The probability of dropping a weight in training. Default: 0. */
  readonly dropout?: number;
  /** Inputs are `[B, L, E]`, not `[L, B, E]`. Default: false. */
  readonly batchFirst?: boolean;
  /** Width of the keys. Default: `embedDim`. */
  readonly kdim?: number;
  /** Width of the values. Default: `embedDim`. */
  readonly vdim?: number;
}

/** Options of a call of `MultiheadAttention`. */
export interface AttentionOptions extends AttentionMasks {
  /** Give the mean weights of all heads, not those of each. Default: true. */
  readonly averageAttnWeights?: boolean;
}

/** What attention leaves out. Of masks of booleans, what is true is left out; numbers are added to scores. */
export interface AttentionMasks {
  /** Keys to leave out, `[B, S]`. */
  readonly keyPaddingMask?: Value | null;
  /** Pairs of query and key to leave out, `[L, S]` or `[B * numHeads, L, S]`. */
  readonly attnMask?: Value | null;
  /** Leave out all keys after a query. Default: false. */
  readonly isCausal?: boolean;
}

/**
 * Attention in `numHeads` parts of `embedDim`, each with projections of its own (Vaswani et al. 2017). Query `[L, B, E]`, key
 * `[S, B, kdim]`, value `[S, B, vdim]` to `[L, B, E]`; with `batchFirst` the first two axes change places.
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  /** `[3 E, E]`, of query, key and value one below the other; null where their widths differ. */
  readonly in_proj_weight: Parameter | null;
  /** Those where their widths differ, `[E, width]`. */
  readonly q_proj_weight: Parameter | null;
  readonly k_proj_weight: Parameter | null;
  readonly v_proj_weight: Parameter | null;
  readonly in_proj_bias: Parameter | null;
  readonly out_proj: Linear;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const { bias = true, dropout = 0, batchFirst = false, kdim = embedDim, vdim = embedDim } = options;
    checkCounts("MultiheadAttention", { embedDim, numHeads, kdim, vdim });
    if (embedDim % numHeads !== 0) {
      throw new ArborizeError(
        "bad_option",
        `MultiheadAttention: embedDim ${embedDim} does not divide into ${numHeads} heads.`,
      );
    }
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    const together = kdim === embedDim && vdim === embedDim;
    const weight = (rows: number, width: number) => new Parameter([rows, width], xavierUniform());
    this.in_proj_weight = together ? weight(3 * embedDim, embedDim) : null;
    this.q_proj_weight = together ? null : weight(embedDim, embedDim);
    this.k_proj_weight = together ? null : weight(embedDim, kdim);
    this.v_proj_weight = together ? null : weight(embedDim, vdim);
    this.in_proj_bias = bias ? new Parameter([3 * embedDim], zeros) : null;
    this.out_proj = new Linear(embedDim, embedDim, { bias, biasInit: zeros });
  }

  /** @returns the output, and the weights `[B, L, S]` that it is a mean by: of all heads, or `[B, numHeads, L, S]` of each. */
  forward(
    query: Value,
    key: Value,
    value: Value,
    options: AttentionOptions = {},
  ): readonly [output: Value, weights: Value] {
    expectShape(query.rank === 3, () => `its query must have 3 axes, it is ${shapeText(query.shape)}`);
    const [q, k, v] = this.#projected(query, key, value);
    const weights = F.dropout(op.attentionWeights(q, k, this.#masked(q, options)), this.dropout);
    const [batch, heads, length, width] = q.shape as [Dim, number, Dim, number];
    const mixed = op.transpose(op.matMul(weights, v), [0, 2, 1, 3]);
    const y = this.out_proj.call(op.reshape(mixed, [batch, length, heads * width]));
    const { averageAttnWeights = true } = options;
    return [this.#swapped(y), averageAttnWeights ? op.reduceMean(weights, [1]) : weights];
  }

  /** `[B, numHeads, length, E / numHeads]` of query, key and value. */
  #projected(...inputs: [query: Value, key: Value, value: Value]): [Value, Value, Value] {
    const [query] = inputs;
    const width = this.embedDim;
    const bias = optional(query, this.in_proj_bias);
    const parts = (of: Value, axis: number) => op.split(of, [width, width, width], axis);
    const same = inputs.every((input) => input === query);
    if (this.in_proj_weight && same) {
      const all = F.linear(this.#swapped(query), this.in_proj_weight, bias);
      return parts(all, 2).map((part) => this.#heads(part)) as [Value, Value, Value];
    }
    const weights = this.in_proj_weight
      ? parts(operand(query, this.in_proj_weight), 0)
      : [this.q_proj_weight!, this.k_proj_weight!, this.v_proj_weight!];
    const biases = bias && parts(bias, 0);
    return inputs.map((input, i) =>
      this.#heads(F.linear(this.#swapped(input), weights[i]!, biases?.[i])),
    ) as [Value, Value, Value];
  }

  /** From the order of axes outside to batch first, and back. */
  #swapped(x: Value): Value {
    return this.batchFirst ? x : op.transpose(x, [1, 0, 2]);
  }

  /** `[B, L, E]` to `[B, numHeads, L, E / numHeads]`. */
  #heads(x: Value): Value {
    return op.transpose(F.unflatten(x, 2, [this.numHeads, this.embedDim / this.numHeads]), [0, 2, 1, 3]);
  }

  /** Both masks as one that is added to scores, `[B, numHeads, L, S]` or broadcasting to it. */
  #masked(
    q: Value,
    { keyPaddingMask, attnMask, isCausal = false }: AttentionMasks,
  ): op.AttentionWeightsOptions {
    const added = (mask: Value) => (mask.dtype === "bool" ? op.excluded(q, mask) : mask);
    const padding = keyPaddingMask && op.unsqueeze(added(keyPaddingMask), [1, 2]);
    const pairs = attnMask && added(attnMask);
    const shaped = pairs?.rank === 3 ? this.#perHead(pairs) : pairs;
    const both = padding && shaped ? op.add(padding, shaped) : (padding ?? shaped);
    return { attnMask: both ?? null, isCausal };
  }

  /** `[B * numHeads, L, S]` to `[B, numHeads, L, S]`. */
  #perHead(mask: Value): Value {
    // Lengths that are not known stay on their axes: the first one is cut where it is the last.
    const last = F.unflatten(op.transpose(mask, [1, 2, 0]), 2, [-1, this.numHeads]);
    return op.transpose(last, [2, 3, 0, 1]);
  }
}
