// Pools that are told the size of their output, and choose windows accordingly.

import type { Value } from "../../graph/graph.ts";
import { isStatic, shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import { mapAxis } from "../../ops/map-axis.ts";

/** The length of each spatial axis of an output, or one for all; null for that of the input. */
export type AdaptiveSize = number | readonly (number | null)[];

/** The means of `[B, C, L]` over parts of nearly equal length, `[B, C, outputSize]`. Over symbolic axes the size must be 1. */
export function adaptiveAvgPool1d(x: Value, outputSize: AdaptiveSize): Value {
  return pooled(1, x, outputSize, AVERAGE);
}

/** The means of `[B, C, H, W]` over parts of nearly equal size. Over symbolic axes the size must be 1. */
export function adaptiveAvgPool2d(x: Value, outputSize: AdaptiveSize): Value {
  return pooled(2, x, outputSize, AVERAGE);
}

/** The means of `[B, C, D, H, W]` over parts of nearly equal size. Over symbolic axes the size must be 1. */
export function adaptiveAvgPool3d(x: Value, outputSize: AdaptiveSize): Value {
  return pooled(3, x, outputSize, AVERAGE);
}

/** The maxima of `[B, C, L]` over parts of nearly equal length, `[B, C, outputSize]`. Over symbolic axes the size must be 1. */
export function adaptiveMaxPool1d(x: Value, outputSize: AdaptiveSize): Value {
  return pooled(1, x, outputSize, MAXIMUM);
}

/** The maxima of `[B, C, H, W]` over parts of nearly equal size. Over symbolic axes the size must be 1. */
export function adaptiveMaxPool2d(x: Value, outputSize: AdaptiveSize): Value {
  return pooled(2, x, outputSize, MAXIMUM);
}

/** The maxima of `[B, C, D, H, W]` over parts of nearly equal size. Over symbolic axes the size must be 1. */
export function adaptiveMaxPool3d(x: Value, outputSize: AdaptiveSize): Value {
  return pooled(3, x, outputSize, MAXIMUM);
}

/** How parts become one element. */
interface Pool {
  /** Of all places. */
  readonly everything: (x: Value) => Value;
  /** Of an axis of any length, to length 1. */
  readonly whole: (x: Value, axis: number) => Value;
  /** Of windows that lie side by side. */
  readonly windows: (x: Value, kernel: readonly number[]) => Value;
  /** Of windows along one axis, which may overlap. */
  readonly parts: (x: Value, axis: number, parts: readonly Part[]) => Value;
}

/** The elements from `start` up to, not including, `end`. */
interface Part {
  readonly start: number;
  readonly end: number;
}

const AVERAGE: Pool = {
  everything: op.globalAveragePool,
  whole: (x, axis) => op.reduceMean(x, [axis], { keepDims: true }),
  windows: (x, kernel) => op.averagePool(x, { kernel_shape: kernel, strides: kernel }),
  parts: (x, axis, parts) =>
    mapAxis(
      x,
      axis,
      parts.map(({ start, end }) =>
        Array.from({ length: x.shape[axis] as number }, (_, i) =>
          i >= start && i < end ? 1 / (end - start) : 0,
        ),
      ),
    ),
};

const MAXIMUM: Pool = {
  everything: op.globalMaxPool,
  whole: (x, axis) => op.reduceMax(x, [axis], { keepDims: true }),
  windows: (x, kernel) => op.maxPool(x, { kernel_shape: kernel, strides: kernel }),
  parts: (x, axis, parts) =>
    op.concat(
      parts.map(({ start, end }) => {
        const kernel = x.shape.slice(2).map((_, i) => (i === axis - 2 ? end - start : 1));
        return op.maxPool(op.slice(x, [{ axis, start, end }]), { kernel_shape: kernel });
      }),
      axis,
    ),
};

function pooled(rank: number, x: Value, outputSize: AdaptiveSize, pool: Pool): Value {
  expectShape(x.rank === rank + 2, () => `it pools ${rank} spatial axes, its input is ${shapeText(x.shape)}`);
  const given = typeof outputSize === "number" ? new Array<number>(rank).fill(outputSize) : outputSize;
  expectShape(
    given.length === rank,
    () => `the size ${shapeText(given.map(String))} must have one number for each of ${rank} axes`,
  );
  if (given.every((size) => size === 1)) return pool.everything(x);
  let y = x;
  x.shape.slice(2).forEach((length, i) => {
    if (isStatic(length) || given[i] === null) return;
    expectShape(
      given[i] === 1,
      () =>
        `an output of size ${given[i]} needs axis ${i + 2} of ${shapeText(x.shape)} to be known; 1 does not`,
    );
    y = pool.whole(y, i + 2);
  });
  const kernel = new Array<number>(rank).fill(1);
  // From the last axis to the first, so that of equal maxima the first in row-major order is found.
  for (let axis = rank + 1; axis >= 2; axis--) {
    const [size, length] = [given[axis - 2]!, y.shape[axis]!];
    if (size === null || size === length || !isStatic(length)) continue;
    expectShape(Number.isInteger(size) && size > 0, () => `the size ${size} must be a whole number above 0`);
    if (length % size === 0) kernel[axis - 2] = length / size;
    else y = pool.parts(y, axis, partsOf(length, size));
  }
  return kernel.every((length) => length === 1) ? y : pool.windows(y, kernel);
}

/** As PyTorch cuts an axis: parts overlap by an element where it does not go up evenly. */
function partsOf(length: number, count: number): Part[] {
  return Array.from({ length: count }, (_, i) => ({
    start: Math.floor((i * length) / count),
    end: Math.ceil(((i + 1) * length) / count),
  }));
}
