// Products with few numbers that are broadcast over many: factors. In gradients they are kept for last, since what comes of a
// linear operator has fewer elements to multiply. Internal: no operator, no public name.

import type { Value } from "../graph/graph.ts";
import { sameShape, shapeSize } from "../graph/shape.ts";
import { mul, mulOp } from "./elementwise.ts";
import { reshape } from "./reshape.ts";

/** What a product multiplies with a factor, and the factor. Itself and null for any other value. */
function apart(product: Value): readonly [value: Value, factor: Value | null] {
  if (product.producer?.operator !== mulOp) return [product, null];
  const [value, factor] = product.producer.inputs as [Value, Value];
  const broadcast = sameShape(value.shape, product.shape) && !sameShape(factor.shape, product.shape);
  return broadcast ? [value, factor] : [product, null];
}

/**
 * `dy * slopes[0] * slopes[1] ...`, with dy's factor last. What a dendrite's output hears is a product with its output weights:
 * their gradient then shares the first product.
 */
export function chained(dy: Value, ...slopes: readonly Value[]): Value {
  const [value, factor] = apart(dy);
  const product = slopes.reduce(mul, value);
  return factor ? mul(product, factor) : product;
}

/**
 * Cotangents of a linear operator's output, apart from a factor `[channels]` of theirs on the axis that `behind` others follow.
 * `times` multiplies with that what has the channels on an axis (default: 0), and changes nothing where there is no such factor.
 */
export function withoutChannelFactor(
  dy: Value,
  channels: number,
  behind: number,
): { readonly value: Value; readonly times: (x: Value, axis?: number) => Value } {
  const [value, factor] = apart(dy);
  const fits =
    factor &&
    shapeSize(factor.shape) === channels &&
    factor.rank > behind &&
    factor.shape[factor.rank - behind - 1] === channels;
  if (!fits) return { value: dy, times: (x: Value) => x };
  const times = (x: Value, axis = 0) =>
    mul(x, reshape(factor, [channels, ...x.shape.slice(axis + 1).map(() => 1)]));
  return { value, times };
}
