// Initial values of parameters, under PyTorch's names and formulas.

import { ArborizeError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { sizeOf, Tensor } from "../base/tensor.ts";

/** Makes the initial value of a parameter of `shape`, drawing from a stream of the parameter's own. */
export type Initializer = (shape: readonly number[], random: Random) => Tensor<"float32">;

function fill(shape: readonly number[], draw: () => number): Tensor<"float32"> {
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = draw();
  return new Tensor("float32", shape, data);
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

/** Normal with the given mean and standard deviation, drawn again where outside `[low, high]`. Defaults: 0, 1, -2, 2. */
export function truncNormal(mean = 0, std = 1, low = -2, high = 2): Initializer {
  // What lies further behind the bound that is nearest to the mean than this has no weight worth drawing.
  const from = Math.max(low, Math.min(mean, high) - 10 * std);
  const to = Math.min(high, Math.max(mean, low) + 10 * std);
  const exponent = (x: number) => -0.5 * ((x - mean) / std) ** 2;
  const largest = exponent(Math.min(Math.max(mean, from), to));
  // Uniform numbers, kept as often as their density says, where more of them are kept than of normal ones.
  const uniformly = (to - from) * Math.exp(largest) < Math.sqrt(2 * Math.PI) * std;
  const draw = (random: Random): number => {
    for (;;) {
      const x = uniformly ? random.uniform(from, to) : mean + std * random.normal();
      const kept = uniformly ? random.uniform() < Math.exp(exponent(x) - largest) : x >= from && x <= to;
      if (kept) return x;
    }
  };
  return (shape, random) => fill(shape, () => draw(random));
}

/** A matrix with ones on its diagonal, zeros elsewhere. */
export const eye: Initializer = (shape) => {
  expectAxes("eye", shape, shape.length === 2, "a matrix");
  const matrix = Tensor.zeros(shape);
  for (let i = 0; i < Math.min(...shape); i++) matrix.data[i * shape[1]! + i] = 1;
  return matrix;
};

/** A convolution's weight that passes as many input channels as there are on unchanged, in each of `groups`. */
export function dirac(groups = 1): Initializer {
  return (shape) => {
    expectAxes("dirac", shape, shape.length >= 3 && shape.length <= 5, "the weight of a convolution");
    expectAxes("dirac", shape, shape[0]! % groups === 0, `made of ${groups} groups of outputs`);
    const [outputs, inputs, ...kernel] = shape as [number, number, ...number[]];
    const weight = Tensor.zeros(shape);
    const center = kernel.reduce((at, length) => at * length + Math.floor(length / 2), 0);
    const each = outputs / groups;
    for (let out = 0; out < outputs; out++) {
      const channel = out % each;
      if (channel < inputs) weight.data[(out * inputs + channel) * sizeOf(kernel) + center] = 1;
    }
    return weight;
  };
}

/**
 * A matrix `[outputs, inputs * kernel]` with orthonormal rows or, where there are more of them than columns, columns, times
 * `gain`: uniform over all such (Saxe et al. 2013).
 */
export function orthogonal(gain = 1): Initializer {
  return (shape, random) => {
    expectAxes("orthogonal", shape, shape.length >= 2, "two axes or more");
    const rows = shape[0]!;
    const columns = sizeOf(shape.slice(1));
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    const vectors = orthonormal(count, length, random);
    const weight = Tensor.zeros(shape);
    for (let i = 0; i < weight.data.length; i++) {
      const [row, column] = [Math.floor(i / columns), i % columns];
      weight.data[i] = gain * (rows > columns ? vectors[column]![row]! : vectors[row]![column]!);
    }
    return weight;
  };
}

/** `count` orthonormal vectors by Gram and Schmidt, from normal ones; twice, as the first time leaves rounding. */
function orthonormal(count: number, length: number, random: Random): Float64Array[] {
  const found: Float64Array[] = [];
  while (found.length < count) {
    const vector = Float64Array.from({ length }, () => random.normal());
    for (let pass = 0; pass < 2; pass++) {
      for (const other of found) {
        const along = vector.reduce((sum, x, i) => sum + x * other[i]!, 0);
        for (let i = 0; i < length; i++) vector[i]! -= along * other[i]!;
      }
    }
    const norm = Math.hypot(...vector);
    found.push(vector.map((x) => x / norm));
  }
  return found;
}

/** A matrix of normal numbers of deviation `std` (default: 0.01), with a share `sparsity` of each column zero (Martens 2010). */
export function sparse(sparsity: number, std = 0.01): Initializer {
  return (shape, random) => {
    expectAxes("sparse", shape, shape.length === 2, "a matrix");
    const [rows, columns] = shape as [number, number];
    const matrix = fill(shape, () => std * random.normal());
    for (let column = 0; column < columns; column++) {
      const dropped = random.permutation(rows).slice(0, Math.ceil(sparsity * rows));
      for (const row of dropped) matrix.data[row * columns + column] = 0;
    }
    return matrix;
  };
}

function expectAxes(name: string, shape: readonly number[], fits: boolean, wanted: string): void {
  if (fits) return;
  const message = `init.${name}: a parameter [${shape.join(", ")}] is not ${wanted}.`;
  throw new ArborizeError("shape_mismatch", message);
}

/** What comes after a layer, under PyTorch's names. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leaky_relu" | "selu";

/** By how much weights must be larger so that variance passes a nonlinearity; `param` is the slope of "leaky_relu" (0.01). */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  const gains: Readonly<Record<Nonlinearity, number>> = {
    linear: 1,
    sigmoid: 1,
    tanh: 5 / 3,
    relu: Math.SQRT2,
    leaky_relu: Math.sqrt(2 / (1 + param * param)),
    selu: 3 / 4,
  };
  return gains[nonlinearity];
}

/** Inputs and outputs of one unit of a weight `[outputs, inputs, *kernel]`. */
function fans(shape: readonly number[]): { fan_in: number; fan_out: number } {
  const kernel = sizeOf(shape.slice(2));
  return { fan_in: (shape[1] ?? 1) * kernel, fan_out: shape[0]! * kernel };
}

/** Options of `kaimingUniform` and `kaimingNormal`. */
export interface KaimingOptions {
  /** Keep the variance of what goes forward ("fan_in", the default) or of gradients that come back ("fan_out"). */
  readonly mode?: "fan_in" | "fan_out";
  /** Default: "leaky_relu", of slope `a`. */
  readonly nonlinearity?: Nonlinearity;
}

function kaimingDeviation(
  shape: readonly number[],
  a: number,
  { mode = "fan_in", nonlinearity = "leaky_relu" }: KaimingOptions,
): number {
  return calculateGain(nonlinearity, a) / Math.sqrt(fans(shape)[mode]);
}

/**
 * Uniform over ±gain * sqrt(3 / fan), which keeps the variance through layers followed by a leaky relu of slope `a` (He et al.
 * 2015). With a = sqrt(5), the default of PyTorch's layers, that is ±1 / sqrt(fanIn).
 */
export function kaimingUniform(a = 0, options: KaimingOptions = {}): Initializer {
  return (shape, random) => {
    const bound = Math.sqrt(3) * kaimingDeviation(shape, a, options);
    return fill(shape, () => random.uniform(-bound, bound));
  };
}

/** Normal with standard deviation gain / sqrt(fan) (He et al. 2015); see `kaimingUniform`. */
export function kaimingNormal(a = 0, options: KaimingOptions = {}): Initializer {
  return (shape, random) => {
    const std = kaimingDeviation(shape, a, options);
    return fill(shape, () => std * random.normal());
  };
}

/** Uniform over ±gain * sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export function xavierUniform(gain = 1): Initializer {
  return (shape, random) => {
    const bound = Math.sqrt(3) * xavierDeviation(shape, gain);
    return fill(shape, () => random.uniform(-bound, bound));
  };
}

/** Normal with standard deviation gain * sqrt(2 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export function xavierNormal(gain = 1): Initializer {
  return (shape, random) => {
    const std = xavierDeviation(shape, gain);
    return fill(shape, () => std * random.normal());
  };
}

function xavierDeviation(shape: readonly number[], gain: number): number {
  const { fan_in, fan_out } = fans(shape);
  return gain * Math.sqrt(2 / (fan_in + fan_out));
}
