// Shapes: every length is a number or, for axes that are only known when data arrives, a formula of symbols (length.ts).

import { ArborizeError } from "../base/errors.ts";
import { type Dim, isStatic, multiplyDims } from "./length.ts";

export * from "./length.ts";

/** The lengths of all axes; `[]` is a scalar. */
export type Shape = readonly Dim[];

/** Whether every length is known when the graph is built. */
export function isStaticShape(shape: Shape): shape is readonly number[] {
  return shape.every(isStatic);
}

/** A value's shape as plain numbers. @throws `shape_mismatch` when an axis is symbolic. */
export function staticShape({
  name,
  shape,
}: {
  readonly name: string;
  readonly shape: Shape;
}): readonly number[] {
  if (isStaticShape(shape)) return shape;
  throw new ArborizeError("shape_mismatch", `"${name}" has a symbolic axis: ${shapeText(shape)}`);
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
