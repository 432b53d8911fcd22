// What each dendrite adds to its module's output, as values of a graph.

import type { Graph, Value } from "../graph/graph.ts";
import { countOn, type DendritePlan, growOn } from "./attach.ts";
import type { Site } from "./site.ts";

/** A module and what its dendrites add to it. */
export interface ContributingSite {
  readonly site: Site;
  /** The module's output with its dendrites'. */
  readonly sum: Value;
  /** For each dendrite, what the output has of it, in the shape of `sum`. */
  readonly contributions: readonly Value[];
}

/**
 * The graph of `attachDendrites`, and for each module that has dendrites what each of them adds: `T[j] * o_j`, or where a rule
 * of its own combines them, what is missing without the dendrite. Of a module that is called several times, in the first call.
 */
export function attachContributions(
  base: Graph,
  plan: DendritePlan,
): { readonly graph: Graph; readonly sites: readonly ContributingSite[] } {
  const sites: ContributingSite[] = [];
  const grown = { ...plan, sites: plan.sites.filter((site) => countOn(plan, site) > 0) };
  const graph = growOn(base, grown, ({ site, first, sum, contributions }) => {
    if (first) sites.push({ site, sum, contributions: contributions.map((make) => make()) });
  });
  return { graph, sites };
}
