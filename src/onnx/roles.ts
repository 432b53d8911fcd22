// What the initializers of a file are to the network: parameters, buffers or constants.

import type { GraphProto } from "onnx-buf";
import { isFloat, type Tensor } from "../base/tensor.ts";
import type { Graph, Value } from "../graph/graph.ts";

/** What an initializer is to the operator that reads it, where it is not what is learned. */
export type Role = "setting" | "statistic";

/** Inputs that say how to compute, or that training keeps statistics in, by operator and position. */
const ROLES: ReadonlyMap<string, Readonly<Record<number, Role>>> = new Map([
  ["BatchNormalization", { 3: "statistic", 4: "statistic" }],
  ["Resize", { 1: "setting", 2: "setting" }],
  ["OneHot", { 2: "setting" }],
  ["Upsample", { 1: "setting" }],
]);

/** The roles of initializers, by name. */
export function rolesOf({ node }: GraphProto): Map<string, Role> {
  return new Map(
    node.flatMap(({ opType, input }) =>
      Object.entries(ROLES.get(opType) ?? {}).map(([at, role]) => [input[Number(at)] ?? "", role] as const),
    ),
  );
}

/** Declares an initializer: floating ones with at least one axis are parameters unless they have another role. */
export function declareInitializer(graph: Graph, name: string, data: Tensor, role: Role | undefined): Value {
  if (role === "statistic") return graph.buffer(name, data);
  const learned = isFloat(data.dtype) && data.shape.length > 0 && !role;
  return learned ? graph.parameter(name, data) : graph.constant(data, name);
}
