// Nodes whose results are known when the graph is built: constants and shapes, and what follows from them.

import { type DType, isFloat, Tensor } from "../base/tensor.ts";
import { elementsOf, numbersOf } from "../graph/content.ts";
import { type Graph, Node, type Value } from "../graph/graph.ts";
import type { Attributes, Operator, ValueType } from "../graph/operator.ts";

/**
 * What a node would compute, as constants, or null where that does not follow from the graph. Only small values are
 * followed (graph/content.ts).
 */
export function foldedOutputs(
  graph: Graph,
  operator: Operator,
  inputs: readonly (Value | null)[],
  attributes: Attributes,
): readonly Value[] | null {
  if (!operator.evaluate || !operator.deterministic) return null;
  // Shape and Size know lengths without knowing elements; of all others something must be known.
  const open = (input: Value | null) => input !== null && input.kind !== "constant" && !elementsOf(input);
  if (inputs.some(open) && !["Shape", "Size"].includes(operator.type)) return null;
  const types = inferred(operator, inputs, attributes);
  if (!types) return null;
  const names = types.map(() => "");
  // Not in the graph: it has no part in it.
  const node = new Node(graph, operator, inputs, attributes, types, names);
  const tensors = node.outputs.map(tensorOf);
  return tensors.every((tensor) => tensor !== null) ? tensors.map((tensor) => graph.constant(tensor)) : null;
}

function inferred(operator: Operator, ...given: Parameters<Operator["infer"]>): readonly ValueType[] | null {
  try {
    return operator.infer(...given);
  } catch {
    // Graph.add says what is wrong, and with which node.
    return null;
  }
}

function tensorOf(value: Value): Tensor | null {
  const numbers = numbersOf(value);
  if (!numbers?.every((number) => fits(number, value.dtype))) return null;
  return Tensor.of(value.shape as readonly number[], numbers, value.dtype);
}

/** Whether an element is what the runtime would compute: some integers are too large for numbers. */
function fits(number: number, dtype: DType): boolean {
  if (dtype === "bool") return number === 0 || number === 1;
  return isFloat(dtype) || Number.isSafeInteger(number);
}
