// Networks for data that has no shape to speak of: rows of tables, and bags of words.

import { ArborizeError } from "../../base/errors.ts";
import type { Value } from "../../graph/graph.ts";
import * as op from "../../ops/index.ts";
import * as F from "../functional/index.ts";
import * as nn from "../layers/index.ts";
import { Module } from "../module.ts";

/** Options of `Mlp`. */
export interface MlpOptions {
  /** Numbers an example has, its axes multiplied. */
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Widths of the hidden layers. Default: [64, 32]. */
  readonly hidden?: readonly number[];
  /** Probability of dropping a hidden unit in training. Default: 0. */
  readonly dropout?: number;
}

/** Layers of neurons with relu between. `[B, ...]`, flattened to `[B, inFeatures]`, to `[B, outFeatures]`. */
export class Mlp extends Module {
  readonly layers: nn.Linear[];
  readonly drop: nn.Dropout | null;

  constructor({ inFeatures, outFeatures, hidden = [64, 32], dropout = 0 }: MlpOptions) {
    super();
    const widths = [inFeatures, ...hidden, outFeatures];
    this.layers = widths.slice(1).map((width, i) => new nn.Linear(widths[i]!, width));
    this.drop = dropout > 0 ? new nn.Dropout(dropout) : null;
  }

  forward(x: Value): Value {
    let y = x.rank === 2 ? x : F.flatten(x);
    for (const layer of this.layers.slice(0, -1)) {
      y = F.relu(layer.call(y));
      if (this.drop) y = this.drop.call(y);
    }
    return this.layers.at(-1)!.call(y);
  }
}

/** Options of `TabularNet`. */
export interface TabularNetOptions extends Omit<MlpOptions, "inFeatures"> {
  /** Columns of numbers. */
  readonly numbers: number;
  /** How many values each column of categories has. */
  readonly categories: readonly number[];
}

/**
 * An `Mlp` over numbers and learned vectors of categories, whose width is half their number of values, at most 50. Called with
 * `[B, numbers]` and whole numbers `[B, categories]`, or with the one that there is; to `[B, outFeatures]`.
 */
export class TabularNet extends Module {
  readonly embeddings: nn.Embedding[];
  readonly mlp: Mlp;
  readonly numbers: number;

  constructor({ numbers, categories, ...rest }: TabularNetOptions) {
    super();
    this.numbers = numbers;
    const widths = categories.map((values) => Math.min(50, Math.ceil(values / 2)));
    this.embeddings = categories.map((values, i) => new nn.Embedding(values, widths[i]!));
    const inFeatures = numbers + widths.reduce((sum, width) => sum + width, 0);
    if (inFeatures === 0) throw new ArborizeError("bad_option", "TabularNet needs numbers or categories.");
    this.mlp = new Mlp({ ...rest, inFeatures });
  }

  forward(...inputs: readonly Value[]): Value {
    const x = this.numbers > 0 ? [inputs[0]!] : [];
    const indices = inputs[x.length];
    const vectors = this.embeddings.map((embedding, i) =>
      embedding.call(op.squeeze(op.slice(indices!, [{ axis: 1, start: i, end: i + 1 }]), [1])),
    );
    const parts = [...x, ...vectors];
    return this.mlp.call(parts.length === 1 ? parts[0]! : op.concat(parts, 1));
  }
}

/** Options of `BagOfWords`. */
export interface BagOfWordsOptions extends Omit<MlpOptions, "inFeatures"> {
  /** How many words there are, 0 being none. */
  readonly vocabulary: number;
  /** Width of a word's vector. Default: 64. */
  readonly embeddingDim?: number;
}

/** An `Mlp` over the mean of words' learned vectors. Whole numbers `[B, N]`, padded with 0, to `[B, outFeatures]`. */
export class BagOfWords extends Module {
  readonly words: nn.EmbeddingBag;
  readonly mlp: Mlp;

  constructor({ vocabulary, embeddingDim = 64, ...rest }: BagOfWordsOptions) {
    super();
    this.words = new nn.EmbeddingBag(vocabulary, embeddingDim, { paddingIdx: 0 });
    this.mlp = new Mlp({ ...rest, inFeatures: embeddingDim });
  }

  forward(ids: Value): Value {
    return this.mlp.call(this.words.call(ids));
  }
}
