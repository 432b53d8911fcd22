// As much of WebAssembly's binary format (core specification 2.0, chapter 5) as one function over memory needs.

/** Value types. */
export const Type = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;

/** Instructions. Those on vectors have a prefix and an index, the others one byte. */
export const Op = {
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  end: [0x0b],
  branch: [0x0c],
  branchIf: [0x0d],
  localGet: [0x20],
  localSet: [0x21],
  i32Const: [0x41],
  f32Const: [0x43],
  i32GreaterEqual: [0x4f],
  i32Less: [0x49],
  i32Add: [0x6a],
  i32Sub: [0x6b],
  splat: [0xfd, 0x13],
  splatBytes: [0xfd, 0x0f],
  splatHalves: [0xfd, 0x10],
  sqrt: [0xfd, 0xe3, 0x01],
  add: [0xfd, 0xe4, 0x01],
  sub: [0xfd, 0xe5, 0x01],
  mul: [0xfd, 0xe6, 0x01],
  div: [0xfd, 0xe7, 0x01],
  max: [0xfd, 0xe9, 0x01],
  and: [0xfd, 0x4e],
  /** The bits of the first that the second does not have. */
  andNot: [0xfd, 0x4f],
  or: [0xfd, 0x50],
  xor: [0xfd, 0x51],
  /** On four words of 32 bits. */
  wordsEqual: [0xfd, 0x37],
  wordsAdd: [0xfd, 0xae, 0x01],
  wordsShiftLeft: [0xfd, 0xab, 0x01],
  wordsShiftRight: [0xfd, 0xad, 0x01],
  /** All bits of each of eight halves of a word that is at least the other's, unsigned; else none. */
  halvesGreaterEqual: [0xfd, 0x36],
  /** The halves of two vectors as bytes of one, saturated. */
  halvesToBytes: [0xfd, 0x65],
} as const;

/** An unsigned integer below 2^31 in LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

/** A constant from 0 to 63, where signed and unsigned LEB128 are the same. */
export function i32(value: number): number[] {
  return [...Op.i32Const, value];
}

/** Loads a vector from so many bytes behind an address. */
export function vectorLoad(offset: number): number[] {
  return [0xfd, 0x00, 0x02, ...unsigned(offset)];
}

/** Stores a vector so many bytes behind an address. */
export function vectorStore(offset: number): number[] {
  return [0xfd, 0x0b, 0x02, ...unsigned(offset)];
}

/** The bytes of a float32. */
export function float32(value: number): number[] {
  return [...new Uint8Array(Float32Array.of(value).buffer)];
}

/** The bytes of a module that imports its memory as `env.memory` and exports one function as `run`. */
export function moduleBytes(
  parameters: readonly number[],
  locals: readonly number[],
  body: readonly number[],
): Uint8Array {
  const type = [0x60, ...list(parameters.map((each) => [each])), 0];
  const memory = [...name("env"), ...name("memory"), 0x02, 0x00, ...unsigned(0)];
  const code = [...list(locals.map((each) => [1, each])), ...body, ...Op.end];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([type])),
    ...section(2, list([memory])),
    ...section(3, list([unsigned(0)])),
    ...section(7, list([[...name("run"), 0x00, ...unsigned(0)]])),
    ...section(10, list([sized(code)])),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...sized(content)];
}

function sized(content: readonly number[]): number[] {
  return [...unsigned(content.length), ...content];
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function name(text: string): number[] {
  return sized([...new TextEncoder().encode(text)]);
}
