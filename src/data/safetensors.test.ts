import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type DType, Tensor } from "../base/tensor.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

/** A file with `header` as its JSON and `size` data bytes, however wrong. */
function file(header: string | object, size = 0, length?: bigint): Uint8Array {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(length ?? BigInt(json.length));
  return new Uint8Array(Buffer.concat([head, json, Buffer.alloc(size)]));
}
const f32 = (shape: unknown, start: number, end: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [start, end],
});

test("all element types, scalars and empty tensors come back, aligned and in order", () => {
  const dtypes: DType[] = ["bool", "int8", "uint8", "int32", "int64", "float64", "float32"];
  const tensors = dtypes.map((d): [string, Tensor] => [`t.${d}`, Tensor.of([3], [1, 0, 1], d)]);
  tensors.push(["10", Tensor.of([], [7.5])], ["2", Tensor.zeros([0, 4])], ['q"ü\\', Tensor.of([1], [1])]);
  const metadata = { format: "pt", constructor: "x" };
  const bytes = writeSafetensors(tensors, metadata);
  expect(writeSafetensors(tensors, metadata)).toEqual(bytes);
  const back = readSafetensors(bytes);
  expect([...back.tensors]).toEqual(tensors);
  expect({ ...back.metadata }).toEqual(metadata);
  for (const tensor of back.tensors.values()) expect(tensor.data.buffer).toBe(bytes.buffer);
  expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
});

test("no tensors at all; bytes at an odd address", () => {
  expect(readSafetensors(writeSafetensors([]))).toEqual({ tensors: new Map(), metadata: {} });
  const bytes = writeSafetensors([["a", Tensor.of([2], [1, 2])]]);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  expect(readSafetensors(shifted.subarray(1)).tensors.get("a")?.data).toEqual(Float32Array.of(1, 2));
});

test("writing refuses names that clash and metadata that is no text", () => {
  const one = Tensor.of([1], [1]);
  const wrong = (run: () => unknown, message: RegExp) => {
    expect(run).toThrow(
      expect.objectContaining({ code: "bad_data", message: expect.stringMatching(message) }),
    );
  };
  wrong(
    () =>
      writeSafetensors([
        ["a", one],
        ["a", one],
      ]),
    /"a" comes twice/,
  );
  wrong(() => writeSafetensors([["__metadata__", one]]), /reserved/);
  wrong(() => writeSafetensors([], { a: 1 as unknown as string }), /"a" is number/);
});

describe("hostile and damaged files", () => {
  const half = { ...f32([1], 0, 2), dtype: "F16" };
  test.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(0), /has 0 bytes/],
    ["an absurd header length", file("{}", 0, 2n ** 63n), /should take 9223372036854776000 bytes, 2 follow/],
    ["a header longer than the file", file("{}", 0, 3n), /cut short or of another format/],
    ["no JSON", file("{"), /is not JSON/],
    ["no UTF-8", file("").fill(0xff), /is not JSON|cut short/],
    ["no object", file("[]"), /not a JSON object/],
    ["no description", file({ a: 3 }), /tensor "a" is not described/],
    ["an unknown dtype", file({ w: half }, 2), /tensor "w" has dtype "F16"; Arborize reads F64, F32/],
    ["an inherited dtype", file({ w: { ...half, dtype: "constructor" } }, 2), /dtype "constructor"/],
    ["no dtype", file({ w: { shape: [] } }), /dtype missing/],
    ["no shape", file({ w: f32("no", 0, 4) }, 4), /tensor "w" has shape "no"/],
    ["a negative size", file({ w: f32([-1], 0, 4) }, 4), /tensor "w" has shape \[-1\]/],
    ["a fractional size", file({ w: f32([0.5], 0, 4) }, 4), /shape \[0.5\]/],
    ["a huge size", file({ w: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /needs 4.8\S+ bytes and has 4/],
    ["huge and empty", file({ w: f32([2 ** 53 - 1, 2 ** 53 - 1, 0], 4, 4) }, 4), /"w"|belong/],
    ["the wrong size", file({ w: f32([2], 0, 4) }, 4), /tensor "w" of F32 \[2\] needs 8 bytes and has 4/],
    ["no offsets", file({ w: { dtype: "F32", shape: [] } }), /data_offsets missing/],
    [
      "three offsets",
      file({ w: { ...f32([], 0, 4), data_offsets: [0, 4, 4] } }, 4),
      /data_offsets \[0,4,4\]/,
    ],
    ["offsets beyond the end", file({ w: f32([2], 0, 8) }, 4), /"w" takes bytes 0 to 8 of 4/],
    ["offsets reversed", file({ w: f32([], 4, 0) }, 4), /"w" takes bytes 4 to 0/],
    ["overlap", file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8), /"b" starts at byte 4, inside/],
    [
      "the same bytes twice",
      file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4),
      /"b" starts at byte 0, inside/,
    ],
    ["a hole", file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /bytes 4 to 8, before tensor "b"/],
    ["a tail", file({ a: f32([1], 0, 4) }, 9), /last 5 bytes belong to no tensor/],
    ["a name twice", file('{"a": {"dtype":"U8"}, "\\u0061" :{}}'), /the name "a" comes twice/],
    ["a key twice", file('{"a": {"dtype":"U8", "dtype":"I8"}}'), /the name "dtype" comes twice/],
    ["a prototype as tensor", file('{"__proto__": {}}'), /"__proto__" is no name/],
    ["a prototype inside", file('{"a": {"__proto__": {}}}'), /"__proto__" is no name/],
    ["metadata of numbers", file({ __metadata__: { a: 1 } }), /metadata "a" is not text/],
    ["metadata of text", file({ __metadata__: "x" }), /__metadata__ is not an object/],
  ])("%s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes, "m.safetensors")).toThrow(
      expect.objectContaining({ code: "bad_file", message: expect.stringMatching(message) }),
    );
    expect(() => readSafetensors(bytes, "m.safetensors")).toThrow(/^"m.safetensors" is not a readable/);
  });

  test("every truncation and every flipped byte of a header is read or refused, never worse", () => {
    const good = writeSafetensors([["a", Tensor.of([2], [1, 2])]], { k: "v" });
    for (let i = 0; i < good.length; i++) {
      expect(() => readSafetensors(good.subarray(0, i))).toThrow(
        expect.objectContaining({ code: "bad_file" }),
      );
      const flipped = good.slice();
      flipped[i]! ^= 1 + (i % 255);
      try {
        readSafetensors(flipped);
      } catch (error) {
        expect(error).toMatchObject({ code: "bad_file" });
      }
    }
  });
});

const golden = join(import.meta.dirname, "..", "..", "..", "shared", "golden");
if (!existsSync(golden)) console.log(`skipped: no ${golden} to check real safetensors files against`);
test.skipIf(!existsSync(golden))("files written by PyTorch's library come back byte for byte", () => {
  const cases = readdirSync(golden).filter((name) => existsSync(`${golden}/${name}/tensors.safetensors`));
  expect(cases.length).toBeGreaterThan(10);
  for (const name of cases) {
    const bytes = new Uint8Array(readFileSync(`${golden}/${name}/tensors.safetensors`));
    const { tensors, metadata } = readSafetensors(bytes, name);
    expect(tensors.size).toBeGreaterThan(5);
    expect([...tensors.values()].every((t) => Array.from(t.toNumbers()).every(Number.isFinite))).toBe(true);
    expect(readSafetensors(writeSafetensors(tensors, metadata)).tensors).toEqual(tensors);
  }
  const mlp = readSafetensors(new Uint8Array(readFileSync(`${golden}/mlp/tensors.safetensors`))).tensors;
  expect(String(mlp.get("target"))).toBe("int64[5]");
  expect(mlp.get("loss")?.shape).toEqual([]);
});
