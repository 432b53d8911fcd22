// Nodes as older opsets have them. Rules here implement one meaning of an operator, that of its `since`; where an older version
// says the same in another form, the node is written in that.

import { ArborizeError, invariant } from "../base/errors.ts";
import { numbersOf } from "../graph/content.ts";
import { Graph, type Node, nodesBehind, type Value } from "../graph/graph.ts";
import type { AttributeKind, Attributes } from "../graph/operator.ts";

/** What a file holds of a node beside its names. */
interface FileForm {
  readonly inputs: readonly (Value | null)[];
  readonly attributes: Attributes;
  readonly kinds: Readonly<Record<string, AttributeKind>>;
}

/** The form of an older opset, or in words what it lacks. */
type Lowering = (form: FileForm, node: Node, opset: number) => FileForm | string;

/** A node in the form of an opset: its own from the operator's `since` on. For nodes that `expectWritable` lets pass. */
export function lowered(node: Node, opset: number): FileForm {
  const form = formOf(node, opset);
  invariant(typeof form !== "string", `${node.label} has no form in opset ${opset}`);
  return form;
}

/** Checks that all nodes have a form in the opset. @throws `unsupported_attribute` listing those that have none. */
export function expectWritable(graph: Graph, nodes: readonly Node[], opset: number): void {
  const problems = nodes.flatMap((node) => problemsOf(node, opset));
  if (problems.length === 0) return;
  throw new ArborizeError(
    "unsupported_attribute",
    `"${graph.name}" cannot be written for opset ${opset}:\n  ${problems.join("\n  ")}`,
  );
}

function problemsOf(node: Node, opset: number): string[] {
  const form = formOf(node, opset);
  if (typeof form === "string") return [`${node.label}: ${form}`];
  const bodies = Object.values(node.attributes).filter((attribute) => attribute instanceof Graph);
  return bodies.flatMap((body) => nodesBehind(body.outputs).flatMap((inner) => problemsOf(inner, opset)));
}

function formOf(node: Node, opset: number): FileForm | string {
  const { operator, inputs } = node;
  const form = {
    inputs,
    attributes: operator.written?.(node) ?? node.attributes,
    kinds: operator.attributes,
  };
  if (operator.domain !== "" || operator.since <= opset) return form;
  const lower = LOWERINGS.get(operator.type);
  return lower ? lower(form, node, opset) : `it needs opset ${operator.since}`;
}

/** Newer versions only take more element types. */
const same: Lowering = (form) => form;

/** Without attributes, each of which must have the value that older versions imply. */
function without(implied: Readonly<Record<string, unknown>>): Lowering {
  return (form) => {
    const kept = { ...form.attributes };
    for (const [name, value] of Object.entries(implied)) {
      const given = kept[name];
      const values = Array.isArray(given) ? given : given === undefined ? [] : [given];
      if (values.some((each) => each !== value)) return `it has no ${name} there`;
      delete kept[name];
    }
    return { ...form, attributes: kept };
  };
}

/** Axes were an attribute, and a reduction without any was over all. */
const reduction: Lowering = (form, { inputs: [x = null, axes] }, opset) => {
  if (opset >= 18) return form;
  const { noop_with_empty_axes: noop, ...attributes } = form.attributes;
  if (!axes) return noop ? "it always reduces there" : { ...form, inputs: [x], attributes };
  const numbers = numbersOf(axes);
  if (!numbers) return "its axes must be known there";
  if (numbers.length === 0 && noop) return "it always reduces there";
  const given = numbers.length === 0 ? attributes : { ...attributes, axes: numbers };
  return { inputs: [x], attributes: given, kinds: { ...form.kinds, axes: "ints" } };
};

const padding: Lowering = (form, { inputs, attributes }, opset) => {
  if (attributes.mode === "wrap") return "it has no mode wrap there";
  return opset < 18 && inputs[3] ? "it has no axes there" : form;
};

const resizing: Lowering = (form, node, opset) => {
  if (form.attributes.coordinate_transformation_mode === "half_pixel_symmetric")
    return "it has no half_pixel_symmetric there";
  if (opset >= 18) return form;
  if (form.attributes.axes) return "it has no axes there";
  return without({ antialias: 0, keep_aspect_ratio_policy: "stretch" })(form, node, opset);
};

const scattering: Lowering = (form) => {
  const { reduction: kind } = form.attributes;
  return kind === "min" || kind === "max" ? `it has no reduction ${kind} there` : form;
};

/** Even parts follow from the number of outputs. */
const splitting: Lowering = (form, { inputs, outputs }) => {
  const { num_outputs: _, ...attributes } = form.attributes;
  const even = new Set(outputs.map(({ shape }) => shape.join())).size === 1;
  return inputs[1] || even ? { ...form, attributes } : "its parts must be even there";
};

const LOWERINGS: ReadonlyMap<string, Lowering> = new Map([
  ["AveragePool", without({ dilations: 1 })],
  ["Cast", without({ saturate: 1 })],
  ["ConstantOfShape", same],
  ["Identity", same],
  ["IsInf", same],
  ["IsNaN", same],
  ["LpPool", without({ dilations: 1, ceil_mode: 0 })],
  ["Pad", padding],
  ["ReduceL1", reduction],
  ["ReduceL2", reduction],
  ["ReduceLogSum", reduction],
  ["ReduceLogSumExp", reduction],
  ["ReduceMax", reduction],
  ["ReduceMean", reduction],
  ["ReduceMin", reduction],
  ["ReduceProd", reduction],
  ["ReduceSumSquare", reduction],
  ["Reshape", same],
  ["Resize", resizing],
  ["Scan", same],
  ["ScatterElements", scattering],
  ["ScatterND", scattering],
  ["Shape", same],
  ["Size", same],
  ["Split", splitting],
]);
