// Memory that compiled WebAssembly works on.

import { invariant } from "../../base/errors.ts";

/** What the types of neither JavaScript nor Node.js declare. */
interface WebAssemblyNames {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: { readonly run: Run } };
}
type Run = (...numbers: number[]) => void;
const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyNames }).WebAssembly;

const PAGE = 65_536;
const LARGEST = 65_536 * PAGE;

/** Bytes of a vector. */
export const VECTOR = 16;

/** Bytes that `length` elements take in an `Arena`: whole vectors. */
export function arenaBytes(length: number, bytesPerElement = 4): number {
  return Math.ceil((length * bytesPerElement) / VECTOR) * VECTOR;
}

/** Memory of a size that is fixed when it is made, of zeros. */
export class Arena {
  readonly #memory: { readonly buffer: ArrayBuffer };

  /** @param bytes at most what `Arena.fits` takes. */
  constructor(bytes: number) {
    invariant(Arena.fits(bytes), `an arena of ${bytes} bytes`);
    const pages = Math.ceil(bytes / PAGE);
    this.#memory = new Memory({ initial: pages, maximum: pages });
  }

  /** Whether so many bytes can be had: less than 4 GiB. */
  static fits(bytes: number): boolean {
    return bytes < LARGEST;
  }

  /** How many bytes it has. */
  get size(): number {
    return this.#memory.buffer.byteLength;
  }

  /** The float32 array that begins at a byte. */
  array(start: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer, start, length);
  }

  /** The bytes that begin at a byte. */
  bytes(start: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer, start, length);
  }

  /** The words of 32 bits that begin at a byte. */
  words(start: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#memory.buffer, start, length);
  }

  /** The function of a module (`moduleBytes`), working on this memory. */
  load(module: Uint8Array): Run {
    return new Instance(new Module(module), { env: { memory: this.#memory } }).exports.run;
  }
}
