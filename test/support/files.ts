// Small .onnx files as other programs write them, for tests of reading.

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
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { type DType, Tensor } from "../../src/base/tensor.ts";
import { toTensorProto } from "../../src/onnx/tensor.ts";
import { ONNX_DTYPES } from "../../src/ops/index.ts";

/** An attribute: whole numbers are `int` and `ints`; `float(1)` is not. */
export type FileAttribute = number | string | readonly number[] | Float | Tensor | GraphProto;

interface Float {
  readonly float: number | readonly number[];
}

/** A number, or several, as ONNX's kind `float`. */
export const float = (value: number | readonly number[]): Float => ({ float: value });

/** A node of a file. */
export function fileNode(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, FileAttribute>> = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
  return create(NodeProtoSchema, { opType, input: [...input], output: [...output], attribute });
}

/** What a file says of an input or output: element type and lengths, which may have names. */
export function fileValue(name: string, dtype: DType, shape?: readonly (number | string)[]): ValueInfoProto {
  const dim = shape?.map((length) => ({
    value:
      typeof length === "number"
        ? { case: "dimValue" as const, value: BigInt(length) }
        : { case: "dimParam" as const, value: length },
  }));
  const type = create(TypeProtoSchema, {
    value: { case: "tensorType", value: { elemType: ONNX_DTYPES[dtype], ...(dim && { shape: { dim } }) } },
  });
  return create(ValueInfoProtoSchema, { name, type });
}

/** The parts of a file's graph. */
export interface FileGraph {
  readonly nodes: readonly NodeProto[];
  readonly inputs?: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly initializers?: Readonly<Record<string, Tensor>>;
}

/** A graph as files have it, also inside of attributes. */
export function fileGraph({ nodes, inputs = [], outputs, initializers = {} }: FileGraph): GraphProto {
  return create(GraphProtoSchema, {
    name: "graph",
    node: [...nodes],
    input: [...inputs],
    output: [...outputs],
    initializer: Object.entries(initializers).map(([name, tensor]) => toTensorProto(tensor, name)),
  });
}

/** The bytes of a file. */
export function fileBytes(opset: number, graph: FileGraph): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: "", version: BigInt(opset) })],
    graph: fileGraph(graph),
  });
  return toBinary(ModelProtoSchema, model);
}

function attributeProto(name: string, value: FileAttribute): AttributeProto {
  const Type = AttributeProto_AttributeType;
  const make = (rest: object) => create(AttributeProtoSchema, { name, ...rest });
  if (typeof value === "number") return make({ type: Type.INT, i: BigInt(value) });
  if (typeof value === "string") return make({ type: Type.STRING, s: new TextEncoder().encode(value) });
  if (value instanceof Tensor) return make({ type: Type.TENSOR, t: toTensorProto(value) });
  if (Array.isArray(value)) return make({ type: Type.INTS, ints: value.map(BigInt) });
  if ("node" in value) return make({ type: Type.GRAPH, g: value });
  const { float: f } = value as Float;
  return typeof f === "number" ? make({ type: Type.FLOAT, f }) : make({ type: Type.FLOATS, floats: [...f] });
}
