// Graphs as text, in the manner of ONNX's textual syntax: for tests, errors and people.

import { Tensor } from "../base/tensor.ts";
import { Graph, nodesBehind, type Value } from "./graph.ts";
import type { Attribute } from "./operator.ts";
import { shapeText } from "./shape.ts";

/** One line a parameter, buffer and node that `outputs` (default: the graph's) depend on. */
export function printGraph(graph: Graph, outputs: readonly Value[] = graph.outputs): string {
  const nodes = nodesBehind(outputs);
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const lines = [...graph.parameters, ...graph.buffers]
    .filter((value) => used.has(value))
    .map((value) => `  ${value.kind} ${value}`);
  for (const node of nodes) {
    const last = node.inputs.findLastIndex((input) => input !== null);
    const given = node.inputs.slice(0, last + 1);
    const inputs = given.map((input) => (input === null ? "" : reference(input))).join(", ");
    const attributes = Object.entries(node.attributes)
      .filter((entry): entry is [string, Attribute] => entry[1] !== undefined)
      .map(([name, attribute]) => `${name} = ${attributeText(attribute)}`);
    const suffix = attributes.length === 0 ? "" : ` <${attributes.join(", ")}>`;
    lines.push(`  ${node.outputs.join(", ")} = ${node.operator.type}(${inputs})${suffix}`);
  }
  return `${graph.name}(${graph.inputs.join(", ")}) => (${outputs.join(", ")})\n${lines.join("\n")}\n`;
}

function reference(value: Value): string {
  const data = value.kind === "constant" ? value.data : null;
  if (!data || data.data.length > 8) return value.name;
  const numbers = Array.from(data.toNumbers());
  return data.shape.length === 0 ? `${numbers[0]}` : shapeText(numbers);
}

function attributeText(attribute: Attribute): string {
  if (attribute instanceof Graph) return printGraph(attribute).trimEnd().replaceAll("\n", "\n    ");
  if (attribute instanceof Tensor) return attribute.toString();
  return typeof attribute === "object" ? `[${attribute.join(", ")}]` : JSON.stringify(attribute);
}
