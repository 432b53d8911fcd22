// Where gradients get to, and what is in their way: what can be said of a network before it is trained.

import { isFloat } from "../base/tensor.ts";
import { type Graph, type Node, nodesBehind, type Value } from "../graph/graph.ts";
import { constantOfShapeOp, dropoutOp, shapeOp, sizeOp, stopGradientOp } from "../ops/index.ts";

/** How far gradients of a network's floating outputs get. */
export interface Reach {
  /** The parameters that they get to. */
  readonly learned: ReadonlySet<Value>;
  /** Nodes that no gradient passes, in the order of the graph, each with the parameters that learn nothing for it. */
  readonly obstacles: ReadonlyMap<Node, readonly Value[]>;
}

/** Operators of shapes: they stop nothing, since what they compute does not depend on numbers. */
const OF_SHAPES: readonly unknown[] = [shapeOp, sizeOp, constantOfShapeOp];

/** Follows gradients from the floating outputs of a network to its parameters, in its training form. */
export function gradientReach(network: Graph): Reach {
  const nodes = nodesBehind(network.outputs);
  const reached = new Set(network.outputs.filter(({ dtype }) => isFloat(dtype)));
  for (const node of [...nodes].reverse()) {
    if (!passes(node) || !node.outputs.some((output) => reached.has(output))) continue;
    for (const input of node.inputs) if (input && isFloat(input.dtype)) reached.add(input);
  }
  const learned = new Set(network.parameters.filter((parameter) => reached.has(parameter)));
  const blocked = new Map<Node, Value[]>();
  for (const parameter of network.parameters) {
    if (learned.has(parameter)) continue;
    for (const node of obstaclesTo(parameter, nodes)) {
      blocked.set(node, [...(blocked.get(node) ?? []), parameter]);
    }
  }
  const obstacles = new Map([...blocked].sort(([a], [b]) => a.index - b.index));
  return { learned, obstacles };
}

/** Dropout has a gradient once training has given it a mask. */
function passes({ operator }: Node): boolean {
  if (operator === stopGradientOp) return false;
  return operator === dropoutOp || typeof operator.gradient === "function";
}

/** The nodes between a parameter and the outputs at which every way of a gradient ends. */
function obstaclesTo(parameter: Value, nodes: readonly Node[]): Node[] {
  const active = new Set([parameter]);
  const found: Node[] = [];
  for (const node of nodes) {
    if (!node.inputs.some((input) => input && active.has(input))) continue;
    if (!passes(node)) {
      if (!OF_SHAPES.includes(node.operator)) found.push(node);
      continue;
    }
    for (const output of node.outputs) if (isFloat(output.dtype)) active.add(output);
  }
  return found;
}
