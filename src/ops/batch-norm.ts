// Batch normalization: by the statistics of the batch in training, by running ones in evaluation.

import type { Node, Value } from "../graph/graph.ts";
import { shapeText } from "../graph/shape.ts";
import { axesBesideChannels, EPSILON, expectPerChannel, sumPerChannel } from "./channels.ts";
import { defineOperator, expectShape, scalar } from "./define.ts";
import { add, div, mul, neg, reciprocal, sqrt, sub } from "./elementwise.ts";
import { max } from "./extrema.ts";
import { elementCount } from "./reduce.ts";
import { fullLike, reshape } from "./reshape.ts";
import { meanOver } from "./totals.ts";

/**
 * `(x - mean) / sqrt(variance + epsilon) * scale + bias`, channel by channel, by given statistics. `[B, C, ...]` and four
 * times `[C]` to `[B, C, ...]`. Default of epsilon: 1e-5. ONNX BatchNormalization-15.
 */
export function batchNormalization(
  x: Value,
  scale: Value,
  bias: Value,
  mean: Value,
  variance: Value,
  epsilon = EPSILON,
): Value {
  return batchNormalizationOp.emit([x, scale, bias, mean, variance], { epsilon }).output;
}

/** What `batchNormTraining` computes. */
export interface BatchNormTraining {
  /** `[B, C, ...]` */
  readonly y: Value;
  /** The mean of each channel over the batch and all places, `[C]`. */
  readonly mean: Value;
  /** The biased variance, divided by the number of elements, `[C]`. */
  readonly variance: Value;
  /** The unbiased variance, divided by one less, `[C]`. */
  readonly unbiasedVariance: Value;
}

/**
 * Normalizes each channel by its mean and biased variance over the batch and all places, then scales and shifts it.
 * `[B, C, ...]` with scale and bias `[C]`. Default of epsilon: 1e-5. Made of reductions and the evaluation form, which take
 * as long as the runtime's training form and leave the centered input for the gradient; that flows from all three results.
 */
export function batchNormTraining(x: Value, scale: Value, bias: Value, epsilon = EPSILON): BatchNormTraining {
  const { mean, centered, variance } = statistics(x);
  const y = batchNormalization(x, scale, bias, mean, variance, epsilon);
  const rule = (dy: Value) => batchStatistics(dy, centered, scale, inverseRoot(variance, epsilon));
  x.graph.customGradients.set(y, { inputs: [x, scale, bias], rule });
  const count = elementCount(x, axesBesideChannels(x));
  const others = max(sub(count, scalar(x, 1)), scalar(x, 1));
  return { y, mean, variance, unbiasedVariance: mul(variance, div(count, others)) };
}

function statistics(x: Value) {
  const places = axesBesideChannels(x);
  const mean = meanOver(x, places);
  const centered = sub(x, perChannel(mean, x));
  return { mean, centered, variance: meanOver(mul(centered, centered), places) };
}

type Inputs = [x: Value, scale: Value, bias: Value, mean: Value, variance: Value];

/**
 * With `training_mode` 1 the second and third output are the running statistics. ONNX Runtime then writes them over the
 * third and fourth input where they are read inside the graph: training graphs have `batchNormTraining` in its place.
 */
export const batchNormalizationOp = defineOperator({
  type: "BatchNormalization",
  since: 15,
  attributes: { epsilon: "float", momentum: "float", training_mode: "int" },
  infer: ([x, ...perChannel]: Inputs, { training_mode: training = 0 }) => {
    expectShape(x.rank > 1, () => `its input ${shapeText(x.shape)} has no axis of channels`);
    expectPerChannel(x, ...perChannel);
    const statistic = { dtype: x.dtype, shape: [x.shape[1]!] };
    return training ? [x, statistic, statistic] : [x];
  },
  gradient: (given, { inputs, attributes }, [, dMean, dVariance]) => {
    const { epsilon = EPSILON, momentum = 0.9, training_mode: training = 0 } = attributes;
    const [x, scale] = inputs;
    const dy = given ?? fullLike(x);
    if (!training) return givenStatistics(dy, inputs, epsilon);
    // running = momentum * before + (1 - momentum) * batch
    const { centered, variance } = statistics(x);
    const times = (value: Value | null | undefined, factor: number) => value && mul(value, scalar(x, factor));
    const ofBatch = { mean: times(dMean, 1 - momentum), variance: times(dVariance, 1 - momentum) };
    const [dx, dScale, dBias] = batchStatistics(dy, centered, scale, inverseRoot(variance, epsilon), ofBatch);
    return [dx, dScale, dBias, times(dMean, momentum), times(dVariance, momentum)];
  },
  variadicOutputs: true,
});

/** Whether a node is a batch normalization in training mode, by the statistics of the batch. */
export function normalizesByBatch({ operator, attributes }: Node): boolean {
  return operator === batchNormalizationOp && attributes.training_mode === 1;
}

/** The running mean and variance by their positions among a batch normalization's inputs, and what they start from. */
const RUNNING_STATISTICS: ReadonlyMap<number, number> = new Map([
  [3, 0],
  [4, 1],
]);

/** What the elements of a running statistic start from that a node reads at a position; undefined where it reads none. */
export function statisticStart({ operator }: Node, at: number): number | undefined {
  return operator === batchNormalizationOp ? RUNNING_STATISTICS.get(at) : undefined;
}

/** The running statistics among what a batch normalization reads: its mean and variance. */
export function statisticsOf<T>(inputs: readonly T[]): T[] {
  return [...RUNNING_STATISTICS.keys()].map((at) => inputs[at]!);
}

/** Makes training write the running statistics of a batch normalization in training mode into the buffers they come from. */
export function updateStatistics({ inputs, outputs }: Node): void {
  const [, ...next] = outputs;
  statisticsOf(inputs).forEach((statistic, i) => {
    if (statistic?.kind === "buffer") statistic.graph.update(statistic, next[i]!);
  });
}

/** `[C]` so that it broadcasts along the channels of `x`. */
function perChannel(value: Value, x: Value): Value {
  return reshape(value, [x.shape[1]!, ...x.shape.slice(2).map(() => 1)]);
}

/** r = 1 / sqrt(variance + epsilon) */
function inverseRoot(variance: Value, epsilon: number): Value {
  return reciprocal(sqrt(add(variance, scalar(variance, epsilon))));
}

/** With the statistics given: dx = dy s r, ds = Σ dy (x - μ) r, db = Σ dy, dμ = -s r Σ dy, dσ² = -s r³ Σ dy (x - μ) / 2. */
function givenStatistics(dy: Value, [x, scale, , mean, variance]: Inputs, epsilon: number) {
  const inverse = inverseRoot(variance, epsilon);
  const slope = mul(scale, inverse);
  const dBias = sumPerChannel(dy);
  const dScale = mul(sumPerChannel(mul(dy, sub(x, perChannel(mean, x)))), inverse);
  const dVariance = mul(mul(slope, mul(inverse, scalar(x, -0.5))), dScale);
  return [mul(dy, perChannel(slope, x)), dScale, dBias, neg(mul(slope, dBias)), dVariance] as const;
}

/**
 * With the batch's own statistics, n elements a channel, and c = x - μ:
 * ds = r Σ dy c, db = Σ dy, dx = s r (dy - db / n - c r ds / n) + dμ / n + 2 c dσ² / n.
 */
function batchStatistics(
  dy: Value,
  centered: Value,
  scale: Value,
  inverse: Value,
  {
    mean: dMean,
    variance: dVariance,
  }: { readonly [name in "mean" | "variance"]?: Value | null | undefined } = {},
): readonly [dx: Value, dScale: Value, dBias: Value] {
  const share = reciprocal(elementCount(dy, axesBesideChannels(dy)));
  const slope = mul(scale, inverse);
  const dBias = sumPerChannel(dy);
  const dScale = mul(sumPerChannel(mul(dy, centered)), inverse);
  const fromMean = mul(slope, dBias);
  const fromCentered = mul(mul(slope, inverse), dScale);
  const less = neg(share);
  const offset = dMean ? mul(sub(dMean, fromMean), share) : mul(fromMean, less);
  const twice = dVariance && mul(dVariance, scalar(dy, 2));
  const along = twice ? mul(sub(twice, fromCentered), share) : mul(fromCentered, less);
  const scaled = add(mul(dy, perChannel(slope, dy)), mul(centered, perChannel(along, dy)));
  return [add(scaled, perChannel(offset, dy)), dScale, dBias];
}
