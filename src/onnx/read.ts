// .onnx bytes to graphs.

import { fromBinary } from "@bufbuild/protobuf";
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from "onnx-buf";
import { ArborizeError } from "../base/errors.ts";
import { isFloat, type Tensor } from "../base/tensor.ts";
import { Graph, type Node, type Value } from "../graph/graph.ts";
import { type Dim, lengthReader, symbolOf } from "../graph/shape.ts";
import { normalizesByBatch, updateStatistics } from "../ops/batch-norm.ts";
import { dtypeOfOnnx } from "../ops/cast.ts";
import { findOperator, isStandard } from "../ops/registry.ts";
import { attributesOf, constantOf, expectKinds } from "./attributes.ts";
import { fromTensorProto } from "./tensor.ts";
import { isUpgraded, upgrade } from "./upgrade.ts";
import { OPSET } from "./write.ts";

/** The oldest opset that is read. */
const OLDEST_OPSET = 7;
/** The newest opset that is read. */
const NEWEST_OPSET = 23;

/** A model read from a file. */
export interface OnnxModel {
  readonly graph: Graph;
  /** Key-value pairs that the file's producer kept in it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads an ONNX model (opsets 7 to 23) as a graph.
 *
 * Floating initializers with at least one axis become parameters, under their own names; scalars, integers, the outputs of
 * Constant nodes and what operators read as settings (the scales of Resize) are constants; the running statistics of a
 * BatchNormalization are buffers, which training updates if the node is in training mode. A node whose weight is called
 * `fc1.weight` belongs to the module `fc1`.
 *
 * @param name what error messages call the file. Default: "model.onnx".
 * @throws `bad_file` when the bytes are damaged, `unknown_operator` listing every operator that is not known,
 *   `shape_mismatch` and others when the graph is not sound.
 */
export function readOnnx(bytes: Uint8Array, name = "model.onnx"): OnnxModel {
  const model = decode(bytes, name);
  const proto = model.graph;
  if (!proto) throw new ArborizeError("bad_file", `"${name}" holds no graph: it is not an ONNX model.`);
  const opset = Number(model.opsetImport.find(({ domain }) => isStandard(domain))?.version ?? 0);
  if (opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
    throw new ArborizeError(
      "bad_file",
      `"${name}" uses ONNX opset ${opset}; opsets ${OLDEST_OPSET} to ${NEWEST_OPSET} can be read. Export it again for opset ${OPSET}.`,
    );
  }
  rejectUnknown(proto, name);
  try {
    const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
    return { graph: buildGraph(proto, opset), metadata };
  } catch (error) {
    const code = error instanceof ArborizeError ? error.code : "bad_file";
    throw new ArborizeError(code, `"${name}": ${(error as Error).message}`, { cause: error });
  }
}

function decode(bytes: Uint8Array, name: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new ArborizeError(
      "bad_file",
      `"${name}" cannot be decoded as an ONNX model (${bytes.length} bytes): it is truncated, damaged or something else. ${(error as Error).message}.`,
      { cause: error },
    );
  }
}

function rejectUnknown(proto: GraphProto, name: string): void {
  const unknown = new Set(
    proto.node
      .filter(({ opType, domain }) => !isKnown(opType, domain))
      .map(({ opType, domain }) => (domain === "" ? opType : `${domain}.${opType}`)),
  );
  if (unknown.size === 0) return;
  throw new ArborizeError(
    "unknown_operator",
    `"${name}" uses operators that are not supported: ${[...unknown].sort().join(", ")}.`,
  );
}

function isKnown(type: string, domain: string): boolean {
  if (findOperator(type, domain)) return true;
  return isStandard(domain) && (type === "Constant" || isUpgraded(type));
}

function buildGraph(proto: GraphProto, opset: number): Graph {
  const names = proto.node.flatMap(({ output }) => output);
  const graph = new Graph({ name: proto.name || "network", reserved: names });
  const values = new Map<string, Value>();
  const roles = rolesOf(proto);
  for (const initializer of proto.initializer) {
    const data = fromTensorProto(initializer);
    values.set(
      initializer.name,
      declareInitializer(graph, initializer.name, data, roles.get(initializer.name)),
    );
  }
  const fed = proto.input.filter(({ name }) => !values.has(name));
  const readLength = lengthReader(fed.flatMap(namedLengths));
  for (const input of fed) values.set(input.name, declareInput(graph, input, readLength));
  for (const node of proto.node) {
    if (node.opType === "Constant") {
      values.set(node.output[0]!, graph.constant(constantOf(node), node.output[0]!));
    } else {
      addNode(graph, node, opset, values);
    }
  }
  for (const { name } of proto.output) {
    const value = values.get(name);
    if (!value) throw new ArborizeError("invalid_graph", `output "${name}" is not computed by any node.`);
    graph.output(value);
  }
  return graph;
}

/** What an initializer is to the operator that reads it, where it is not what is learned. */
type Role = "setting" | "statistic";

/** Inputs that say how to compute, or that training keeps statistics in, by operator and position. */
const ROLES: Readonly<Record<string, Readonly<Record<number, Role>>>> = {
  BatchNormalization: { 3: "statistic", 4: "statistic" },
  Resize: { 1: "setting", 2: "setting" },
  OneHot: { 2: "setting" },
  Upsample: { 1: "setting" },
};

/** The roles of initializers, by name. */
function rolesOf(proto: GraphProto): Map<string, Role> {
  return new Map(
    proto.node.flatMap(({ opType, input }) =>
      Object.entries(ROLES[opType] ?? {}).map(([at, role]) => [input[Number(at)] ?? "", role] as const),
    ),
  );
}

function declareInitializer(graph: Graph, name: string, data: Tensor, role: Role | undefined): Value {
  if (role === "statistic") return graph.buffer(name, data);
  const learned = isFloat(data.dtype) && data.shape.length > 0 && !role;
  return learned ? graph.parameter(name, data) : graph.constant(data, name);
}

/** The lengths of an input that have names. */
function namedLengths({ type }: ValueInfoProto): string[] {
  const dims = type?.value.case === "tensorType" ? (type.value.value.shape?.dim ?? []) : [];
  return dims.flatMap(({ value }) => (value.case === "dimParam" && value.value !== "" ? [value.value] : []));
}

function declareInput(
  graph: Graph,
  { name, type }: ValueInfoProto,
  readLength: (text: string) => Dim,
): Value {
  if (type?.value.case !== "tensorType") {
    throw new ArborizeError("invalid_graph", `input "${name}" is not a tensor.`);
  }
  const { elemType, shape } = type.value.value;
  const dims = (shape?.dim ?? []).map(({ value }, axis): Dim => {
    // Some exporters write -1 for a length that varies.
    if (value.case === "dimValue" && value.value >= 0n) return Number(value.value);
    return value.case === "dimParam" && value.value !== ""
      ? readLength(value.value)
      : symbolOf(`${name}_${axis}`);
  });
  return graph.input(name, dtypeOfOnnx(elemType), dims);
}

function addNode(graph: Graph, proto: NodeProto, opset: number, values: Map<string, Value>): void {
  const inputs = proto.input.map((name) => {
    if (name === "") return null;
    const value = values.get(name);
    if (value) return value;
    throw new ArborizeError(
      "invalid_graph",
      `${proto.opType} "${proto.name}" reads "${name}", which nothing before it computes.`,
    );
  });
  const scope = scopeOf(inputs);
  const node = graph.within(scope, () => {
    try {
      return addUpgraded(graph, proto, inputs, opset);
    } catch (error) {
      if (error instanceof ArborizeError) throw error;
      const given = inputs.map((input) => (input ? `${input}` : "none")).join("; ");
      const problem = `${proto.opType} "${proto.name}" does not take the inputs (${given}) that it has.`;
      throw new ArborizeError("invalid_graph", problem, { cause: error });
    }
  });
  if (normalizesByBatch(node)) updateStatistics(node);
  if (scope !== "" && !graph.modules.has(scope)) graph.modules.set(scope, { type: moduleType(node) });
  node.outputs.forEach((output, i) => {
    if (proto.output[i]) values.set(proto.output[i], output);
  });
}

function addUpgraded(
  graph: Graph,
  { opType, domain, output, ...proto }: NodeProto,
  given: readonly (Value | null)[],
  opset: number,
): Node {
  const attributes = attributesOf(proto.attribute);
  const old = { type: opType, domain, inputs: given, attributes, outputs: output };
  const { type, inputs, outputs, ...node } = upgrade(old, opset);
  const operator = findOperator(type, node.domain)!;
  expectKinds(operator, node.attributes);
  const names = outputs.map((name) => name || undefined);
  return graph.add(operator, inputs, node.attributes, names);
}

/** The module that a node belongs to: what comes before the last dot in the names of its parameters. */
function scopeOf(inputs: readonly (Value | null)[]): string {
  const parameter = inputs.find((input) => input?.kind === "parameter" && input.name.includes("."));
  return parameter ? parameter.name.slice(0, parameter.name.lastIndexOf(".")) : "";
}

/** What PyTorch calls the layer that a node with weights is. */
function moduleType({ operator, output }: Node): string {
  switch (operator.type) {
    case "Gemm":
    case "MatMul":
      return "Linear";
    case "Conv":
    case "ConvTranspose":
      return `${operator.type}${output.rank - 2}d`;
    default:
      return operator.type;
  }
}
