// Graphs to .onnx bytes.

import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { ArborizeError, invariant } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Node, nodesBehind, type Value } from "../graph/graph.ts";
import type { Attribute, AttributeKind } from "../graph/operator.ts";
import { ONNX_DTYPES } from "../ops/cast.ts";
import { shapeOp, sizeOp } from "../ops/index.ts";
import { expectWritable, lowered } from "./lower.ts";
import { factsOfFixed } from "./roles.ts";
import { toTensorProto } from "./tensor.ts";

/** The opset that graphs are written in: the newest meaning that any operator here has (`since` is at most this). */
export const OPSET = 21;
/** The file format version that goes with each opset that can be written. */
const IR_VERSIONS: ReadonlyMap<number, bigint> = new Map([
  [17, 8n],
  [18, 8n],
  [19, 9n],
  [20, 9n],
  [OPSET, 10n],
]);

/** Options of `writeOnnx`. */
export interface WriteOptions {
  /** What to compute, by output name. Default: the graph's outputs under their own names. */
  readonly outputs?: ReadonlyMap<string, Value>;
  /** Parameters and buffers that are fed at each run instead of being stored in the file. Default: none. */
  readonly fed?: readonly Value[];
  /** Values of stored parameters and buffers by name. Default: their initial ones. */
  readonly values?: ReadonlyMap<string, Tensor>;
  /** Key-value pairs kept in the file. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The opset to write, 17 to 21. Default: 21. */
  readonly opset?: number;
}

/**
 * The graph as the bytes of an ONNX model. Only what the outputs depend on is written.
 *
 * @throws `bad_option` for an opset that is not written, `unsupported_attribute` listing each node that the asked opset has no
 *   form of; `forOpset` makes some of them of older operators.
 */
export function writeOnnx(graph: Graph, options: WriteOptions = {}): Uint8Array {
  const { opset = OPSET } = options;
  const irVersion = IR_VERSIONS.get(opset);
  if (irVersion === undefined) {
    const known = [...IR_VERSIONS.keys()].join(", ");
    throw new ArborizeError("bad_option", `The opset is ${opset}, written are ${known}.`);
  }
  const outputs = options.outputs ?? new Map(graph.outputs.map((value, i) => [graph.outputNames[i]!, value]));
  const fed = new Set(options.fed);
  const nodes = nodesBehind([...outputs.values()]);
  expectWritable(graph, nodes, opset);
  const used = new Set<Value | null>(nodes.flatMap((node) => lowered(node, opset).inputs));
  const written = new Set<Value | null>([...used, ...outputs.values()]);
  const state = [...graph.parameters, ...graph.buffers];
  const stored = [...graph.constants, ...state].filter((value) => written.has(value) && !fed.has(value));
  const inputs = [...graph.inputs, ...state.filter((value) => fed.has(value))].filter((value) =>
    written.has(value),
  );

  const names = fileNames(graph, outputs, written, fedValues(nodes, inputs));
  // An output that no node computes, or that has another name too, goes through an Identity.
  const aliases = [...outputs].filter(([name, value]) => name !== names.of(value));
  const domains = new Set(["", ...nodes.map((node) => node.operator.domain)]);
  const model = create(ModelProtoSchema, {
    irVersion,
    producerName: "arborize",
    opsetImport: [...domains].map((domain) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(domain === "" ? opset : 1) }),
    ),
    metadataProps: Object.entries({ ...options.metadata, ...factsOfFixed(graph, nodes, stored) }).map(
      ([key, value]) => create(StringStringEntryProtoSchema, { key, value }),
    ),
    graph: create(GraphProtoSchema, {
      name: graph.name,
      input: inputs.map((value) => valueInfo(value)),
      output: [...outputs].map(([name, value]) => valueInfo(value, name)),
      initializer: stored.map((value) => toTensorProto(dataOf(value, options.values), value.name)),
      node: [
        ...nodes.map((node, i) => nodeProto(node, i, written, names, opset)),
        ...aliases.map(([name, value]) =>
          create(NodeProtoSchema, { opType: "Identity", input: [names.of(value)], output: [name] }),
        ),
      ],
    }),
  });
  return toBinary(ModelProtoSchema, model);
}

/** What values are called in a file. */
interface Names {
  of(value: Value): string;
}

const OWN_NAMES: Names = { of: ({ name }) => name };

/** Outputs have the names that they are asked for by; what else a node computes under such a name gets another one. */
function fileNames(
  graph: Graph,
  outputs: ReadonlyMap<string, Value>,
  written: ReadonlySet<Value | null>,
  fed: ReadonlySet<Value>,
): Names {
  const renamed = new Map<Value, string>();
  for (const [name, value] of outputs) {
    // The runtime folds what follows from shapes and constants, and crashes where that is an output itself.
    if (value.producer && fed.has(value) && !renamed.has(value)) renamed.set(value, name);
  }
  for (const value of written) {
    if (!value || renamed.has(value) || !outputs.has(value.name)) continue;
    if (!value.producer) {
      throw new ArborizeError(
        "invalid_graph",
        `The output "${value.name}" has the name of another value of "${graph.name}": give it a name of its own.`,
      );
    }
    renamed.set(value, graph.uniqueName(value.name));
  }
  return { of: (value) => renamed.get(value) ?? value.name };
}

/** What depends on numbers that are fed, not on their shapes alone. */
function fedValues(nodes: readonly Node[], inputs: readonly Value[]): Set<Value> {
  const fed = new Set(inputs);
  for (const { operator, inputs: read, outputs } of nodes) {
    if (operator === shapeOp || operator === sizeOp) continue;
    if (read.some((value) => value && fed.has(value))) for (const output of outputs) fed.add(output);
  }
  return fed;
}

/** The body of a node: all of its inputs and outputs count, in their order. */
function bodyProto(graph: Graph, opset: number): GraphProto {
  const nodes = nodesBehind(graph.outputs);
  const read = nodes.flatMap((node) => lowered(node, opset).inputs);
  const written = new Set<Value | null>([...read, ...graph.outputs]);
  return create(GraphProtoSchema, {
    name: graph.name,
    input: graph.inputs.map((value) => valueInfo(value)),
    output: graph.outputs.map((value) => valueInfo(value)),
    initializer: [...graph.parameters, ...graph.constants]
      .filter((value) => written.has(value))
      .map((value) => toTensorProto(dataOf(value, undefined), value.name)),
    node: nodes.map((node, i) => nodeProto(node, i, written, OWN_NAMES, opset)),
  });
}

function dataOf(value: Value, values: WriteOptions["values"]): Tensor {
  const data = (value.kind === "constant" ? undefined : values?.get(value.name)) ?? value.data;
  invariant(data, `"${value.name}" has no data`);
  return data;
}

function valueInfo(value: Value, name = value.name): ValueInfoProto {
  const dim = value.shape.map((length) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        typeof length === "number"
          ? { case: "dimValue", value: BigInt(length) }
          : { case: "dimParam", value: length },
    }),
  );
  const tensor = create(TypeProto_TensorSchema, {
    elemType: ONNX_DTYPES[value.dtype],
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  const type = create(TypeProtoSchema, { value: { case: "tensorType", value: tensor } });
  return create(ValueInfoProtoSchema, { name, type });
}

function nodeProto(
  node: Node,
  at: number,
  written: ReadonlySet<Value | null>,
  names: Names,
  opset: number,
): NodeProto {
  const output = node.outputs.map((value, i) =>
    i === 0 || node.operator.variadicOutputs || written.has(value) ? names.of(value) : "",
  );
  while (output.at(-1) === "") output.pop();
  const { inputs, attributes, kinds } = lowered(node, opset);
  const input = inputs.map((value) => (value ? names.of(value) : ""));
  while (input.at(-1) === "") input.pop();
  return create(NodeProtoSchema, {
    name: nodeName(node, at),
    opType: node.operator.type,
    domain: node.operator.domain,
    input,
    output,
    attribute: Object.entries(attributes).flatMap(([name, attribute]) =>
      attribute === undefined ? [] : [attributeProto(name, attribute, kinds[name]!, opset)],
    ),
  });
}

function attributeProto(
  name: string,
  attribute: Attribute,
  kind: AttributeKind,
  opset: number,
): AttributeProto {
  const Type = AttributeProto_AttributeType;
  switch (kind) {
    case "int":
      return create(AttributeProtoSchema, { name, type: Type.INT, i: BigInt(attribute as number) });
    case "float":
      return create(AttributeProtoSchema, { name, type: Type.FLOAT, f: attribute as number });
    case "string":
      return create(AttributeProtoSchema, { name, type: Type.STRING, s: utf8(attribute as string) });
    case "ints":
      return create(AttributeProtoSchema, {
        name,
        type: Type.INTS,
        ints: (attribute as number[]).map(BigInt),
      });
    case "floats":
      return create(AttributeProtoSchema, { name, type: Type.FLOATS, floats: [...(attribute as number[])] });
    case "strings":
      return create(AttributeProtoSchema, {
        name,
        type: Type.STRINGS,
        strings: (attribute as string[]).map(utf8),
      });
    case "graph":
      invariant(attribute instanceof Graph, `attribute "${name}" is not a graph`);
      return create(AttributeProtoSchema, { name, type: Type.GRAPH, g: bodyProto(attribute, opset) });
    case "tensor":
      invariant(attribute instanceof Tensor, `attribute "${name}" is not a tensor`);
      return create(AttributeProtoSchema, { name, type: Type.TENSOR, t: toTensorProto(attribute) });
  }
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The path of a node in the network, which the reader finds its module by; `at` tells it apart. */
function nodeName({ operator: { type }, scope, output: { name } }: Node, at: number): string {
  const last = name.slice(name.lastIndexOf("/") + 1).replace(/_\d+$/, "");
  return last === type ? name : `/${scope === "" ? "" : `${scope}/`}${type}_${at}`;
}
