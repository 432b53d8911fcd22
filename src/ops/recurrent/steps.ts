// What is computed step by step along time. Values over all steps are "rows", `[steps * batch, n]`, so that everything
// that is not sequential is one product or one pass.

import type { Value } from "../../graph/graph.ts";
import { type Dim, isStatic } from "../../graph/shape.ts";
import { concat, splitOp } from "../concat.ts";
import { int64s } from "../define.ts";
import { expand, flatten, reshapeOp, shapeOf } from "../reshape.ts";
import { scan } from "../scan.ts";

/**
 * One step: from what the step before carries, this step's rows and what is fixed, to what it carries on and its own rows.
 * It may use no other values.
 */
type Step<Row = Value | null> = (
  carried: readonly Value[],
  rows: readonly Row[],
  fixed: readonly Value[],
) => { readonly carried: readonly Value[]; readonly rows: readonly Value[] };

/** What `overSteps` runs over. */
interface Steps<Row = Value | null> {
  /** A sequence `[steps, batch, ...]`, for the lengths. */
  readonly like: Value;
  /** What the first step gets, `[batch, n]` each. */
  readonly carried: readonly Value[];
  /** What each step gets a part of, or null. */
  readonly rows: readonly Row[];
  /** What all steps get. Default: nothing. */
  readonly fixed?: readonly Value[];
  /** Start at the last step. Default: false. */
  readonly backwards?: boolean;
}

/**
 * Runs a step for each time: what the last one carries, and the rows of all, in the order of time. A known number of steps is
 * written out, any other is a loop of the runtime's.
 */
export function overSteps(steps: Steps, step: Step): ReturnType<Step> {
  const [length, batch] = steps.like.shape as [Dim, Dim];
  const given = { ...steps, rows: steps.rows.filter((value) => value !== null) };
  const ofGiven: Step<Value> = (carried, rows, fixed) => {
    const next = rows.values();
    const all = steps.rows.map((value) => value && (next.next().value as Value));
    return step(carried, all, fixed);
  };
  return isStatic(length) ? writtenOut(given, length, batch, ofGiven) : looped(given, ofGiven);
}

function writtenOut(
  { like, carried, rows, fixed = [], backwards = false }: Steps<Value>,
  length: number,
  batch: Dim,
  step: Step<Value>,
): ReturnType<Step> {
  const order = Array.from({ length }, (_, i) => (backwards ? length - 1 - i : i));
  const sizes = isStatic(batch)
    ? int64s(like, new Array<number>(length).fill(batch))
    : expand(shapeOf(like, 1, 2), [length]);
  const parts = rows.map((value) => splitOp.emit([value, sizes], { axis: 0 }).outputs);
  const results: (readonly Value[])[] = [];
  let state = carried;
  for (const time of order) {
    const own = parts.map((part) => part[time]!);
    const done = step(state, own, fixed);
    state = done.carried;
    results[time] = done.rows;
  }
  const columns = results[0]!.map((_, i) => results.map((made) => made[i]!));
  return { carried: state, rows: columns.map((column) => concat(column, 0)) };
}

function looped({ like, rows, fixed = [], ...given }: Steps<Value>, step: Step<Value>): ReturnType<Step> {
  const lengths = shapeOf(like, 0, 2);
  const sequences = rows.map((value) => {
    const shape = concat([lengths, int64s(like, [value.shape[1] as number])], 0);
    return reshapeOp.emit([value, shape]).output;
  });
  const done = scan({ ...given, fixed, sequences }, (carried, own, constants) => {
    const made = step(carried, own, constants);
    return { carried: made.carried, parts: made.rows };
  });
  return { carried: done.carried, rows: done.sequences.map((sequence) => flatten(sequence, 2)) };
}
