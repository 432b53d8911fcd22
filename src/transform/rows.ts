// Transpositions of large blocks.

import { sizeOf, Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { shapeSize } from "../graph/shape.ts";
import { gather, reshape } from "../ops/index.ts";

/**
 * A transposition that leaves the last axes in their place, as a choice of rows: the runtime picks rows on all threads, and
 * transposes on one. The lengths of the axes that move must be known.
 */
export function transposedRows(x: Value, perm: readonly number[]): Value {
  let moving = perm.length;
  while (perm[moving - 1] === moving - 1) moving--;
  const lengths = x.shape.slice(0, moving) as readonly number[];
  const row = x.shape.slice(moving);
  const order = perm.slice(0, moving);
  const rows = reshape(x, [sizeOf(lengths), shapeSize(row)]);
  const picked = gather(rows, x.graph.constant(rowsInOrder(lengths, order)));
  const y = reshape(picked, [...order.map((axis) => lengths[axis]!), ...row]);
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  x.graph.customGradients.set(y, { inputs: [x], rule: (dy) => [transposedRows(dy, inverse)] });
  return y;
}

/** Which rows of a tensor of these lengths are those of the transposed one, as indices of 32 bits. */
function rowsInOrder(lengths: readonly number[], order: readonly number[]): Tensor {
  const found = new Int32Array(sizeOf(lengths));
  let count = 1;
  for (const axis of [...order].reverse()) {
    const stride = sizeOf(lengths.slice(axis + 1));
    for (let i = count; i < count * lengths[axis]!; i++) {
      found[i] = found[i % count]! + Math.floor(i / count) * stride;
    }
    count *= lengths[axis]!;
  }
  return new Tensor("int32", [count], found);
}
