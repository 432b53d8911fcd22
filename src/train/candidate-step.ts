// The step of a dendrite phase as one graph: the frozen network, its errors where dendrites would be heard, and candidates
// that learn to follow them.

import type { Tensor } from "../base/tensor.ts";
import { attachCandidates } from "../dendrites/candidates.ts";
import { correlation } from "../dendrites/correlation.ts";
import { countsFor } from "../dendrites/counts.ts";
import type { Graph, Value } from "../graph/graph.ts";
import {
  add,
  cast,
  concat,
  div,
  mul,
  reshape,
  scalar,
  shapeOf,
  sizeOfValue,
  stopGradient,
} from "../ops/index.ts";
import { gradients } from "../transform/gradient.ts";
import { partlyTraining } from "../transform/mode.ts";
import type { CorrelationParts, NetworkParts, NewWeights } from "./network.ts";
import { appendLoss, assembleStep, dataFeeds, type TrainStep } from "./step.ts";

/** The network that a dendrite phase is for. */
export interface FrozenNetwork {
  /** The most dendrites that a site has. */
  readonly dendrites: number;
  /** Values of its state by name, and those of candidates that exist. */
  readonly values: ReadonlyMap<string, Tensor>;
  /** Draws candidates that don't. */
  readonly draw: NewWeights;
}

/** A step that trains candidates. */
export interface CandidateStep {
  readonly step: TrainStep;
  /** What candidates start from. */
  readonly initial: ReadonlyMap<string, Tensor>;
}

/** Whether a name or scope is a candidate's. */
const isCandidate = (name: string) => /\.candidates\.\d+(\.|$)/.test(name);

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

/** Builds the step. Errors are those of the mean over examples, times their number: each example's own. */
export function buildCandidateStep(
  { base, sites, activation, initialScale, loss, engine }: NetworkParts,
  { dendrites, values, draw }: FrozenNetwork,
  settings: CorrelationParts,
): CandidateStep {
  const stopGradients = settings.gradients === "stopped";
  const count = countsFor(dendrites, sites, values);
  const plan = { sites, count, activation, initialScale, values, random: draw, stopGradients };
  const grown = attachCandidates(base, plan, settings.candidates);
  const taps = grown.sites.flatMap(({ sum, candidates }) => [sum, ...candidates]);
  const outputs = [...grown.graph.outputs, ...taps];
  const { graph, mapped } = partlyTraining(grown.graph, isCandidate, { outputs, shareSubexpressions: true });
  const lossValue = appendLoss(graph, loss);
  const examples = cast(reshape(shapeOf(graph.outputs[0]!, 0, 1), []), lossValue.dtype);
  const errors = gradients(
    lossValue,
    grown.sites.map(({ sum }) => mapped(sum)),
  );

  const measures = new Map<string, Value>();
  const surrogates = grown.sites.flatMap(({ site, candidates }, i) => {
    const { id, channelAxis, channels } = site;
    const error = graph.within(id, () => stopGradient(mul(errors[i]!, examples)));
    const vector = (name: string) => graph.input(name, error.dtype, [channels]);
    const meanError = settings.meanError === "running" ? vector(meanErrorOf(id)) : undefined;
    measures.set(positionsOf(id), positions(error, channels));
    return candidates.map((candidate, j) => {
      const names = namesOf(id, j);
      const terms = { output: mapped(candidate), error, channelAxis, gain: vector(names.gain), meanError };
      return graph.within(`${id}.candidates.${j}`, () => {
        const found = correlation({ ...terms, batchSign: settings.sign === "batch" });
        const { meanOutput, meanError, varianceOutput, varianceError, covariance } = found.statistics;
        const rows = [meanOutput, meanError, varianceOutput, varianceError, covariance];
        measures.set(names.moments, stacked(rows));
        return found.surrogate;
      });
    });
  });
  // A surrogate is as large as the outputs make it; what it is worth is in its slope alone.
  const objective = surrogates.reduce(add);
  const step = assembleStep(graph, {
    loss: lossValue,
    objective,
    optimizer: settings.optimizer,
    inPlace: engine.sharesMemory,
    feeds: dataFeeds(graph, base, loss),
    masks: [],
    measures,
  });
  return { step, initial: candidateState(grown.graph) };
}

function candidateState(graph: Graph): Map<string, Tensor> {
  return new Map([...graph.state].filter(([name]) => isCandidate(name)));
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
