// Pools over one, two and three spatial axes.

import type { Value } from "../../graph/graph.ts";
import * as F from "../functional/index.ts";
import { Module } from "../module.ts";

/** What pools over windows have in common. */
abstract class Pool<Options> extends Module {
  readonly kernelSize: F.PerAxis;
  readonly options: Options | undefined;

  constructor(kernelSize: F.PerAxis, options?: Options) {
    super();
    this.kernelSize = kernelSize;
    this.options = options;
  }
}

/** The maximum of each window of `[B, C, L]`. */
export class MaxPool1d extends Pool<F.MaxPoolOptions> {
  forward(x: Value): Value {
    return F.maxPool1d(x, this.kernelSize, this.options);
  }
}

/** The maximum of each window of `[B, C, H, W]`. */
export class MaxPool2d extends Pool<F.MaxPoolOptions> {
  forward(x: Value): Value {
    return F.maxPool2d(x, this.kernelSize, this.options);
  }
}

/** The maximum of each window of `[B, C, D, H, W]`. */
export class MaxPool3d extends Pool<F.MaxPoolOptions> {
  forward(x: Value): Value {
    return F.maxPool3d(x, this.kernelSize, this.options);
  }
}

/** The mean of each window of `[B, C, L]`. */
export class AvgPool1d extends Pool<F.AvgPoolOptions> {
  forward(x: Value): Value {
    return F.avgPool1d(x, this.kernelSize, this.options);
  }
}

/** The mean of each window of `[B, C, H, W]`. */
export class AvgPool2d extends Pool<F.AvgPoolOptions> {
  forward(x: Value): Value {
    return F.avgPool2d(x, this.kernelSize, this.options);
  }
}

/** The mean of each window of `[B, C, D, H, W]`. */
export class AvgPool3d extends Pool<F.AvgPoolOptions> {
  forward(x: Value): Value {
    return F.avgPool3d(x, this.kernelSize, this.options);
  }
}

/** What pools of norms have in common. */
abstract class NormPool extends Pool<F.LpPoolOptions> {
  readonly normType: number;

  constructor(normType: number, kernelSize: F.PerAxis, options?: F.LpPoolOptions) {
    super(kernelSize, options);
    this.normType = normType;
  }
}

/** `(Σ x^normType)^(1 / normType)` of each window of `[B, C, L]`. */
export class LPPool1d extends NormPool {
  forward(x: Value): Value {
    return F.lpPool1d(x, this.normType, this.kernelSize, this.options);
  }
}

/** `(Σ x^normType)^(1 / normType)` of each window of `[B, C, H, W]`. */
export class LPPool2d extends NormPool {
  forward(x: Value): Value {
    return F.lpPool2d(x, this.normType, this.kernelSize, this.options);
  }
}

/** What pools to a given size have in common. */
abstract class AdaptivePool extends Module {
  readonly outputSize: F.AdaptiveSize;

  /** @param outputSize the length of each spatial axis of the output, null for that of the input. */
  constructor(outputSize: F.AdaptiveSize) {
    super();
    this.outputSize = outputSize;
  }
}

/** The means of `[B, C, L]` over parts of nearly equal size. */
export class AdaptiveAvgPool1d extends AdaptivePool {
  forward(x: Value): Value {
    return F.adaptiveAvgPool1d(x, this.outputSize);
  }
}

/** The means of `[B, C, H, W]` over parts of nearly equal size. */
export class AdaptiveAvgPool2d extends AdaptivePool {
  forward(x: Value): Value {
    return F.adaptiveAvgPool2d(x, this.outputSize);
  }
}

/** The means of `[B, C, D, H, W]` over parts of nearly equal size. */
export class AdaptiveAvgPool3d extends AdaptivePool {
  forward(x: Value): Value {
    return F.adaptiveAvgPool3d(x, this.outputSize);
  }
}

/** The maxima of `[B, C, L]` over parts of nearly equal size. */
export class AdaptiveMaxPool1d extends AdaptivePool {
  forward(x: Value): Value {
    return F.adaptiveMaxPool1d(x, this.outputSize);
  }
}

/** The maxima of `[B, C, H, W]` over parts of nearly equal size. */
export class AdaptiveMaxPool2d extends AdaptivePool {
  forward(x: Value): Value {
    return F.adaptiveMaxPool2d(x, this.outputSize);
  }
}

/** The maxima of `[B, C, D, H, W]` over parts of nearly equal size. */
export class AdaptiveMaxPool3d extends AdaptivePool {
  forward(x: Value): Value {
    return F.adaptiveMaxPool3d(x, this.outputSize);
  }
}
