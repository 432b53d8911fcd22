// Products with learned weights.

import type { Value } from "../../graph/graph.ts";
import * as F from "../functional/index.ts";
import { uniform } from "../init.ts";
import { Module, Parameter } from "../module.ts";
import { type BiasOption, checkCounts, defaultBias, defaultWeight } from "./options.ts";

/** `x Wᵀ + b`. `[..., inFeatures]` to `[..., outFeatures]`. */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, { bias = true }: BiasOption = {}) {
    super();
    checkCounts("Linear", { inFeatures, outFeatures });
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter([outFeatures, inFeatures], defaultWeight);
    this.bias = bias ? new Parameter([outFeatures], defaultBias(inFeatures)) : null;
  }

  forward(x: Value): Value {
    return F.linear(x, this.weight, this.bias);
  }
}

/** `x1ᵀ W x2 + b`. `[..., in1Features]` and `[..., in2Features]` to `[..., outFeatures]`. */
export class Bilinear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    in1Features: number,
    in2Features: number,
    outFeatures: number,
    { bias = true }: BiasOption = {},
  ) {
    super();
    checkCounts("Bilinear", { in1Features, in2Features, outFeatures });
    const bound = 1 / Math.sqrt(in1Features);
    this.weight = new Parameter([outFeatures, in1Features, in2Features], uniform(-bound, bound));
    this.bias = bias ? new Parameter([outFeatures], uniform(-bound, bound)) : null;
  }

  forward(x1: Value, x2: Value): Value {
    return F.bilinear(x1, x2, this.weight, this.bias);
  }
}

/** The input itself. */
export class Identity extends Module {
  forward(x: Value): Value {
    return x;
  }
}
