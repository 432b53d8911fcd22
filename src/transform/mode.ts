// What differs between training and evaluation: dropout.

import { ArborizeError } from "../base/errors.ts";
import type { Graph, Node, Value } from "../graph/graph.ts";
import { cast, dropoutOp, mul, scalar } from "../ops/index.ts";
import type { Replacement } from "./rewrite.ts";

/** A mask that training draws anew for every step and feeds: 1 keeps an element, 0 drops it. */
export interface Mask {
  readonly input: Value;
  /** The probability of 0. */
  readonly p: number;
}

/** Replaces dropout by nothing: the evaluation form of a graph. For `rewrite`. */
export const withoutDropout: Replacement = (node, inputs) =>
  node.operator === dropoutOp ? [inputs[0]!] : undefined;

/**
 * Replaces each dropout by a product with a mask that is an input, called after the module it belongs to: the training
 * form of a graph. For `rewrite`; the masks are collected in `masks`.
 */
export function withMasks(masks: Mask[]): Replacement {
  return (node, inputs, { graph }) => {
    if (node.operator !== dropoutOp) return undefined;
    const x = inputs[0]!;
    const p = dropProbability(node);
    if (p === 0) return [x];
    const input = declareMask(graph, x);
    masks.push({ input, p });
    return [mul(x, mul(cast(input, x.dtype), scalar(x, 1 / (1 - p))))];
  };
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
