// What the candidates of a dendrite phase follow, and what is measured of them, appended to a graph that computes them.

import { type CandidatePlace, type CandidateSite, candidateId } from "../dendrites/candidates.ts";
import { correlation } from "../dendrites/correlation.ts";
import { neuronAxes } from "../dendrites/neuron-axes.ts";
import type { Site } from "../dendrites/site.ts";
import type { Engine } from "../engine/engine.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { isStatic, shapeSize } from "../graph/shape.ts";
import {
  add,
  cast,
  concat,
  div,
  mul,
  reduceMean,
  reshape,
  scalar,
  sizeOfValue,
  transpose,
} from "../ops/index.ts";
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

/** The error at a place of a module and the outputs of its candidates, all of one shape. */
export interface Followed {
  readonly error: Value;
  readonly outputs: readonly Value[];
  /** The axes that enumerate neurons: one, or two where directions are one after the other. */
  readonly neuronAxes: readonly number[];
  /** See `CorrelationTerms`; only of a module's single place. */
  readonly counted?: Value | undefined;
}

/** What candidates learn by. */
export interface CandidateObjective {
  /** The sum of all surrogates. What it is worth is in its slope alone. */
  readonly objective: Value;
  /** What the gradients of parameters are to be multiplied with, by name. */
  readonly scales: ReadonlyMap<string, Value>;
  /** What is told, by name. */
  readonly measures: ReadonlyMap<string, Value>;
}

/** Appends the objective. `followed` tells of the places of each module. */
export function appendObjective(
  graph: Graph,
  sites: readonly CandidateSite[],
  followed: ReadonlyMap<CandidatePlace, Followed>,
  settings: CorrelationParts,
  { multipliesVectors }: Engine,
): CandidateObjective {
  const measures = new Map<string, Value>();
  const scales = new Map<string, Value>();
  const surrogates = sites.flatMap(({ site, places }) => {
    const { id, channels } = site;
    const own = places.map((place) => followed.get(place)!);
    const { value: error, channelAxis } = graph.within(id, () => joined(own, ({ error }) => error, channels));
    const counted = own.length === 1 ? own[0]!.counted : undefined;
    const vector = (name: string) => graph.input(name, error.dtype, [channels]);
    const meanError = settings.meanError === "running" ? vector(meanErrorOf(id)) : undefined;
    measures.set(positionsOf(id), positions(error, channels, counted));
    const apart = scalesApart(site, error, channelAxis);
    return Array.from({ length: settings.candidates }, (_, j) => {
      const names = namesOf(id, j);
      return graph.within(candidateId(site, j), () => {
        const output = joined(own, ({ outputs }) => outputs[j]!, channels).value;
        const { surrogate, scale, statistics } = correlation({
          output,
          error,
          channelAxis,
          gain: vector(names.gain),
          batchSign: settings.sign === "batch",
          meanError,
          counted,
          scaleApart: apart !== null,
          vectors: multipliesVectors,
        });
        for (const { name, rank } of apart ? graph.parameters : []) {
          const axis = apart?.get(name.slice(candidateId(site, j).length + 1));
          if (axis === undefined || !name.startsWith(`${candidateId(site, j)}.`)) continue;
          const shape = Array.from({ length: rank }, (_, at) => (at === axis ? -1 : 1));
          scales.set(name, reshape(scale, shape));
        }
        const { meanOutput, meanError: mean, varianceOutput, varianceError, covariance } = statistics;
        measures.set(names.moments, stacked([meanOutput, mean, varianceOutput, varianceError, covariance]));
        return surrogate;
      });
    });
  });
  return { objective: surrogates.reduce(add), scales, measures };
}

/**
 * The axes of neurons of a module's weights by name, where multiplying gradients of weights with what neurons count for is cheaper
 * than doing so with all that they compute; else null.
 */
function scalesApart(site: Site, error: Value, channelAxis: number): ReadonlyMap<string, number> | null {
  const axes = neuronAxes(site)?.axes;
  if (!axes || site.parameters.some((parameter) => !axes.has(site.names.get(parameter)!))) return null;
  const places = shapeSize(error.shape.filter((dim, axis) => axis !== channelAxis && isStatic(dim)));
  const weights = site.parameters.reduce((sum, { data }) => sum + data!.data.length, 0);
  return weights <= (places as number) * site.channels ? new Map([...axes, ["cascade", 1]]) : null;
}

/** Values at all places of a module as one: positions of several are joined as rows, with neurons last. */
function joined(
  places: readonly Followed[],
  valueAt: (place: Followed) => Value,
  channels: number,
): { value: Value; channelAxis: number } {
  if (places.length === 1) return { value: valueAt(places[0]!), channelAxis: places[0]!.neuronAxes[0]! };
  const rows = places.map((place) => {
    const value = valueAt(place);
    const others = value.shape.map((_, axis) => axis).filter((axis) => !place.neuronAxes.includes(axis));
    return reshape(transpose(value, [...others, ...place.neuronAxes]), [-1, channels]);
  });
  return { value: concat(rows, 0), channelAxis: 1 };
}

function positions(error: Value, channels: number, counted: Value | undefined): Value {
  const all = cast(sizeOfValue(error), "float32");
  const each = div(all, scalar(all, channels));
  return counted ? mul(each, cast(reduceMean(counted), "float32")) : each;
}

function stacked(rows: readonly Value[]): Value {
  return concat(
    rows.map((row) => reshape(row, [1, ...row.shape])),
    0,
  );
}
