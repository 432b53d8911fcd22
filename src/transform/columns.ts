// Fully connected layers on a matrix with a column for each example, `[N, B]` where the network has `[B, N]`: maps whose batch is
// innermost are one as they lie.

import type { Node, Value } from "../graph/graph.ts";
import { isStaticShape, type Shape, sameShape, shapeSize } from "../graph/shape.ts";
import { flattenOp, gemmOp, matMulOp, reshape, reshapeOp, transpose } from "../ops/index.ts";

/** Whether a node gives examples of this shape, `[B, ...]`, as rows `[B, N]` of all their elements. */
export function givesRows({ operator, output }: Node, [examples, ...elements]: Shape): boolean {
  if (operator !== flattenOp && operator !== reshapeOp) return false;
  return isStaticShape(elements) && sameShape(output.shape, [examples!, shapeSize(elements)]);
}

/** Whether a node multiplies rows by a matrix, and does nothing else with them. */
export function multipliesRows({ operator, inputs, attributes }: Node, rows: Value): boolean {
  const [x, ...others] = inputs;
  if (x !== rows || others.includes(rows)) return false;
  if (operator === matMulOp) return others[0]!.rank === 2;
  return operator === gemmOp && !attributes.transA && (others[1]?.rank ?? 1) === 1;
}

/** What such a node gives, `[B, M]`, from columns `[N, B]`. */
export function rowsFromColumns(
  { operator, attributes }: Node,
  [x, w, b]: readonly (Value | null | undefined)[],
): Value {
  const transA = Number(operator === matMulOp || !attributes.transB);
  const c = b && reshape(b, [...b.shape, 1]);
  return transpose(gemmOp.emit([w!, x!, c], { ...attributes, transA, transB: 0 }).output);
}
