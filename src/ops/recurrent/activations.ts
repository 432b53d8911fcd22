// The activations of recurrent operators, with slopes that need no more than what they gave.

import { ArborizeError } from "../../base/errors.ts";
import type { Value } from "../../graph/graph.ts";
import { relu, sigmoid, tanh } from "../activation.ts";
import { scalar } from "../define.ts";
import { mul, sign, sub } from "../elementwise.ts";

/** A function of one value. */
export interface Activation {
  readonly apply: (x: Value) => Value;
  /** The derivative, from the function's result. */
  readonly slope: (y: Value) => Value;
}

const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map([
  ["sigmoid", { apply: sigmoid, slope: (y: Value) => sub(y, mul(y, y)) }],
  ["tanh", { apply: tanh, slope: (y: Value) => sub(scalar(y, 1), mul(y, y)) }],
  ["relu", { apply: relu, slope: sign }],
]);

/** The activation that ONNX calls `name`, in any case. @throws `not_differentiable` for one without a gradient here. */
export function activationOf(name: string): Activation {
  const found = ACTIVATIONS.get(name.toLowerCase());
  if (found) return found;
  throw new ArborizeError(
    "not_differentiable",
    `the activation "${name}" has no gradient in a recurrent operator, only Sigmoid, Tanh and Relu have`,
  );
}
