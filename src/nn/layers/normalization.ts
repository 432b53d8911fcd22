// Normalization by each example's own statistics.

import type { Value } from "../../graph/graph.ts";
import { shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as F from "../functional/index.ts";
import { ones, zeros } from "../init.ts";
import { Module, Parameter } from "../module.ts";
import { type BiasOption, checkCounts, checkGroups } from "./options.ts";

/** Options of `LayerNorm`. */
export interface LayerNormOptions extends BiasOption {
  /** What is added to a variance before its root is taken. Default: 1e-5. */
  readonly eps?: number;
  /** Learn a factor, and with `bias` an addend, of each element. Default: true. */
  readonly elementwiseAffine?: boolean;
}

/** `(x - mean) / sqrt(variance + eps) * weight + bias` over the last axes, which are `normalizedShape`. */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  /** @param normalizedShape the last axes, or the length of the last one. */
  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    super();
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    this.normalizedShape = [normalizedShape].flat();
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(this.normalizedShape, ones) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(this.normalizedShape, zeros) : null;
  }

  forward(x: Value): Value {
    return F.layerNorm(x, this.normalizedShape, this);
  }
}

/** Options of `RMSNorm`. */
export interface RMSNormOptions {
  /** What is added to the mean square. Default: 2^-23, float32's precision. */
  readonly eps?: number;
  /** Learn a factor of each element. Default: true. */
  readonly elementwiseAffine?: boolean;
}

/** `x / sqrt(mean(x²) + eps) * weight` over the last axes, which are `normalizedShape`. */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly weight: Parameter | null;

  /** @param normalizedShape the last axes, or the length of the last one. */
  constructor(
    normalizedShape: number | readonly number[],
    { eps = 2 ** -23, elementwiseAffine = true }: RMSNormOptions = {},
  ) {
    super();
    this.normalizedShape = [normalizedShape].flat();
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(this.normalizedShape, ones) : null;
  }

  forward(x: Value): Value {
    return F.rmsNorm(x, this.normalizedShape, this);
  }
}

/** Options of `GroupNorm`. */
export interface GroupNormOptions {
  /** What is added to a variance before its root is taken. Default: 1e-5. */
  readonly eps?: number;
  /** Learn a factor and an addend of each channel. Default: true. */
  readonly affine?: boolean;
}

/** The channels of `[B, numChannels, ...]` in `numGroups`, each normalized over channels and places. */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(numGroups: number, numChannels: number, { eps = 1e-5, affine = true }: GroupNormOptions = {}) {
    super();
    checkCounts("GroupNorm", { numGroups, numChannels });
    checkGroups("GroupNorm", numGroups, { input: numChannels });
    this.numGroups = numGroups;
    this.eps = eps;
    this.weight = affine ? new Parameter([numChannels], ones) : null;
    this.bias = affine ? new Parameter([numChannels], zeros) : null;
  }

  forward(x: Value): Value {
    return F.groupNorm(x, this.numGroups, this);
  }
}

/** Options of the instance normalizations. */
export interface InstanceNormOptions {
  /** What is added to a variance before its root is taken. Default: 1e-5. */
  readonly eps?: number;
  /** Learn a factor and an addend of each channel. Default: false. */
  readonly affine?: boolean;
}

/** What the instance normalizations have in common. */
abstract class InstanceNorm extends Module {
  readonly #rank: number;
  readonly numFeatures: number;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(rank: number, numFeatures: number, { eps = 1e-5, affine = false }: InstanceNormOptions) {
    super();
    checkCounts(this.constructor.name, { numFeatures });
    this.#rank = rank;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.weight = affine ? new Parameter([numFeatures], ones) : null;
    this.bias = affine ? new Parameter([numFeatures], zeros) : null;
  }

  forward(x: Value): Value {
    expectShape(
      x.rank === this.#rank + 2 && x.shape[1] === this.numFeatures,
      () =>
        `${this.constructor.name} takes ${this.numFeatures} channels of ${this.#rank} spatial axes, its input is ${shapeText(x.shape)}`,
    );
    return F.instanceNorm(x, this);
  }
}

/** Each channel of `[B, numFeatures, L]` normalized over its places. */
export class InstanceNorm1d extends InstanceNorm {
  constructor(numFeatures: number, options: InstanceNormOptions = {}) {
    super(1, numFeatures, options);
  }
}

/** Each channel of `[B, numFeatures, H, W]` normalized over its places. */
export class InstanceNorm2d extends InstanceNorm {
  constructor(numFeatures: number, options: InstanceNormOptions = {}) {
    super(2, numFeatures, options);
  }
}

/** Each channel of `[B, numFeatures, D, H, W]` normalized over its places. */
export class InstanceNorm3d extends InstanceNorm {
  constructor(numFeatures: number, options: InstanceNormOptions = {}) {
    super(3, numFeatures, options);
  }
}

/** `x / (k + alpha / size * Σ x²) ** beta`, summed over `size` channels around each. `[B, C, ...]`. */
export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly options: F.LocalResponseNormOptions;

  constructor(size: number, options: F.LocalResponseNormOptions = {}) {
    super();
    checkCounts("LocalResponseNorm", { size });
    this.size = size;
    this.options = options;
  }

  forward(x: Value): Value {
    return F.localResponseNorm(x, this.size, this.options);
  }
}
