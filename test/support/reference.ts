// What modules and dendrites compute, by plain loops in float64: the formulas, written down once more.

import type { Tensor } from "../../src/base/tensor.ts";

/** Numbers with their lengths along each axis. */
export interface Dense {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** A tensor in float64. */
export function dense(tensor: Tensor): Dense {
  return { shape: tensor.shape, data: Float64Array.from(tensor.toNumbers()) };
}

/** `x Wᵀ + b` over the last axis. */
export function linear(x: Dense, w: Dense, b: Dense | null): Dense {
  const [outputs, inputs] = w.shape as [number, number];
  const rows = x.data.length / inputs;
  const data = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let out = 0; out < outputs; out++) {
      let total = b ? b.data[out]! : 0;
      for (let i = 0; i < inputs; i++) total += x.data[row * inputs + i]! * w.data[out * inputs + i]!;
      data[row * outputs + out] = total;
    }
  }
  return { shape: [...x.shape.slice(0, -1), outputs], data };
}

/** What a two-dimensional convolution is made with: per axis. */
export interface ConvSettings {
  readonly stride: readonly [number, number];
  /** Zeros before and after each axis. */
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

/** A two-dimensional convolution (a correlation, as in PyTorch). */
export function conv2d(x: Dense, w: Dense, b: Dense | null, settings: ConvSettings): Dense {
  const { stride, padding, dilation, groups } = settings;
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [outputs, perGroup, kh, kw] = w.shape as [number, number, number, number];
  const length = (size: number, kernel: number, axis: 0 | 1) =>
    Math.floor((size + 2 * padding[axis] - dilation[axis] * (kernel - 1) - 1) / stride[axis]) + 1;
  const [outHeight, outWidth] = [length(height, kh, 0), length(width, kw, 1)];
  const data = new Float64Array(batch * outputs * outHeight * outWidth);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let out = 0; out < outputs; out++) {
      const first = Math.floor(out / (outputs / groups)) * perGroup;
      for (let i = 0; i < outHeight; i++) {
        for (let j = 0; j < outWidth; j++) {
          let total = b ? b.data[out]! : 0;
          for (let c = 0; c < perGroup; c++) {
            for (let p = 0; p < kh; p++) {
              for (let q = 0; q < kw; q++) {
                const row = i * stride[0] - padding[0] + p * dilation[0];
                const column = j * stride[1] - padding[1] + q * dilation[1];
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                const pixel = ((n * channels + first + c) * height + row) * width + column;
                total += x.data[pixel]! * w.data[((out * perGroup + c) * kh + p) * kw + q]!;
              }
            }
          }
          data[at++] = total;
        }
      }
    }
  }
  return { shape: [batch, outputs, outHeight, outWidth], data };
}

export const ACTIVATIONS: Readonly<Record<string, (x: number) => number>> = {
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  sin: Math.sin,
};

/** The parameters of a module with dendrites. */
export interface DendriteWeights {
  /** What dendrite j computes before its cascade: D_j(x). */
  readonly own: readonly Dense[];
  /** C_j: `[j, c]`; none for the first. */
  readonly cascades: readonly (Dense | null)[];
  /** T: `[k, c]`. */
  readonly output: Dense | null;
}

/** `y + sum_j T[j] * o_j`, where `o_j = act(D_j(x) + sum_{i<j} C_j[i] * o_i)`; weights per index of `channelAxis`. */
export function withDendrites(
  y: Dense,
  { own, cascades, output }: DendriteWeights,
  activation: string,
  channelAxis: number,
): Dense {
  const channels = y.shape[channelAxis]!;
  const inner = y.shape.slice(channelAxis + 1).reduce((a, b) => a * b, 1);
  const channelOf = (i: number) => Math.floor(i / inner) % channels;
  const outputs: Float64Array[] = [];
  own.forEach(({ data }, j) => {
    const o = data.map((value, i) => {
      let total = value;
      for (let k = 0; k < j; k++) total += cascades[j]!.data[k * channels + channelOf(i)]! * outputs[k]![i]!;
      return ACTIVATIONS[activation]!(total);
    });
    outputs.push(o);
  });
  const data = y.data.map((value, i) =>
    outputs.reduce((sum, o, j) => sum + output!.data[j * channels + channelOf(i)]! * o[i]!, value),
  );
  return { shape: y.shape, data };
}
