// Who reads a value.

import { type Graph, type Node, nodesBehind, type Value } from "../graph/graph.ts";
import { statisticStart } from "../ops/index.ts";

/** The nodes that read each value, one entry a time that it is read; null stands for the graph, whose output it is. */
export type Users = ReadonlyMap<Value, readonly (Node | null)[]>;

/**
 * Who reads each value, otherwise than as a running statistic: those are state.
 *
 * @param nodes the readers that count. Default: those that the outputs depend on.
 */
export function usersOf(graph: Graph, nodes: readonly Node[] = nodesBehind(graph.outputs)): Users {
  const users = new Map<Value, (Node | null)[]>();
  const note = (value: Value, user: Node | null) => {
    const known = users.get(value);
    if (known) known.push(user);
    else users.set(value, [user]);
  };
  for (const node of nodes) {
    node.inputs.forEach((input, at) => {
      if (input && statisticStart(node, at) === undefined) note(input, node);
    });
  }
  for (const output of graph.outputs) note(output, null);
  return users;
}
