// The maximum over 2x2 windows of values whose four places in a window are the slowest axis.

import type { Value } from "../graph/graph.ts";
import * as op from "../ops/index.ts";

/** `[4, N]` to its maxima `[1, N]`; the gradient goes to the first of equal maxima, as in MaxPool. */
export function firstMax(x: Value): Value {
  const halves = op.split(x, [2, 2], 0);
  const quarters = op.split(op.max(halves[0]!, halves[1]!), [1, 1], 0);
  const y = op.max(quarters[0]!, quarters[1]!);
  x.graph.customGradients.set(y, { inputs: [x], rule: (dy) => [op.mul(firstWinners(x, y), dy)] });
  return y;
}

/** 1 at the first place of each column of `[4, N]` that holds the maximum `[1, N]`, else 0. */
function firstWinners(x: Value, y: Value): Value {
  const places = op.split(op.equal(x, y), [1, 1, 1, 1], 0);
  let before = places[0]!;
  const first = [before];
  for (const place of places.slice(1)) {
    first.push(op.and(place, op.not(before)));
    before = op.or(before, place);
  }
  return op.cast(op.concat(first, 0), x.dtype);
}
