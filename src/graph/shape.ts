// Shapes: every dimension is a number or, for axes whose length is only known when data arrives, a product of symbols.

import { ArborizeError } from "../base/errors.ts";

/**
 * The length of one axis: a number, or a symbolic length in canonical form, a product such as `"batch"`, `"576*batch"`
 * or `"batch*time"` (factor first, symbols in alphabetical order). Equal lengths are equal strings.
 */
export type Dim = number | string;

/** The lengths of all axes; `[]` is a scalar. */
export type Shape = readonly Dim[];

interface Monomial {
  factor: number;
  symbols: string[];
}

function parse(dim: Dim): Monomial {
  if (typeof dim === "number") return { factor: dim, symbols: [] };
  const symbols = dim.split("*");
  const factor = Number(symbols[0]);
  return Number.isInteger(factor) ? { factor, symbols: symbols.slice(1) } : { factor: 1, symbols };
}

function format({ factor, symbols }: Monomial): Dim {
  if (symbols.length === 0 || factor === 0) return factor;
  const product = [...symbols].sort().join("*");
  return factor === 1 ? product : `${factor}*${product}`;
}

/** Whether the length is known when the graph is built. */
export function isStatic(dim: Dim): dim is number {
  return typeof dim === "number";
}

/** Whether every length is known when the graph is built. */
export function isStaticShape(shape: Shape): shape is readonly number[] {
  return shape.every(isStatic);
}

/** The product of two lengths. */
export function multiplyDims(a: Dim, b: Dim): Dim {
  const [x, y] = [parse(a), parse(b)];
  return format({ factor: x.factor * y.factor, symbols: [...x.symbols, ...y.symbols] });
}

/** `a / b` where it is a whole number for every value of the symbols, else `undefined`. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  const [x, y] = [parse(a), parse(b)];
  const rest = [...x.symbols];
  for (const symbol of y.symbols) {
    const at = rest.indexOf(symbol);
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  const factor = x.factor / y.factor;
  return Number.isInteger(factor) ? format({ factor, symbols: rest }) : undefined;
}

/** The sum of two lengths; of unlike symbolic ones, an opaque symbol such as `"(batch+1)"`. */
export function addDims(a: Dim, b: Dim): Dim {
  const [x, y] = [parse(a), parse(b)];
  if (x.symbols.join() === y.symbols.join()) {
    return format({ factor: x.factor + y.factor, symbols: x.symbols });
  }
  return a === 0 ? b : b === 0 ? a : `(${a}+${b})`;
}

/** The number of elements of a shape. */
export function shapeSize(shape: Shape): Dim {
  return shape.reduce(multiplyDims, 1);
}

/** `[batch, 3, 28, 28]`, as messages and printed graphs show it. */
export function shapeText(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Whether two shapes have equal lengths on every axis. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** A negative axis counted from the end becomes the plain index. @throws `shape_mismatch` out of range. */
export function normalizeAxis(axis: number, rank: number): number {
  const index = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(index) || index < 0 || index >= Math.max(rank, 1)) {
    throw new ArborizeError("shape_mismatch", `axis ${axis} does not exist: the value has ${rank} axes`);
  }
  return index;
}

/** The common shape of operands under NumPy's (and ONNX's) broadcasting. @throws `shape_mismatch`. */
export function broadcastShapes(...shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let result: Dim = 1;
    for (const shape of shapes) {
      const dim = shape[axis - rank + shape.length] ?? 1;
      if (dim === 1 || dim === result) continue;
      if (result !== 1) {
        throw new ArborizeError(
          "shape_mismatch",
          `cannot broadcast ${shapes.map(shapeText).join(" with ")}: lengths ${result} and ${dim} on axis ${axis - rank}`,
        );
      }
      result = dim;
    }
    return result;
  });
}
