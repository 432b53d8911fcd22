// Layers of which only some connections exist.

import { ArborizeError } from "../../base/errors.ts";
import { Tensor } from "../../base/tensor.ts";
import type { Value } from "../../graph/graph.ts";
import { shapeText } from "../../graph/shape.ts";
import * as op from "../../ops/index.ts";
import * as F from "../functional/index.ts";
import { operand } from "../functional/operand.ts";
import type { Initializer } from "../init.ts";
import { Module, Parameter } from "../module.ts";
import { type AffineOptions, affine } from "./options.ts";

/**
 * A Linear with fixed connectivity: `x (W * mask)ᵀ + b`. `[..., inFeatures]` to `[..., outFeatures]`. A weight without a
 * connection starts at 0 and gets no gradient. The bias is not masked. The mask is a constant of the graph, so a layer's
 * dendrites have its connectivity; to grow them, name `MaskedLinear` in `dendrites.types`.
 */
export class MaskedLinear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** How many weights have a connection. */
  readonly connections: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly #mask: Tensor<"float32">;

  /**
   * @param mask `[outFeatures, inFeatures]`: 1 where there is a connection, 0 where there is none.
   * @throws `bad_option` for a mask that is no matrix or holds other numbers.
   */
  constructor(mask: Tensor, options: AffineOptions = {}) {
    super();
    const numbers = Float32Array.from(mask.toNumbers());
    const [outFeatures, inFeatures] = mask.shape;
    if (mask.shape.length !== 2 || !outFeatures || !inFeatures) {
      const found = `is ${shapeText(mask.shape)}`;
      throw new ArborizeError(
        "bad_option",
        `MaskedLinear: the mask ${found}, wanted [outFeatures, inFeatures].`,
      );
    }
    const odd = numbers.find((v) => v !== 0 && v !== 1);
    if (odd !== undefined) {
      throw new ArborizeError("bad_option", `MaskedLinear: the mask holds ${odd}, wanted 0 and 1 alone.`);
    }
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.#mask = new Tensor("float32", [outFeatures, inFeatures], numbers);
    this.connections = numbers.reduce((sum, v) => sum + v, 0);
    const { weight, bias } = affine([outFeatures, inFeatures], outFeatures, options);
    this.weight = new Parameter(weight.shape, masked(weight.initializer, numbers));
    this.bias = bias;
  }

  forward(x: Value): Value {
    const connected = op.mul(operand(x, this.weight), x.graph.constant(this.#mask));
    return F.linear(x, connected, this.bias);
  }
}

function masked(initializer: Initializer, mask: Float32Array): Initializer {
  return (shape, random) => {
    const drawn = initializer(shape, random);
    return new Tensor(
      "float32",
      shape,
      drawn.data.map((v, i) => (mask[i] === 1 ? v : 0)),
    );
  };
}
