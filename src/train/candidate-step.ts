// The step of a dendrite phase as two graphs: the frozen network, with its errors where dendrites would be heard, and candidates
// that learn to follow them. The network's need not run again for examples that it has run for.

import type { Tensor } from "../base/tensor.ts";
import { attachCandidates, type CandidatePlace, type WithCandidates } from "../dendrites/candidates.ts";
import { countsFor } from "../dendrites/counts.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { isStatic } from "../graph/shape.ts";
import { writeOnnx } from "../onnx/write.ts";
import { cast, mul, reshape, shapeOf, stopGradient } from "../ops/index.ts";
import { channelMajor } from "../transform/channel-major.ts";
import { gradients } from "../transform/gradient.ts";
import { partlyTraining, partlyTrainingForm } from "../transform/mode.ts";
import { rewrite } from "../transform/rewrite.ts";
import { appendObjective, type Followed } from "./candidate-objective.ts";
import type { CorrelationParts, NetworkParts, NewWeights } from "./network.ts";
import { appendLoss, assembleStep, dataFeeds, type Feed, type TrainStep } from "./step.ts";

/** The network that a dendrite phase is for. */
export interface FrozenNetwork {
  /** The most dendrites that a site has. */
  readonly dendrites: number;
  /** Values of its state by name, and those of candidates that exist. */
  readonly values: ReadonlyMap<string, Tensor>;
  /** Draws candidates that don't. */
  readonly draw: NewWeights;
}

/** What candidates need of the network for a batch. */
export interface Tap {
  readonly name: string;
  /** The axis of examples. */
  readonly axis: number;
}

/** A step that trains candidates. */
export interface CandidateStep {
  /** The network: of a batch (`feeds`) it tells its loss as `loss`, and the taps. */
  readonly network: { readonly model: Uint8Array; readonly feeds: readonly Feed[] };
  /** Names of taps. */
  readonly taps: readonly string[];
  /**
   * The taps with their axes; null where examples cannot be told apart: where they are not one axis of each tap, or have
   * lengths that differ from batch to batch.
   */
  readonly byExample: readonly Tap[] | null;
  /** The candidates: they are fed the taps, and what of the batch their modules read as it is. The loss is none. */
  readonly candidates: TrainStep;
  /** What candidates start from. */
  readonly initial: ReadonlyMap<string, Tensor>;
}

/** Whether a name or scope is a candidate's. */
const isCandidate = (name: string) => /\.candidates\.\d+(\.|$)/.test(name);

/** The network with candidates, with values of its own as they are. */
export function withCandidates(
  { base, sites, activation, initialScale }: NetworkParts,
  { dendrites, values, draw }: FrozenNetwork,
  { gradients, candidates }: CorrelationParts,
): WithCandidates {
  const count = countsFor(dendrites, sites, values);
  const stopGradients = gradients === "stopped";
  const plan = { sites, count, activation, initialScale, values, random: draw, stopGradients };
  return attachCandidates(base, plan, candidates);
}

/** What candidates have, by name, as a graph holds it. */
export function candidateState({ graph }: WithCandidates): Map<string, Tensor> {
  return new Map([...graph.state].filter(([name]) => isCandidate(name)));
}

/** Builds the step. */
export function buildCandidateStep(
  parts: NetworkParts,
  frozen: FrozenNetwork,
  settings: CorrelationParts,
): CandidateStep {
  const grown = withCandidates(parts, frozen, settings);
  const places = grown.sites.flatMap((site) => site.places);
  const read = new Set(places.flatMap(({ input, dendrites }) => [input, ...dendrites]));
  const computed = [...read].filter(({ producer }) => producer);
  const outputs = [...grown.graph.outputs, ...computed, ...places.map(({ sum }) => sum)];
  const { graph, mapped } = partlyTraining(grown.graph, isCandidate, { outputs, shareSubexpressions: true });
  const loss = appendLoss(graph, parts.loss);
  const errors = errorsAt(
    graph,
    loss,
    places.map(({ sum }) => mapped(sum)),
  );
  const values = [...computed.map(mapped), ...errors];
  const taps = values.map((_, i) => `tap.${i}`);
  const feeds = dataFeeds(graph, parts.base, parts.loss);
  const told = new Map([["loss", loss] as const, ...values.map((value, i) => [taps[i]!, value] as const)]);
  return {
    network: { model: writeOnnx(graph, { outputs: told }), feeds },
    taps,
    byExample: byExample(values, taps, feeds),
    candidates: candidatesAlone(grown, computed, taps, parts, settings),
    initial: candidateState(grown),
  };
}

/** The candidates of a network, whose values `computed`, and then the errors of all places, are inputs called as `taps` are. */
function candidatesAlone(
  grown: WithCandidates,
  computed: readonly Value[],
  taps: readonly string[],
  { base, engine }: NetworkParts,
  settings: CorrelationParts,
): TrainStep {
  const places = grown.sites.flatMap((site) => site.places);
  const names = new Map(computed.map((value, i) => [value, taps[i]!]));
  const candidates = places.flatMap((place) => place.candidates);
  const cut = rewrite(
    grown.graph,
    ({ operator, attributes, outputs }, inputs, { graph }) => {
      if (!outputs.some((output) => names.has(output))) return undefined;
      const own = graph.add(operator, inputs, attributes).outputs;
      return outputs.map((output, i) => {
        const name = names.get(output);
        return name === undefined ? own[i] : graph.input(name, output.dtype, output.shape);
      });
    },
    { outputs: candidates, freeze: ({ name }) => !isCandidate(name) },
  );
  const graph = channelMajor(cut.graph, partlyTrainingForm(isCandidate));
  const errors = places.map(({ sum: { dtype, shape } }, i) =>
    graph.input(taps[computed.length + i]!, dtype, shape),
  );
  const found = new Map(candidates.map((value, i) => [value, graph.outputs[i]!]));
  const errorAt = new Map(places.map((place, i) => [place, errors[i]!]));
  const followed = (place: CandidatePlace): Followed => ({
    error: errorAt.get(place)!,
    outputs: place.candidates.map((value) => found.get(value)!),
    neuronAxes: place.neuronAxes,
  });
  const { objective, scales, measures } = appendObjective(graph, grown.sites, followed, settings);
  return assembleStep(graph, {
    // What a run must tell to be known to be sound; it is how many positions there are.
    loss: [...measures.values()][0]!,
    objective,
    scales,
    measures,
    optimizer: settings.optimizer,
    inPlace: engine.sharesMemory,
    feeds: dataFeeds(graph, base, null),
    masks: [],
  });
}

/** The axis of examples of each value, where it is one of all of them and other lengths are known; else null. */
function byExample(
  values: readonly Value[],
  names: readonly string[],
  feeds: readonly Feed[],
): readonly Tap[] | null {
  const examples = feeds[0]!.shape[0];
  if (examples === undefined || isStatic(examples)) return null;
  const taps = values.map(({ shape }, i) => ({ name: names[i]!, axis: shape.indexOf(examples) }));
  const fits = ({ shape }: Value, i: number) =>
    taps[i]!.axis >= 0 && shape.every((dim, axis) => axis === taps[i]!.axis || isStatic(dim));
  return values.every(fits) && feeds.every(({ shape }) => shape[0] === examples) ? taps : null;
}

/** The errors of the mean over examples, times their number: each example's own. */
function errorsAt(graph: Graph, loss: Value, sums: readonly Value[]): Value[] {
  const examples = cast(reshape(shapeOf(graph.outputs[0]!, 0, 1), []), loss.dtype);
  return gradients(loss, sums).map((error) => stopGradient(mul(error, examples)));
}
