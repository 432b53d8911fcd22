// Matrices of numbers in graphs.

import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";

/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[];

/** A matrix as a constant of the element type of a value, in its graph. */
export function constantMatrix(like: Value, rows: Matrix): Value {
  return like.graph.constant(Tensor.of([rows.length, rows[0]!.length], rows.flat(), like.dtype));
}
