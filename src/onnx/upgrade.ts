// Nodes of older opsets turned into today's meaning, which is what the operators implement. One table, a row an operator.

import { ArborizeError } from "../base/errors.ts";
import { type DType, Tensor } from "../base/tensor.ts";
import { numbersOf } from "../graph/content.ts";
import type { Value } from "../graph/graph.ts";
import type { Attribute } from "../graph/operator.ts";
import { normalizeAxis, shapeText } from "../graph/shape.ts";
import * as op from "../ops/index.ts";
import { isStandard } from "../ops/registry.ts";
import { attention, rmsNormalization } from "./compound.ts";
import type { FileNode } from "./file-node.ts";

/** Turns a node into another, and may add nodes for what goes into it. */
type Change = (node: FileNode) => FileNode;

/** Of each operator: the opset that first had a new meaning, and how to get there from before. In order. */
type Changes = readonly (readonly [since: number, change: Change])[];

/** Larger than any opset: for what newer opsets don't have, or say in another way too. */
const ALWAYS = Number.POSITIVE_INFINITY;

/** The node in the meaning of the newest opset that is read. */
export function upgrade(node: FileNode, opset: number): FileNode {
  const changes = (isStandard(node.domain) && CHANGES.get(node.type)) || [];
  return changes.reduce((old, [since, change]) => (opset < since ? change(old) : old), node);
}

/** Whether nodes of this type are changed, into another type perhaps. */
export function isUpgraded(type: string): boolean {
  return CHANGES.has(type);
}

const axesAsInput: Change = (node) => inputsFrom(node, { axes: "int64" });
const reduction: Changes = [[18, axesAsInput]];

const CHANGES: ReadonlyMap<string, Changes> = new Map<string, Changes>([
  ["Attention", [[ALWAYS, attention]]],
  [
    "BatchNormalization",
    [
      [9, elementByElement],
      [14, trainingByOutputs],
    ],
  ],
  ["Clip", [[11, (node) => inputsFrom(node, { min: "like", max: "like" })]]],
  ["Dropout", [[12, (node) => inputsFrom(node, { ratio: "float32" })]]],
  ["GroupNormalization", [[21, perChannel]]],
  ["Hardmax", [[13, overRows]]],
  ["LogSoftmax", [[13, overRows]]],
  ["MatMul", [[ALWAYS, ofMatrices]]],
  ["Pad", [[11, (node) => inputsFrom(node, { pads: "int64", value: "like" })]]],
  ["ReduceL1", reduction],
  ["ReduceL2", reduction],
  ["ReduceLogSum", reduction],
  ["ReduceLogSumExp", reduction],
  ["ReduceMax", reduction],
  ["ReduceMean", reduction],
  ["ReduceMin", reduction],
  ["ReduceProd", reduction],
  ["ReduceSum", [[13, axesAsInput]]],
  ["ReduceSumSquare", reduction],
  [
    "Resize",
    [
      [11, byScales],
      [ALWAYS, withoutEmptyInputs],
    ],
  ],
  ["RMSNormalization", [[ALWAYS, rmsNormalization]]],
  ["Scatter", [[ALWAYS, (node) => ({ ...node, type: "ScatterElements" })]]],
  ["Slice", [[10, (node) => inputsFrom(node, { starts: "int64", ends: "int64", axes: "int64" })]]],
  ["Softmax", [[13, overRows]]],
  [
    "Split",
    [
      [13, (node) => inputsFrom(node, { split: "int64" })],
      [18, evenly],
    ],
  ],
  ["Squeeze", [[13, axesAsInput]]],
  ["TopK", [[10, (node) => inputsFrom(node, { k: "int64" })]]],
  ["Unsqueeze", [[13, axesAsInput]]],
  [
    "Upsample",
    [
      [9, (node) => inputsFrom(node, { scales: "float32" })],
      [ALWAYS, (node) => byScales({ ...node, type: "Resize" })],
    ],
  ],
]);

/**
 * Attributes that became inputs, after those that the node has. Whole numbers become vectors; others are scalars, or vectors
 * where they are several, in the given element type or in that of the first input.
 */
function inputsFrom(node: FileNode, kinds: Readonly<Record<string, DType | "like">>): FileNode {
  const x = firstInput(node);
  const attributes = { ...node.attributes };
  const inputs = Object.entries(kinds).map(([name, kind]) => {
    const attribute = attributes[name];
    delete attributes[name];
    return attribute === undefined ? null : asValue(x, name, attribute, kind);
  });
  return { ...node, attributes, inputs: [...node.inputs, ...inputs] };
}

function asValue(x: Value, name: string, attribute: Attribute, kind: DType | "like"): Value {
  const numbers = typeof attribute === "number" ? [attribute] : attribute;
  if (!Array.isArray(numbers)) {
    throw new ArborizeError("invalid_graph", `attribute "${name}" is ${attribute}, numbers were expected`);
  }
  if (kind === "int64") {
    // "To the end" is often written as the largest integer, which no JavaScript number is.
    const within = numbers.map((n) => Math.max(-LARGEST, Math.min(n, LARGEST)));
    return x.graph.constant(Tensor.of([within.length], within, kind));
  }
  const shape = typeof attribute === "number" ? [] : [numbers.length];
  return x.graph.constant(Tensor.of(shape, numbers, kind === "like" ? x.dtype : kind));
}

const LARGEST = Number.MAX_SAFE_INTEGER;

function firstInput({ type, inputs: [x] }: FileNode): Value {
  if (x) return x;
  throw new ArborizeError("invalid_graph", `${type} has no input`);
}

/** A vector as a matrix: the runtime multiplies a transposed matrix by a vector wrongly. */
function ofMatrices(node: FileNode): FileNode {
  const [a, b] = node.inputs;
  if (!a || !b || a.rank === b.rank || (a.rank !== 1 && b.rank !== 1)) return node;
  const [left, right] = a.rank === 1 ? [op.unsqueeze(a, [0]), b] : [a, op.unsqueeze(b, [1])];
  const axis = op.int64s(a, [a.rank === 1 ? -2 : -1]);
  return { ...node, type: "Squeeze", inputs: [op.matMul(left, right), axis] };
}

/** Until opset 8 `spatial` 0 meant statistics for each element instead of each channel. */
function elementByElement(node: FileNode): FileNode {
  const { spatial = 1, ...attributes } = node.attributes;
  if (spatial !== 0) return { ...node, attributes };
  const [x, scale, bias, mean, variance] = node.inputs;
  if (!x || !scale || !bias || !mean || !variance) {
    throw new ArborizeError("invalid_graph", "BatchNormalization needs five inputs");
  }
  const { epsilon = 1e-5 } = attributes as { epsilon?: number };
  const deviation = op.sqrt(op.add(variance, op.scalar(variance, epsilon)));
  const scaled = op.mul(op.sub(x, mean), op.div(scale, deviation));
  return { ...node, type: "Add", inputs: [scaled, bias], attributes: {}, outputs: node.outputs.slice(0, 1) };
}

/** Until opset 13 a node was in training that had more outputs than one: also the statistics, twice. */
function trainingByOutputs(node: FileNode): FileNode {
  if (node.type !== "BatchNormalization" || node.outputs.slice(1).every((name) => name === "")) return node;
  const attributes = { ...node.attributes, training_mode: 1 };
  return { ...node, attributes, outputs: node.outputs.slice(0, 3) };
}

/** Until opset 20 scale and bias had an element for each group, now they have one for each channel. */
function perChannel(node: FileNode): FileNode {
  const { num_groups: groups } = node.attributes;
  const x = firstInput(node);
  const channels = x.shape[1];
  if (
    typeof groups !== "number" ||
    !(groups > 0) ||
    typeof channels !== "number" ||
    channels % groups !== 0
  ) {
    throw new ArborizeError(
      "shape_mismatch",
      `the channels of ${shapeText(x.shape)} do not divide into ${groups} groups`,
    );
  }
  const repeated = (value: Value | null | undefined) =>
    value && op.reshape(op.expand(op.reshape(value, [groups, 1]), [groups, channels / groups]), [channels]);
  const [, scale, bias] = node.inputs;
  return { ...node, inputs: [x, repeated(scale) ?? null, repeated(bias) ?? null] };
}

/** Until opset 12 the softmax family worked on rows: all axes before `axis` (default: 1) by all from there on. */
function overRows(node: FileNode): FileNode {
  const x = firstInput(node);
  const axis = normalizeAxis(Number(node.attributes.axis ?? 1), x.rank);
  if (x.shape.slice(axis + 1).every((dim) => dim === 1)) return { ...node, attributes: { axis } };
  const operator = { Hardmax: op.hardmaxOp, LogSoftmax: op.logSoftmaxOp, Softmax: op.softmaxOp }[node.type]!;
  const rows = operator.emit([op.flatten(x, axis)], { axis: 1 }).output;
  return { ...node, type: "Reshape", inputs: [rows, op.shapeOf(x)], attributes: {} };
}

/**
 * Until opset 10 there were only scales, from the origin of both. The nearest element is the one before, and where an axis gets
 * shorter the one after: so does ONNX Runtime, the standard does not say.
 */
function byScales(node: FileNode): FileNode {
  const [x, scales = null] = node.inputs;
  const shorter = scales && numbersOf(scales)?.some((scale) => scale < 1);
  return {
    ...node,
    inputs: [x ?? null, null, scales],
    attributes: {
      ...node.attributes,
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: shorter ? "ceil" : "floor",
    },
  };
}

/** Opset 11 wanted empty tensors for what is not given, and exporters still write them. */
function withoutEmptyInputs(node: FileNode): FileNode {
  return { ...node, inputs: node.inputs.map((input) => (input?.data?.data.length === 0 ? null : input)) };
}

/** Until opset 17 a Split without lengths made as many parts as it has outputs. */
function evenly(node: FileNode): FileNode {
  if (node.inputs[1]) return node;
  return { ...node, attributes: { ...node.attributes, num_outputs: node.outputs.length } };
}
