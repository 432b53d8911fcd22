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

import type { Value } from "../graph/graph.ts";
import { expectShape } from "../ops/define.ts";
import { mul, neg, reduceMean, reduceSum, reshape, sign, stopGradient, sub } from "../ops/index.ts";

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
}

/** The covariance of a batch and what makes a dendrite follow it. Statistics have a shape of `[c]`. */
export interface Correlation {
  /** J above: a scalar to minimise. */
  readonly surrogate: Value;
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
  const { output, channelAxis, gain, batchSign = false } = terms;
  expectShape(
    output.rank === terms.error.rank && channelAxis < output.rank,
    () => `a dendrite's output ${output} and its neurons' error ${terms.error} must have one shape`,
  );
  const error = stopGradient(terms.error);
  const still = stopGradient(output);
  const others = output.shape.map((_, axis) => axis).filter((axis) => axis !== channelAxis);
  const mean = (x: Value) => reduceMean(x, others, { keepDims: true });
  const perNeuron = (x: Value) => reshape(x, [-1]);
  const along = (x: Value) =>
    reshape(
      x,
      output.shape.map((_, axis) => (axis === channelAxis ? -1 : 1)),
    );

  const [meanOutput, meanError] = [mean(still), mean(error)];
  const [v, e] = [sub(still, meanOutput), sub(error, meanError)];
  const covariance = mean(mul(v, e));
  const weight = batchSign ? mul(along(gain), sign(covariance)) : along(gain);
  const deviation = terms.meanError ? sub(error, along(terms.meanError)) : e;
  const followed = mean(mul(output, stopGradient(deviation)));
  return {
    surrogate: neg(reduceSum(mul(followed, stopGradient(weight)))),
    statistics: {
      meanOutput: perNeuron(meanOutput),
      meanError: perNeuron(meanError),
      varianceOutput: perNeuron(mean(mul(v, v))),
      varianceError: perNeuron(mean(mul(e, e))),
      covariance: perNeuron(covariance),
    },
  };
}
