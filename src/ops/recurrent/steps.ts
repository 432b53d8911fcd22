// What is computed step by step along time. Values over all steps are "rows", `[steps * batch, n]`, so that everything
// that is not sequential is one product or one pass.

import type { Value } from "../../graph/graph.ts";
import { concat } from "../concat.ts";
import { int64s } from "../define.ts";
import { flatten, reshapeOp, shapeOf } from "../reshape.ts";
import { type ScanStep, scan } from "../scan.ts";

/** What `overSteps` runs over. */
interface Steps {
  /** A sequence `[steps, batch, ...]`, for the lengths. */
  readonly like: Value;
  /** What the first step gets, `[batch, n]` each. */
  readonly carried: readonly Value[];
  /** What each step gets a part of, or null. */
  readonly rows: readonly (Value | null)[];
  /** What all steps get. Default: nothing. */
  readonly fixed?: readonly Value[];
  /** Start at the last step. Default: false. */
  readonly backwards?: boolean;
}

/**
 * Runs a step for each time: what the last one carries, and the rows of all, in the order of time. As a loop of the
 * runtime's, which takes as long as the steps written out one after another (measured for 100) and compiles at once.
 */
export function overSteps(
  { like, rows, fixed = [], ...given }: Steps,
  step: (carried: readonly Value[], rows: readonly (Value | null)[], fixed: readonly Value[]) => ScanStep,
): { readonly carried: readonly Value[]; readonly rows: readonly Value[] } {
  const lengths = shapeOf(like, 0, 2);
  const sequences = rows
    .filter((value) => value !== null)
    .map((value) => {
      const shape = concat([lengths, int64s(like, [value.shape[1] as number])], 0);
      return reshapeOp.emit([value, shape]).output;
    });
  const done = scan({ ...given, fixed, sequences }, (carried, parts, constants) => {
    const next = parts.values();
    const all = rows.map((value) => value && (next.next().value as Value));
    return step(carried, all, constants);
  });
  return { carried: done.carried, rows: done.sequences.map((sequence) => flatten(sequence, 2)) };
}
