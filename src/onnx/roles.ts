// What the initializers of a file are to the network: parameters, buffers or constants.

import type { GraphProto } from "onnx-buf";
import { isFloat, type Tensor } from "../base/tensor.ts";
import type { Graph, Node, Value } from "../graph/graph.ts";
import { batchNormalizationOp, statisticsOf } from "../ops/index.ts";

/**
 * What an initializer is where it is not what is learned: to the operator that reads it, or to the network, which keeps a
 * fixed one as it is.
 */
export type Role = "setting" | "statistic" | "fixed";

/** Inputs that say how to compute, by operator and position. */
const SETTINGS: ReadonlyMap<string, readonly number[]> = new Map([
  ["Resize", [1, 2]],
  ["OneHot", [2]],
  ["Upsample", [1]],
]);

/** The roles of initializers, by name; those that are `fixed` in the file are so whatever reads them. */
export function rolesOf({ node }: GraphProto, fixed: ReadonlySet<string> = new Set()): Map<string, Role> {
  const read = new Map(
    node.flatMap(({ opType, input }): [string, Role][] => {
      const settings = SETTINGS.get(opType) ?? [];
      const statistics = opType === batchNormalizationOp.type ? statisticsOf(input) : [];
      return [
        ...settings.map((at): [string, Role] => [input[at] ?? "", "setting"]),
        ...statistics.map((name): [string, Role] => [name ?? "", "statistic"]),
      ];
    }),
  );
  for (const name of fixed) read.set(name, "fixed");
  return read;
}

/** Declares an initializer: floating ones with at least one axis are parameters unless they have another role. */
export function declareInitializer(graph: Graph, name: string, data: Tensor, role: Role | undefined): Value {
  if (role === "statistic" || role === "fixed") return graph.buffer(name, data);
  const learned = isFloat(data.dtype) && data.shape.length > 0 && !role;
  return learned ? graph.parameter(name, data) : graph.constant(data, name);
}

/** Where a file keeps the names of initializers that are fixed, which are like weights otherwise. */
const FIXED = "arborize.fixed";

/** What a file says, in its metadata, of the fixed buffers among `stored`. */
export function factsOfFixed(
  graph: Graph,
  nodes: readonly Node[],
  stored: readonly Value[],
): Record<string, string> {
  const statistics = new Set(
    nodes.flatMap(({ operator, inputs }) => (operator === batchNormalizationOp ? statisticsOf(inputs) : [])),
  );
  const fixed = stored.filter(
    (value) => value.kind === "buffer" && !graph.frozen.has(value) && !statistics.has(value),
  );
  return fixed.length === 0 ? {} : { [FIXED]: JSON.stringify(fixed.map(({ name }) => name)) };
}

/** The roles of initializers by a file's metadata, and what else that says. */
export function rolesIn({ [FIXED]: text, ...metadata }: Readonly<Record<string, string>>): {
  readonly fixed: ReadonlySet<string>;
  readonly metadata: Readonly<Record<string, string>>;
} {
  return { fixed: new Set(text === undefined ? [] : namesIn(text)), metadata };
}

/** Names that a file lists; none where something else stands there. */
function namesIn(text: string): string[] {
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}
