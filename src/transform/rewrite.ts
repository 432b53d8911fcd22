// The one way to change a graph: build a new one from it, node by node.

import { invariant } from "../base/errors.ts";
import { Graph, type GraphOptions, type Node, nodesBehind, type Value } from "../graph/graph.ts";

/** A new graph, and where the values of the old one went. */
export interface Rewritten {
  readonly graph: Graph;
  /** The new value for an old one. */
  readonly mapped: (old: Value) => Value;
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
  /** What becomes of an output at the end. Default: nothing. */
  readonly finish?: (value: Value) => Value;
  /** Parameters to leave out, which no output may need. Default: none. */
  readonly omit?: (parameter: Value) => boolean;
  /** Values of parameters by name, instead of those in the old graph. */
  readonly values?: ReadonlyMap<string, NonNullable<Value["data"]>>;
}

/** Builds a new graph with all inputs, parameters and modules of `source` and the nodes that its outputs depend on. */
export function rewrite(
  source: Graph,
  replace: Replacement = () => undefined,
  options: RewriteOptions = {},
): Rewritten {
  const { outputs = source.outputs, finish = (value) => value, values, omit, ...graphOptions } = options;
  const graph = new Graph({ name: source.name, ...graphOptions });
  const map = new Map<Value, Value>();
  for (const [scope, info] of source.modules) graph.modules.set(scope, info);
  for (const input of source.inputs) map.set(input, graph.input(input.name, input.dtype, input.shape));
  for (const parameter of source.parameters) {
    if (omit?.(parameter)) continue;
    map.set(parameter, graph.parameter(parameter.name, values?.get(parameter.name) ?? parameter.data!));
  }
  const mapped = (old: Value): Value => {
    const known = map.get(old);
    if (known) return known;
    invariant(old.data, `"${old.name}" is not copied yet`);
    const made = graph.constant(old.data);
    map.set(old, made);
    return made;
  };
  const target: Rewritten = { graph, mapped };
  for (const node of nodesBehind(outputs)) {
    const inputs = node.inputs.map((input) => input && mapped(input));
    const made = graph.within(
      node.scope,
      () => replace(node, inputs, target) ?? graph.add(node.operator, inputs, node.attributes).outputs,
    );
    node.outputs.forEach((output, i) => {
      if (made[i]) map.set(output, made[i]);
    });
  }
  for (const output of outputs) graph.output(finish(mapped(output)));
  return target;
}
