// Products with learned weights.

import type { Value } from "../../graph/graph.ts";
import * as F from "../functional/index.ts";
import { uniform } from "../init.ts";
import { Module, type Parameter } from "../module.ts";
import { type AffineOptions, affine, checkCounts } from "./options.ts";

/** `x Wᵀ + b`. `[..., inFeatures]` to `[..., outFeatures]`. */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: AffineOptions = {}) {
    super();
    checkCounts("Linear", { inFeatures, outFeatures });
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const { weight, bias } = affine([outFeatures, inFeatures], outFeatures, options);
    this.weight = weight;
    this.bias = bias;
  }

  forward(x: Value): Value {
    return F.linear(x, this.weight, this.bias);
  }
}

/** `x1ᵀ W x2 + b`. `[..., in1Features]` and `[..., in2Features]` to `[..., outFeatures]`. */
export class Bilinear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(in1Features: number, in2Features: number, outFeatures: number, options: AffineOptions = {}) {
    super();
    checkCounts("Bilinear", { in1Features, in2Features, outFeatures });
    const bound = 1 / Math.sqrt(in1Features);
    const drawn = { weightInit: uniform(-bound, bound), biasInit: uniform(-bound, bound), ...options };
    const { weight, bias } = affine([outFeatures, in1Features, in2Features], outFeatures, drawn);
    this.weight = weight;
    this.bias = bias;
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
