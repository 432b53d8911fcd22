// Dropout. Training draws its masks from streams of our own (transform/mode.ts), so that a resumed run repeats them.

import type { Value } from "../graph/graph.ts";
import { defineOperator, expectFloats, scalar } from "./define.ts";

/** `x` with elements dropped at random in training, and the rest scaled up to keep the mean. ONNX Dropout-13. */
export function dropout(x: Value, p: number): Value {
  return dropoutOp.emit([x, scalar(x, p)]).output;
}

export const dropoutOp = defineOperator({
  type: "Dropout",
  since: 13,
  attributes: { seed: "int" },
  infer: ([x]: [Value, (Value | null | undefined)?, (Value | null | undefined)?]) => {
    expectFloats(x);
    return [
      { dtype: x.dtype, shape: x.shape },
      { dtype: "bool", shape: x.shape },
    ];
  },
  gradient: {
    nondifferentiable: "it has not been given a mask: differentiate the training form of the graph",
  },
  deterministic: false,
});
