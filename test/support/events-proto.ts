// TensorBoard's messages for protobuf's own decoder, from their published definitions, and its records with a checksum of our own.

import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

type FieldOf = readonly [
  name: string,
  number: number,
  type: Type,
  message?: string | undefined,
  repeated?: boolean,
];

const MESSAGES: Readonly<Record<string, readonly FieldOf[]>> = {
  PluginData: [
    ["plugin_name", 1, Type.STRING],
    ["content", 2, Type.BYTES],
  ],
  SummaryMetadata: [["plugin_data", 1, Type.MESSAGE, "PluginData"]],
  Dim: [["size", 1, Type.INT64]],
  TensorShapeProto: [["dim", 2, Type.MESSAGE, "Dim", true]],
  TensorProto: [
    ["dtype", 1, Type.INT32],
    ["tensor_shape", 2, Type.MESSAGE, "TensorShapeProto"],
    ["string_val", 8, Type.BYTES, undefined, true],
  ],
  Value: [
    ["tag", 1, Type.STRING],
    ["simple_value", 2, Type.FLOAT],
    ["tensor", 8, Type.MESSAGE, "TensorProto"],
    ["metadata", 9, Type.MESSAGE, "SummaryMetadata"],
  ],
  Summary: [["value", 1, Type.MESSAGE, "Value", true]],
  Event: [
    ["wall_time", 1, Type.DOUBLE],
    ["step", 2, Type.INT64],
    ["file_version", 3, Type.STRING],
    ["summary", 5, Type.MESSAGE, "Summary"],
  ],
};

const file = create(FileDescriptorProtoSchema, {
  name: "event.proto",
  package: "tensorboard",
  syntax: "proto3",
  messageType: Object.entries(MESSAGES).map(([name, fields]) => ({
    name,
    field: fields.map(([field, number, type, message, repeated]) => ({
      name: field,
      number,
      type,
      label: repeated ? Label.REPEATED : Label.OPTIONAL,
      ...(message ? { typeName: `.tensorboard.${message}` } : {}),
    })),
  })),
});
const schema = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getMessage(
  "tensorboard.Event",
)!;

/** An event as protobuf's decoder gives it. */
export interface DecodedEvent {
  readonly wallTime: number;
  readonly step: bigint;
  readonly fileVersion: string;
  readonly summary?: {
    readonly value: readonly {
      readonly tag: string;
      readonly simpleValue: number;
      readonly tensor?: { readonly dtype: number; readonly stringVal: readonly Uint8Array[] };
      readonly metadata?: { readonly pluginData?: { readonly pluginName: string } };
    }[];
  };
}

/** The events of a file. @throws where a checksum or a length is wrong, or a field is unknown. */
export function decodeEvents(bytes: Buffer): DecodedEvent[] {
  const events: DecodedEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    check(bytes.subarray(at, at + 8), bytes.readUInt32LE(at + 8));
    const content = bytes.subarray(at + 12, at + 12 + length);
    check(content, bytes.readUInt32LE(at + 12 + length));
    const event = fromBinary(schema, content);
    if (event.$unknown) throw new Error("an unknown field");
    events.push(event as unknown as DecodedEvent);
    at += 16 + length;
  }
  return events;
}

function check(bytes: Uint8Array, masked: number): void {
  const rotated = (masked - 0xa282ead8) >>> 0;
  const stored = ((rotated >>> 17) | (rotated << 15)) >>> 0;
  if (stored !== crc32c(bytes)) throw new Error(`checksum ${stored}, computed ${crc32c(bytes)}`);
}

/** CRC-32C by long division, most significant bit first, as its definition has it: bytes and result are reflected. */
export function crc32c(bytes: Uint8Array): number {
  let rest = 0xffffffffn;
  for (const byte of bytes) {
    rest ^= reflected(BigInt(byte), 8) << 24n;
    for (let bit = 0; bit < 8; bit++) {
      rest = rest & 0x80000000n ? ((rest << 1n) ^ 0x1edc6f41n) & 0xffffffffn : rest << 1n;
    }
  }
  return Number(reflected(rest, 32) ^ 0xffffffffn);
}

function reflected(value: bigint, bits: number): bigint {
  let result = 0n;
  for (let bit = 0; bit < bits; bit++) result |= ((value >> BigInt(bit)) & 1n) << BigInt(bits - 1 - bit);
  return result;
}
