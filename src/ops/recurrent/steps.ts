// What is computed step by step along time. Values over all steps are "rows", `[steps * batch, n]`, so that everything
// that is not sequential is one product or one pass.

import type { Value } from "../../graph/graph.ts";
import { type Dim, isStatic } from "../../graph/shape.ts";
import { concat, splitOp } from "../concat.ts";
import { expectShape, int64s } from "../define.ts";
import { expand, shapeOf } from "../reshape.ts";

/** One step: from what the step before carries, and this step's rows, to what it carries on and its own rows. */
export type Step = (
  carried: readonly Value[],
  rows: readonly Value[],
) => { readonly carried: readonly Value[]; readonly rows: readonly Value[] };

/** What `overSteps` needs to know. */
export interface Steps {
  /** A sequence `[steps, batch, ...]`, for the lengths. */
  readonly like: Value;
  /** What the first step gets, `[batch, n]` each. */
  readonly carried: readonly Value[];
  /** What each step gets a part of. */
  readonly rows: readonly Value[];
  /** Start at the last step. Default: false. */
  readonly backwards?: boolean;
}

/** Runs a step for each time: what the last one carries, and the rows of all, in the order of time. */
export function overSteps({ like, carried, rows, backwards = false }: Steps, step: Step): ReturnType<Step> {
  const [length, batch] = like.shape as [Dim, Dim];
  expectShape(
    isStatic(length),
    () => `its gradient needs a known number of steps, not "${length}": fix the first axis to a length`,
  );
  const order = Array.from({ length }, (_, i) => (backwards ? length - 1 - i : i));
  const sizes = isStatic(batch)
    ? int64s(like, new Array<number>(length).fill(batch))
    : expand(shapeOf(like, 1, 2), [length]);
  const parts = rows.map((value) => splitOp.emit([value, sizes], { axis: 0 }).outputs);
  const results: (readonly Value[])[] = [];
  let state = carried;
  for (const time of order) {
    const done = step(
      state,
      parts.map((part) => part[time]!),
    );
    state = done.carried;
    results[time] = done.rows;
  }
  const joined = results[0]!.map((_, i) =>
    concat(
      results.map((made) => made[i]!),
      0,
    ),
  );
  return { carried: state, rows: joined };
}
