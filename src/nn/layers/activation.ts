// Activations, element by element.

import type { Value } from "../../graph/graph.ts";
import * as F from "../functional/index.ts";
import { constant } from "../init.ts";
import { Module, Parameter } from "../module.ts";

/** max(x, 0). */
export class ReLU extends Module {
  forward(x: Value): Value {
    return F.relu(x);
  }
}

/** `x` within 0 and 6. */
export class ReLU6 extends Module {
  forward(x: Value): Value {
    return F.relu6(x);
  }
}

/** `x`, times a slope where negative. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  /** @param negativeSlope default: 0.01. */
  constructor(negativeSlope = 0.01) {
    super();
    this.negativeSlope = negativeSlope;
  }

  forward(x: Value): Value {
    return F.leakyRelu(x, this.negativeSlope);
  }
}

/** Options of `PReLU`. */
export interface PReLUOptions {
  /** The slope that it starts from. Default: 0.25. */
  readonly init?: number;
}

/** `x`, times a learned slope where negative. */
export class PReLU extends Module {
  readonly weight: Parameter;

  /** @param numParameters one for all (the default), or as many as `[B, C, ...]` has channels. */
  constructor(numParameters = 1, { init = 0.25 }: PReLUOptions = {}) {
    super();
    this.weight = new Parameter([numParameters], constant(init));
  }

  forward(x: Value): Value {
    return F.prelu(x, this.weight);
  }
}

/** `x`, where negative times the mean slope of `lower` and `upper`, as in PyTorch's evaluation. */
export class RReLU extends Module {
  readonly lower: number;
  readonly upper: number;

  /**
   * @param lower default: 1/8.
   * @param upper default: 1/3.
   */
  constructor(lower = 1 / 8, upper = 1 / 3) {
    super();
    this.lower = lower;
    this.upper = upper;
  }

  forward(x: Value): Value {
    return F.rrelu(x, this.lower, this.upper);
  }
}

/** `x`, where negative `alpha (e^x - 1)`. */
export class ELU extends Module {
  readonly alpha: number;

  /** @param alpha default: 1. */
  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }

  forward(x: Value): Value {
    return F.elu(x, this.alpha);
  }
}

/** `x`, where negative `alpha (e^(x / alpha) - 1)`. */
export class CELU extends Module {
  readonly alpha: number;

  /** @param alpha default: 1. */
  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }

  forward(x: Value): Value {
    return F.celu(x, this.alpha);
  }
}

/** `1.0507 x`, where negative `1.7581 (e^x - 1)`. */
export class SELU extends Module {
  forward(x: Value): Value {
    return F.selu(x);
  }
}

/** `x` times the probability that a standard normal number is below `x`. */
export class GELU extends Module {
  readonly options: F.GeluOptions;

  constructor(options: F.GeluOptions = {}) {
    super();
    this.options = options;
  }

  forward(x: Value): Value {
    return F.gelu(x, this.options);
  }
}

/** `x` times its sigmoid. */
export class SiLU extends Module {
  forward(x: Value): Value {
    return F.silu(x);
  }
}

/** `x * tanh(log(1 + e^x))`. */
export class Mish extends Module {
  forward(x: Value): Value {
    return F.mish(x);
  }
}

/** 1 / (1 + e^-x). */
export class Sigmoid extends Module {
  forward(x: Value): Value {
    return F.sigmoid(x);
  }
}

/** The logarithm of the sigmoid. */
export class LogSigmoid extends Module {
  forward(x: Value): Value {
    return F.logsigmoid(x);
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Module {
  forward(x: Value): Value {
    return F.tanh(x);
  }
}

/** x / (1 + |x|). */
export class Softsign extends Module {
  forward(x: Value): Value {
    return F.softsign(x);
  }
}

/** `log(1 + e^(beta x)) / beta`, and `x` where `beta x` is above `threshold`. */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  /**
   * @param beta default: 1.
   * @param threshold default: 20.
   */
  constructor(beta = 1, threshold = 20) {
    super();
    this.beta = beta;
    this.threshold = threshold;
  }

  forward(x: Value): Value {
    return F.softplus(x, this.beta, this.threshold);
  }
}
