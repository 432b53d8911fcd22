// Normalization without learned parameters.

import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { isStatic, normalizeAxis, shapeSize, shapeText } from "../graph/shape.ts";
import { defineOperator, expectFloats, expectShape, sameType, scalar } from "./define.ts";
import { onesForZeros } from "./divisor.ts";
import { add, div, mul, neg, pow, sign, sqrt, sub } from "./elementwise.ts";
import { max } from "./extrema.ts";
import { matMul } from "./matmul.ts";
import { reduceL1, reduceL2, reduceMean, reduceSum } from "./reduce.ts";
import { reshape, reshapeLike } from "./reshape.ts";

/** Options of `lpNormalization`. */
export interface LpNormOptions {
  /** Default: -1, the last. */
  readonly axis?: number;
  /** 1 for the sum of absolute values, 2 (the default) for the Euclidean norm. */
  readonly p?: 1 | 2;
}

/** `x` divided by its norm along an axis; zeros stay zeros. ONNX LpNormalization-1. */
export function lpNormalization(x: Value, options: LpNormOptions = {}): Value {
  return lpNormalizationOp.emit([x], { ...options }).output;
}

export const lpNormalizationOp = defineOperator({
  type: "LpNormalization",
  since: 1,
  attributes: { axis: "int", p: "int" },
  infer: ([x]: [Value], { axis = -1, p = 2 }) => {
    normalizeAxis(axis, x.rank);
    if (p !== 1 && p !== 2) {
      throw new ArborizeError("unsupported_attribute", `p must be 1 or 2, it is ${p}`);
    }
    return sameType("floating")([x]);
  },
  // dx = (dy - d Σ dy y) / norm, where d is the norm's slope: y, or the sign of x. Zeros are divided by 1.
  gradient: (dy, { inputs: [x], attributes: { axis = -1, p = 2 }, output: y }) => {
    const kept = { keepDims: true };
    const norm = p === 1 ? reduceL1(x, [axis], kept) : reduceL2(x, [axis], kept);
    const along = reduceSum(mul(dy, y), [axis], kept);
    return [div(sub(dy, mul(p === 1 ? sign(x) : y, along)), onesForZeros(norm))];
  },
});

/** What the formula of MeanVarianceNormalization adds to a deviation. */
const LEAST_DEVIATION = 1e-9;

/** `x` less its mean, divided by its deviation, both over `axes` (default: 0, 2 and 3). ONNX MeanVarianceNormalization-13. */
export function meanVarianceNormalization(x: Value, axes: readonly number[] = [0, 2, 3]): Value {
  return meanVarianceNormalizationOp.emit([x], { axes }).output;
}

export const meanVarianceNormalizationOp = defineOperator({
  type: "MeanVarianceNormalization",
  since: 13,
  attributes: { axes: "ints" },
  infer: ([x]: [Value], { axes = [0, 2, 3] }) => {
    for (const axis of axes) normalizeAxis(axis, x.rank);
    return sameType("floating")([x]);
  },
  // dx = (dy - mean(dy) - y mean(dy y) (d + ε) / d) / (d + ε), d = the deviation
  gradient: (dy, { inputs: [x], attributes: { axes = [0, 2, 3] }, output: y }) => {
    const mean = (value: Value) => reduceMean(value, axes, { keepDims: true });
    const centered = sub(x, mean(x));
    const deviation = sqrt(mean(mul(centered, centered)));
    const divisor = add(deviation, scalar(x, LEAST_DEVIATION));
    const correction = div(divisor, max(deviation, scalar(x, LEAST_DEVIATION)));
    const along = mul(mean(mul(dy, y)), correction);
    return [div(sub(sub(dy, mean(dy)), mul(y, along)), divisor)];
  },
});

/** Options of `lrn`. */
export interface LrnOptions {
  /** Default: 1e-4. */
  readonly alpha?: number;
  /** Default: 0.75. */
  readonly beta?: number;
  /** Default: 1. */
  readonly bias?: number;
}

/**
 * `x / (bias + alpha / size * Σ x²) ** beta`, summed over `size` channels around each (an odd number). `[B, C, H, W]`. ONNX
 * LRN-13.
 */
export function lrn(x: Value, size: number, options: LrnOptions = {}): Value {
  return lrnOp.emit([x], { ...options, size }).output;
}

export const lrnOp = defineOperator({
  type: "LRN",
  since: 13,
  attributes: { alpha: "float", beta: "float", bias: "float", size: "int" },
  infer: ([x]: [Value], { size = 0 }) => {
    expectFloats(x);
    // ONNX has any number of axes and channels; the runtime has these.
    expectShape(size % 2 === 1, () => `its size must be odd, it is ${size}`);
    const known = x.rank === 4 && isStatic(x.shape[1]!);
    expectShape(known, () => `its input must be images of known channels, it is ${shapeText(x.shape)}`);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  // With b = bias + a Σ x²: dx = dy b^-β - 2 a β x Σ' dy y / b. Windows are symmetric, so Σ' is Σ.
  gradient: (dy, { inputs: [x], attributes, output: y }) => {
    const { alpha = 1e-4, beta = 0.75, bias = 1, size = 1 } = attributes;
    const around = (value: Value) => sumOfNeighbours(value, size);
    const base = add(mul(around(mul(x, x)), scalar(x, alpha / size)), scalar(x, bias));
    const passed = mul(dy, pow(base, scalar(x, -beta)));
    const shared = around(div(mul(dy, y), base));
    return [add(passed, mul(mul(x, neg(shared)), scalar(x, (2 * alpha * beta) / size)))];
  },
});

/** Sums over `size` channels around each, as a product with a matrix of a band of ones. */
function sumOfNeighbours(x: Value, size: number): Value {
  const [batch, channels, ...places] = x.shape as [Value["shape"][0], number, ...Value["shape"]];
  const reach = (size - 1) / 2;
  const ones = Array.from({ length: channels * channels }, (_, i) =>
    Math.abs(Math.floor(i / channels) - (i % channels)) <= reach ? 1 : 0,
  );
  const band = x.graph.constant(Tensor.of([channels, channels], ones, x.dtype));
  return reshapeLike(matMul(band, reshape(x, [batch, channels, shapeSize(places)])), x);
}
