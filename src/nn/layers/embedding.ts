// Learned vectors, looked up by index.

import { ArborizeError } from "../../base/errors.ts";
import type { Value } from "../../graph/graph.ts";
import * as F from "../functional/index.ts";
import { type Initializer, normal } from "../init.ts";
import { Module, Parameter } from "../module.ts";
import { checkCounts, type WeightInitOption } from "./options.ts";

/** PyTorch's initial tables: standard normal, and a row of zeros for padding. */
function table(padding: number | null, draw: Initializer = normal()): Initializer {
  return (shape, random) => {
    const weight = draw(shape, random);
    const width = shape[1]!;
    if (padding !== null) weight.data.fill(0, padding * width, (padding + 1) * width);
    return weight;
  };
}

/** The row of a padding index, which may count from the end. @throws `bad_option` for one that is none. */
function paddingRow(layer: string, index: number | null, rows: number): number | null {
  if (index === null) return null;
  const row = index < 0 ? index + rows : index;
  if (Number.isInteger(row) && row >= 0 && row < rows) return row;
  throw new ArborizeError("bad_option", `${layer}: paddingIdx is ${index}, the table has ${rows} rows.`);
}

/** Options of `Embedding`. */
export interface EmbeddingOptions extends WeightInitOption {
  /** An index whose row starts at zero and gets no gradient. Default: none. */
  readonly paddingIdx?: number | null;
}

/** A learned vector for each of `numEmbeddings` indices. Whole numbers `[...]` to `[..., embeddingDim]`. */
export class Embedding extends Module {
  readonly paddingIdx: number | null;
  readonly weight: Parameter;

  constructor(
    numEmbeddings: number,
    embeddingDim: number,
    { paddingIdx = null, weightInit }: EmbeddingOptions = {},
  ) {
    super();
    checkCounts("Embedding", { numEmbeddings, embeddingDim });
    this.paddingIdx = paddingRow("Embedding", paddingIdx, numEmbeddings);
    this.weight = new Parameter([numEmbeddings, embeddingDim], table(this.paddingIdx, weightInit));
  }

  forward(input: Value): Value {
    return F.embedding(input, this.weight, this);
  }
}

/** Options of `EmbeddingBag`. */
export interface EmbeddingBagOptions extends WeightInitOption {
  /** What becomes of a bag's vectors. Default: "mean". */
  readonly mode?: "sum" | "mean";
  /** An index that does not count, whose row starts at zero. Default: none. */
  readonly paddingIdx?: number | null;
}

/** The sum or mean of the learned vectors that each bag of indices names. Whole numbers `[B, N]` to `[B, embeddingDim]`. */
export class EmbeddingBag extends Module {
  readonly mode: "sum" | "mean";
  readonly paddingIdx: number | null;
  readonly weight: Parameter;

  constructor(
    numEmbeddings: number,
    embeddingDim: number,
    { mode = "mean", paddingIdx = null, weightInit }: EmbeddingBagOptions = {},
  ) {
    super();
    checkCounts("EmbeddingBag", { numEmbeddings, embeddingDim });
    this.mode = mode;
    this.paddingIdx = paddingRow("EmbeddingBag", paddingIdx, numEmbeddings);
    this.weight = new Parameter([numEmbeddings, embeddingDim], table(this.paddingIdx, weightInit));
  }

  forward(input: Value): Value {
    return F.embeddingBag(input, this.weight, this);
  }
}
