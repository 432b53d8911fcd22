// Rows of a table by index.

import type { Value } from "../../graph/graph.ts";
import { shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import { type Operand, operand } from "./operand.ts";

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** An index whose row gets no gradient. Default: none. */
  readonly paddingIdx?: number | null;
}

/** The rows of `weight`, `[n, d]`, that whole numbers of any shape name: `[...]` to `[..., d]`. */
export function embedding(
  input: Value,
  weight: Operand,
  { paddingIdx = null }: EmbeddingOptions = {},
): Value {
  const rows = op.gather(operand(input, weight), input);
  if (paddingIdx === null) return rows;
  const padding = op.unsqueeze(op.equal(input, op.scalar(input, paddingIdx)), [-1]);
  return op.where(padding, op.stopGradient(rows), rows);
}

/** Options of `embeddingBag`. */
export interface EmbeddingBagOptions {
  /** What becomes of a bag's rows. Default: "mean". */
  readonly mode?: "sum" | "mean";
  /** An index that does not count. Default: none. */
  readonly paddingIdx?: number | null;
}

/** The sum or mean of the rows of `weight`, `[n, d]`, that each bag of indices names: `[B, N]` to `[B, d]`. */
export function embeddingBag(input: Value, weight: Operand, options: EmbeddingBagOptions = {}): Value {
  const { mode = "mean", paddingIdx = null } = options;
  expectShape(
    input.rank === 2,
    () => `its bags must be [batch, indices], they are ${shapeText(input.shape)}`,
  );
  const rows = op.gather(operand(input, weight), input);
  if (paddingIdx === null) return (mode === "sum" ? op.reduceSum : op.reduceMean)(rows, [1]);
  const counts = op.not(op.equal(input, op.scalar(input, paddingIdx)));
  const counted = op.unsqueeze(op.cast(counts, rows.dtype), [-1]);
  const total = op.reduceSum(op.mul(rows, counted), [1]);
  // An empty bag is zero.
  return mode === "sum" ? total : op.div(total, op.max(op.reduceSum(counted, [1]), op.scalar(rows, 1)));
}
