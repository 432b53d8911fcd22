// The one way to change a graph: build a new one from it, node by node.

import { invariant } from "../base/errors.ts";
import { Graph, type GraphOptions, type Node, nodesBehind, type Value } from "../graph/graph.ts";

/** A new graph, and where the values of the old one went. */
export interface Rewritten {
  readonly graph: Graph;
  /** The new value for an old one. */
  readonly mapped: (old: Value) => Value;
  /** What an old node's outputs are called in the new graph, where names are kept. */
  readonly namesOf: (node: Node) => readonly string[];
}

/**
 * Called for each node with its inputs in the new graph; gives its outputs there, or undefined to copy the node. New
 * nodes get the old node's scope.
 */
export type Replacement = (
  node: Node,
  inputs: readonly (Value | null)[],
  target: Rewritten,
) => readonly (Value | undefined)[] | undefined;

/** Options of `rewrite`. */
export interface RewriteOptions extends GraphOptions {
  /** Copy only what these depend on. Default: the graph's outputs. */
  readonly outputs?: readonly Value[];
  /** What becomes of an output, or of what a buffer is updated with, at the end. Default: nothing. */
  readonly finish?: (value: Value) => Value;
  /** Parameters and buffers to leave out, which no output may need. Default: none. */
  readonly omit?: (state: Value) => boolean;
  /** Parameters that become buffers, and buffers that are updated no more. Default: none. */
  readonly freeze?: (state: Value) => boolean;
  /** Whether what copied nodes compute keeps its names. Default: false. */
  readonly keepNames?: boolean;
  /** Whether what training writes into buffers is copied. Default: true. */
  readonly updates?: boolean;
  /** Values of parameters and buffers by name, instead of those in the old graph. */
  readonly values?: ReadonlyMap<string, NonNullable<Value["data"]>>;
}

/**
 * Builds a new graph with all inputs, parameters, buffers and modules of `source` and the nodes that its outputs, and the
 * updates of its buffers, depend on.
 */
export function rewrite(
  source: Graph,
  replace: Replacement = () => undefined,
  options: RewriteOptions = {},
): Rewritten {
  const { outputs = source.outputs, finish = (value) => value, values, omit, freeze, ...rest } = options;
  const { updates: keepsUpdates = true, keepNames = false, ...graphOptions } = rest;
  invariant(source.customGradients.size === 0, `"${source.name}" has gradients that a copy would not have`);
  const namesOf = ({ outputs: values }: Node) => (keepNames ? values.map(({ name }) => name) : []);
  const reserved = source.nodes.flatMap(namesOf);
  const graph = new Graph({ name: source.name, ...(keepNames && { reserved }), ...graphOptions });
  const map = new Map<Value, Value>();
  for (const [scope, info] of source.modules) graph.modules.set(scope, info);
  for (const input of source.inputs) map.set(input, graph.input(input.name, input.dtype, input.shape));
  for (const state of [...source.parameters, ...source.buffers]) {
    if (omit?.(state)) continue;
    const data = values?.get(state.name) ?? state.data!;
    const isWeight = state.kind === "parameter" || source.frozen.has(state);
    const learned = state.kind === "parameter" && !freeze?.(state);
    const declared = learned ? graph.parameter(state.name, data) : graph.buffer(state.name, data, isWeight);
    map.set(state, declared);
  }
  const updates = [...source.updates].filter(
    ([buffer]) => keepsUpdates && map.has(buffer) && !freeze?.(buffer),
  );
  const mapped = (old: Value): Value => {
    const known = map.get(old);
    if (known) return known;
    invariant(old.data, `"${old.name}" is not copied yet`);
    const made = graph.constant(old.data);
    map.set(old, made);
    return made;
  };
  const target: Rewritten = { graph, mapped, namesOf };
  for (const node of nodesBehind([...outputs, ...updates.map(([, next]) => next)])) {
    const inputs = node.inputs.map((input) => input && mapped(input));
    const made = graph.within(
      node.scope,
      () =>
        replace(node, inputs, target) ??
        graph.add(node.operator, inputs, node.attributes, namesOf(node)).outputs,
    );
    node.outputs.forEach((output, i) => {
      if (made[i]) map.set(output, made[i]);
    });
  }
  // An output keeps its name, whatever computes it now.
  const names = outputs === source.outputs ? source.outputNames : [];
  outputs.forEach((output, i) => {
    graph.output(finish(mapped(output)), names[i]);
  });
  for (const [buffer, next] of updates) {
    if (mapped(next) !== mapped(buffer)) graph.update(mapped(buffer), finish(mapped(next)));
  }
  return target;
}
