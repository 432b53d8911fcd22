// Initial values of parameters, under PyTorch's names and formulas.

import type { Random } from "../base/random.ts";
import { sizeOf, Tensor } from "../base/tensor.ts";

/** Makes the initial value of a parameter of `shape`, drawing from a stream of the parameter's own. */
export type Initializer = (shape: readonly number[], random: Random) => Tensor<"float32">;

function fill(shape: readonly number[], draw: () => number): Tensor<"float32"> {
  return new Tensor("float32", shape, Float32Array.from({ length: sizeOf(shape) }, draw));
}

/** Every element 0. */
export const zeros: Initializer = (shape) => Tensor.zeros(shape);

/** Every element 1. */
export const ones: Initializer = (shape) => Tensor.full(shape, 1);

/** Every element `value`. */
export function constant(value: number): Initializer {
  return (shape) => Tensor.full(shape, value);
}

/** Uniform over [low, high). */
export function uniform(low = 0, high = 1): Initializer {
  return (shape, random) => fill(shape, () => random.uniform(low, high));
}

/** Normal with the given mean and standard deviation. */
export function normal(mean = 0, std = 1): Initializer {
  return (shape, random) => fill(shape, () => mean + std * random.normal());
}

/** Inputs and outputs of one unit of a weight `[outputs, inputs, *kernel]`. */
function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  const kernel = sizeOf(shape.slice(2));
  return { fanIn: (shape[1] ?? 1) * kernel, fanOut: shape[0]! * kernel };
}

/**
 * Uniform over ±sqrt(6 / ((1 + a²) * fanIn)), which keeps the variance through layers followed by a leaky relu of slope
 * `a` (He et al. 2015). With a = sqrt(5), the default of PyTorch's layers, that is ±1 / sqrt(fanIn).
 */
export function kaimingUniform(a = 0): Initializer {
  return (shape, random) => {
    const bound = Math.sqrt(6 / ((1 + a * a) * fans(shape).fanIn));
    return fill(shape, () => random.uniform(-bound, bound));
  };
}

/** Normal with standard deviation sqrt(2 / ((1 + a²) * fanIn)) (He et al. 2015). */
export function kaimingNormal(a = 0): Initializer {
  return (shape, random) => {
    const std = Math.sqrt(2 / ((1 + a * a) * fans(shape).fanIn));
    return fill(shape, () => std * random.normal());
  };
}

/** Uniform over ±gain * sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export function xavierUniform(gain = 1): Initializer {
  return (shape, random) => {
    const { fanIn, fanOut } = fans(shape);
    const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
    return fill(shape, () => random.uniform(-bound, bound));
  };
}
