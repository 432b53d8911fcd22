// What the candidates of a dendrite phase follow, and what is measured of them, appended to a graph that computes them.

import type { CandidatePlace, CandidateSite } from "../dendrites/candidates.ts";
import { correlation } from "../dendrites/correlation.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { add, cast, concat, div, reshape, scalar, sizeOfValue, transpose } from "../ops/index.ts";
import type { CorrelationParts } from "./network.ts";

/** What is fed and told of candidate `j` of a module, beside the batch. */
export const namesOf = (site: string, j: number) => ({
  /** Fed, `[c]`: sign and size of what a covariance counts for. */
  gain: `gain.${site}.${j}`,
  /** Told, `[5, c]`: see `Moments`. */
  moments: `moments.${site}.${j}`,
});

/** Fed, `[c]`, where errors are taken from a running mean. */
export const meanErrorOf = (site: string) => `mean.${site}`;

/** Told: how many positions each neuron of a module has in the batch. */
export const positionsOf = (site: string) => `positions.${site}`;

/** Where the values of modules with candidates are in a graph. */
export interface Placed {
  /** By what candidates compute in the graph that they were attached to. */
  readonly found: ReadonlyMap<Value, Value>;
  /** The error at each place of each module, in order. */
  readonly errors: readonly Value[];
}

/** Appends the sum of all candidates' surrogates, and what is measured by name. */
export function appendObjective(
  graph: Graph,
  sites: readonly CandidateSite[],
  { found, errors }: Placed,
  settings: CorrelationParts,
): { objective: Value; measures: ReadonlyMap<string, Value> } {
  const measures = new Map<string, Value>();
  const left = [...errors];
  const surrogates = sites.flatMap(({ site, places }) => {
    const { id, channels } = site;
    const { value: error, channelAxis } = graph.within(id, () =>
      joined(places, left.splice(0, places.length), channels),
    );
    const vector = (name: string) => graph.input(name, error.dtype, [channels]);
    const meanError = settings.meanError === "running" ? vector(meanErrorOf(id)) : undefined;
    measures.set(positionsOf(id), positions(error, channels));
    return Array.from({ length: settings.candidates }, (_, j) => {
      const names = namesOf(id, j);
      return graph.within(`${id}.candidates.${j}`, () => {
        const outputs = places.map(({ candidates }) => found.get(candidates[j]!)!);
        const output = joined(places, outputs, channels).value;
        const terms = { output, error, channelAxis, gain: vector(names.gain), meanError };
        const { surrogate, statistics } = correlation({ ...terms, batchSign: settings.sign === "batch" });
        const { meanOutput, meanError: mean, varianceOutput, varianceError, covariance } = statistics;
        measures.set(names.moments, stacked([meanOutput, mean, varianceOutput, varianceError, covariance]));
        return surrogate;
      });
    });
  });
  // A surrogate is as large as the outputs make it; what it is worth is in its slope alone.
  return { objective: surrogates.reduce(add), measures };
}

/** Values at all places of a module as one: positions of several are joined as rows, with neurons last. */
function joined(
  places: readonly CandidatePlace[],
  values: readonly Value[],
  channels: number,
): { value: Value; channelAxis: number } {
  if (places.length === 1) return { value: values[0]!, channelAxis: places[0]!.neuronAxes[0]! };
  const rows = values.map((value, i) => {
    const { neuronAxes } = places[i]!;
    const others = value.shape.map((_, axis) => axis).filter((axis) => !neuronAxes.includes(axis));
    return reshape(transpose(value, [...others, ...neuronAxes]), [-1, channels]);
  });
  return { value: concat(rows, 0), channelAxis: 1 };
}

function positions(error: Value, channels: number): Value {
  const all = cast(sizeOfValue(error), "float32");
  return div(all, scalar(all, channels));
}

function stacked(rows: readonly Value[]): Value {
  return concat(
    rows.map((row) => reshape(row, [1, ...row.shape])),
    0,
  );
}
