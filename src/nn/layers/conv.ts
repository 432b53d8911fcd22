// Convolutions over one, two and three spatial axes, and their transposes.

import { ArborizeError } from "../../base/errors.ts";
import type { Value } from "../../graph/graph.ts";
import { sidesOf } from "../functional/conv.ts";
import * as F from "../functional/index.ts";
import { perAxis } from "../functional/operand.ts";
import { Module, type Parameter } from "../module.ts";
import { type AffineOptions, affine, checkCounts, checkGroups } from "./options.ts";

/** The kernel's lengths. @throws `bad_option` unless it has a whole number from 1 for each axis. */
function kernelLengths(layer: string, kernelSize: F.PerAxis, rank: number): readonly number[] {
  const kernel = typeof kernelSize === "number" ? new Array<number>(rank).fill(kernelSize) : kernelSize;
  const names = ["kernelDepth", "kernelHeight", "kernelWidth"].slice(-rank);
  checkCounts(layer, Object.fromEntries(names.map((name, i) => [name, kernel[i] ?? 0])));
  if (kernel.length === rank) return kernel;
  throw new ArborizeError(
    "bad_option",
    `${layer}: the kernel has ${kernel.length} lengths, it must have ${rank}.`,
  );
}

/** Options of the convolutions. */
export interface ConvOptions extends F.ConvOptions, AffineOptions {
  /** What padding is filled with: zeros (the default), the mirror image, the edge, or the other end. */
  readonly paddingMode?: "zeros" | "reflect" | "replicate" | "circular";
}

/** What the convolutions have in common. */
abstract class Convolution extends Module {
  readonly options: F.ConvOptions;
  readonly paddingMode: NonNullable<ConvOptions["paddingMode"]>;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    rank: number,
    inChannels: number,
    outChannels: number,
    kernelSize: F.PerAxis,
    { paddingMode = "zeros", ...options }: ConvOptions,
  ) {
    super();
    this.options = options;
    this.paddingMode = paddingMode;
    const layer = this.constructor.name;
    const { groups = 1 } = options;
    checkCounts(layer, { inChannels, outChannels, groups });
    const kernel = kernelLengths(layer, kernelSize, rank);
    checkGroups(layer, groups, { input: inChannels, output: outChannels });
    const { weight, bias } = affine([outChannels, inChannels / groups, ...kernel], outChannels, options);
    this.weight = weight;
    this.bias = bias;
  }

  /** The input with its padding, where that is not zeros, and the options that are left. */
  protected padded(x: Value): [x: Value, options: F.ConvOptions] {
    if (this.paddingMode === "zeros") return [x, this.options];
    const { padding = 0, dilation = 1, ...options } = this.options;
    const kernel = this.weight.shape.slice(2);
    const sides = sidesOf(padding, kernel, perAxis(dilation, kernel.length));
    const fromLast = kernel.map((_, i) => kernel.length - 1 - i);
    const around = fromLast.flatMap((axis) => [sides[axis]!, sides[axis + kernel.length]!]);
    return [F.pad(x, around, { mode: this.paddingMode }), { ...options, dilation }];
  }
}

/** A convolution. `[B, inChannels, L]` to `[B, outChannels, L']`. */
export class Conv1d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: F.PerAxis, options: ConvOptions = {}) {
    super(1, inChannels, outChannels, kernelSize, options);
  }

  forward(x: Value): Value {
    const [input, options] = this.padded(x);
    return F.conv1d(input, this.weight, this.bias, options);
  }
}

/** A two-dimensional convolution. `[B, inChannels, H, W]` to `[B, outChannels, H', W']`. */
export class Conv2d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: F.PerAxis, options: ConvOptions = {}) {
    super(2, inChannels, outChannels, kernelSize, options);
  }

  forward(x: Value): Value {
    const [input, options] = this.padded(x);
    return F.conv2d(input, this.weight, this.bias, options);
  }
}

/** A three-dimensional convolution. `[B, inChannels, D, H, W]` to `[B, outChannels, D', H', W']`. */
export class Conv3d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: F.PerAxis, options: ConvOptions = {}) {
    super(3, inChannels, outChannels, kernelSize, options);
  }

  forward(x: Value): Value {
    const [input, options] = this.padded(x);
    return F.conv3d(input, this.weight, this.bias, options);
  }
}

/** Options of the transposed convolutions. */
export interface ConvTransposeOptions extends F.ConvTransposeOptions, AffineOptions {}

/** What the transposed convolutions have in common. */
abstract class TransposedConvolution extends Module {
  readonly options: F.ConvTransposeOptions;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    rank: number,
    inChannels: number,
    outChannels: number,
    kernelSize: F.PerAxis,
    options: ConvTransposeOptions,
  ) {
    super();
    this.options = options;
    const layer = this.constructor.name;
    const { groups = 1 } = options;
    checkCounts(layer, { inChannels, outChannels, groups });
    const kernel = kernelLengths(layer, kernelSize, rank);
    checkGroups(layer, groups, { input: inChannels, output: outChannels });
    // PyTorch counts the weight's second axis as inputs here too.
    const { weight, bias } = affine([inChannels, outChannels / groups, ...kernel], outChannels, options);
    this.weight = weight;
    this.bias = bias;
  }
}

/** A transposed convolution. `[B, inChannels, L]` to `[B, outChannels, L']`. */
export class ConvTranspose1d extends TransposedConvolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: F.PerAxis,
    options: ConvTransposeOptions = {},
  ) {
    super(1, inChannels, outChannels, kernelSize, options);
  }

  forward(x: Value): Value {
    return F.convTranspose1d(x, this.weight, this.bias, this.options);
  }
}

/** A transposed convolution. `[B, inChannels, H, W]` to `[B, outChannels, H', W']`. */
export class ConvTranspose2d extends TransposedConvolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: F.PerAxis,
    options: ConvTransposeOptions = {},
  ) {
    super(2, inChannels, outChannels, kernelSize, options);
  }

  forward(x: Value): Value {
    return F.convTranspose2d(x, this.weight, this.bias, this.options);
  }
}

/** A transposed convolution. `[B, inChannels, D, H, W]` to `[B, outChannels, D', H', W']`. */
export class ConvTranspose3d extends TransposedConvolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: F.PerAxis,
    options: ConvTransposeOptions = {},
  ) {
    super(3, inChannels, outChannels, kernelSize, options);
  }

  forward(x: Value): Value {
    return F.convTranspose3d(x, this.weight, this.bias, this.options);
  }
}
