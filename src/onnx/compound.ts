// Operators of opset 23 that are made of older ones, as these.

import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { isStatic, shapeText } from "../graph/shape.ts";
import * as op from "../ops/index.ts";
import type { FileNode } from "./file-node.ts";

/** RMSNormalization-23: `x / sqrt(mean(x²) + epsilon) * scale`. */
export function rmsNormalization(node: FileNode): FileNode {
  const { axis, epsilon } = node.attributes as { axis?: number; epsilon?: number };
  const [x, scale] = node.inputs;
  if (!x || !scale) throw new ArborizeError("invalid_graph", "RMSNormalization needs two inputs");
  const normal = op.rmsNorm(x, null, {
    ...(axis === undefined ? {} : { axis }),
    ...(epsilon ? { epsilon } : {}),
  });
  return { ...node, type: "Mul", inputs: [normal, scale], attributes: {} };
}

interface AttentionAttributes {
  readonly is_causal?: number;
  readonly kv_num_heads?: number;
  readonly q_num_heads?: number;
  readonly scale?: number;
  readonly softcap?: number;
  readonly qk_matmul_output_mode?: number;
  readonly softmax_precision?: number;
}

/**
 * Attention-23 without a cache: Q, K and V as `[B, heads, length, width]`, or as `[B, length, heads * width]` with the numbers
 * of heads given. Several heads of queries may share one of keys.
 */
export function attention(node: FileNode): FileNode {
  const [q, k, v, mask, ...cache] = node.inputs;
  const given = node.attributes as AttentionAttributes;
  if (!q || !k || !v) throw new ArborizeError("invalid_graph", "Attention needs queries, keys and values");
  if (cache.some((input) => input) || node.outputs.slice(1).some((name) => name !== "")) {
    throw new ArborizeError(
      "unsupported_attribute",
      "Attention with a cache of keys, or that gives its scores, is not supported",
    );
  }
  const [heads, keyHeads] = [given.q_num_heads, given.kv_num_heads];
  const queries = apart(q, heads);
  const [keys, values] = [k, v].map((x) => repeated(apart(x, keyHeads), queries.shape[1] as number));
  const weights = op.attentionWeights(queries, keys!, {
    attnMask: mask,
    isCausal: given.is_causal === 1,
    scale: given.scale,
    softcap: given.softcap,
  });
  if (q.rank === 4) return { ...node, type: "MatMul", inputs: [weights, values!], attributes: {} };
  const mixed = op.transpose(op.matMul(weights, values!), [0, 2, 1, 3]);
  const shape = q.graph.constant(Tensor.of([3], [0, 0, -1], "int64"));
  return { ...node, type: "Reshape", inputs: [mixed, shape], attributes: {} };
}

/** `[B, length, heads * width]` as `[B, heads, length, width]`. */
function apart(x: Value, heads: number | undefined): Value {
  if (x.rank === 4) return x;
  const [batch, length, all] = x.shape;
  if (x.rank !== 3 || !heads || !isStatic(all!) || all % heads !== 0) {
    throw new ArborizeError("shape_mismatch", `${shapeText(x.shape)} does not divide into ${heads} heads`);
  }
  return op.transpose(op.reshape(x, [batch!, length!, heads, all / heads]), [0, 2, 1, 3]);
}

/** Each head as often as it takes to have `heads` of them. */
function repeated(x: Value, heads: number): Value {
  const own = x.shape[1] as number;
  if (own === heads) return x;
  if (heads % own !== 0) {
    throw new ArborizeError("shape_mismatch", `${heads} heads of queries do not divide into ${own} of keys`);
  }
  const picks = Array.from({ length: heads }, (_, head) => Math.floor((head * own) / heads));
  return op.gather(x, op.int64s(x, picks), 1);
}
