// Batch normalizations by running statistics, multiplied into the weights of what they normalize.

import type { Graph, Node, Value } from "../graph/graph.ts";
import {
  add,
  addOp,
  batchNormalizationOp,
  convOp,
  gemmOp,
  mul,
  mulOp,
  normalizesByBatch,
  reciprocal,
  reshape,
  scalar,
  sqrt,
  sub,
} from "../ops/index.ts";
import { isStored } from "./fold.ts";
import { type Rewritten, rewrite } from "./rewrite.ts";
import { usersOf } from "./users.ts";

/**
 * A graph in its evaluation form, without the batch normalizations that follow convolutions or Linears, or the sum of one with its
 * dendrites: `BN(M(x) + sum_j T_j o_j) = M'(x) + sum_j (s T_j) o_j` with `s = scale / sqrt(variance + epsilon)` in the
 * weights of M' and the shift in its bias. Others stay.
 */
export function foldBatchNorms(graph: Graph): Graph {
  const users = usersOf(graph);
  return rewrite(graph, (node, inputs, target) => {
    if (node.operator !== batchNormalizationOp || normalizesByBatch(node)) return undefined;
    const [x, ...perChannel] = node.inputs as Value[];
    const alone = (value: Value) => users.get(value)?.length === 1;
    if (!perChannel.every(isStored) || !isScalable(x!, alone)) return undefined;
    const [, scale, bias, mean, variance] = inputs as Value[];
    const { epsilon = 1e-5 } = node.attributes as { epsilon?: number };
    const factor = mul(scale!, reciprocal(sqrt(add(variance!, scalar(variance!, epsilon)))));
    return [scaled(x!, factor, sub(bias!, mul(mean!, factor)), target)];
  }).graph;
}

/** Whether a value can be scaled channel by channel by changing what is stored. */
function isScalable(value: Value, alone: (value: Value) => boolean): boolean {
  const node = value.producer;
  if (!node || !alone(value)) return false;
  if (isProduct(node)) return node.inputs.slice(1).every((weight) => weight === null || isStored(weight));
  const [a, b] = node.inputs as [Value, Value];
  if (node.operator === addOp) return a.rank === b.rank && isScalable(a, alone) && isScalable(b, alone);
  return node.operator === mulOp && isPerChannel(b, value);
}

/** A convolution, or a Linear of two axes, with one bias for each channel. */
function isProduct({ operator, inputs, attributes }: Node): boolean {
  if (operator === convOp) return true;
  const { alpha = 1, beta = 1, transA = 0 } = attributes;
  return operator === gemmOp && alpha === 1 && beta === 1 && transA === 0 && (inputs[2]?.rank ?? 1) === 1;
}

/** Whether a stored value has one number for each channel of `like` and one for all places. */
function isPerChannel(value: Value, like: Value): boolean {
  const places = like.rank - 2;
  const shape = [like.shape[1]!, ...new Array<number>(places).fill(1)];
  return isStored(value) && value.shape.join() === shape.join();
}

/** `value * factor + shift`, channel by channel, in the new graph. */
function scaled(value: Value, factor: Value, shift: Value | null, target: Rewritten): Value {
  const { operator, inputs, attributes } = value.producer!;
  const [a, b] = inputs as [Value, Value];
  const channels = value.shape[1]!;
  if (operator === addOp) return add(scaled(a, factor, shift, target), scaled(b, factor, null, target));
  if (operator === mulOp) {
    const trailing = value.shape.slice(2).map(() => 1);
    return mul(target.mapped(a), mul(target.mapped(b), reshape(factor, [channels, ...trailing])));
  }
  const columns = operator === gemmOp && attributes.transB !== 1;
  const along = columns ? [channels] : [channels, ...b.shape.slice(1).map(() => 1)];
  const weight = mul(target.mapped(b), reshape(factor, along));
  const old = inputs[2];
  const bias = old ? mul(target.mapped(old), factor) : null;
  const moved = bias && shift ? add(bias, shift) : (bias ?? shift);
  return target.graph.add(operator, [target.mapped(a), weight, moved], attributes).output;
}
