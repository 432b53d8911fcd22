// Other shapes, other lengths, and how alike vectors are.

import type { Value } from "../../graph/graph.ts";
import type { Shape } from "../../graph/shape.ts";
import * as F from "../functional/index.ts";
import { Module } from "../module.ts";

/** Axes `startDim` (default 1) to `endDim` (default -1) as one. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }

  forward(x: Value): Value {
    return F.flatten(x, this.startDim, this.endDim);
  }
}

/** Axis `dim` as several of the lengths `unflattenedSize`, where one -1 stands for what is left over. */
export class Unflatten extends Module {
  readonly dim: number;
  readonly unflattenedSize: Shape;

  constructor(dim: number, unflattenedSize: Shape) {
    super();
    this.dim = dim;
    this.unflattenedSize = unflattenedSize;
  }

  forward(x: Value): Value {
    return F.unflatten(x, this.dim, this.unflattenedSize);
  }
}

/** `[B, C, ...]` with other lengths of its spatial axes, by `size` or `scaleFactor`. */
export class Upsample extends Module {
  readonly options: F.InterpolateOptions;

  constructor(options: F.InterpolateOptions) {
    super();
    this.options = options;
  }

  forward(x: Value): Value {
    return F.interpolate(x, this.options);
  }
}

/** `[B, C * upscaleFactor², H, W]` to `[B, C, H * upscaleFactor, W * upscaleFactor]`. */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number) {
    super();
    this.upscaleFactor = upscaleFactor;
  }

  forward(x: Value): Value {
    return F.pixelShuffle(x, this.upscaleFactor);
  }
}

/** `[B, C, H * downscaleFactor, W * downscaleFactor]` to `[B, C * downscaleFactor², H, W]`. */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number) {
    super();
    this.downscaleFactor = downscaleFactor;
  }

  forward(x: Value): Value {
    return F.pixelUnshuffle(x, this.downscaleFactor);
  }
}

/** The cosine of the angle between vectors along `dim` (default: 1); norms count as at least `eps` (default: 1e-8). */
export class CosineSimilarity extends Module {
  readonly dim: number;
  readonly eps: number;

  constructor(dim = 1, eps = 1e-8) {
    super();
    this.dim = dim;
    this.eps = eps;
  }

  forward(x1: Value, x2: Value): Value {
    return F.cosineSimilarity(x1, x2, this.dim, this.eps);
  }
}

/** The norm of the differences between vectors along the last axis. */
export class PairwiseDistance extends Module {
  readonly options: F.PairwiseDistanceOptions;

  constructor(options: F.PairwiseDistanceOptions = {}) {
    super();
    this.options = options;
  }

  forward(x1: Value, x2: Value): Value {
    return F.pairwiseDistance(x1, x2, this.options);
  }
}
