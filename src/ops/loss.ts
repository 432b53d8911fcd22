// Losses over classes, as operators. `nn/losses.ts` has the losses that training takes.

import { ArborizeError } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import { sameShape, shapeSize, shapeText } from "../graph/shape.ts";
import { cast } from "./cast.ts";
import { defineOperator, expectFloats, expectShape, scalar } from "./define.ts";
import { add, div, exp, mul, neg, sub } from "./elementwise.ts";
import { gatherElements, scatterElements } from "./gather.ts";
import { equal, not, where } from "./logic.ts";
import { reduceSum } from "./reduce.ts";
import { fullLike, reshape, reshapeLike, unsqueeze } from "./reshape.ts";

/** Options of the losses over classes. */
export interface ClassLossOptions {
  /** The mean (the default), weighted where there are weights; the sum; or the loss of each label. */
  readonly reduction?: "mean" | "sum" | "none";
  /** Labels that do not count. Default: none. */
  readonly ignore_index?: number;
}

type Inputs = [scores: Value, labels: Value, weights?: Value | null | undefined];
type Attributes = { readonly [name in keyof ClassLossOptions]: string | number | undefined };
const ATTRIBUTES = { ignore_index: "int", reduction: "string" } as const;

/**
 * Minus the logarithm of the softmax over axis 1 at each label, times the label's weight. Scores `[B, C, ...]`, labels
 * `[B, ...]` of int32 or int64, weights `[C]`. ONNX SoftmaxCrossEntropyLoss-13.
 */
export function softmaxCrossEntropyLoss(
  scores: Value,
  labels: Value,
  weights?: Value | null,
  options: ClassLossOptions = {},
): Value {
  return softmaxCrossEntropyLossOp.emit([scores, labels, weights], { ...options }).output;
}

/** Its second output is the logarithm of the softmax. */
export const softmaxCrossEntropyLossOp = defineOperator({
  type: "SoftmaxCrossEntropyLoss",
  since: 13,
  attributes: ATTRIBUTES,
  infer: (inputs: Inputs, attributes) => [...inferLoss(inputs, attributes), inputs[0]],
  // With p the softmax and c what a label's loss weighs: dx = c p - c at the label, and from log p: dl - p Σ dl.
  gradient: (dy: Value | null, { inputs, attributes, outputs: [y, logs] }, [, dLogs]) => {
    const { indices, weigh, toWeights } = labelled(logs!, inputs, attributes);
    const probabilities = exp(logs!);
    const fromLogs = dLogs && sub(dLogs, mul(probabilities, reduceSum(dLogs, [1], { keepDims: true })));
    if (!dy) return [fromLogs, null, null];
    const share = weigh(dy);
    const spread = mul(probabilities, share);
    const fromLoss = scatterElements(spread, indices, neg(share), { axis: 1, reduction: "add" });
    const dx = fromLogs ? add(fromLoss, fromLogs) : fromLoss;
    return [dx, null, toWeights(dy, y!)];
  },
});

/**
 * Minus the log-probability at each label, times the label's weight. Log-probabilities `[B, C, ...]`, labels `[B, ...]` of
 * int32 or int64, weights `[C]`. ONNX NegativeLogLikelihoodLoss-13.
 */
export function negativeLogLikelihoodLoss(
  logs: Value,
  labels: Value,
  weights?: Value | null,
  options: ClassLossOptions = {},
): Value {
  return negativeLogLikelihoodLossOp.emit([logs, labels, weights], { ...options }).output;
}

export const negativeLogLikelihoodLossOp = defineOperator({
  type: "NegativeLogLikelihoodLoss",
  since: 13,
  attributes: ATTRIBUTES,
  infer: (inputs: Inputs, attributes) => inferLoss(inputs, attributes),
  gradient: (dy, { inputs, attributes, output: y }) => {
    const [logs] = inputs;
    const { indices, weigh, toWeights } = labelled(logs, inputs, attributes);
    return [scatterElements(fullLike(logs), indices, neg(weigh(dy)), { axis: 1 }), null, toWeights(dy, y)];
  },
});

function inferLoss([scores, labels, weights]: Inputs, { reduction = "mean" }: Attributes): ValueType[] {
  expectFloats(scores, weights);
  if (labels.dtype !== "int32" && labels.dtype !== "int64") {
    throw new ArborizeError("dtype_mismatch", `its labels must be int32 or int64, they are ${labels.dtype}`);
  }
  const shape = scores.shape.filter((_, axis) => axis !== 1);
  expectShape(
    scores.rank > 1 && sameShape(labels.shape, shape),
    () =>
      `labels ${shapeText(labels.shape)} do not fit scores [batch, classes, ...] ${shapeText(scores.shape)}`,
  );
  expectShape(
    !weights || sameShape(weights.shape, [scores.shape[1]!]),
    () => `weights ${shapeText(weights!.shape)} do not fit the classes of ${shapeText(scores.shape)}`,
  );
  if (reduction !== "mean" && reduction !== "sum" && reduction !== "none") {
    throw new ArborizeError(
      "unsupported_attribute",
      `its reduction must be mean, sum or none, it is ${reduction}`,
    );
  }
  return [{ dtype: scores.dtype, shape: reduction === "none" ? shape : [] }];
}

/** What the gradients of both losses are made of. */
interface Labelled {
  /** The labels with an axis of classes of length 1; 0 where a label is ignored. */
  readonly indices: Value;
  /** What the negative log-probability at each label weighs in the loss, times the loss's cotangent; shaped as `indices`. */
  readonly weigh: (dy: Value) => Value;
  /** The cotangent of the weights, from those of the loss and the loss. */
  readonly toWeights: (dy: Value, y: Value) => Value | null;
}

function labelled(logs: Value, [, labels, weights]: Inputs, attributes: Attributes): Labelled {
  const { reduction = "mean", ignore_index: ignored } = attributes;
  const given = unsqueeze(labels, [1]);
  const skipped = ignored === undefined ? null : equal(given, scalar(given, ignored as number));
  const indices = skipped ? where(skipped, scalar(given, 0), given) : given;
  const counts = cast(skipped ? not(skipped) : fullLike(given, 1), logs.dtype);
  const list = (value: Value) => reshape(value, [shapeSize(labels.shape)]);
  const weight = weights ? mul(reshapeLike(gatherElements(weights, list(indices)), given), counts) : counts;
  const toEach = (dy: Value) => {
    if (reduction === "none") return unsqueeze(dy, [1]);
    return reduction === "mean" ? div(dy, reduceSum(weight)) : dy;
  };
  return {
    indices,
    weigh: (dy) => mul(weight, toEach(dy)),
    toWeights: (dy, y) => {
      if (!weights) return null;
      // The mean is the quotient of two sums that both have the weights.
      const picked = gatherElements(logs, indices, 1);
      const slope = mul(neg(reduction === "mean" ? add(picked, y) : picked), counts);
      return scatterElements(fullLike(weights), list(indices), list(mul(slope, toEach(dy))), {
        reduction: "add",
      });
    },
  };
}
