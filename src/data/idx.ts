// The idx format of MNIST and its relatives: two zero bytes, an element type, the number of axes, one
// big-endian 32-bit size an axis, then the elements, row-major. http://yann.lecun.com/exdb/mnist/

import { gunzipSync } from "node:zlib";
import { ArborizeError } from "../base/errors.ts";
import { sizeOf } from "../base/tensor.ts";

/** What an idx file holds: bytes, row-major in `shape`. */
export interface Idx {
  shape: number[];
  data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;
const OTHER_TYPES: Readonly<Record<number, string>> = {
  9: "signed bytes",
  11: "16-bit integers",
  12: "32-bit integers",
  13: "32-bit floats",
  14: "64-bit floats",
};
const AGAIN = "Get the file again from where it came.";

/**
 * Reads an idx file of unsigned bytes, packed with gzip or not. `data` shares memory with `bytes` unless
 * packed.
 *
 * @param name What errors call the file.
 * @throws `bad_file` for another format or element type, a damaged or truncated file, and trailing bytes.
 */
export function readIdx(bytes: Uint8Array, name: string): Idx {
  const fail = (problem: string): never => {
    throw new ArborizeError("bad_file", `"${name}" is not a readable idx file: ${problem}`);
  };
  const file = unpack(bytes, name);
  if (file.length < 4) fail(`it has ${file.length} bytes, its header alone takes 4 or more. ${AGAIN}`);
  const [zero, zero2, type = 0, axes = 0] = file;
  if (zero !== 0 || zero2 !== 0 || !(type === UNSIGNED_BYTE || type in OTHER_TYPES) || axes === 0) {
    const found = [...file.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const hint = found.startsWith("3c") || found.startsWith("7b") ? " It looks like text or a web page." : "";
    fail(`it begins with ${found}, wanted 00 00 08 and the number of axes.${hint} ${AGAIN}`);
  }
  if (type !== UNSIGNED_BYTE) {
    fail(`its elements are ${OTHER_TYPES[type]}, wanted unsigned bytes. Convert it to type 08.`);
  }
  const start = 4 + 4 * axes;
  if (file.length < start)
    fail(`it ends inside its header, after ${file.length} of ${start} bytes. ${AGAIN}`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const [wanted, found] = [sizeOf(shape), file.length - start];
  if (found !== wanted) {
    const problem = found < wanted ? "it is cut short" : "it has bytes after its end";
    fail(`${problem}: [${shape.join(", ")}] takes ${wanted} bytes, ${found} follow its header. ${AGAIN}`);
  }
  return { shape, data: file.subarray(start) };
}

/**
 * `bytes` without their gzip packing, or as they are when there is none.
 *
 * @throws `bad_file` when the packing is damaged or cut short, or hides more than 1 GiB.
 */
export function unpack(bytes: Uint8Array, name: string): Uint8Array {
  if (!isGzip(bytes)) return bytes;
  try {
    const buffer = gunzipSync(bytes, { maxOutputLength: 2 ** 30 });
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    let problem = `is damaged (${message})`;
    if (code === "Z_BUF_ERROR") problem = `is cut short, after ${bytes.length} bytes`;
    if (code === "ERR_BUFFER_TOO_LARGE") problem = "unpacks to more than 1 GiB";
    throw new ArborizeError("bad_file", `"${name}" cannot be unpacked: its gzip data ${problem}. ${AGAIN}`, {
      cause: error,
    });
  }
}

/** Whether `bytes` are packed with gzip. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
