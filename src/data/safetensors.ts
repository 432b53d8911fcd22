// The safetensors format: eight bytes of header length, a JSON header, the tensors' bytes without gaps.
// https://github.com/huggingface/safetensors

import { ArborizeError } from "../base/errors.ts";
import { bytesPerElement, type DType, Tensor, viewBytes } from "../base/tensor.ts";

/** What a safetensors file holds: tensors in the header's order, and free text by key. */
export interface Safetensors {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
}

const DTYPES = new Map<unknown, DType>([
  ["F64", "float64"],
  ["F32", "float32"],
  ["I64", "int64"],
  ["I32", "int32"],
  ["U8", "uint8"],
  ["I8", "int8"],
  ["BOOL", "bool"],
]);
const NAMES = new Map([...DTYPES].map(([name, dtype]) => [dtype, name as string]));
/** The reference implementation's limit: a longer header is an attack or not a safetensors file. */
const MAX_HEADER = 100_000_000;

/**
 * Reads a safetensors file from its bytes. Tensors share memory with `bytes` where the alignment allows it,
 * so nothing is allocated on a file's word alone.
 *
 * @param name What errors call the file.
 * @throws `bad_file` for anything that breaks the format, and for element types other than F64, F32, I64,
 * I32, U8, I8 and BOOL.
 */
export function readSafetensors(bytes: Uint8Array, name = "safetensors"): Safetensors {
  const fail = (problem: string): never => {
    throw new ArborizeError("bad_file", `"${name}" is not a readable safetensors file: ${problem}`);
  };
  const header = parseHeader(bytes, fail);
  const data = bytes.subarray(8 + header.length);
  const tensors = new Map<string, Tensor>();
  const spans: { tensor: string; start: number; end: number }[] = [];
  for (const tensor of header.keys) {
    if (tensor === "__metadata__") continue;
    const { dtype, shape, start, end } = parseEntry(tensor, header.json[tensor], data.length, fail);
    spans.push({ tensor, start, end });
    tensors.set(tensor, new Tensor(dtype, shape, viewBytes(dtype, data.subarray(start, end))));
  }

  spans.sort((a, b) => a.start - b.start || a.end - b.end);
  let position = 0;
  for (const { tensor, start, end } of spans) {
    if (start < position) fail(`tensor "${tensor}" starts at byte ${start}, inside the tensor before it.`);
    if (start > position)
      fail(`bytes ${position} to ${start}, before tensor "${tensor}", belong to no tensor.`);
    position = end;
  }
  if (position < data.length) fail(`its last ${data.length - position} bytes belong to no tensor.`);
  return { tensors, metadata: parseMetadata(header.json.__metadata__, fail) };
}

/**
 * The bytes of a safetensors file. The header keeps the order of `tensors`; the data lies in order of falling
 * element size, so that readers can map every tensor without a copy. The same input gives the same bytes.
 *
 * @throws `bad_data` for a name that comes twice or is reserved, and for metadata that is not text.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, Tensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = [...tensors];
  const seen = new Set(["__metadata__", "__proto__"]);
  for (const [name] of entries) {
    if (seen.has(name)) {
      const problem = name.startsWith("__") ? "is a reserved name" : "comes twice";
      throw new ArborizeError("bad_data", `Tensor "${name}" ${problem}: rename it before saving.`);
    }
    seen.add(name);
  }

  const offsets = new Map<string, number>();
  let size = 0;
  for (const [name, tensor] of entries.toSorted((a, b) => elementSize(b[1]) - elementSize(a[1]))) {
    offsets.set(name, size);
    size += tensor.data.byteLength;
  }

  // Joined by hand because JSON.stringify puts names such as "10" before all others.
  const members = entries.map(([name, { dtype, shape, data }]) => {
    const start = offsets.get(name)!;
    const entry = { dtype: NAMES.get(dtype), shape, data_offsets: [start, start + data.byteLength] };
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  const texts = Object.entries(metadata);
  if (texts.length > 0) {
    for (const [key, value] of texts) {
      if (typeof value === "string" && key !== "__proto__") continue;
      throw new ArborizeError(
        "bad_data",
        `Metadata "${key}" is ${typeof value}: safetensors stores only text.`,
      );
    }
    const pairs = texts.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    members.unshift(`"__metadata__":{${pairs.join(",")}}`);
  }
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;

  const bytes = new Uint8Array(8 + length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(0x20, 8, 8 + length);
  bytes.set(json, 8);
  for (const [name, tensor] of entries) bytes.set(tensor.bytes(), 8 + length + offsets.get(name)!);
  return bytes;
}

type Fail = (problem: string) => never;

function elementSize(tensor: Tensor): number {
  return bytesPerElement(tensor.dtype);
}

function parseHeader(bytes: Uint8Array, fail: Fail) {
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, the header's length alone takes 8.`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > bytes.length - 8 || length > MAX_HEADER) {
    const rest = `${bytes.length - 8} follow`;
    fail(`its header should take ${length} bytes, ${rest}. The file is cut short or of another format.`);
  }
  let text = "";
  let json: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length));
    json = JSON.parse(text);
  } catch (error) {
    fail(`its header is not JSON (${(error as Error).message}).`);
  }
  if (!isRecord(json)) return fail("its header is not a JSON object.");
  return { length, json, keys: checkKeys(text, fail) };
}

/**
 * The keys of the outermost object of `text`, valid JSON, in order. Fails where any object has a key twice,
 * of which JSON.parse would silently keep the last, or one that could change an object's prototype.
 */
function checkKeys(text: string, fail: Fail): string[] {
  const objects: (Set<string> | undefined)[] = []; // undefined: an array
  let outermost: Set<string> | undefined;
  let at = 0;
  while (at < text.length) {
    const char = text[at++];
    if (char === "{") {
      objects.push(new Set());
      outermost ??= objects[0];
    } else if (char === "[") objects.push(undefined);
    else if (char === "}" || char === "]") objects.pop();
    else if (char === '"') {
      const start = at - 1;
      while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
      at++;
      const keys = objects.at(-1);
      if (keys === undefined || !isKey(text, at)) continue;
      const key = JSON.parse(text.slice(start, at)) as string;
      if (keys.has(key)) fail(`the name ${JSON.stringify(key)} comes twice in its header.`);
      if (key === "__proto__") fail(`"${key}" is no name for a tensor.`);
      keys.add(key);
    }
  }
  return [...(outermost ?? [])];
}

/** Whether a colon follows at `at`: the string before it was a key. */
function isKey(text: string, at: number): boolean {
  while (" \t\n\r".includes(text[at] ?? "x")) at++;
  return text[at] === ":";
}

function parseEntry(tensor: string, entry: unknown, available: number, fail: Fail) {
  const failTensor = (problem: string): never => fail(`tensor "${tensor}" ${problem}`);
  if (!isRecord(entry)) return failTensor("is not described by an object.");
  const { dtype: dtypeName, shape, data_offsets: offsets } = entry;
  const dtype = DTYPES.get(dtypeName);
  if (dtype === undefined) {
    const wanted = [...DTYPES.keys()].join(", ");
    return failTensor(
      `has dtype ${JSON.stringify(dtypeName) ?? "missing"}; Arborize reads ${wanted}. ` +
        "Convert it before saving, in PyTorch with tensor.float().",
    );
  }
  if (!isCounts(shape)) return failTensor(`has shape ${brief(shape)}, not a list of sizes.`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    return failTensor(`has data_offsets ${brief(offsets)}, not a start and an end.`);
  }
  const [start = 0, end = 0] = offsets;
  if (start > end || end > available) {
    failTensor(`takes bytes ${start} to ${end} of ${available}. The file is cut short or damaged.`);
  }
  const wanted = shape.reduce((product, dim) => product * dim, bytesPerElement(dtype));
  if (wanted !== end - start) {
    failTensor(`of ${String(dtypeName)} ${brief(shape)} needs ${wanted} bytes and has ${end - start}.`);
  }
  return { dtype, shape, start, end };
}

function parseMetadata(value: unknown, fail: Fail): Record<string, string> {
  // Without a prototype, so that looking up "constructor" finds only what the file has.
  const metadata: Record<string, string> = Object.create(null);
  if (value === undefined) return metadata;
  if (!isRecord(value)) return fail("its __metadata__ is not an object.");
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") fail(`its metadata "${key}" is not text.`);
    metadata[key] = text as string;
  }
  return metadata;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** A JSON value, cut to what fits into a message. */
function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
