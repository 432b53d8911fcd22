// Products with weights.

import type { Value } from "../../graph/graph.ts";
import { shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
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

/** The matrix product; leading axes broadcast. */
export function matmul(x: Value, other: Operand): Value {
  return op.matMul(x, operand(x, other));
}

/** The products of matrices, one for each of a batch: `[B, M, K]` and `[B, K, N]` to `[B, M, N]`. */
export function bmm(x: Value, other: Value): Value {
  expectShape(
    x.rank === 3 && other.rank === 3,
    () => `bmm takes batches of matrices, not ${shapeText(x.shape)} and ${shapeText(other.shape)}`,
  );
  return op.matMul(x, other);
}

/** Options of `baddbmm` and `addmm`. */
export interface AddProductOptions {
  /** Factor of what is added. Default: 1. */
  readonly beta?: number;
  /** Factor of the product. Default: 1. */
  readonly alpha?: number;
}

/** `beta * input + alpha * batch1 batch2` of batches of matrices. */
export function baddbmm(
  input: Value,
  batch1: Value,
  batch2: Value,
  { beta = 1, alpha = 1 }: AddProductOptions = {},
): Value {
  const times = (value: Value, factor: number) =>
    factor === 1 ? value : op.mul(value, op.scalar(value, factor));
  return op.add(times(input, beta), times(bmm(batch1, batch2), alpha));
}

/** `beta * input + alpha * mat1 mat2` of matrices, where the input broadcasts. */
export function addmm(input: Operand, mat1: Value, mat2: Operand, options: AddProductOptions = {}): Value {
  return op.gemm(mat1, operand(mat1, mat2), operand(mat1, input), { ...options });
}

/** All products of elements of two vectors: `[N]` and `[M]` to `[N, M]`. */
export function outer(x: Value, other: Value): Value {
  return op.mul(op.unsqueeze(x, [1]), other);
}

/** Products summed over the axes that the output does not name: `einsum("bij,bjk->bik", a, b)`. */
export function einsum(equation: string, ...operands: readonly Value[]): Value {
  return op.einsum(equation, ...operands);
}
