// Products that read the same input, as one wide product: a neuron and its dendrites, queries, keys and values.

import { Tensor } from "../base/tensor.ts";
import { type Graph, type Node, nodesBehind, type Value } from "../graph/graph.ts";
import type { Attributes } from "../graph/operator.ts";
import { type Dim, sameShape } from "../graph/shape.ts";
import { add, addOp, concat, convOp, gemmOp, matMul, matMulOp, reshape, split } from "../ops/index.ts";
import { isStored } from "./fold.ts";
import { type Rewritten, rewrite } from "./rewrite.ts";
import { usersOf } from "./users.ts";

/** One product with stored weights. */
interface Product {
  readonly node: Node;
  readonly input: Value;
  readonly weight: Value;
  readonly bias: Value | null;
  /** What it computes: the node's output, or that of the Add of a bias behind it. */
  readonly output: Value;
  /** What products that can be one agree in. */
  readonly kind: string;
}

/**
 * The graph with convolutions, Gemms and MatMuls of the same input and settings as one with their weights stacked, whose output is
 * cut. Weights must be stored (`foldStored`). Depthwise convolutions stay as they are: the runtime's kernel for them takes one
 * filter a channel, and wide ones took two to four times as long.
 */
export function fuseSiblings(graph: Graph): Graph {
  const groups = new Map<string, Product[]>();
  for (const product of productsOf(graph)) {
    const key = `${product.input.name} ${product.kind}`;
    groups.set(key, [...(groups.get(key) ?? []), product]);
  }
  const wide = [...groups.values()].filter((group) => group.length > 1);
  const firstOf = new Map(wide.map((group) => [group[0]!.node, group]));
  const groupOf = new Map(wide.flatMap((group) => group.map(({ output }) => [output, group] as const)));
  const made = new Map<Value, Value>();
  return rewrite(graph, (node, _, target) => {
    const group = firstOf.get(node);
    if (group) {
      const parts = fused(group, target);
      group.forEach(({ output }, i) => {
        made.set(output, parts[i]!);
      });
    }
    if (!groupOf.has(node.output)) return undefined;
    return [made.get(node.output)!];
  }).graph;
}

function productsOf(graph: Graph): Product[] {
  const users = usersOf(graph);
  return nodesBehind(graph.outputs).flatMap((node) => {
    const [input, weight, bias = null] = node.inputs;
    if (!input || isStored(input) || !isStored(weight)) return [];
    const kind = kindOf(node, weight, bias);
    if (kind === null) return [];
    if (node.operator !== matMulOp) return [{ node, input, weight, bias, kind, output: node.output }];
    const after = biasAfter(node, users.get(node.output) ?? []);
    return [{ node, input, weight, kind, bias: after?.bias ?? null, output: after?.output ?? node.output }];
  });
}

function kindOf({ operator, attributes, output }: Node, weight: Value, bias: Value | null): string | null {
  if (bias && !(isStored(bias) && sameShape(bias.shape, [output.shape[1]!]))) return null;
  const { kernel_shape: _, ...settings } = attributes;
  const kind = `${operator.type} ${weight.dtype} ${JSON.stringify(Object.entries(settings).sort())}`;
  if (operator === convOp) return isWidened(attributes, weight) ? `${kind} ${weight.shape.slice(1)}` : null;
  if (operator === matMulOp) return weight.rank === 2 ? kind : null;
  const { alpha = 1, beta = 1, transA = 0 } = attributes;
  return operator === gemmOp && alpha === 1 && beta === 1 && transA === 0 ? kind : null;
}

/** Whether a convolution may get more filters. */
function isWidened({ group = 1 }: Attributes, weight: Value): boolean {
  return group === 1 || weight.shape[1] !== 1;
}

/** The bias that is added to a MatMul, if that is all that becomes of it. */
function biasAfter({ output }: Node, users: readonly (Node | null)[]) {
  const [user] = users;
  if (users.length !== 1 || user?.operator !== addOp) return null;
  const bias = user.inputs.find((input) => input !== output);
  const fits = isStored(bias) && bias.rank === 1 && bias.shape[0] === output.shape.at(-1);
  return fits ? { bias, output: user.output } : null;
}

/** The outputs of a group's products, cut from one. */
function fused(group: readonly Product[], { graph, mapped }: Rewritten): readonly Value[] {
  const [{ node, input, bias: firstBias }] = group as [Product];
  const { operator, attributes } = node;
  const columns = operator === matMulOp || (operator === gemmOp && attributes.transB !== 1);
  const weights = group.map(({ weight }) => mapped(weight));
  const lengths = weights.map(({ shape }) => shape[columns ? 1 : 0] as number);
  const groups = Number(attributes.group ?? 1);
  const weight = columns ? concat(weights, 1) : stacked(weights, groups);
  const zeros = (i: number) => graph.constant(Tensor.zeros([lengths[i]!], weight.dtype));
  const biased = firstBias || group.some(({ bias }) => bias);
  const biases = group.map((product, i) => (product.bias ? mapped(product.bias) : zeros(i)));
  const bias = biased ? stacked(biases, groups) : null;
  const x = mapped(input);
  if (operator === matMulOp) {
    const product = matMul(x, weight);
    return split(bias ? add(product, bias) : product, lengths, -1);
  }
  const { output } = graph.add(operator, [x, weight, bias], attributes);
  if (groups === 1) return split(output, lengths, 1);
  const [batch, , ...places] = output.shape as [Dim, Dim, ...Dim[]];
  const channels = lengths.map((length) => length / groups);
  const total = channels.reduce((sum, each) => sum + each, 0);
  const byGroup = reshape(output, [batch, groups, total, ...places]);
  return split(byGroup, channels, 2).map((part, i) => reshape(part, [batch, lengths[i]!, ...places]));
}

/** Rows one below the other; in groups, those of a group together. */
function stacked(values: readonly Value[], groups: number): Value {
  if (groups === 1) return concat(values, 0);
  const apart = values.map((value) => {
    const [rows, ...rest] = value.shape as [number, ...number[]];
    return reshape(value, [groups, rows / groups, ...rest]);
  });
  const together = concat(apart, 1);
  const [, rows, ...rest] = together.shape as [number, number, ...number[]];
  return reshape(together, [groups * rows, ...rest]);
}
