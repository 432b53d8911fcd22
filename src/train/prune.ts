// Pruning: dendrites that don't earn their parameters go.

import type { Tensor } from "../base/tensor.ts";
import type { Batches } from "../data/batches.ts";
import type { Batch, Dataset } from "../data/dataset.ts";
import { someOf } from "../data/some.ts";
import { countsIn } from "../dendrites/counts.ts";
import { type Chosen, removed, tiedSites } from "../dendrites/removal.ts";
import { ablation, type ExplainOptions } from "./explain.ts";
import { GrowingNetwork, type Snapshot } from "./network.ts";
import { scoringOf, type TrainingParts } from "./parts.ts";

/** How dendrites are pruned. */
export interface PruneOptions extends ExplainOptions {
  /** What the removals together may cost of the score, as it is measured. Default: 0, so that it gets no worse. */
  readonly maxCost?: number;
}

/** A network before and after. */
export interface PrunedSide {
  /** On all of the examples. */
  readonly score: number;
  readonly parameters: number;
  /** The modules that have dendrites, and how many. */
  readonly dendrites: Readonly<Record<string, number>>;
}

/** What pruning came to. */
export interface Pruned {
  readonly metric: string;
  readonly maximize: boolean;
  readonly before: PrunedSide;
  readonly after: PrunedSide;
  /** Which dendrites are gone: by module, their numbers in the names of weights before. */
  readonly removed: Readonly<Record<string, readonly number[]>>;
  /** The largest change of any number that the network predicts, over all of the examples. */
  readonly largestChange: number;
  /** How many examples scores and change were measured on. */
  readonly examples: number;
  /** The network without them: `arborize(model, { state })` trains it on, and grows it on. */
  readonly state: ReadonlyMap<string, Tensor>;
}

/**
 * Removes whole dendrites of modules, of layers that share weights together, the ones that cost the least first, for as long as
 * all removals together cost no more than `maxCost`. What is chosen is measured on `examples`; what came of it on all.
 */
export async function pruneNetwork(
  network: GrowingNetwork,
  parts: TrainingParts,
  data: Dataset | Batches,
  { maxCost = 0, ...options }: PruneOptions,
): Promise<Pruned> {
  const { metric } = parts;
  const scoring = scoringOf(parts, metric);
  const before = await network.snapshot();
  const counts = countsIn(before.values);
  const units = tiedSites(parts.sites).flatMap((group) => {
    const count = Math.max(...group.map(({ id }) => counts.get(id) ?? 0));
    return Array.from({ length: count }, (_, j) => group.map(({ id }): [string, number] => [id, j]));
  });
  let passes = 0;
  const total = 2 * units.length + 3;
  const passed = () => options.onProgress?.(++passes, total);
  const some = someOf(data, options);
  const without = ablation(network, metric, before.values, some.batches);
  const full = await without(new Map());
  passed();
  const costWithout = async (gone: Iterable<[string, number]>) => {
    const score = await without(choiceOf(gone));
    passed();
    return scoring.maximize ? full - score : score - full;
  };

  const alone = [];
  for (const unit of units) alone.push({ unit, cost: await costWithout(unit) });
  alone.sort((a, b) => a.cost - b.cost);
  let gone: [string, number][] = [];
  for (const { unit, cost } of alone) {
    const more = [...gone, ...unit];
    const together = gone.length === 0 ? cost : cost <= maxCost ? await costWithout(more) : cost;
    if (together <= maxCost) gone = more;
  }

  const chosen = choiceOf(gone);
  const values = removed(before.values, chosen);
  const after = { dendrites: Math.max(0, ...countsIn(values).values()), values };
  const smaller = new GrowingNetwork({ ...parts, start: after });
  try {
    const { batches: all, positions } = someOf(data, { batchSize: options.batchSize ?? 64 });
    const side = async (of: GrowingNetwork, { values }: Snapshot): Promise<PrunedSide> => ({
      score: await of.evaluate(all, metric),
      parameters: of.parameterCount,
      dendrites: Object.fromEntries(countsIn(values)),
    });
    const sides = { before: await side(network, before), after: await side(smaller, after) };
    passed();
    const largestChange = await largestDifference(network, smaller, all);
    options.onProgress?.(total, total);
    return {
      ...scoring,
      ...sides,
      removed: Object.fromEntries(
        parts.sites.flatMap(({ id }) => {
          const numbers = [...(chosen.get(id) ?? [])].sort((a, b) => a - b);
          return numbers.length > 0 ? [[id, numbers]] : [];
        }),
      ),
      largestChange,
      examples: positions.length,
      state: values,
    };
  } finally {
    await smaller.release();
  }
}

function choiceOf(gone: Iterable<[string, number]>): Chosen {
  const chosen = new Map<string, Set<number>>();
  for (const [id, j] of gone) chosen.set(id, (chosen.get(id) ?? new Set()).add(j));
  return chosen;
}

async function largestDifference(
  a: GrowingNetwork,
  b: GrowingNetwork,
  source: Iterable<Batch>,
): Promise<number> {
  let largest = 0;
  for (const batch of source) {
    const [before, after] = [(await a.predict(batch)).toNumbers(), (await b.predict(batch)).toNumbers()];
    for (let i = 0; i < before.length; i++) largest = Math.max(largest, Math.abs(after[i]! - before[i]!));
  }
  return largest;
}
