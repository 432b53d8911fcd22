// BERT (Devlin et al. 2019), under the names of Hugging Face's transformers.

import type { Value } from "../../graph/graph.ts";
import { int64 } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import * as F from "../functional/index.ts";
import { type Initializer, normal, zeros } from "../init.ts";
import * as nn from "../layers/index.ts";
import { Module } from "../module.ts";

/** How large a BERT is. */
export interface BertConfig {
  /** Default: 30522, that of the English models without case. */
  readonly vocabSize?: number;
  readonly hiddenSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  /** Width between the two linear layers of a block. Default: four times the hidden size. */
  readonly intermediateSize?: number;
  /** How many tokens there are at most. Default: 512. */
  readonly maxPositionEmbeddings?: number;
  /** Default: 2. */
  readonly typeVocabSize?: number;
  /** The probability of all dropouts but those of attention weights. Default: 0.1. */
  readonly hiddenDropoutProb?: number;
  /** Default: 0.1. */
  readonly attentionProbsDropoutProb?: number;
  /** Default: 1e-12. */
  readonly layerNormEps?: number;
}

/** The published sizes. */
export const BERT_SIZES = {
  tiny: { hiddenSize: 128, numHiddenLayers: 2, numAttentionHeads: 2 },
  mini: { hiddenSize: 256, numHiddenLayers: 4, numAttentionHeads: 4 },
  small: { hiddenSize: 512, numHiddenLayers: 4, numAttentionHeads: 8 },
  medium: { hiddenSize: 512, numHiddenLayers: 8, numAttentionHeads: 8 },
  base: { hiddenSize: 768, numHiddenLayers: 12, numAttentionHeads: 12 },
} as const satisfies Readonly<Record<string, BertConfig>>;

type Config = Required<BertConfig>;

function complete(config: BertConfig): Config {
  return {
    vocabSize: 30522,
    intermediateSize: 4 * config.hiddenSize,
    maxPositionEmbeddings: 512,
    typeVocabSize: 2,
    hiddenDropoutProb: 0.1,
    attentionProbsDropoutProb: 0.1,
    layerNormEps: 1e-12,
    ...config,
  };
}

/** BERT's initial weights. */
const weightInit: Initializer = normal(0, 0.02);

function linear(inFeatures: number, outFeatures: number): nn.Linear {
  return new nn.Linear(inFeatures, outFeatures, { weightInit, biasInit: zeros });
}

class BertEmbeddings extends Module {
  readonly word_embeddings: nn.Embedding;
  readonly position_embeddings: nn.Embedding;
  readonly token_type_embeddings: nn.Embedding;
  readonly LayerNorm: nn.LayerNorm;
  readonly dropout: nn.Dropout;

  constructor(config: Config) {
    super();
    const { hiddenSize: width } = config;
    this.word_embeddings = new nn.Embedding(config.vocabSize, width, { paddingIdx: 0, weightInit });
    this.position_embeddings = new nn.Embedding(config.maxPositionEmbeddings, width, { weightInit });
    this.token_type_embeddings = new nn.Embedding(config.typeVocabSize, width, { weightInit });
    this.LayerNorm = new nn.LayerNorm(width, { eps: config.layerNormEps });
    this.dropout = new nn.Dropout(config.hiddenDropoutProb);
  }

  forward(inputIds: Value, tokenTypeIds: Value | null): Value {
    const number = (value: number) => int64(inputIds, value);
    const positions = op.range(number(0), op.reshape(op.shapeOf(inputIds, 1, 2), []), number(1));
    const words = this.word_embeddings.call(inputIds);
    const types = this.token_type_embeddings.call(tokenTypeIds ?? number(0));
    const placed = op.add(op.add(words, types), this.position_embeddings.call(positions));
    return this.dropout.call(this.LayerNorm.call(placed));
  }
}

class BertSelfAttention extends Module {
  readonly query: nn.Linear;
  readonly key: nn.Linear;
  readonly value: nn.Linear;
  readonly numHeads: number;
  readonly dropoutP: number;

  constructor({ hiddenSize: width, numAttentionHeads, attentionProbsDropoutProb }: Config) {
    super();
    this.query = linear(width, width);
    this.key = linear(width, width);
    this.value = linear(width, width);
    this.numHeads = numAttentionHeads;
    this.dropoutP = attentionProbsDropoutProb;
  }

  forward(x: Value, attnMask: Value | null): Value {
    const heads = (layer: nn.Linear) => {
      const width = layer.outFeatures / this.numHeads;
      return op.transpose(F.unflatten(layer.call(x), 2, [this.numHeads, width]), [0, 2, 1, 3]);
    };
    const [query, key, value] = [heads(this.query), heads(this.key), heads(this.value)];
    const { dropoutP } = this;
    const mixed = F.scaledDotProductAttention(query, key, value, { attnMask, dropoutP });
    return F.flatten(op.transpose(mixed, [0, 2, 1, 3]), 2);
  }
}

/** A linear layer whose result is added to what came before, and normalized. */
class BertOutput extends Module {
  readonly dense: nn.Linear;
  readonly LayerNorm: nn.LayerNorm;
  readonly dropout: nn.Dropout;

  constructor(inFeatures: number, { hiddenSize, layerNormEps: eps, hiddenDropoutProb }: Config) {
    super();
    this.dense = linear(inFeatures, hiddenSize);
    this.LayerNorm = new nn.LayerNorm(hiddenSize, { eps });
    this.dropout = new nn.Dropout(hiddenDropoutProb);
  }

  forward(x: Value, before: Value): Value {
    return this.LayerNorm.call(op.add(this.dropout.call(this.dense.call(x)), before));
  }
}

class BertAttention extends Module {
  readonly self: BertSelfAttention;
  readonly output: BertOutput;

  constructor(config: Config) {
    super();
    this.self = new BertSelfAttention(config);
    this.output = new BertOutput(config.hiddenSize, config);
  }

  forward(x: Value, attnMask: Value | null): Value {
    return this.output.call(this.self.call(x, attnMask), x);
  }
}

/** A linear layer and what follows it. */
class BertDense extends Module {
  readonly dense: nn.Linear;
  readonly #activation: (x: Value) => Value;

  constructor(inFeatures: number, outFeatures: number, activation: (x: Value) => Value) {
    super();
    this.dense = linear(inFeatures, outFeatures);
    this.#activation = activation;
  }

  forward(x: Value): Value {
    return this.#activation(this.dense.call(x));
  }
}

class BertLayer extends Module {
  readonly attention: BertAttention;
  readonly intermediate: BertDense;
  readonly output: BertOutput;

  constructor(config: Config) {
    super();
    this.attention = new BertAttention(config);
    this.intermediate = new BertDense(config.hiddenSize, config.intermediateSize, (x) => F.gelu(x));
    this.output = new BertOutput(config.intermediateSize, config);
  }

  forward(x: Value, attnMask: Value | null): Value {
    const attended = this.attention.call(x, attnMask);
    return this.output.call(this.intermediate.call(attended), attended);
  }
}

class BertEncoder extends Module {
  readonly layer: nn.ModuleList<BertLayer>;

  constructor(config: Config) {
    super();
    this.layer = new nn.ModuleList(
      Array.from({ length: config.numHiddenLayers }, () => new BertLayer(config)),
    );
  }

  forward(x: Value, attnMask: Value | null): Value {
    return [...this.layer].reduce((y, layer) => layer.call(y, attnMask), x);
  }
}

/**
 * BERT without a head. Tokens `[B, T]`, and where given what counts (`[B, T]`, not zero) and which sentence a token is of
 * (`[B, T]`, default: the first), all int64, to states `[B, T, hiddenSize]` and the pooled state of the first token.
 */
export class BertModel extends Module {
  readonly embeddings: BertEmbeddings;
  readonly encoder: BertEncoder;
  readonly pooler: BertDense;

  constructor(config: BertConfig) {
    super();
    const whole = complete(config);
    this.embeddings = new BertEmbeddings(whole);
    this.encoder = new BertEncoder(whole);
    this.pooler = new BertDense(whole.hiddenSize, whole.hiddenSize, F.tanh);
  }

  forward(
    inputIds: Value,
    attentionMask: Value | null = null,
    tokenTypeIds: Value | null = null,
  ): readonly [states: Value, pooled: Value] {
    const counts = attentionMask && op.unsqueeze(op.cast(attentionMask, "bool"), [1, 2]);
    const states = this.encoder.call(this.embeddings.call(inputIds, tokenTypeIds), counts);
    return [states, this.pooler.call(F.select(states, 1, 0))];
  }
}

/** Options of the classifiers on BERT. */
export interface ClassifierOptions {
  /** Default: 2. */
  readonly numLabels?: number;
}

/** BERT with a classifier on the pooled state of the first token: logits `[B, numLabels]`. Inputs are those of `BertModel`. */
export class BertForSequenceClassification extends Module {
  readonly bert: BertModel;
  readonly dropout: nn.Dropout;
  readonly classifier: nn.Linear;

  constructor(config: BertConfig, { numLabels = 2 }: ClassifierOptions = {}) {
    super();
    this.bert = new BertModel(config);
    this.dropout = new nn.Dropout(complete(config).hiddenDropoutProb);
    this.classifier = linear(config.hiddenSize, numLabels);
  }

  forward(inputIds: Value, attentionMask: Value | null = null, tokenTypeIds: Value | null = null): Value {
    const [, pooled] = this.bert.call(inputIds, attentionMask, tokenTypeIds);
    return this.classifier.call(this.dropout.call(pooled));
  }
}

/** Options of `DsnBert`. */
export interface DsnBertOptions
  extends ClassifierOptions,
    Omit<
      BertConfig,
      | "hiddenSize"
      | "numHiddenLayers"
      | "numAttentionHeads"
      | "intermediateSize"
      | "attentionProbsDropoutProb"
    > {
  /** Default: 16. */
  readonly hiddenSize?: number;
}

/** BERT's embeddings alone, summed over tokens, and a classifier: tokens `[B, T]`, int64, to logits `[B, numLabels]`. */
export class DsnBert extends Module {
  readonly embeddings: BertEmbeddings;
  readonly dropout: nn.Dropout;
  readonly classifier: nn.Linear;

  constructor({ hiddenSize = 16, numLabels = 2, ...config }: DsnBertOptions = {}) {
    super();
    const whole = complete({ ...config, hiddenSize, numHiddenLayers: 0, numAttentionHeads: 1 });
    this.embeddings = new BertEmbeddings(whole);
    this.dropout = new nn.Dropout(whole.hiddenDropoutProb);
    this.classifier = linear(hiddenSize, numLabels);
  }

  forward(inputIds: Value): Value {
    const summed = op.reduceSum(this.embeddings.call(inputIds, null), [1]);
    return this.classifier.call(this.dropout.call(summed));
  }
}
