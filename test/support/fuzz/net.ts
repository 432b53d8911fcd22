// A random net as it grows: values to choose operands from, and what keeps their numbers small.

import { Random } from "../../../src/base/random.ts";
import { sizeOf, Tensor } from "../../../src/base/tensor.ts";
import { Graph, type Value } from "../../../src/graph/graph.ts";
import { type Dim, isStatic, resolveDim, type Shape } from "../../../src/graph/shape.ts";
import { add, mul, scalar, tanh } from "../../../src/ops/index.ts";

/** A floating value of a net. */
export interface Drawn {
  readonly value: Value;
  /** Its lengths when run. */
  readonly shape: readonly number[];
  /** What its elements do not exceed in magnitude, as the inputs are drawn. */
  readonly bound: number;
}

/** How moves extend a net: new values for the pool, or nothing where none of its values fits. */
export interface Move {
  readonly name: string;
  /** For operators that the runtime has in float32 only. */
  readonly single?: boolean;
  readonly build: (net: Net) => Drawn | readonly Drawn[] | undefined;
}

/** No value has more elements: many small nets find more than a few large ones. */
const LARGEST = 300;

/** Elements of inputs lie between these in magnitude. */
const [LEAST, MOST] = [0.1, 2];

export class Net {
  readonly graph: Graph;
  readonly dtype: "float32" | "float64";
  readonly random: Random;
  /** What operands are chosen from, newest last. */
  readonly pool: Drawn[] = [];
  /** The floating inputs, by which the net is differentiated. */
  readonly leaves: Value[] = [];
  readonly feeds = new Map<string, Tensor>();
  /** The symbols' lengths when run. */
  readonly lengths: ReadonlyMap<string, number>;
  readonly #palette: readonly Dim[];

  constructor(seed: number) {
    this.random = Random.stream(seed, "net");
    this.dtype = this.chance(0.3) ? "float32" : "float64";
    // Half of the nets as users build them, half as training does.
    this.graph = new Graph({ name: `net${seed}`, shareSubexpressions: this.chance(0.5) });
    this.lengths = new Map([
      ["batch", this.between(2, 4)],
      ["time", this.between(2, 5)],
    ]);
    const palette: Dim[] = [this.between(2, 5), this.between(2, 5)];
    if (this.chance(0.6)) palette.push("batch");
    if (this.chance(0.3)) palette.push("time");
    this.#palette = palette;
  }

  chance(p: number): boolean {
    return this.random.uniform() < p;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.random.integer(high - low + 1);
  }

  choose<T>(options: readonly T[]): T {
    return options[this.random.integer(options.length)]!;
  }

  /** Each with probability a half, but at least one. */
  some<T>(options: readonly T[]): T[] {
    const kept = options.filter(() => this.chance(0.5));
    return kept.length > 0 ? kept : [this.choose(options)];
  }

  /** A shape of few axes: lengths of this net, sometimes 1. */
  shape(rank = this.between(1, 4)): Dim[] {
    return Array.from({ length: rank }, () => (this.chance(0.1) ? 1 : this.choose(this.#palette)));
  }

  resolve(shape: Shape): number[] {
    return shape.map((dim) => resolveDim(dim, this.lengths));
  }

  /** A value with the bound of its elements. */
  drawn(value: Value, bound: number): Drawn {
    return { value, shape: this.resolve(value.shape), bound };
  }

  /** A new floating input with elements of magnitude 0.1 to `most`. */
  leaf(shape: Shape = this.shape(), most = MOST): Drawn {
    const value = this.graph.input(`x${this.leaves.length}`, this.dtype, shape);
    const sizes = this.resolve(shape);
    const numbers = Array.from({ length: sizeOf(sizes) }, () => {
      const size = this.random.uniform(Math.min(LEAST, most / 2), most);
      return this.chance(0.5) ? size : -size;
    });
    this.leaves.push(value);
    this.feeds.set(value.name, Tensor.of(sizes, numbers, this.dtype));
    return { value, shape: sizes, bound: most };
  }

  /** New int64 numbers: a constant or an input. `lengths` says the shape when run. */
  integers(shape: Shape, draw: (at: number) => number): Value {
    const sizes = this.resolve(shape);
    const tensor = Tensor.of(
      sizes,
      Array.from({ length: sizeOf(sizes) }, (_, at) => draw(at)),
      "int64",
    );
    if (shape.every(isStatic) && this.chance(0.5)) return this.graph.constant(tensor);
    const value = this.graph.input(`i${this.feeds.size}`, "int64", shape);
    this.feeds.set(value.name, tensor);
    return value;
  }

  /** A value of the pool that `fits`, more often a new one. */
  any(fits: (drawn: Drawn) => boolean = () => true): Drawn | undefined {
    const fitting = this.pool.filter(fits);
    if (fitting.length === 0) return undefined;
    return this.choose(this.chance(0.6) ? fitting.slice(-3) : fitting);
  }

  /** A value of the pool in one of these shapes, or a new input in the first. */
  operand(...shapes: readonly Shape[]): Drawn {
    const texts = shapes.map((shape) => shape.join());
    const found = this.chance(0.6) ? this.any(({ value }) => texts.includes(value.shape.join())) : undefined;
    return found ?? this.leaf(shapes[0]);
  }

  /** A shape that broadcasts to `shape`: some lengths are 1, some leading axes are missing. */
  narrower(shape: Shape): Shape {
    const kept = this.chance(0.5) ? shape : shape.slice(this.random.integer(shape.length + 1));
    return kept.map((dim) => (this.chance(0.25) ? 1 : dim));
  }

  /** The same scaled or bent so that no element exceeds `limit`. */
  within(drawn: Drawn, limit: number): Drawn {
    if (drawn.bound <= limit) return drawn;
    const { value, bound, shape } = drawn;
    if (bound < 8 * limit && this.chance(0.3)) {
      return { value: mul(tanh(value), scalar(value, limit)), bound: limit, shape };
    }
    return { value: mul(value, scalar(value, limit / bound)), bound: limit, shape };
  }

  /** Whether a value of this shape is small enough. */
  small(shape: Shape): boolean {
    return sizeOf(this.resolve(shape)) <= LARGEST;
  }

  /** Makes a move; false where it found no operands. */
  play({ build }: Move): boolean {
    const made = build(this);
    if (!made) return false;
    const limit = this.dtype === "float64" ? 30 : 8;
    for (const each of "value" in made ? [made] : made) this.pool.push(this.within(each, limit));
    return true;
  }
}

/** `x + term`. */
export function plus(x: Value, term: number): Value {
  return add(x, scalar(x, term));
}

/** `x² + 0.5`, for what takes positive numbers. */
export function positive(x: Value): Value {
  return plus(mul(x, x), 0.5);
}
