// The gradient of a table that is only looked up in: cotangents of rows, added up for some rows at a time.

import { Tensor } from "../base/tensor.ts";
import { compileAddition } from "../engine/wasm/elementwise.ts";
import { Arena, arenaBytes } from "../engine/wasm/memory.ts";

/** What one lookup gives: which rows it took, counted from the end where negative, and a cotangent for each. */
export interface Lookup {
  readonly indices: Tensor;
  readonly cotangents: Tensor;
}

/** Gives the gradient of any rows, so that it need not lie anywhere whole. Cotangents lie in memory of its own. */
export class LookedUp {
  readonly #width: number;
  /** Bytes at the arena's beginning for the rows that are added up. */
  readonly #block: number;
  #arena: Arena;
  #numbers: Float32Array<ArrayBuffer>;
  #add: (bytes: number, a: number, b: number) => void;
  /** Where each row's cotangents begin in `#order`, and where the last row's end. */
  readonly #begins: Uint32Array;
  /** Where cotangents lie, in the order of their rows. */
  #order = new Uint32Array();
  #rows = new Int32Array();

  /** @param atOnce how many rows are asked for at most. */
  constructor(rows: number, width: number, atOnce: number) {
    this.#width = width;
    this.#begins = new Uint32Array(rows + 1);
    this.#block = arenaBytes(atOnce * width);
    [this.#arena, this.#numbers, this.#add] = allocate(this.#block);
  }

  /** Takes what one step looked up. Returns where the cotangents lie now: if the next ones are written there, none are copied. */
  take(lookups: readonly Lookup[]): readonly Tensor[] {
    const placed = this.#place(lookups.map(({ cotangents }) => cotangents));
    const begins = this.#begins;
    const count = begins.length - 1;
    const total = lookups.reduce((sum, { indices }) => sum + indices.data.length, 0);
    if (this.#rows.length !== total)
      [this.#rows, this.#order] = [new Int32Array(total), new Uint32Array(total)];
    const [rows, order] = [this.#rows, this.#order];
    let at = 0;
    begins.fill(0);
    for (const { indices } of lookups) {
      const words = lowWords(indices);
      for (let i = 0; i < words.length; i += 2) {
        const row = words[i]! < 0 ? words[i]! + count : words[i]!;
        rows[at++] = row;
        begins[row]!++;
      }
    }
    // Counts become ends; going backwards, ends become beginnings, and what came first stays first.
    for (let row = 1; row <= count; row++) begins[row]! += begins[row - 1]!;
    for (let i = placed.length - 1; i >= 0; i--) {
      const { byteOffset } = placed[i]!.data;
      at -= lookups[i]!.indices.data.length;
      for (let j = lookups[i]!.indices.data.length - 1; j >= 0; j--) {
        order[--begins[rows[at + j]!]!] = byteOffset + 4 * this.#width * j;
      }
    }
    return placed;
  }

  /** Whether any of `count` rows from `first` was looked up. */
  has(first: number, count: number): boolean {
    return this.#begins[first] !== this.#begins[first + count];
  }

  /** The gradients of `count` rows from `first`, until the next call. */
  sum(first: number, count: number): Float32Array {
    const [width, begins, order, numbers] = [this.#width, this.#begins, this.#order, this.#numbers];
    const vectors = width & ~3;
    const sums = numbers.subarray(0, count * width).fill(0);
    for (let row = first, to = 0; row < first + count; row++, to += width) {
      const end = begins[row + 1]!;
      for (let i = begins[row]!; i < end; i++) {
        const from = order[i]!;
        this.#add(4 * vectors, 4 * to, from);
        for (let j = vectors; j < width; j++) numbers[to + j]! += numbers[from / 4 + j]!;
      }
    }
    return sums;
  }

  /** The same cotangents in this memory: as they are where they lie there already. */
  #place(cotangents: readonly Tensor[]): readonly Tensor[] {
    if (cotangents.every(({ data }) => data.buffer === this.#numbers.buffer)) return cotangents;
    const bytes = cotangents.reduce((sum, { data }) => sum + arenaBytes(data.length), this.#block);
    if (bytes > this.#arena.size) [this.#arena, this.#numbers, this.#add] = allocate(bytes);
    let start = this.#block;
    return cotangents.map(({ shape, data }) => {
      const own = this.#arena.array(start, data.length);
      own.set(data as Float32Array);
      start += arenaBytes(data.length);
      return new Tensor("float32", shape, own);
    });
  }
}

function allocate(bytes: number) {
  const arena = new Arena(bytes);
  return [arena, arena.array(0, Math.floor(arena.size / 4)), compileAddition(arena)] as const;
}

/** The indices of a lookup as pairs of words, the low one first: far faster to read than big integers. */
function lowWords({ data }: Tensor): Int32Array {
  return new Int32Array(data.buffer, data.byteOffset, 2 * data.length);
}
