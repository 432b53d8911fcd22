// Matrices of numbers in graphs.

import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";

/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[];

/** A matrix as a constant of the element type of a value, in its graph. */
export function constantMatrix(like: Value, rows: Matrix): Value {
  return like.graph.constant(Tensor.of([rows.length, rows[0]!.length], rows.flat(), like.dtype));
}

/** A ⊗ B. */
export function kronecker(a: Matrix, b: Matrix): Matrix {
  return a.flatMap((rowA) => b.map((rowB) => rowA.flatMap((left) => rowB.map((right) => left * right))));
}

/** `[size, columns]`: a 1 in each column, in the row that it names. */
export function oneHotColumns(size: number, columns: readonly number[]): Matrix {
  return Array.from({ length: size }, (_, row) => columns.map((column) => (column === row ? 1 : 0)));
}
