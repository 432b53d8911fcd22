// What norms are divided by in gradients. Internal: no operator, no public name.

import type { Value } from "../graph/graph.ts";
import { cast } from "./cast.ts";
import { scalar } from "./define.ts";
import { add } from "./elementwise.ts";
import { equal } from "./logic.ts";

/** 1 where `x` is zero, else 0. */
export function zerosOf(x: Value): Value {
  return cast(equal(x, scalar(x, 0)), x.dtype);
}

/** `x` with ones for its zeros, so that a quotient of zeros is zero. */
export function onesForZeros(x: Value): Value {
  return add(x, zerosOf(x));
}
