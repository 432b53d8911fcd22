// Candidates: dendrites that learn beside a network that doesn't hear of them.

import type { Graph, Value } from "../graph/graph.ts";
import { type DendritePlan, growOn } from "./attach.ts";
import type { Site } from "./site.ts";

/** A module with its candidates. */
export interface CandidateSite {
  readonly site: Site;
  /** The module's output with that of its dendrites, which candidates are no part of. */
  readonly sum: Value;
  /** The candidates' outputs, each of the shape of `sum`. */
  readonly candidates: readonly Value[];
}

/** A graph whose modules have candidates. */
export interface WithCandidates {
  readonly graph: Graph;
  readonly sites: readonly CandidateSite[];
}

/** The scope of a module's candidate. */
export function candidateId({ id }: Site, candidate: number): string {
  return `${id}.candidates.${candidate}`;
}

/**
 * The graph of `attachDendrites`, and `candidates` more dendrites beside each module's: what the next one could be. They read
 * the module's input and its dendrites' outputs, and nothing reads them. Their parameters are
 * `M.candidates.j.NAME`; `M.candidates.j.cascade` of shape [count, c] where there are dendrites.
 * Of a module that is called several times, they follow the first call.
 */
export function attachCandidates(base: Graph, plan: DendritePlan, candidates: number): WithCandidates {
  const sites: CandidateSite[] = [];
  const graph = growOn(base, plan, ({ site, sum, another }) => {
    const outputs = Array.from({ length: candidates }, (_, j) => another(`candidates.${j}`));
    sites.push({ site, sum, candidates: outputs });
  });
  return { graph, sites };
}
