// Which elements are positive, as numbers to multiply with.

import type { Value } from "../graph/graph.ts";
import { cast } from "./cast.ts";
import { scalar } from "./define.ts";
import { hardSigmoid } from "./hard-sigmoid.ts";
import { greater } from "./logic.ts";

/** The largest number of float32: its product with any number that is not subnormal is 1 or more. */
const STEEPEST = (2 - 2 ** -23) * 2 ** 127;

/**
 * 1 where x is positive, else 0. Of float32 as a ramp so steep that only subnormal numbers are on it: the runtime computes that
 * on all threads in one pass, where it takes two for a comparison and a cast, and casts on one thread.
 */
export function isPositive(x: Value): Value {
  return x.dtype === "float32"
    ? hardSigmoid(x, { alpha: STEEPEST, beta: 0 })
    : cast(greater(x, scalar(x, 0)), x.dtype);
}
