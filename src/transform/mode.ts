// What differs between training and evaluation: dropout and batch normalization.

import { ArborizeError } from "../base/errors.ts";
import type { Graph, Node, Value } from "../graph/graph.ts";
import { broadcastShapes, sameShape } from "../graph/shape.ts";
import {
  add,
  batchNormTraining,
  cast,
  dropoutOp,
  identity,
  mul,
  normalizesByBatch,
  not,
  scalar,
  statisticsOf,
  stopGradientOp,
  whereOp,
} from "../ops/index.ts";
import { type Replacement, type RewriteOptions, type Rewritten, rewrite } from "./rewrite.ts";

/** A mask that training draws anew for every step and feeds: 1 keeps an element, 0 drops it. */
export interface Mask {
  readonly input: Value;
  /** The probability of 0. */
  readonly p: number;
}

/** The graph as it is used: dropout does nothing, batch normalization goes by its running statistics, no gradients end. */
export function evaluationForm(network: Graph, options: RewriteOptions = {}): Rewritten {
  const replace: Replacement = (node, inputs, target) =>
    node.operator === stopGradientOp ? [inputs[0]!] : withRunningStatistics(node, inputs, target);
  return rewrite(network, replace, { ...options, updates: false });
}

/**
 * The graph in its evaluation form, but for what learns, by the name of a parameter or the scope of a node: there batch
 * normalization goes by the batch. Everything else is state that stays as it is. Dropout does nothing anywhere.
 */
export function partlyTraining(
  network: Graph,
  learns: (name: string) => boolean,
  options: RewriteOptions = {},
): Rewritten {
  return rewrite(network, partlyTrainingForm(learns), { ...options, freeze: ({ name }) => !learns(name) });
}

/** Replaces nodes as `partlyTraining` does. */
export function partlyTrainingForm(learns: (name: string) => boolean): Replacement {
  const training = trainingForm([]);
  return (node, inputs, target) => {
    const learning = learns(node.scope) && node.operator !== dropoutOp;
    return (learning ? training : withRunningStatistics)(node, inputs, target);
  };
}

const withRunningStatistics: Replacement = (node, inputs, { graph, namesOf }) => {
  if (node.operator === dropoutOp) return [inputs[0]!];
  if (!normalizesByBatch(node)) return undefined;
  const attributes = { ...node.attributes, training_mode: 0 };
  const { output } = graph.add(node.operator, inputs, attributes, namesOf(node));
  return [output, ...statisticsOf(inputs).map((value) => value!)];
};

/**
 * Replaces what training does otherwise, for `rewrite`. Each dropout becomes a product with a mask that is an input, called
 * after the module it belongs to; the masks are collected in `masks`. A batch normalization in training mode is by the
 * batch's own statistics. A value of which some elements get no gradient is that value.
 */
export function trainingForm(masks: Mask[]): Replacement {
  return (node, inputs, { graph }) => {
    if (node.operator === dropoutOp) return [withMask(node, inputs[0]!, graph, masks)];
    if (node.operator === whereOp) return partlyStopped(inputs as Value[]);
    return normalizesByBatch(node) ? withBatchStatistics(node, inputs as Value[]) : undefined;
  };
}

/**
 * Normalized values and the next running statistics, `momentum * before + (1 - momentum) * batch`. The running variance is
 * of the unbiased one, as in PyTorch; ONNX's operator takes the biased one.
 */
function withBatchStatistics({ attributes }: Node, inputs: readonly Value[]): readonly Value[] {
  const [x, scale, bias, runningMean, runningVariance] = inputs as [Value, Value, Value, Value, Value];
  const { epsilon, momentum = 0.9 } = attributes as { epsilon?: number; momentum?: number };
  const { y, mean, unbiasedVariance } = batchNormTraining(x, scale, bias, epsilon);
  const running = (before: Value, batch: Value) =>
    add(mul(before, scalar(x, momentum)), mul(batch, scalar(x, 1 - momentum)));
  return [y, running(runningMean, mean), running(runningVariance, unbiasedVariance)];
}

/** `where(condition, stopGradient(x), x)` as `x` with a gradient of its own: nothing to choose forward, one product backward. */
function partlyStopped([condition, stopped, x]: readonly Value[]): readonly Value[] | undefined {
  const { producer } = stopped!;
  if (producer?.operator !== stopGradientOp || producer.inputs[0] !== x) return undefined;
  const [y, { customGradients }] = [identity(x!), x!.graph];
  const alike = sameShape(broadcastShapes(condition!.shape, x!.shape), x!.shape);
  if (!alike || customGradients.has(y)) return undefined;
  const rule = (dy: Value) => [mul(dy, cast(not(condition!), dy.dtype))];
  customGradients.set(y, { inputs: [x!], rule });
  return [y];
}

function withMask(node: Node, x: Value, graph: Graph, masks: Mask[]): Value {
  const p = dropProbability(node);
  if (p === 0) return x;
  const input = declareMask(graph, x);
  masks.push({ input, p });
  return mul(x, mul(cast(input, x.dtype), scalar(x, 1 / (1 - p))));
}

function declareMask(target: Graph, x: Value): Value {
  const taken = new Set(target.inputs.map(({ name }) => name));
  const base = target.scope === "" ? "mask" : `${target.scope}.mask`;
  let name = base;
  for (let i = 1; taken.has(name); i++) name = `${base}_${i}`;
  return target.input(name, "bool", x.shape);
}

function dropProbability(node: Node): number {
  const ratio = node.inputs[1];
  if (!ratio) return 0.5;
  if (ratio.data) return ratio.data.item();
  throw new ArborizeError(
    "invalid_graph",
    `${node.label}: its ratio must be a constant, not "${ratio.name}".`,
  );
}
