// What was once computed of examples, found again by what they hold.

import { sizeOf, Tensor } from "../base/tensor.ts";
import type { Tap } from "./candidate-step.ts";

type Numbers = Float32Array<ArrayBuffer>;

/** Where an example's values are. */
interface Place {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly index: number;
}

/** Values of examples, up to a number of bytes. */
export class ExampleMemory {
  readonly #taps: readonly Tap[];
  readonly #budget: number;
  readonly #places = new Map<string, Place>();
  /** Where gathered values go, by tap, until other shapes are wanted. */
  readonly #gathered = new Map<string, Tensor>();
  #bytes = 0;

  constructor(taps: readonly Tap[], budget: number) {
    this.#taps = taps;
    this.#budget = budget;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  /** Keeps what a batch's examples came to, the first ones by these keys. False where that is too much, and nothing is kept. */
  keep(keys: readonly string[], computed: ReadonlyMap<string, Tensor>): boolean {
    const bytes = this.#taps.reduce((sum, { name }) => sum + computed.get(name)!.data.byteLength, 0);
    if (this.#bytes + bytes > this.#budget) return false;
    this.#bytes += bytes;
    const tensors = new Map(this.#taps.map(({ name }) => [name, computed.get(name)!.clone()] as const));
    keys.forEach((key, index) => {
      this.#places.set(key, { tensors, index });
    });
    return true;
  }

  /** The values of known examples as a batch's, by tap. They last until the next call. */
  gather(keys: readonly string[]): ReadonlyMap<string, Tensor> {
    const places = keys.map((key) => this.#places.get(key)!);
    for (const { name, axis } of this.#taps) {
      const { dtype, shape } = places[0]!.tensors.get(name)!;
      const wanted = shape.map((length, i) => (i === axis ? keys.length : length));
      const known = this.#gathered.get(name);
      const into = known?.shape.join() === wanted.join() ? known : Tensor.zeros(wanted, dtype);
      this.#gathered.set(name, into);
      const inner = sizeOf(shape.slice(axis + 1));
      const outer = sizeOf(shape.slice(0, axis));
      for (const [row, { tensors, index }] of places.entries()) {
        const from = tensors.get(name)!;
        const length = from.shape[axis]!;
        for (let block = 0; block < outer; block++) {
          const start = (block * length + index) * inner;
          const values = (from.data as Numbers).subarray(start, start + inner);
          (into.data as Numbers).set(values, (block * keys.length + row) * inner);
        }
      }
    }
    return this.#gathered;
  }
}

/** A key for each example of a batch, by all that it holds: 64 bits, so that two examples share one by no chance that matters. */
export function exampleKeys(batch: ReadonlyMap<string, Tensor>): string[] {
  const columns = [...batch.values()].map((tensor) => {
    const [examples] = tensor.shape as [number];
    const elements = tensor.bits(examples);
    return { elements, length: elements.length / examples };
  });
  const examples = [...batch.values()][0]!.shape[0]!;
  return Array.from({ length: examples }, (_, row) => {
    // Two hashes, each of even and of odd words: four chains that the processor follows at once.
    let [a, b, c, d] = [0x9e3779b9, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];
    for (const { elements, length } of columns) {
      [a, b] = [a ^ length, b + length];
      const end = (row + 1) * length;
      let i = row * length;
      for (; i + 1 < end; i += 2) {
        const [even, odd] = [elements[i]!, elements[i + 1]!];
        a = Math.imul(a ^ even, 0x01000193);
        c = Math.imul(c ^ odd, 0x01000193);
        b = Math.imul(b + even, 0x5bd1e995);
        d = Math.imul(d + odd, 0x5bd1e995);
        a ^= a >>> 15;
        c ^= c >>> 15;
        b ^= b >>> 13;
        d ^= d >>> 13;
      }
      if (i < end) {
        a = Math.imul(a ^ elements[i]!, 0x01000193);
        b = Math.imul(b + elements[i]!, 0x5bd1e995);
        a ^= a >>> 15;
        b ^= b >>> 13;
      }
    }
    return `${mixed(a, c)} ${mixed(b, d)}`;
  });
}

/** Two numbers of 32 bits as one. */
function mixed(a: number, b: number): number {
  const both = Math.imul(a ^ (a >>> 16), 0x85ebca6b) + Math.imul(b ^ (b >>> 16), 0xc2b2ae35);
  return (both ^ (both >>> 15)) >>> 0;
}

/** The chosen examples of a batch, as often as they are named. */
export function examplesOf(
  batch: ReadonlyMap<string, Tensor>,
  chosen: readonly number[],
): Map<string, Tensor> {
  const taken = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data }] of batch) {
    const size = sizeOf(shape.slice(1));
    const rows = Tensor.zeros([chosen.length, ...shape.slice(1)], dtype);
    chosen.forEach((row, i) => {
      (rows.data as Numbers).set((data as Numbers).subarray(row * size, (row + 1) * size), i * size);
    });
    taken.set(name, rows);
  }
  return taken;
}
