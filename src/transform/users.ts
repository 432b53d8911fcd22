// Who reads a value.

import { type Graph, type Node, nodesBehind, type Value } from "../graph/graph.ts";

/** The nodes that read each value, one entry a time that it is read; outputs of the graph are read by nobody's node, null. */
export function usersOf(graph: Graph): ReadonlyMap<Value, readonly (Node | null)[]> {
  const users = new Map<Value, (Node | null)[]>();
  const note = (value: Value | null, user: Node | null) => {
    if (value) users.set(value, [...(users.get(value) ?? []), user]);
  };
  for (const node of nodesBehind(graph.outputs)) for (const input of node.inputs) note(input, node);
  for (const output of graph.outputs) note(output, null);
  return users;
}
