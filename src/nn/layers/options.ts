// What layers share: checks of their arguments, and PyTorch's initial values.

import { ArborizeError } from "../../base/errors.ts";
import { sizeOf } from "../../base/tensor.ts";
import { type Initializer, kaimingUniform, uniform } from "../init.ts";
import { Parameter } from "../module.ts";

/** PyTorch's initial weights of Linear and the convolutions: uniform over ±1 / sqrt(fanIn). */
const defaultWeight = kaimingUniform(Math.sqrt(5));

/** PyTorch's initial biases: uniform over ±1 / sqrt(fanIn). */
function defaultBias(fanIn: number): Initializer {
  return uniform(-1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
}

/** PyTorch's initial values of all parameters of recurrent layers: uniform over ±1 / sqrt(hiddenSize). */
export function recurrentInit(hiddenSize: number): Initializer {
  return defaultBias(hiddenSize);
}

/** @throws `bad_option` naming a count that is not a whole number from 1. */
export function checkCounts(layer: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isSafeInteger(count) && count > 0) continue;
    throw new ArborizeError(
      "bad_option",
      `${layer}: ${name} is ${count}, it must be a whole number of at least 1.`,
    );
  }
}

/** @throws `bad_option` naming channels that do not divide into groups. */
export function checkGroups(layer: string, groups: number, channels: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(channels)) {
    if (count % groups === 0) continue;
    const problem = `${count} ${name} channels do not divide into ${groups} groups`;
    throw new ArborizeError("bad_option", `${layer}: ${problem}.`);
  }
}

/** Options of layers that may have a bias. */
export interface BiasOption {
  /** Default: true. */
  readonly bias?: boolean;
}

/** Options of layers with a weight that is drawn. */
export interface WeightInitOption {
  /** The initial weight, such as `nn.init.orthogonal()`. Default: PyTorch's. */
  readonly weightInit?: Initializer;
}

/** Options of layers with a weight and perhaps a bias. */
export interface AffineOptions extends BiasOption, WeightInitOption {
  /** The initial bias. Default: PyTorch's. */
  readonly biasInit?: Initializer;
}

/** The parameters of a layer with a weight of `shape` and perhaps a bias for each output, by PyTorch's initial values. */
export function affine(
  shape: readonly number[],
  outputs: number,
  { bias = true, weightInit = defaultWeight, biasInit = defaultBias(sizeOf(shape.slice(1))) }: AffineOptions,
): { weight: Parameter; bias: Parameter | null } {
  return {
    weight: new Parameter(shape, weightInit),
    bias: bias ? new Parameter([outputs], biasInit) : null,
  };
}
