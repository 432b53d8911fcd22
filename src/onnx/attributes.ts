// Attributes of nodes as files have them.

import { type AttributeProto, AttributeProto_AttributeType, type GraphProto, type NodeProto } from "onnx-buf";
import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph } from "../graph/graph.ts";
import type { Attribute, AttributeKind, Attributes, Operator } from "../graph/operator.ts";
import { fromTensorProto } from "./tensor.ts";

const Type = AttributeProto_AttributeType;

/**
 * Attributes by name; `readBody` makes the graphs of those that are graphs.
 *
 * @throws `unsupported_attribute` for kinds that no operator here has.
 */
export function attributesOf(
  attributes: readonly AttributeProto[],
  readBody: (proto: GraphProto) => Graph,
): Attributes {
  return Object.fromEntries(
    attributes.map((attribute) => [attribute.name, attributeOf(attribute, readBody)]),
  );
}

function attributeOf(proto: AttributeProto, readBody: (proto: GraphProto) => Graph): Attribute {
  switch (proto.type) {
    case Type.INT:
      return Number(proto.i);
    case Type.FLOAT:
      return proto.f;
    case Type.STRING:
      return new TextDecoder().decode(proto.s);
    case Type.INTS:
      return proto.ints.map(Number);
    case Type.FLOATS:
      return [...proto.floats];
    case Type.STRINGS:
      return proto.strings.map((text) => new TextDecoder().decode(text));
    case Type.TENSOR:
      return tensorOf(proto);
    case Type.GRAPH:
      if (proto.g) return readBody(proto.g);
  }
  throw new ArborizeError(
    "unsupported_attribute",
    `attribute "${proto.name}" is of a kind that is not supported, ${Type[proto.type] ?? proto.type}`,
  );
}

function tensorOf({ name, t }: AttributeProto): Tensor {
  if (t) return fromTensorProto(t);
  throw new ArborizeError("invalid_graph", `attribute "${name}" holds no tensor.`);
}

const isKind: Readonly<Record<AttributeKind, (attribute: Attribute) => boolean>> = {
  int: (attribute) => Number.isInteger(attribute),
  float: (attribute) => typeof attribute === "number",
  string: (attribute) => typeof attribute === "string",
  ints: (attribute) => Array.isArray(attribute) && (attribute as readonly unknown[]).every(Number.isInteger),
  floats: isListOf("number"),
  strings: isListOf("string"),
  tensor: (attribute) => attribute instanceof Tensor,
  graph: (attribute) => attribute instanceof Graph,
};

/** Whether an attribute is a list of one type; files don't say of what an empty one is. */
function isListOf(type: "number" | "string"): (attribute: Attribute) => boolean {
  return (attribute) =>
    Array.isArray(attribute) && (attribute as readonly unknown[]).every((item) => typeof item === type);
}

/** Checks that the attributes that the operator knows have its kinds. @throws `invalid_graph`. */
export function expectKinds(operator: Operator, attributes: Attributes): void {
  for (const [name, kind] of Object.entries(operator.attributes)) {
    const attribute = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (attribute === undefined || isKind[kind](attribute)) continue;
    throw new ArborizeError(
      "invalid_graph",
      `attribute "${name}" of ${operator.type} is ${attribute}, which is not of the kind "${kind}"`,
    );
  }
}

/** What a Constant node holds. @throws `invalid_graph` where that is text, sparse or nothing. */
export function constantOf(node: NodeProto): Tensor {
  const [attribute] = node.attribute;
  switch (attribute?.name) {
    case "value":
      return tensorOf(attribute);
    case "value_float":
      return Tensor.of([], [attribute.f]);
    case "value_int":
      return new Tensor("int64", [], BigInt64Array.of(attribute.i));
    case "value_floats":
      return Tensor.of([attribute.floats.length], attribute.floats);
    case "value_ints":
      return new Tensor("int64", [attribute.ints.length], BigInt64Array.from(attribute.ints));
  }
  throw new ArborizeError("invalid_graph", `Constant "${node.name}" has no value of a supported kind.`);
}
