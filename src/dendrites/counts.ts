// How many dendrites modules have, as the state of a network says.

import type { Tensor } from "../base/tensor.ts";
import type { Site } from "./site.ts";

const OF_DENDRITES = /^(.+?)\.dendrites\.(?:(\d+)\.|output$)/;

/** How many dendrites each module has in a state, by the module's path. Modules without are not in it. */
export function countsIn(values: ReadonlyMap<string, Tensor>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [name, { shape }] of values) {
    const [, id, index] = OF_DENDRITES.exec(name) ?? [];
    if (id === undefined) continue;
    const count = index === undefined ? (shape[0] ?? 0) : Number(index) + 1;
    counts.set(id, Math.max(count, counts.get(id) ?? 0));
  }
  return counts;
}

/**
 * How many dendrites each site has in a network where the most on one is `dendrites`. Those that have fewer than others in the
 * state that it is built from, for some were removed, keep that distance: growing adds as many to each.
 */
export function countsFor(
  dendrites: number,
  sites: readonly Site[],
  values: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, number> {
  const known = countsIn(values);
  const own = sites.map(({ id }) => known.get(id) ?? 0);
  const added = dendrites - Math.max(0, ...own);
  return new Map(sites.map(({ id }, i) => [id, Math.max(0, own[i]! + added)]));
}
