// What functions take beside values.

import { Value } from "../../graph/graph.ts";
import { shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import { type Buffer, type Parameter, Trace } from "../module.ts";

/** What functions take beside values: parameters and buffers of the model being traced, and plain numbers. */
export type Operand = Value | Parameter | Buffer | number;

/** An operand as a value in the graph of `like`. */
export function operand(like: Value, given: Operand): Value {
  if (typeof given === "number") return op.scalar(like, given);
  return given instanceof Value ? given : Trace.of(like.graph).valueOf(given);
}

/** An operand that may be absent. */
export function optional(like: Value, given: Operand | null | undefined): Value | null {
  return given == null ? null : operand(like, given);
}

/** A number for all spatial axes, or one for each. */
export type PerAxis = number | readonly number[];

/** One number for each of `rank` spatial axes. @throws `shape_mismatch` for a list of another length. */
export function perAxis(given: PerAxis, rank: number): readonly number[] {
  const each = typeof given === "number" ? new Array<number>(rank).fill(given) : given;
  expectShape(
    each.length === rank,
    () => `${shapeText(each)} must have one number for each of ${rank} spatial axes`,
  );
  return each;
}

/** The same padding before and after each axis, as ONNX writes it. */
export function bothSides(padding: PerAxis, rank: number): number[] {
  const each = perAxis(padding, rank);
  return [...each, ...each];
}
