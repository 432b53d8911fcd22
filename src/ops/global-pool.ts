// Pooling of all places of a channel to one.

import type { Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import { shapeSize, shapeText } from "../graph/shape.ts";
import { defineOperator, expectFloats, expectShape } from "./define.ts";
import { div, mul } from "./elementwise.ts";
import { scatterElements } from "./gather.ts";
import { expectNorm, normSlope, perNorm } from "./pool.ts";
import { argMax, elementCount } from "./reduce.ts";
import { expandLike, fullLike, reshape, reshapeLike } from "./reshape.ts";

function inferGlobal([x]: [Value]): [ValueType] {
  expectFloats(x);
  expectShape(x.rank > 2, () => `its input needs spatial axes, it is ${shapeText(x.shape)}`);
  return [{ dtype: x.dtype, shape: x.shape.map((dim, axis) => (axis < 2 ? dim : 1)) }];
}

function spatialAxes(x: Value): number[] {
  return x.shape.map((_, axis) => axis).slice(2);
}

/** The mean over all spatial axes, which stay with length 1. ONNX GlobalAveragePool-1. */
export function globalAveragePool(x: Value): Value {
  return globalAveragePoolOp.emit([x]).output;
}

export const globalAveragePoolOp = defineOperator({
  type: "GlobalAveragePool",
  since: 1,
  infer: inferGlobal,
  gradient: (dy, { inputs: [x] }) => [expandLike(div(dy, elementCount(x, spatialAxes(x))), x)],
});

/**
 * The maximum over all spatial axes, which stay with length 1; its gradient goes to the first of equal maxima, in
 * row-major order. ONNX GlobalMaxPool-1.
 */
export function globalMaxPool(x: Value): Value {
  return globalMaxPoolOp.emit([x]).output;
}

export const globalMaxPoolOp = defineOperator({
  type: "GlobalMaxPool",
  since: 1,
  infer: inferGlobal,
  gradient: (dy, { inputs: [x] }) => {
    const [batch, channels, ...places] = x.shape;
    const rows = reshape(x, [batch!, channels!, shapeSize(places)]);
    const first = argMax(rows, 2, { keepDims: true });
    const dRows = scatterElements(fullLike(rows), first, reshape(dy, [batch!, channels!, 1]), { axis: 2 });
    return [reshapeLike(dRows, x)];
  },
});

/** The p-norm (default: 2) over all spatial axes, which stay with length 1. ONNX GlobalLpPool-2. */
export function globalLpPool(x: Value, p?: number): Value {
  return globalLpPoolOp.emit([x], { p }).output;
}

export const globalLpPoolOp = defineOperator({
  type: "GlobalLpPool",
  since: 2,
  attributes: { p: "int" },
  infer: ([x]: [Value], { p }) => {
    expectNorm(p);
    return inferGlobal([x]);
  },
  // dx = sign(x) |x|^(p-1) dy y^(1-p); 0 where all are zeros.
  gradient: (dy, { inputs: [x], attributes: { p = 2 }, output: y }) => [
    mul(normSlope(x, p), expandLike(perNorm(dy, y, p), x)),
  ],
});
