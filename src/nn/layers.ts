// Layers under PyTorch's names, with its arguments, defaults and initial values.

import { ArborizeError } from "../base/errors.ts";
import { sizeOf } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import * as F from "./functional.ts";
import { type Initializer, kaimingUniform, uniform } from "./init.ts";
import { Module, Parameter } from "./module.ts";

/** PyTorch's initial weights of Linear and the convolutions: uniform over ±1 / sqrt(fanIn). */
const defaultWeight = kaimingUniform(Math.sqrt(5));

/** PyTorch's initial biases: uniform over ±1 / sqrt(fanIn). */
function defaultBias(fanIn: number): Initializer {
  return uniform(-1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
}

/** @throws `bad_option` naming a count that is not a whole number from 1. */
function checkCounts(layer: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isSafeInteger(count) && count > 0) continue;
    throw new ArborizeError(
      "bad_option",
      `${layer}: ${name} is ${count}, it must be a whole number of at least 1.`,
    );
  }
}

/** Options of layers that may have a bias. */
export interface BiasOption {
  /** Default: true. */
  readonly bias?: boolean;
}

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

/** A two-dimensional convolution. `[B, inChannels, H, W]` to `[B, outChannels, H', W']`. */
export class Conv2d extends Module {
  readonly options: F.ConvOptions;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: F.PerAxis,
    { bias = true, ...options }: F.ConvOptions & BiasOption = {},
  ) {
    super();
    this.options = options;
    const { groups = 1 } = options;
    const kernel = typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
    const [kernelHeight = 0, kernelWidth = 0] = kernel;
    checkCounts("Conv2d", { inChannels, outChannels, groups, kernelHeight, kernelWidth });
    for (const [name, channels] of Object.entries({ input: inChannels, output: outChannels })) {
      if (channels % groups === 0) continue;
      const problem = `${channels} ${name} channels do not divide into ${groups} groups`;
      throw new ArborizeError("bad_option", `Conv2d: ${problem}.`);
    }
    const shape = [outChannels, inChannels / groups, ...kernel];
    this.weight = new Parameter(shape, defaultWeight);
    this.bias = bias ? new Parameter([outChannels], defaultBias(sizeOf(shape.slice(1)))) : null;
  }

  forward(x: Value): Value {
    return F.conv2d(x, this.weight, this.bias, this.options);
  }
}

/** The maximum of each window of `[B, C, H, W]`. */
export class MaxPool2d extends Module {
  readonly kernelSize: F.PerAxis;
  readonly options: F.MaxPoolOptions;

  constructor(kernelSize: F.PerAxis, options: F.MaxPoolOptions = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Value): Value {
    return F.maxPool2d(x, this.kernelSize, this.options);
  }
}

/** The mean of each window of `[B, C, H, W]`. */
export class AvgPool2d extends Module {
  readonly kernelSize: F.PerAxis;
  readonly options: F.AvgPoolOptions;

  constructor(kernelSize: F.PerAxis, options: F.AvgPoolOptions = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Value): Value {
    return F.avgPool2d(x, this.kernelSize, this.options);
  }
}

/** Drops elements with probability `p` in training. */
export class Dropout extends Module {
  readonly p: number;

  /** @param p default: 0.5. */
  constructor(p = 0.5) {
    super();
    this.p = p;
  }

  forward(x: Value): Value {
    return F.dropout(x, this.p);
  }
}

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

/** max(x, 0). */
export class ReLU extends Module {
  forward(x: Value): Value {
    return F.relu(x);
  }
}

/** 1 / (1 + e^-x). */
export class Sigmoid extends Module {
  forward(x: Value): Value {
    return F.sigmoid(x);
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Module {
  forward(x: Value): Value {
    return F.tanh(x);
  }
}

/** Softmax over `dim` (default: the last). */
export class Softmax extends Module {
  readonly dim: number;

  constructor(dim = -1) {
    super();
    this.dim = dim;
  }

  forward(x: Value): Value {
    return F.softmax(x, this.dim);
  }
}

/** The logarithm of the softmax over `dim` (default: the last). */
export class LogSoftmax extends Module {
  readonly dim: number;

  constructor(dim = -1) {
    super();
    this.dim = dim;
  }

  forward(x: Value): Value {
    return F.logSoftmax(x, this.dim);
  }
}

/** The input itself. */
export class Identity extends Module {
  forward(x: Value): Value {
    return x;
  }
}

/** Modules one after another, named by position: `0`, `1`, … */
export class Sequential extends Module {
  readonly #modules: readonly Module[];

  constructor(...modules: readonly Module[]) {
    super();
    this.#modules = modules;
  }

  override children(): [name: string, child: Module | Parameter][] {
    return this.#modules.map((module, i) => [`${i}`, module]);
  }

  forward(x: Value): Value {
    return this.#modules.reduce((value, module) => module.call(value as never), x);
  }
}
