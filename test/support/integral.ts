// Functions that have no closed form in the runtime's float64 operators, as integrals that do.

import type { Value } from "../../src/graph/graph.ts";
import { add, mul, scalar } from "../../src/ops/index.ts";

/**
 * `x ∫₀¹ f(x t) dt`, the integral of `f` from 0 to `x`, by Gauss and Legendre's rule of 32 points: exact to the last digits
 * of float64 where `f` is smooth on [0, x], and differentiable as the sum that it is.
 */
export function integral(x: Value, f: (t: Value) => Value): Value {
  const terms = legendre(32).map(({ at, weight }) => mul(f(mul(x, scalar(x, at))), scalar(x, weight)));
  return mul(x, terms.reduce(add));
}

/** Points and weights of the rule on [0, 1]: the roots of the Legendre polynomial of degree `count`, by Newton's method. */
function legendre(count: number): { at: number; weight: number }[] {
  return Array.from({ length: count }, (_, i) => {
    let root = Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    let slope = 0;
    for (let iteration = 0; iteration < 8; iteration++) {
      let [before, value] = [1, root];
      for (let n = 1; n < count; n++) {
        [before, value] = [value, ((2 * n + 1) * root * value - n * before) / (n + 1)];
      }
      slope = (count * (root * value - before)) / (root * root - 1);
      root -= value / slope;
    }
    return { at: (1 + root) / 2, weight: 1 / ((1 - root * root) * slope * slope) };
  });
}
