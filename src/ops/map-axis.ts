// A fixed matrix along one axis. Internal: no operator, no public name.

import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { shapeSize } from "../graph/shape.ts";
import { matMul } from "./matmul.ts";
import { reshape } from "./reshape.ts";

/** The product of a matrix, by its rows, with each column of `x` along `axis`, which gets as many elements as there are rows. */
export function mapAxis(x: Value, axis: number, rows: readonly (readonly number[])[]): Value {
  const [from, to] = [rows[0]!.length, rows.length];
  const shape = x.shape.with(axis, to);
  const matrix = (elements: readonly number[], dims: readonly number[]) =>
    x.graph.constant(Tensor.of(dims, elements, x.dtype));
  const trailing = shapeSize(x.shape.slice(axis + 1));
  if (trailing === 1) {
    const columns = Array.from({ length: from }, (_, j) => rows.map((row) => row[j]!)).flat();
    const flat = reshape(x, [...x.shape.slice(0, axis), from]);
    return reshape(matMul(flat, matrix(columns, [from, to])), shape);
  }
  const flat = reshape(x, [...x.shape.slice(0, axis), from, trailing]);
  return reshape(matMul(matrix(rows.flat(), [to, from]), flat), shape);
}
