// Matrix products.

import type { Value } from "../graph/graph.ts";
import { broadcastShapes, shapeText } from "../graph/shape.ts";
import { defineOperator, expectFloats, expectShape, scalar } from "./define.ts";
import { mul } from "./elementwise.ts";
import { flatten, reshape, squeeze, transposeLast, unsqueeze } from "./reshape.ts";

/**
 * Matrix product. `[..., M, K] x [..., K, N]` to `[..., M, N]`; leading axes broadcast. A vector is a matrix of one row (`a`) or
 * column (`b`), which the result lacks. ONNX MatMul-13.
 */
export function matMul(a: Value, b: Value): Value {
  // The runtime multiplies a transposed matrix by a vector wrongly: fused, it forgets one of the two.
  if (b.rank === 1 && a.rank > 1) return squeeze(matMul(a, unsqueeze(b, [1])), [-1]);
  if (a.rank === 1 && b.rank > 1) return squeeze(matMul(unsqueeze(a, [0]), b), [-2]);
  return matMulOp.emit([a, b]).output;
}

export const matMulOp = defineOperator({
  type: "MatMul",
  since: 13,
  infer: ([a, b]: [Value, Value]) => {
    expectFloats(a, b);
    expectShape(a.rank > 0 && b.rank > 0, () => "its inputs must not be scalars");
    const rows = a.rank === 1 ? [] : [a.shape.at(-2)!];
    const columns = b.rank === 1 ? [] : [b.shape.at(-1)!];
    const inner = b.shape.at(b.rank === 1 ? -1 : -2)!;
    expectShape(
      a.shape.at(-1) === inner,
      () => `the last axis of ${shapeText(a.shape)} and the rows of ${shapeText(b.shape)} differ`,
    );
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return [{ dtype: a.dtype, shape: [...batch, ...rows, ...columns] }];
  },
  // dA = dY Bᵀ;  dB = Aᵀ dY. A vector counts as a matrix of one row or one column.
  gradient: (dy, { inputs: [a, b] }) => {
    const rows = a.rank === 1 ? reshape(a, [1, ...a.shape]) : a;
    const columns = b.rank === 1 ? reshape(b, [...b.shape, 1]) : b;
    const batch = broadcastShapes(rows.shape.slice(0, -2), columns.shape.slice(0, -2));
    const dY = reshape(dy, [...batch, rows.shape.at(-2)!, columns.shape.at(-1)!]);
    const dA = matMul(dY, transposeLast(columns));
    const dB = secondGradient(rows, dY, columns);
    return [a.rank === 1 ? squeeze(dA, [-2]) : dA, b.rank === 1 ? squeeze(dB, [-1]) : dB];
  },
  broadcasts: true,
});

/** dB = Aᵀ dY. One matrix B for a whole batch of A takes one product over all rows instead of a batch of them. */
function secondGradient(a: Value, dy: Value, b: Value): Value {
  if (b.rank > 2 || a.rank === 2) return matMul(transposeLast(a), dy);
  return matMul(transposeLast(rowsOf(a)), rowsOf(dy));
}

/** All leading axes as one. */
function rowsOf(x: Value): Value {
  return flatten(x, x.rank - 1);
}

/** Options of `gemm`, with ONNX's meaning. */
export interface GemmOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** Factor of the product. Default: 1. */
  readonly alpha?: number;
  /** Factor of the addend. Default: 1. */
  readonly beta?: number;
}

/** `alpha * A B + beta * C` of matrices, where C broadcasts to `[M, N]`. ONNX Gemm-13. */
export function gemm(a: Value, b: Value, c?: Value | null, options: GemmOptions = {}): Value {
  const { transA = false, transB = false, alpha, beta } = options;
  return gemmOp.emit([a, b, c], { transA: Number(transA), transB: Number(transB), alpha, beta }).output;
}

export const gemmOp = defineOperator({
  type: "Gemm",
  since: 13,
  attributes: { alpha: "float", beta: "float", transA: "int", transB: "int" },
  infer: ([a, b, c]: [Value, Value, (Value | null | undefined)?], { transA = 0, transB = 0 }) => {
    expectFloats(a, b, c);
    expectShape(
      a.rank === 2 && b.rank === 2,
      () => `A and B must be matrices, they are ${shapeText(a.shape)} and ${shapeText(b.shape)}`,
    );
    const [m, k] = transA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
    const [k2, n] = transB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!];
    expectShape(k === k2, () => `the weight takes ${k2} features, the input has ${k}`);
    if (c) {
      const fits = broadcastShapes(c.shape, [m, n]).join() === [m, n].join();
      expectShape(fits, () => `the bias ${shapeText(c.shape)} does not fit the output ${shapeText([m, n])}`);
    }
    return [{ dtype: a.dtype, shape: [m, n] }];
  },
  gradient: (dy, { inputs: [a, b, c], attributes: { transA = 0, transB = 0, alpha = 1, beta = 1 } }) => {
    const [ta, tb] = [transA === 1, transB === 1];
    const dA = ta
      ? gemm(b, dy, null, { transA: tb, transB: true, alpha })
      : gemm(dy, b, null, { transB: !tb, alpha });
    const dB = tb
      ? gemm(dy, a, null, { transA: true, transB: ta, alpha })
      : gemm(a, dy, null, { transA: !ta, alpha });
    return [dA, dB, c ? (beta === 1 ? dy : mul(dy, scalar(dy, beta))) : null];
  },
  broadcasts: true,
});
