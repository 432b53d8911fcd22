// What correlation dendrites learn by: the covariance of cascade-correlation (Fahlman and Lebiere 1990), for each neuron.
//
// With v a dendrite's output, e the error that arrives at its neuron, p over all positions (examples, and places of a map or
// a sequence) and n over neurons:
//
//     C_n = mean_p (v_pn - mean_p v_n) (e_pn - mean_p e_n)        maximise S = sum_n |C_n| / Z_n
//
// Only v depends on the dendrite. The derivative of the mean of v is multiplied by the sum of e_pn - mean_p e_n, which is
// zero, so that with s_n the sign of C_n
//
//     dS = sum_n s_n / Z_n mean_p (e_pn - mean_p e_n) dv_pn
//
// which is -dJ for J = -sum_n s_n / Z_n mean_p v_pn (e_pn - mean_p e_n) with all but v held constant.

import { numbersOf } from "../graph/content.ts";
import type { Node, Value } from "../graph/graph.ts";
import type { GradientRule } from "../graph/operator.ts";
import { expectShape } from "../ops/define.ts";
import {
  add,
  div,
  elementCount,
  mul,
  neg,
  reduceMean,
  reduceSum,
  reshape,
  scalar,
  sigmoidOp,
  sign,
  stopGradient,
  sub,
  tanhOp,
} from "../ops/index.ts";
import { meanOfProducts, meanOver } from "../ops/totals.ts";

/** A dendrite's output and its neurons' error. */
export interface CorrelationTerms {
  /** What the dendrite computes, with an axis of neurons. */
  readonly output: Value;
  /** The derivative of the loss by what its neurons compute, in the shape of `output`. */
  readonly error: Value;
  /** The axis that enumerates neurons. */
  readonly channelAxis: number;
  /** s_n / Z_n, `[c]`: what a neuron's covariance counts for. With `batchSign`: 1 / Z_n. */
  readonly gain: Value;
  /** Take the sign from this batch's covariance instead of from `gain`. Default: false. */
  readonly batchSign?: boolean;
  /**
   * The mean error, `[c]`, to use instead of the batch's. The gradient is then not quite that of the covariance: the
   * derivative of the output's mean does not cancel, and is left out. Default: the batch's.
   */
  readonly meanError?: Value | undefined;
  /**
   * 1 at positions, 0 at elements that are none and where the error is 0: it broadcasts over `output`, with length 1 on the
   * last axis. Default: all elements are positions.
   */
  readonly counted?: Value | undefined;
  /**
   * Leave what a neuron's covariance counts for out of the gradient, which is then that of the sum of (v - mean v)(e - mean e):
   * `scale` is what is to be multiplied with it. Default: false.
   */
  readonly scaleApart?: boolean;
  /** Make moments of products of vectors, for engines that are fast at them. Default: false. */
  readonly vectors?: boolean | undefined;
}

/** The covariance of a batch and what makes a dendrite follow it. Statistics have a shape of `[c]`. */
export interface Correlation {
  /** J above: a scalar to minimise. */
  readonly surrogate: Value;
  /** -s_n / (Z_n P), `[c]`, with P positions: what is left out of the gradient with `scaleApart`. */
  readonly scale: Value;
  readonly statistics: CorrelationStatistics;
}

/** Means, variances and covariance of a batch, for each neuron; variances are biased: mean squares of deviations. */
export interface CorrelationStatistics {
  readonly meanOutput: Value;
  readonly meanError: Value;
  readonly varianceOutput: Value;
  readonly varianceError: Value;
  readonly covariance: Value;
}

/**
 * Appends the objective of one dendrite, for all of its neurons. Gradients flow to `output` alone.
 *
 * @throws `shape_mismatch` unless output and error have one shape.
 */
export function correlation(terms: CorrelationTerms): Correlation {
  const {
    output,
    channelAxis,
    gain,
    batchSign = false,
    counted,
    scaleApart = false,
    vectors = false,
  } = terms;
  expectShape(
    output.rank === terms.error.rank && channelAxis < output.rank,
    () => `a dendrite's output ${output} and its neurons' error ${terms.error} must have one shape`,
  );
  const error = stopGradient(terms.error);
  const still = stopGradient(output);
  const perNeuron = (x: Value) => reshape(x, [-1]);
  const along = (x: Value) =>
    reshape(
      x,
      output.shape.map((_, axis) => (axis === channelAxis ? -1 : 1)),
    );
  const mean = (x: Value) => meanOf(x, channelAxis, counted);
  const others = otherAxes(output, channelAxis);
  const meanProduct = (a: Value, b: Value) =>
    vectors && !counted ? meanOfProducts(a, b, others) : mean(mul(a, b));

  const meanOutput = mean(still);
  const origin = terms.meanError ? along(terms.meanError) : mean(error);
  // Zero where there is no position.
  const deviation = stopGradient(sub(error, counted ? mul(origin, counted) : origin));
  // What the origin is off the mean; where it is the mean itself, not even its rounding shows in a square.
  const off = terms.meanError ? mean(deviation) : null;
  const product = mul(output, deviation);
  const v = sub(still, meanOutput);
  // Of both deviations, although one would do: the mean of an output that hardly varies would drown what is left.
  const covariance = meanProduct(v, deviation);
  const weight = batchSign ? mul(along(gain), sign(covariance)) : along(gain);
  const scale = div(neg(weight), positions(error, channelAxis, counted));
  const surrogate = neg(reduceSum(mul(mean(product), weight)));
  follow({ surrogate, output, deviation, product, factor: scaleApart ? null : scale });
  const meanSquareError = meanProduct(deviation, deviation);
  return {
    surrogate,
    scale: perNeuron(scale),
    statistics: {
      meanOutput: perNeuron(meanOutput),
      meanError: perNeuron(off ? add(origin, off) : origin),
      varianceOutput: perNeuron(meanProduct(v, v)),
      varianceError: perNeuron(off ? sub(meanSquareError, mul(off, off)) : meanSquareError),
      covariance: perNeuron(covariance),
    },
  };
}

/** The mean over positions, with the other axes as 1. */
function meanOf(x: Value, channelAxis: number, counted: Value | undefined): Value {
  const others = otherAxes(x, channelAxis);
  const over = (y: Value, axes: readonly number[]) => meanOver(y, axes, { keepDims: true });
  if (!counted) return over(x, others);
  const last = x.rank - 1;
  const rest = others.filter((axis) => axis !== last);
  return div(over(mul(over(x, [last]), counted), rest), reduceMean(counted));
}

function otherAxes({ shape }: Value, channelAxis: number): number[] {
  return shape.map((_, axis) => axis).filter((axis) => axis !== channelAxis);
}

/** How many positions there are. */
function positions(x: Value, channelAxis: number, counted: Value | undefined): Value {
  const elements = elementCount(x, otherAxes(x, channelAxis));
  return counted ? mul(elements, reduceMean(counted)) : elements;
}

/** The activations whose slope is a function of their output v: their slope times e, given v and v e. */
const SLOPES = new Map<unknown, (v: Value, product: Value, e: Value) => Value>([
  [sigmoidOp, (v, product) => mul(product, sub(scalar(v, 1), v))],
  [tanhOp, (v, product, e) => sub(e, mul(v, product))],
]);

/**
 * The gradient of the surrogate as the deviations times a factor, in fewer passes over them than by the rules of its nodes: behind
 * an activation it is made of the product that the covariance is the mean of.
 */
function follow(parts: {
  readonly surrogate: Value;
  readonly output: Value;
  readonly deviation: Value;
  readonly product: Value;
  readonly factor: Value | null;
}): void {
  const { surrogate, output, deviation, product, factor } = parts;
  const { customGradients } = output.graph;
  const times = (x: Value, dJ: Value) => {
    const one = numbersOf(dJ)?.[0] === 1;
    const by = factor && !one ? mul(factor, dJ) : (factor ?? (one ? null : dJ));
    return by ? mul(x, by) : x;
  };
  const given = new Map<Value, Value>();
  const rule = (dJ: Value) => {
    const cotangent = times(deviation, dJ);
    given.set(cotangent, dJ);
    return [cotangent];
  };
  customGradients.set(surrogate, { inputs: [output], rule });
  const node = output.producer;
  const slope = node && SLOPES.get(node.operator);
  if (!slope || customGradients.has(output)) return;
  customGradients.set(output, {
    inputs: [node.inputs[0]!],
    rule: (dy) => {
      const dJ = given.get(dy);
      return [dJ ? times(slope(stopGradient(output), product, deviation), dJ) : ownRule(node, dy)];
    },
  });
}

function ownRule(node: Node, dy: Value): Value {
  return (node.operator.gradient as GradientRule)([dy], node)[0]!;
}
