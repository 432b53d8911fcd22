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
import { toTensorProto } from "./tensor.ts";

/** The opset that graphs are written in: the newest meaning that any operator here has (`since` is at most this). */
export const OPSET = 21;
/** The file format version that goes with it. */
const IR_VERSION = 10n;

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
}

/** The graph as the bytes of an ONNX model. Only what the outputs depend on is written. */
export function writeOnnx(graph: Graph, options: WriteOptions = {}): Uint8Array {
  const outputs = options.outputs ?? new Map(graph.outputs.map((value) => [value.name, value]));
  const fed = new Set(options.fed);
  const nodes = nodesBehind([...outputs.values()]);
  const used = new Set<Value | null>(nodes.flatMap((node) => node.inputs));
  const written = new Set<Value | null>([...used, ...outputs.values()]);
  const state = [...graph.parameters, ...graph.buffers];
  const stored = [...graph.constants, ...state].filter((value) => written.has(value) && !fed.has(value));
  const inputs = [...graph.inputs, ...state.filter((value) => fed.has(value))].filter((value) =>
    written.has(value),
  );

  for (const [name, value] of outputs) {
    const other = [...written].find((known) => known?.name === name);
    if (!other || (other === value && value.producer)) continue;
    throw new ArborizeError(
      "invalid_graph",
      `The output "${name}" has the name of another value of "${graph.name}": give it a name of its own.`,
    );
  }
  // An output that has another name in the graph, or that no node computes, goes through an Identity.
  const aliases = [...outputs].filter(([name, value]) => name !== value.name || !value.producer);
  const domains = new Set(["", ...nodes.map((node) => node.operator.domain)]);
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: "arborize",
    opsetImport: [...domains].map((domain) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(domain === "" ? OPSET : 1) }),
    ),
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    ),
    graph: create(GraphProtoSchema, {
      name: graph.name,
      input: inputs.map((value) => valueInfo(value)),
      output: [...outputs].map(([name, value]) => valueInfo(value, name)),
      initializer: stored.map((value) => toTensorProto(dataOf(value, options.values), value.name)),
      node: [
        ...nodes.map((node) => nodeProto(node, written)),
        ...aliases.map(([name, value]) =>
          create(NodeProtoSchema, { opType: "Identity", input: [value.name], output: [name] }),
        ),
      ],
    }),
  });
  return toBinary(ModelProtoSchema, model);
}

/** The body of a node: all of its inputs and outputs count, in their order. */
function bodyProto(graph: Graph): GraphProto {
  const nodes = nodesBehind(graph.outputs);
  const written = new Set<Value | null>([...nodes.flatMap((node) => node.inputs), ...graph.outputs]);
  return create(GraphProtoSchema, {
    name: graph.name,
    input: graph.inputs.map((value) => valueInfo(value)),
    output: graph.outputs.map((value) => valueInfo(value)),
    initializer: [...graph.parameters, ...graph.constants]
      .filter((value) => written.has(value))
      .map((value) => toTensorProto(dataOf(value, undefined), value.name)),
    node: nodes.map((node) => nodeProto(node, written)),
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

function nodeProto(node: Node, written: ReadonlySet<Value | null>): NodeProto {
  const output = node.outputs.map((value, i) =>
    i === 0 || node.operator.variadicOutputs || written.has(value) ? value.name : "",
  );
  while (output.at(-1) === "") output.pop();
  const input = node.inputs.map((value) => value?.name ?? "");
  while (input.at(-1) === "") input.pop();
  const attributes = node.operator.written?.(node) ?? node.attributes;
  return create(NodeProtoSchema, {
    name: node.output.name,
    opType: node.operator.type,
    domain: node.operator.domain,
    input,
    output,
    attribute: Object.entries(attributes).flatMap(([name, attribute]) =>
      attribute === undefined ? [] : [attributeProto(name, attribute, node.operator.attributes[name]!)],
    ),
  });
}

function attributeProto(name: string, attribute: Attribute, kind: AttributeKind): AttributeProto {
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
      return create(AttributeProtoSchema, { name, type: Type.GRAPH, g: bodyProto(attribute) });
    case "tensor":
      invariant(attribute instanceof Tensor, `attribute "${name}" is not a tensor`);
      return create(AttributeProtoSchema, { name, type: Type.TENSOR, t: toTensorProto(attribute) });
  }
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
