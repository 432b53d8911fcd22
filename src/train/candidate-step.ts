// The step of a dendrite phase: the frozen network, with its errors where dendrites would be heard, and candidates that learn to
// follow them. As one graph, or as two, of which the network's need not run again for examples that it has run for.

import type { Tensor } from "../base/tensor.ts";
import { attachCandidates, type CandidatePlace, type WithCandidates } from "../dendrites/candidates.ts";
import { countsFor } from "../dendrites/counts.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { isStatic } from "../graph/shape.ts";
import { writeOnnx } from "../onnx/write.ts";
import { cast, mul, reshape, shapeOf, stopGradient } from "../ops/index.ts";
import { type Laid, laidOut } from "../transform/channel-major.ts";
import { type Crops, partsIn, withParts } from "../transform/crop.ts";
import { gradients } from "../transform/gradient.ts";
import { partlyTraining, partlyTrainingForm } from "../transform/mode.ts";
import { comparePools } from "../transform/pool-taps.ts";
import { type Rewritten, rewrite } from "../transform/rewrite.ts";
import { reluAfterMaxPool } from "../transform/simplify.ts";
import { countedIn, inOrder, sameTiles, type Tiles, tiledApart, tiledTogether } from "../transform/tiles.ts";
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

/** The step as two models. */
export interface StepApart {
  /** The network: of a batch (`feeds`) it tells its loss as `loss`, and the taps. */
  readonly network: { readonly model: Uint8Array; readonly feeds: readonly Feed[] };
  readonly taps: readonly Tap[];
  /** The candidates: they are fed the taps, and what of the batch their modules read as it is. The loss is none. */
  readonly candidates: TrainStep;
}

/** Whether a name or scope is a candidate's. */
const isCandidate = (name: string) => /\.candidates\.\d+(\.|$)/.test(name);
const isFrozen = ({ name }: Value) => !isCandidate(name);

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

/** All that a step computes of a network with candidates. */
export function computedOf(grown: WithCandidates): Value[] {
  const places = placesOf(grown);
  return [...grown.graph.outputs, ...places.flatMap(({ sum, candidates }) => [sum, ...candidates])];
}

/** What candidates have, by name, as a graph holds it. */
export function candidateState({ graph }: WithCandidates): Map<string, Tensor> {
  return new Map([...graph.state].filter(([name]) => isCandidate(name)));
}

/** The step as one model: what the network computes is at hand for the candidates, in whatever layout. */
export function stepTogether(
  grown: WithCandidates,
  { base, loss: lossOf, engine }: NetworkParts,
  settings: CorrelationParts,
  crops: Crops,
): TrainStep {
  const places = placesOf(grown);
  const heard = new Set(places.map(({ sum }) => sum));
  const cropped = withParts(crops);
  const simple = rewrite(
    grown.graph,
    // Errors are taken at sums: nothing may go past them.
    (node, inputs, target) =>
      cropped(node, inputs, target) ??
      (heard.has(node.inputs[0]!) ? undefined : reluAfterMaxPool(node, inputs, target)),
    { outputs: computedOf(grown), freeze: isFrozen, values: partsIn(grown.graph, crops) },
  );
  const { graph, at } = laidOutFor(grown, simple);
  comparePools(graph, engine);
  const loss = appendLoss(graph, lossOf);
  const sums = places.map(({ sum }) => at(sum));
  const errors = errorsAt(
    graph,
    loss,
    sums.map(({ value }) => value),
  );
  const followed = new Map(
    places.map((place, i) => {
      const error = { value: errors[i]!, tiles: sums[i]!.tiles };
      const outputs = place.candidates.map(at);
      const tiles = mayBeTiled(place, grown) ? commonTiles([error, ...outputs]) : null;
      return [place, inOneLayout(place, error, outputs, tiles)] as const;
    }),
  );
  const objective = appendObjective(graph, grown.sites, followed, settings, engine);
  return assembleStep(graph, {
    ...objective,
    loss,
    optimizer: settings.optimizer,
    inPlace: engine.sharesMemory,
    feeds: dataFeeds(graph, base, lossOf),
    masks: [],
  });
}

/**
 * The network in the layout of its candidates where they have one, which then share transforms of what they read; else in order: the
 * runtime has a layout of its own for convolutions whose weights don't change.
 */
function laidOutFor(
  grown: WithCandidates,
  simple: Rewritten,
): { readonly graph: Graph; readonly at: (value: Value) => Laid } {
  const form = partlyTrainingForm(isCandidate);
  const { graph, laid } = laidOut(simple.graph, form, grown.graph.outputs.map(simple.mapped));
  const at = (value: Value) => laid(simple.mapped(value));
  if (placesOf(grown).some(({ candidates }) => candidates.some((value) => at(value).tiles)))
    return { graph, at };
  const plain = rewrite(simple.graph, form, { shareSubexpressions: true });
  return {
    graph: plain.graph,
    at: (value) => ({ value: plain.mapped(simple.mapped(value)), tiles: null }),
  };
}

/**
 * The step as two models; null where examples cannot be told apart: where they are not one axis of what candidates need, or that
 * has lengths that differ from batch to batch.
 */
export function stepApart(
  grown: WithCandidates,
  parts: NetworkParts,
  settings: CorrelationParts,
  crops: Crops,
): StepApart | null {
  const places = placesOf(grown);
  const read = new Set(places.flatMap(({ input, dendrites }) => [input, ...dendrites]));
  const computed = [...read].filter(({ producer }) => producer);
  const outputs = [...grown.graph.outputs, ...computed, ...places.map(({ sum }) => sum)];
  const { graph, mapped } = partlyTraining(grown.graph, isCandidate, { outputs, shareSubexpressions: true });
  comparePools(graph, parts.engine);
  const loss = appendLoss(graph, parts.loss);
  const errors = errorsAt(
    graph,
    loss,
    places.map(({ sum }) => mapped(sum)),
  );
  const feeds = dataFeeds(graph, parts.base, parts.loss);
  if (!byExample([...computed.map(mapped), ...errors], feeds)) return null;
  const names = new Map(computed.map((value, i): [Value, string] => [value, `read.${i}`]));
  const { step, layouts } = candidatesAlone(grown, names, parts, settings, crops);
  const values = new Map([...names].map(([value, name]) => [name, mapped(value)]));
  errors.forEach((error, i) => {
    const tiles = layouts[i];
    values.set(errorAt(i), tiles ? tiledApart(error, tiles) : error);
  });
  const examples = feeds[0]!.shape[0]!;
  return {
    network: { model: writeOnnx(graph, { outputs: new Map([["loss", loss], ...values]) }), feeds },
    taps: [...values].map(([name, { shape }]) => ({ name, axis: shape.indexOf(examples) })),
    candidates: step,
  };
}

/** How the error at a place is called, of all modules' places. */
const errorAt = (place: number) => `error.${place}`;

/**
 * The candidates of a network, whose values called by `names`, and the errors of all places, are inputs; and the tiles in which
 * errors are wanted.
 */
function candidatesAlone(
  grown: WithCandidates,
  names: ReadonlyMap<Value, string>,
  { base, engine }: NetworkParts,
  settings: CorrelationParts,
  crops: Crops,
): { step: TrainStep; layouts: readonly (Tiles | null)[] } {
  const places = placesOf(grown);
  const cropped = withParts(crops);
  const cut = rewrite(
    grown.graph,
    (node, inputs, target) => {
      const { operator, attributes, outputs } = node;
      const made = cropped(node, inputs, target);
      if (!outputs.some((output) => names.has(output))) return made;
      const own = made ?? target.graph.add(operator, inputs, attributes).outputs;
      return outputs.map((output, i) => {
        const name = names.get(output);
        return name === undefined ? own[i] : target.graph.input(name, output.dtype, output.shape);
      });
    },
    {
      outputs: places.flatMap((place) => place.candidates),
      freeze: isFrozen,
      values: partsIn(grown.graph, crops),
    },
  );
  const { graph, laid } = laidOut(cut.graph, partlyTrainingForm(isCandidate), []);
  comparePools(graph, engine);
  const layouts: (Tiles | null)[] = [];
  const followed = new Map(
    places.map((place, i) => {
      const outputs = place.candidates.map((value) => laid(cut.mapped(value)));
      const tiles = mayBeTiled(place, grown) ? commonTiles(outputs) : null;
      layouts.push(tiles);
      return [place, inOneLayout(place, errorInput(graph, i, place, tiles), outputs, tiles)] as const;
    }),
  );
  const objective = appendObjective(graph, grown.sites, followed, settings, engine);
  const step = assembleStep(graph, {
    ...objective,
    // What a run must tell to be known to be sound; it is how many positions there are.
    loss: [...objective.measures.values()][0]!,
    optimizer: settings.optimizer,
    inPlace: engine.sharesMemory,
    feeds: dataFeeds(graph, base, null),
    masks: [],
  });
  return { step, layouts };
}

function errorInput(graph: Graph, i: number, { sum }: CandidatePlace, tiles: Tiles | null): Laid {
  if (!tiles) return { value: graph.input(errorAt(i), sum.dtype, sum.shape), tiles };
  const [batch, channels] = sum.shape as [(typeof sum.shape)[number], number];
  const shape = [batch, tiles.side ** 2, channels, ...tiles.tiles];
  return { value: tiledTogether(graph.input(errorAt(i), sum.dtype, shape)), tiles };
}

const placesOf = ({ sites }: WithCandidates) => sites.flatMap(({ places }) => places);

/** Whether a place may be in tiles: those of several places are joined as rows, and neurons are channels in tiles. */
function mayBeTiled(place: CandidatePlace, { sites }: WithCandidates): boolean {
  const alone = sites.some(({ places }) => places.length === 1 && places[0] === place);
  return alone && place.neuronAxes.join() === "1";
}

/** The tiles that all values are in, or null. */
function commonTiles([first, ...others]: readonly Laid[]): Tiles | null {
  const tiles = first?.tiles;
  return tiles && others.every((other) => other.tiles && sameTiles(other.tiles, tiles)) ? tiles : null;
}

/** A place in these tiles, or in order. */
function inOneLayout(
  { neuronAxes }: CandidatePlace,
  error: Laid,
  outputs: readonly Laid[],
  tiles: Tiles | null,
): Followed {
  const plain = ({ value, tiles: own }: Laid) => (own && !tiles ? inOrder(value, own) : value);
  return {
    error: plain(error),
    outputs: outputs.map(plain),
    // Channels are on axis 1 in tiles, as in [B, C, H, W].
    neuronAxes,
    counted: tiles ? countedIn(error.value, tiles) : undefined,
  };
}

/** Whether examples are one axis of each value and of all that is fed, and other lengths are known. */
function byExample(values: readonly Value[], feeds: readonly Feed[]): boolean {
  const examples = feeds[0]!.shape[0];
  if (examples === undefined || isStatic(examples)) return false;
  const fits = ({ shape }: Value) =>
    shape.includes(examples) &&
    shape.every((dim, axis) => isStatic(dim) || (dim === examples && axis === shape.indexOf(examples)));
  return values.every(fits) && feeds.every(({ shape }) => shape[0] === examples);
}

/** The errors of the mean over examples, times their number: each example's own. */
function errorsAt(graph: Graph, loss: Value, sums: readonly Value[]): Value[] {
  const examples = cast(reshape(shapeOf(graph.outputs[0]!, 0, 1), []), loss.dtype);
  return gradients(mul(loss, examples), sums).map(stopGradient);
}
