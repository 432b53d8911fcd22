// Groups of nodes that dendrites can follow: the nodes between one value that is read and those that are fed.

import { isFloat } from "../base/tensor.ts";
import type { Node, Value } from "../graph/graph.ts";
import { statisticStart } from "../ops/index.ts";
import { isRecurrent, type Network, readsOf } from "./network.ts";

/** One use of a module: the nodes between what it reads and what its dendrites add to. */
export interface Call {
  /** In topological order. A dendrite copies them. */
  readonly nodes: readonly Node[];
  /** What the module reads, and its dendrites with it. */
  readonly input: Value;
  /** What the module computes, and its dendrites add to: one value, of recurrent modules all that others read of it. */
  readonly outputs: readonly Value[];
}

/** The nodes of a module that is called several times, call by call; null where they are not the same again and again. */
export function splitCalls(net: Network, nodes: readonly Node[], count: number): (readonly Node[])[] | null {
  const running = nodes.filter((node) => !node.outputs.every((output) => net.roleOf(output) === "weight"));
  const length = running.length / count;
  if (!Number.isInteger(length)) return null;
  const calls = Array.from({ length: count }, (_, i) => running.slice(i * length, (i + 1) * length));
  const [first] = calls as [Node[]];
  const same = calls.every((call) => call.every(({ operator }, i) => operator === first[i]!.operator));
  return same ? calls : null;
}

/**
 * What a group of nodes is as a call, or why a dendrite cannot follow it. `updates` are what its buffers are updated with,
 * `choose` picks among several outputs.
 */
export function callOf(
  net: Network,
  inside: readonly Node[],
  updates: readonly Value[],
  choose: number | null,
): Call | string {
  const group = new Set(inside);
  const produced = producedBy(net, group);
  const recurrent = inside.some(isRecurrent);
  const outputs = recurrent ? produced.filter((value) => !isCellState(value, group)) : produced;
  const chosen = choose === null ? outputs : outputs.slice(choose, choose + 1);
  if (chosen.length === 0 && choose !== null && outputs.length > 0) {
    return `it has ${outputs.length} outputs, ${names(outputs)}, and none at position ${choose}`;
  }
  if (chosen.length === 0) return "it has 0 outputs of floating numbers, a dendrite needs one";
  if (chosen.length > 1 && !recurrent) {
    return `it has ${chosen.length} outputs, ${names(chosen)}: say which one dendrites feed, by dendrites.rules`;
  }
  const nodes = neededFor(net, [...chosen, ...updates], group);
  const own = new Set<Value>(nodes.flatMap((node) => node.outputs));
  const read = new Set<Value>();
  const indices = new Set<Value>();
  for (const node of nodes) {
    readsOf(node).forEach((input, at) => {
      if (!input || own.has(input) || statisticStart(node, at) !== undefined) return;
      if (net.roleOf(input) === "data") read.add(input);
      else if (input.kind !== "constant" && net.roleOf(input) === "fixed" && !isFloat(input.dtype)) {
        indices.add(input);
      }
    });
  }
  // An embedding reads indices alone.
  const [input, second] = read.size > 0 ? read : indices;
  if (!input) return "it reads 0 values, a dendrite needs exactly one";
  if (second && read.size === 0) return `it reads ${indices.size} values, a dendrite needs exactly one`;
  if (second) return `it reads ${read.size} values, ${names([...read])}; a dendrite needs exactly one`;
  return { nodes, input, outputs: recurrent ? widestFirst(chosen) : chosen };
}

/** A sequence, which has both directions side by side, before a state, which has them one after the other. */
function widestFirst(outputs: readonly Value[]): Value[] {
  return [...outputs].sort((a, b) => Number(b.shape.at(-1)) - Number(a.shape.at(-1)));
}

/** What others read of a group of nodes. */
function producedBy(net: Network, group: ReadonlySet<Node>): Value[] {
  const made = [...group].flatMap((node) => node.outputs);
  return made.filter(
    (value) =>
      net.roleOf(value) === "data" && net.users.get(value)?.some((user) => !user || !group.has(user)),
  );
}

/** The nodes of a group that values need, with those that compute weights for them. */
function neededFor(net: Network, outputs: readonly Value[], group: ReadonlySet<Node>): Node[] {
  const needed = new Set<Node>();
  const pending = [...outputs];
  for (let value = pending.pop(); value; value = pending.pop()) {
    const node = value.producer;
    if (!node || needed.has(node) || !(group.has(node) || net.roleOf(value) === "weight")) continue;
    needed.add(node);
    for (const input of readsOf(node)) if (input) pending.push(input);
  }
  return [...needed].sort((a, b) => a.index - b.index);
}

/** Whether a value is what an LSTM has in its cells at the end: its neurons' alone. */
function isCellState(value: Value, group: ReadonlySet<Node>): boolean {
  const { producer } = value;
  if (!producer || !group.has(producer)) return false;
  if (isRecurrent(producer)) return producer.outputs.indexOf(value) === 2;
  return producer.inputs.some((input) => input && isCellState(input, group));
}

function names(values: readonly Value[]): string {
  return values.map(({ name }) => `"${name}"`).join(" and ");
}
