// Candidates: dendrites that learn beside a network that doesn't hear of them.

import type { Graph, Value } from "../graph/graph.ts";
import { type DendritePlan, growOn } from "./attach.ts";
import type { Site } from "./site.ts";

/** Where candidates follow a module: one of the outputs that dendrites feed, of one of its calls. */
export interface CandidatePlace {
  /** What the module reads. */
  readonly input: Value;
  /** The outputs of the module's dendrites. */
  readonly dendrites: readonly Value[];
  /** The module's output with that of its dendrites, which candidates are no part of. */
  readonly sum: Value;
  /** The axes of `sum` that enumerate neurons: one, or two where directions are one after the other. */
  readonly neuronAxes: readonly number[];
  /** The candidates' outputs, each of the shape of `sum`. */
  readonly candidates: readonly Value[];
}

/** A module with its candidates. */
export interface CandidateSite {
  readonly site: Site;
  /** At least one; several of a module that is called several times, or of which several outputs are read. */
  readonly places: readonly CandidatePlace[];
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
 */
export function attachCandidates(base: Graph, plan: DendritePlan, candidates: number): WithCandidates {
  const places = new Map<Site, CandidatePlace[]>(plan.sites.map((site) => [site, []]));
  const graph = growOn(base, plan, ({ site, input, dendrites, sum, rowShape, another }) => {
    const outputs = Array.from({ length: candidates }, (_, j) => another(`candidates.${j}`));
    const before = sum.rank - rowShape.length;
    const long = rowShape.flatMap((length, i) => (length === 1 ? [] : [before + i]));
    // A single neuron is an axis of length 1 like others.
    const neuronAxes = long.length > 0 ? long : [before];
    places.get(site)!.push({ input, dendrites, sum, neuronAxes, candidates: outputs });
  });
  return { graph, sites: [...places].map(([site, own]) => ({ site, places: own })) };
}
