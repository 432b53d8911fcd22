// Without some dendrites: the state of a network in which nothing hears them, and of one that never had them.

import { Tensor } from "../base/tensor.ts";
import { countsIn } from "./counts.ts";
import type { Site } from "./site.ts";

type State = ReadonlyMap<string, Tensor>;

/** A choice of dendrites: by the path of a module, their positions. */
export type Chosen = ReadonlyMap<string, ReadonlySet<number>>;

/**
 * What of a state must change so that nothing hears the chosen dendrites: their output weights, and the weights from them to
 * later dendrites, are zero. The graph stays the same.
 */
export function silenced(state: State, chosen: Chosen): Map<string, Tensor> {
  const changed = new Map<string, Tensor>();
  for (const [id, positions] of chosen) {
    const names = [`${id}.dendrites.output`];
    for (let i = 1; i < (countsIn(state).get(id) ?? 0); i++) names.push(`${id}.dendrites.${i}.cascade`);
    for (const name of names) {
      const rows = state.get(name)!;
      const width = rows.shape[1]!;
      const data = rows.data.slice() as Float32Array;
      for (const j of positions) if (j < rows.shape[0]!) data.fill(0, j * width, (j + 1) * width);
      changed.set(name, new Tensor(rows.dtype, rows.shape, data));
    }
  }
  return changed;
}

/**
 * The state without the chosen dendrites: what was theirs is gone, and so are the weights from them to later dendrites, which
 * close ranks under the names that follow.
 */
export function removed(state: State, chosen: Chosen): Map<string, Tensor> {
  const counts = countsIn(state);
  const result = new Map<string, Tensor>();
  for (const [name, tensor] of state) {
    const [, id = "", index, own] = /^(.+?)\.dendrites\.(?:(\d+)\.(.+)|output)$/.exec(name) ?? [];
    const gone = chosen.get(id);
    if (!gone) {
      result.set(name, tensor);
      continue;
    }
    const last = index === undefined ? counts.get(id)! : Number(index);
    if (gone.has(last)) continue;
    const before = Array.from({ length: last }, (_, j) => j).filter((j) => !gone.has(j));
    const isRows = index === undefined || own === "cascade";
    if (isRows && before.length === 0) continue;
    const to = index === undefined ? name : `${id}.dendrites.${before.length}.${own}`;
    result.set(to, isRows ? rowsOf(tensor, before) : tensor);
  }
  return result;
}

function rowsOf({ dtype, shape, data }: Tensor, rows: readonly number[]): Tensor {
  const width = shape[1]!;
  const kept = data.slice(0, rows.length * width) as Float32Array;
  for (const [i, row] of rows.entries())
    kept.set((data as Float32Array).subarray(row * width, (row + 1) * width), i * width);
  return new Tensor(dtype, [rows.length, width], kept);
}

/** The sites in groups that share weights: their dendrites share them too, and can only go together. */
export function tiedSites(sites: readonly Site[]): (readonly Site[])[] {
  let groups: Site[][] = [];
  for (const site of sites) {
    const shares = (other: Site) => other.parameters.some((weight) => site.parameters.includes(weight));
    const tied = groups.filter((group) => group.some(shares));
    groups = [...groups.filter((group) => !tied.includes(group)), [...tied.flat(), site]];
  }
  return groups;
}
