// Products with weights.

import type { Value } from "../../graph/graph.ts";
import * as op from "../../ops/index.ts";
import { type Operand, operand, optional } from "./operand.ts";

/** `x Wᵀ + b`. `[..., in]` with weight `[out, in]` and bias `[out]` to `[..., out]`. */
export function linear(x: Value, weight: Operand, bias?: Operand | null): Value {
  const w = operand(x, weight);
  const b = optional(x, bias);
  if (x.rank === 2) return op.gemm(x, w, b, { transB: true });
  const product = op.matMul(x, op.transposeLast(w));
  return b ? op.add(product, b) : product;
}

/** `x1ᵀ W x2 + b`. `[..., in1]` and `[..., in2]` with weight `[out, in1, in2]` and bias `[out]` to `[..., out]`. */
export function bilinear(x1: Value, x2: Value, weight: Operand, bias?: Operand | null): Value {
  const w = operand(x1, weight);
  const b = optional(x1, bias);
  // x1ᵀ W for each output, [..., out, in2], and its product with x2.
  const [out, in1, in2] = w.shape as readonly [number, number, number];
  const columns = op.reshape(op.transpose(w, [1, 0, 2]), [in1, out * in2]);
  const rows = op.matMul(x1, columns);
  const apart = op.reshape(rows, [...x1.shape.slice(0, -1), out, in2]);
  const y = op.reduceSum(op.mul(apart, op.unsqueeze(x2, [-2])), [-1]);
  return b ? op.add(y, b) : y;
}
