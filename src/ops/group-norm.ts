// Normalization of each example's channels, in groups or one by one.

import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import { isStatic, type Shape, shapeSize, shapeText } from "../graph/shape.ts";
import { cast } from "./cast.ts";
import { EPSILON, expectPerChannel } from "./channels.ts";
import { defineOperator, expectShape } from "./define.ts";
import { div, mul, sub } from "./elementwise.ts";
import { layerNormalizationOp } from "./layer-norm.ts";
import { elementCount, reduceSum } from "./reduce.ts";
import { reshape, reshapeLike } from "./reshape.ts";

type Inputs = [x: Value, scale: Value, bias: Value];

/**
 * Channels in `groups` of as many neighbours, each group normalized by its mean and biased variance over channels and places,
 * then each channel scaled and shifted. `[B, C, ...]` with scale and bias `[C]`. Default of epsilon: 1e-5. ONNX
 * GroupNormalization-21.
 */
export function groupNormalization(
  x: Value,
  scale: Value,
  bias: Value,
  groups: number,
  epsilon = EPSILON,
): Value {
  return groupNormalizationOp.emit([x, scale, bias], { num_groups: groups, epsilon }).output;
}

export const groupNormalizationOp = defineOperator({
  type: "GroupNormalization",
  since: 21,
  attributes: { epsilon: "float", num_groups: "int", stash_type: "int" },
  infer: (inputs: Inputs, { num_groups: groups = 0, stash_type: stash = 1 }) => {
    if (stash !== 1) {
      throw new ArborizeError("unsupported_attribute", `stash_type must be 1 (float32), it is ${stash}`);
    }
    const channels = inputs[0].shape[1];
    expectShape(
      channels !== undefined && isStatic(channels) && groups > 0 && channels % groups === 0,
      () => `the channels of ${shapeText(inputs[0].shape)} do not divide into ${groups} groups`,
    );
    return inferPerChannel(inputs);
  },
  gradient: (dy, { inputs, attributes: { num_groups: groups = 1, epsilon = EPSILON } }) =>
    groupGradients(dy, inputs, groups, epsilon),
});

/**
 * Each channel of each example normalized by its mean and biased variance over all places, then scaled and shifted.
 * `[B, C, ...]` with scale and bias `[C]`. Default of epsilon: 1e-5. ONNX InstanceNormalization-6.
 */
export function instanceNormalization(x: Value, scale: Value, bias: Value, epsilon = EPSILON): Value {
  return instanceNormalizationOp.emit([x, scale, bias], { epsilon }).output;
}

export const instanceNormalizationOp = defineOperator({
  type: "InstanceNormalization",
  since: 6,
  attributes: { epsilon: "float" },
  infer: (inputs: Inputs) => {
    const [x] = inputs;
    expectShape(x.rank > 2, () => `its input needs spatial axes, it is ${shapeText(x.shape)}`);
    expectShape(isStatic(x.shape[1]!), () => `the channels of ${shapeText(x.shape)} must be known`);
    return inferPerChannel(inputs);
  },
  gradient: (dy, { inputs, attributes: { epsilon = EPSILON } }) =>
    groupGradients(dy, inputs, inputs[0].shape[1] as number, epsilon),
});

function inferPerChannel([x, ...perChannel]: Inputs): ValueType[] {
  expectPerChannel(x, ...perChannel);
  return [{ dtype: x.dtype, shape: x.shape }];
}

/**
 * With h = (x - mean) r, n elements a group, and sums first over places, so that little is left to add over channels:
 * ds = Σ dy h, db = Σ dy, dx = r (dy s - Σ dy s / n - h Σ dy s h / n).
 */
function groupGradients(
  dy: Value,
  [x, scale]: Inputs,
  groups: number,
  epsilon: number,
): [Value, Value, Value] {
  const channels = x.shape[1] as number;
  const shape: Shape = [x.shape[0]!, groups, channels / groups, shapeSize(x.shape.slice(2))];
  const [given, input] = [reshape(dy, shape), reshape(x, shape)];
  const one = x.graph.constant(Tensor.full([1], 1, x.dtype));
  const [normal, , deviation] = layerNormalizationOp.emit([input, one], { axis: 2, epsilon }).outputs;
  const inverse = cast(deviation!, x.dtype);
  const overPlaces = (value: Value) => reduceSum(value, [3], { keepDims: true });
  const [sums, products] = [overPlaces(given), overPlaces(mul(given, normal!))];
  const perChannel = reshape(scale, [groups, channels / groups, 1]);
  const count = elementCount(input, [2, 3]);
  const ofGroup = (sum: Value) =>
    mul(div(reduceSum(mul(sum, perChannel), [2], { keepDims: true }), count), inverse);
  const passed = mul(given, mul(perChannel, inverse));
  const dx = sub(sub(passed, ofGroup(sums)), mul(normal!, ofGroup(products)));
  const ofChannel = (sum: Value) => reshape(reduceSum(sum, [0]), [channels]);
  return [reshapeLike(dx, x), ofChannel(products), ofChannel(sums)];
}
