// Everything random in the library comes from here: one seed, named streams, a state that can be saved.

/** Where a stream stands: four unsigned 32-bit words. */
export type RandomState = readonly [number, number, number, number];

/**
 * A stream of pseudo-random numbers: xoshiro128** by Blackman and Vigna (2018), seeded by splitmix32 over a hash of
 * the stream's name. Streams of different names are independent, so adding a layer or a consumer never changes what
 * another one draws.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  private constructor(state: RandomState) {
    [this.#a, this.#b, this.#c, this.#d] = state;
  }

  /** The stream called `name` of `seed`, at its beginning. */
  static stream(seed: number, name: string): Random {
    // FNV-1a over the name, then splitmix32 over the hash and both halves of the seed.
    let hash = 0x811c9dc5;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    let z = hash ^ (seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32) >>> 0, 0x85ebca6b);
    const next = () => {
      z = (z + 0x9e3779b9) | 0;
      return mixed(z);
    };
    return new Random([next(), next(), next(), next() || 1]);
  }

  /** A stream that goes on from a saved `state`. */
  static from(state: RandomState): Random {
    return new Random(state);
  }

  /** A new stream from this one's next four words, mixed: neither tells anything of the other. */
  fork(): Random {
    const next = () => mixed(this.uint32());
    return new Random([next(), next(), next(), next() || 1]);
  }

  /** Where the stream stands; `Random.from` goes on from there. */
  get state(): RandomState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0];
  }

  /** An integer, uniform over 0 … 2³² - 1. */
  uint32(): number {
    const x = Math.imul(this.#b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9);
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** A number, uniform over [low, high), with 53 random bits. */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * unit(this.uint32(), this.uint32());
  }

  /** An integer, uniform over 0 … n - 1. */
  integer(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** A standard normal number. */
  normal(): number {
    return boxMuller(this.uniform(), this.uniform());
  }

  /** The integers 0 … n - 1 in random order (Fisher and Yates). */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = order[i]!;
      order[i] = order[j]!;
      order[j] = held;
    }
    return order;
  }

  /** Fills `data` with what as many calls of `normal` would give, times `scale`: in a third of the time. */
  fillNormal(data: Float32Array | Float64Array, scale = 1): void {
    const words = new Uint32Array(CHUNK);
    for (let start = 0; start < data.length; start += CHUNK / 4) {
      const count = Math.min(data.length - start, CHUNK / 4);
      this.#draw(words, 4 * count);
      for (let i = 0, j = 0; i < count; i++, j += 4) {
        const first = unit(words[j]!, words[j + 1]!);
        const second = unit(words[j + 2]!, words[j + 3]!);
        data[start + i] = boxMuller(first, second) * scale;
      }
    }
  }

  /** The next `count` results of `uint32`, with the state in local variables: for millions of draws. */
  #draw(words: Uint32Array, count: number): void {
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d];
    for (let i = 0; i < count; i++) {
      const x = Math.imul(b, 5);
      words[i] = Math.imul((x << 7) | (x >>> 25), 9);
      const t = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= t;
      d = (d << 11) | (d >>> 21);
    }
    [this.#a, this.#b, this.#c, this.#d] = [a, b, c, d];
  }
}

/** Words that are drawn at a time. */
const CHUNK = 1024;

/** The finaliser of splitmix32. */
function mixed(word: number): number {
  let t = word ^ (word >>> 16);
  t = Math.imul(t, 0x21f0aaad);
  t = Math.imul(t ^ (t >>> 15), 0x735a2d97);
  return (t ^ (t >>> 15)) >>> 0;
}

/** 53 bits of two words, uniform over [0, 1). */
function unit(high: number, low: number): number {
  return ((high >>> 5) * 0x4000000 + (low >>> 6)) / 2 ** 53;
}

/** A standard normal number of two that are uniform over [0, 1) (Box and Muller 1958). */
function boxMuller(first: number, second: number): number {
  return Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
}
