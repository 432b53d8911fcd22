// Normalization of each example for itself, over its last axes.

import { ArborizeError } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";
import { normalizeAxis } from "../graph/shape.ts";
import { cast } from "./cast.ts";
import { EPSILON } from "./channels.ts";
import { defineOperator, expectBroadcastTo, expectFloats, scalar } from "./define.ts";
import { add, div, mul, reciprocal, sqrt, sub } from "./elementwise.ts";
import { elementCount, reduceMean } from "./reduce.ts";
import { fullLike } from "./reshape.ts";

/** Options of the normalizations over last axes. */
export interface LayerNormOptions {
  /** The first of the axes that are normalized over. Default: -1, the last alone. */
  readonly axis?: number;
  /** What is added to a variance before its root is taken. Default: 1e-5. */
  readonly epsilon?: number;
}

/**
 * `(x - mean) / sqrt(variance + epsilon) * scale + bias` by the mean and the biased variance over the axes from `axis` on.
 * Scale and bias have the shape of these axes, or broadcast to it. ONNX LayerNormalization-17.
 */
export function layerNormalization(
  x: Value,
  scale: Value,
  bias?: Value | null,
  options: LayerNormOptions = {},
): Value {
  return layerNormalizationOp.emit([x, scale, bias], { ...options }).output;
}

type Inputs = [x: Value, scale: Value, bias?: Value | null | undefined];

/** Its other outputs are the means and the inverse standard deviations, which the runtime computes in float32. */
export const layerNormalizationOp = defineOperator({
  type: "LayerNormalization",
  since: 17,
  attributes: { axis: "int", epsilon: "float", stash_type: "int" },
  infer: ([x, scale, bias]: Inputs, { axis = -1, stash_type: stash = 1 }) => {
    expectFloats(x, scale, bias);
    if (stash !== 1) {
      throw new ArborizeError("unsupported_attribute", `stash_type must be 1 (float32), it is ${stash}`);
    }
    const first = normalizeAxis(axis, x.rank);
    for (const each of [scale, bias]) expectBroadcastTo(x, each);
    const shape = x.shape.map((dim, at) => (at < first ? dim : 1));
    return [x, { dtype: "float32", shape }, { dtype: "float32", shape }];
  },
  // With c = x - mean and r = 1 / deviation: ds = dy c r, db = dy, and dx = r (dy s - mean(dy s) - c r mean(dy s c r)), to
  // which the cotangents of the mean and of r add dm / n and -dr r³ c / n.
  gradient: (given, { inputs, outputs, attributes: { axis = -1 } }, [, dMean, dInverse]) => {
    const [x, scale, bias] = inputs;
    const dy = given ?? fullLike(x);
    const [, means, inverse] = outputs.map((output) => cast(output, x.dtype)) as [Value, Value, Value];
    const axes = axesFrom(axis, x);
    const mean = (value: Value) => reduceMean(value, axes, { keepDims: true });
    const centered = sub(x, means);
    const scaled = mul(dy, inverse);
    const toScale = mul(scaled, centered);
    const passed = mul(scaled, scale);
    const square = mul(inverse, inverse);
    let offset = mean(passed);
    let along = mul(mean(mul(toScale, scale)), square);
    if (dMean) offset = sub(offset, div(cast(dMean, x.dtype), elementCount(x, axes)));
    if (dInverse) {
      const share = div(cast(dInverse, x.dtype), elementCount(x, axes));
      along = add(along, mul(share, mul(square, inverse)));
    }
    const dx = sub(sub(passed, offset), mul(centered, along));
    return [dx, toScale, bias && dy];
  },
  broadcasts: true,
});

function axesFrom(axis: number, x: Value): number[] {
  return x.shape.map((_, at) => at).slice(normalizeAxis(axis, x.rank));
}

/**
 * `x / sqrt(mean(x²) + epsilon) * scale`, the mean over the axes from `axis` on: RMSNormalization, which ONNX has from opset
 * 23 on, made of older operators.
 */
export function rmsNorm(x: Value, scale?: Value | null, options: LayerNormOptions = {}): Value {
  const { axis = -1, epsilon = EPSILON } = options;
  const axes = axesFrom(axis, x);
  const meanSquare = reduceMean(mul(x, x), axes, { keepDims: true });
  const normal = mul(x, reciprocal(sqrt(add(meanSquare, scalar(x, epsilon)))));
  return scale ? mul(normal, scale) : normal;
}
