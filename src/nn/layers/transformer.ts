// Encoders of attention and two linear layers (Vaswani et al. 2017).

import type { Value } from "../../graph/graph.ts";
import * as op from "../../ops/index.ts";
import * as F from "../functional/index.ts";
import { Module } from "../module.ts";
import { type AttentionMasks, MultiheadAttention } from "./attention.ts";
import { ModuleList } from "./container.ts";
import { Dropout } from "./dropout.ts";
import { Linear } from "./linear.ts";
import { LayerNorm } from "./normalization.ts";
import type { BiasOption } from "./options.ts";

/** Options of `TransformerEncoderLayer`. */
export interface TransformerEncoderLayerOptions extends BiasOption {
  /** Width between the two linear layers. Default: 2048. */
  readonly dimFeedforward?: number;
  /** The probability of all dropouts. Default: 0.1. */
  readonly dropout?: number;
  /** Default: "relu". */
  readonly activation?: "relu" | "gelu" | ((x: Value) => Value);
  /** Default: 1e-5. */
  readonly layerNormEps?: number;
  /** Inputs are `[B, L, E]`, not `[L, B, E]`. Default: false. */
  readonly batchFirst?: boolean;
  /** Normalize before attention and linear layers, not after. Default: false. */
  readonly normFirst?: boolean;
}

const ACTIVATIONS = { relu: F.relu, gelu: (x: Value) => F.gelu(x) } as const;

/** What an encoder leaves out; see `AttentionMasks`. */
export interface EncoderMasks {
  /** Positions to leave out, `[B, L]`. */
  readonly srcKeyPaddingMask?: Value | null;
  /** Pairs to leave out, `[L, L]` or `[B * nhead, L, L]`. */
  readonly mask?: Value | null;
  /** Leave out all positions after each. Default: false. */
  readonly isCausal?: boolean;
}

/** Self-attention, then two linear layers, each added to its input and normalized. `[L, B, dModel]` to the same. */
export class TransformerEncoderLayer extends Module {
  readonly normFirst: boolean;
  readonly activation: (x: Value) => Value;
  readonly self_attn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;

  constructor(dModel: number, nhead: number, options: TransformerEncoderLayerOptions = {}) {
    super();
    const { dimFeedforward = 2048, dropout = 0.1, activation = "relu", layerNormEps: eps = 1e-5 } = options;
    const { batchFirst = false, normFirst = false, bias = true } = options;
    this.normFirst = normFirst;
    this.activation = typeof activation === "function" ? activation : ACTIVATIONS[activation];
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, bias });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
  }

  forward(src: Value, masks: EncoderMasks = {}): Value {
    const { srcKeyPaddingMask = null, mask = null, isCausal = false } = masks;
    const given: AttentionMasks = { keyPaddingMask: srcKeyPaddingMask, attnMask: mask, isCausal };
    const attended = (x: Value) => this.dropout1.call(this.self_attn.call(x, x, x, given)[0]);
    const mapped = (x: Value) => {
      const hidden = this.dropout.call(this.activation(this.linear1.call(x)));
      return this.dropout2.call(this.linear2.call(hidden));
    };
    if (this.normFirst) {
      const x = op.add(src, attended(this.norm1.call(src)));
      return op.add(x, mapped(this.norm2.call(x)));
    }
    const x = this.norm1.call(op.add(src, attended(src)));
    return this.norm2.call(op.add(x, mapped(x)));
  }
}

/** Options of `TransformerEncoder`. */
export interface TransformerEncoderOptions {
  /** Applied to what the last layer gives. Default: none. */
  readonly norm?: LayerNorm | null;
}

/** Encoder layers one after another. */
export class TransformerEncoder extends Module {
  readonly layers: ModuleList<TransformerEncoderLayer>;
  readonly norm: LayerNorm | null;

  /** @param makeLayer makes each of the `numLayers` layers. PyTorch copies one; here each has initial values of its own. */
  constructor(
    makeLayer: (index: number) => TransformerEncoderLayer,
    numLayers: number,
    { norm = null }: TransformerEncoderOptions = {},
  ) {
    super();
    this.layers = new ModuleList(Array.from({ length: numLayers }, (_, i) => makeLayer(i)));
    this.norm = norm;
  }

  forward(src: Value, masks: EncoderMasks = {}): Value {
    let x = src;
    for (const layer of this.layers) x = layer.call(x, masks);
    return this.norm ? this.norm.call(x) : x;
  }
}
