// Activations that cut off, and the softmax family.

import type { Value } from "../../graph/graph.ts";
import * as F from "../functional/index.ts";
import { Module } from "../module.ts";

/** `x / 6 + 1 / 2` within 0 and 1. */
export class Hardsigmoid extends Module {
  forward(x: Value): Value {
    return F.hardsigmoid(x);
  }
}

/** `x` times the hard sigmoid. */
export class Hardswish extends Module {
  forward(x: Value): Value {
    return F.hardswish(x);
  }
}

/** `x` within bounds. */
export class Hardtanh extends Module {
  readonly minVal: number;
  readonly maxVal: number;

  /**
   * @param minVal default: -1.
   * @param maxVal default: 1.
   */
  constructor(minVal = -1, maxVal = 1) {
    super();
    this.minVal = minVal;
    this.maxVal = maxVal;
  }

  forward(x: Value): Value {
    return F.hardtanh(x, this.minVal, this.maxVal);
  }
}

/** 0 within `lambd` of zero, elsewhere `x`. */
export class Hardshrink extends Module {
  readonly lambd: number;

  /** @param lambd default: 0.5. */
  constructor(lambd = 0.5) {
    super();
    this.lambd = lambd;
  }

  forward(x: Value): Value {
    return F.hardshrink(x, this.lambd);
  }
}

/** 0 within `lambd` of zero, elsewhere `x` moved by `lambd` towards zero. */
export class Softshrink extends Module {
  readonly lambd: number;

  /** @param lambd default: 0.5. */
  constructor(lambd = 0.5) {
    super();
    this.lambd = lambd;
  }

  forward(x: Value): Value {
    return F.softshrink(x, this.lambd);
  }
}

/** `x - tanh(x)`. */
export class Tanhshrink extends Module {
  forward(x: Value): Value {
    return F.tanhshrink(x);
  }
}

/** `x` where it is above `threshold`, else `value`. */
export class Threshold extends Module {
  readonly threshold: number;
  readonly value: number;

  constructor(threshold: number, value: number) {
    super();
    this.threshold = threshold;
    this.value = value;
  }

  forward(x: Value): Value {
    return F.threshold(x, this.threshold, this.value);
  }
}

/** The first half of `dim` times the sigmoid of the second. */
export class GLU extends Module {
  readonly dim: number;

  /** @param dim default: the last. */
  constructor(dim = -1) {
    super();
    this.dim = dim;
  }

  forward(x: Value): Value {
    return F.glu(x, this.dim);
  }
}

/** Softmax over `dim`. */
export class Softmax extends Module {
  readonly dim: number;

  /** @param dim default: the last. */
  constructor(dim = -1) {
    super();
    this.dim = dim;
  }

  forward(x: Value): Value {
    return F.softmax(x, this.dim);
  }
}

/** The softmax of `-x` over `dim`. */
export class Softmin extends Module {
  readonly dim: number;

  /** @param dim default: the last. */
  constructor(dim = -1) {
    super();
    this.dim = dim;
  }

  forward(x: Value): Value {
    return F.softmin(x, this.dim);
  }
}

/** The logarithm of the softmax over `dim`. */
export class LogSoftmax extends Module {
  readonly dim: number;

  /** @param dim default: the last. */
  constructor(dim = -1) {
    super();
    this.dim = dim;
  }

  forward(x: Value): Value {
    return F.logSoftmax(x, this.dim);
  }
}

/** Softmax over the channels of `[B, C, H, W]`. */
export class Softmax2d extends Module {
  forward(x: Value): Value {
    return F.softmax(x, -3);
  }
}
