// Float32 instead of float64, for engines without.

import type { Graph, Value } from "../graph/graph.ts";
import { cast, castOp, ONNX_DTYPES } from "../ops/index.ts";
import { type Replacement, rewrite } from "./rewrite.ts";

/** A graph that computes with float32 what the other computes with float64, and where the other's outputs are in it. */
export function narrowed(
  graph: Graph,
  outputs: ReadonlyMap<string, Value>,
): { readonly graph: Graph; readonly outputs: ReadonlyMap<string, Value> } {
  const replace: Replacement = ({ operator, attributes }, inputs, target) => {
    const given = inputs.map((input) =>
      input?.data && input.dtype === "float64" ? target.graph.constant(input.data.to("float32")) : input,
    );
    if (operator === castOp && attributes.to === ONNX_DTYPES.float64) return [cast(given[0]!, "float32")];
    return target.graph.add(operator, given, attributes).outputs;
  };
  const made = rewrite(graph, replace, { outputs: [...outputs.values()], updates: false });
  const moved = [...outputs].map(([name, value]) => [name, made.mapped(value)] as const);
  return { graph: made.graph, outputs: new Map(moved) };
}
