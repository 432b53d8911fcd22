// Sites: modules and blocks that dendrites can grow on.

import { isFloat } from "../base/tensor.ts";
import type { Node, Value } from "../graph/graph.ts";
import { isStatic, shapeText } from "../graph/shape.ts";
import { statisticStart } from "../ops/index.ts";
import { type Call, callOf, splitCalls } from "./call.ts";
import { isRecurrent, type Network } from "./network.ts";

/** What a module and its dendrites have computed, to be made one. */
export interface Combination {
  /** The module's output. */
  readonly neuron: Value;
  /** The dendrites' outputs, of the same shape. */
  readonly dendrites: readonly Value[];
  /** For each dendrite its weight for each neuron, which broadcasts over its output. Zero when the dendrite is new. */
  readonly weights: readonly Value[];
}

/**
 * Makes one output of those of a module and its dendrites. With weights of zero it must be the module's own. An exported file
 * computes it and does not say how: what grew goes on from its weights, `state` of `arborize`, not from the file.
 */
export type Combine = (outputs: Combination) => Value;

/** A module that dendrites can grow on: the nodes between one input and one output. */
export interface Site {
  /** The module's scope, such as `layer1.0.conv1`. */
  readonly id: string;
  /** The module's class, such as `Conv2d`. */
  readonly type: string;
  /** What the module computes with, in topological order. A dendrite copies them. */
  readonly nodes: readonly Node[];
  /** What the module reads, and its dendrites with it. */
  readonly input: Value;
  /** What the module computes, and its dendrites add to. */
  readonly output: Value;
  /**
   * Every use of the module, in order: where the model calls it several times, dendrites of the same weights follow each.
   * `nodes`, `input` and `output` are those of the first.
   */
  readonly calls: readonly Call[];
  /**
   * The module's own parameters, in the order of the graph, frozen ones too. A dendrite has weights of its own in their
   * shapes, which learn.
   */
  readonly parameters: readonly Value[];
  /** Buffers of which a dendrite has its own, with what all of its elements start from; null for the module's own start. */
  readonly statistics: ReadonlyMap<Value, number | null>;
  /** What parameters and statistics are called in the module. */
  readonly names: ReadonlyMap<Value, string>;
  /** The axis of the output that enumerates neurons. */
  readonly channelAxis: number;
  /** How many neurons there are. */
  readonly channels: number;
  /** How dendrites act on the output. Default: they are added. */
  readonly combine?: Combine;
}

/** What is asked of a module's dendrites, where it is not the usual. */
export interface SiteRule {
  /** Which of several outputs dendrites feed, by position. Default: there must be one; of LSTM, GRU and RNN, all but the cell state. */
  readonly output?: number;
  /** The axis of the output that enumerates neurons; from the end if negative. Default: as its operators say. */
  readonly channelAxis?: number;
  /** How dendrites act on the output. Default: they are added. */
  readonly combine?: Combine;
}

/** A module to be made a site. */
export interface Candidate {
  readonly id: string;
  readonly type: string;
  /** Its nodes, of all calls. */
  readonly nodes: readonly Node[];
  /** How often it is called. */
  readonly calls: number;
  /** Modules of which it consists besides that called `id`, such as a normalization. */
  readonly beside?: readonly string[];
}

/** The site of a module, or why it takes no dendrites. */
export function siteOf(net: Network, candidate: Candidate, rule: SiteRule = {}): Site | string {
  const { id, type, beside = [] } = candidate;
  const found = callsOf(net, candidate, rule);
  if (typeof found === "string") return found;
  const weights = weightsOf(net, found);
  if (weights.parameters.length === 0) return "it has no weights of floating numbers";
  const [first] = found as [Call];
  const output = first.outputs[0]!;
  const channelAxis =
    rule.channelAxis === undefined ? neuronAxis(output, type, first.nodes) : rule.channelAxis;
  const axis = channelAxis < 0 ? channelAxis + output.rank : channelAxis;
  const channels = output.shape[axis];
  if (channels === undefined || !isStatic(channels)) {
    return `its output ${shapeText(output.shape)} has no axis of neurons of a known length`;
  }
  for (const value of found.flatMap(({ outputs }) => outputs)) {
    if (value.shape[axis - output.rank + value.rank] !== channels && !hasDirections(value, channels)) {
      return `its outputs ${shapeText(output.shape)} and ${shapeText(value.shape)} have other numbers of neurons: choose one by dendrites.rules`;
    }
  }
  const { combine } = rule;
  const names = namesIn(id, beside, [...weights.parameters, ...weights.statistics.keys()]);
  const place = { calls: found, channelAxis: axis, channels, ...(combine && { combine }) };
  return { id, type, nodes: first.nodes, input: first.input, output, ...weights, names, ...place };
}

/** Whether a state has the neurons of both directions one after the other, `[2, batch, neurons / 2]`. */
function hasDirections({ shape, producer }: Value, neurons: number): boolean {
  const [ways, , each] = shape;
  return isRecurrent(producer!) && ways === 2 && shape.length === 3 && each === neurons / 2;
}

/** The shape in which one weight a neuron broadcasts over one of a site's outputs. */
export function rowShapeOf({ channels, channelAxis, output }: Site, value: Value): readonly number[] {
  if (value !== output && hasDirections(value, channels)) return [2, 1, channels / 2];
  return [channels, ...new Array<number>(output.rank - 1 - channelAxis).fill(1)];
}

function callsOf(net: Network, { nodes, calls: count }: Candidate, rule: SiteRule): Call[] | string {
  const choose = rule.output ?? null;
  const updates = nodes.flatMap(({ inputs }) =>
    inputs.flatMap((input) => (input && net.graph.updates.get(input)) ?? []),
  );
  if (count === 1) {
    const call = callOf(net, enclosed(net, nodes), updates, choose);
    return typeof call === "string" ? call : [call];
  }
  // Of the calls that were counted, some may lead nowhere.
  for (let live = count; live > 0; live--) {
    const calls = splitCalls(net, nodes, live)?.map((call) => callOf(net, call, updates, choose));
    if (calls?.every((call) => typeof call !== "string")) return calls;
  }
  return `it is called ${count} times, and not in the same way each time`;
}

/** A group with the nodes between those in it: files don't say of all nodes where they belong. */
function enclosed(net: Network, nodes: readonly Node[]): Node[] {
  const group = new Set(nodes);
  const [first, last] = [nodes[0]!.index, nodes.at(-1)!.index];
  const between = net.nodes.filter(({ index }) => index > first && index < last);
  const after = new Set<Node | null>(group);
  for (const node of between)
    if (node.inputs.some((input) => after.has(input?.producer ?? null))) after.add(node);
  const before = new Set<Node>(group);
  for (const node of [...between].reverse()) {
    const users = node.outputs.flatMap((output) => net.users.get(output) ?? []);
    if (users.some((user) => user && before.has(user))) before.add(node);
  }
  return net.nodes.filter((node) => after.has(node) && before.has(node));
}

/** What a dendrite has its own of: weights, frozen ones too, and what training writes into. Fixed buffers it shares. */
function weightsOf({ graph }: Network, calls: readonly Call[]) {
  const nodes = calls.flatMap((call) => call.nodes);
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const starts = new Map(
    nodes
      .flatMap((node) => node.inputs.map((input, at) => [input, statisticStart(node, at)] as const))
      .filter(([, start]) => start !== undefined),
  );
  const isWeight = (value: Value) => value.kind === "parameter" || graph.frozen.has(value);
  const parameters: Value[] = [];
  const statistics = new Map<Value, number | null>();
  for (const weight of [...graph.parameters, ...graph.buffers]) {
    if (!read.has(weight)) continue;
    const start = starts.get(weight);
    if (start !== undefined) statistics.set(weight, start);
    else if (graph.updates.has(weight)) statistics.set(weight, isFloat(weight.dtype) ? null : 0);
    else if (isFloat(weight.dtype) && isWeight(weight)) parameters.push(weight);
  }
  return { parameters, statistics };
}

/** Names in a module; those of another that belongs to it are under its last name, and a shared weight's is its last. */
function namesIn(id: string, beside: readonly string[], weights: readonly Value[]): Map<Value, string> {
  const short = weights.map(({ name }) => {
    if (name.startsWith(`${id}.`)) return name.slice(id.length + 1);
    const other = beside.find((scope) => name.startsWith(`${scope}.`));
    if (other !== undefined) return name.slice(other.lastIndexOf(".") + 1);
    return name.slice(name.lastIndexOf(".") + 1);
  });
  const isTaken = (name: string) => short.indexOf(name) !== short.lastIndexOf(name);
  return new Map(weights.map((weight, i) => [weight, isTaken(short[i]!) ? weight.name : short[i]!]));
}

const CHANNELS_FIRST: ReadonlySet<string> = new Set([
  ...["Conv", "ConvTranspose", "BatchNormalization", "InstanceNormalization", "GroupNormalization"],
  ...["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "PRelu"],
]);
const CHANNELS_LAST: ReadonlySet<string> = new Set(["MatMul", "Gemm", "LayerNormalization", "Gather"]);

/** The axis of neurons of what a group computes: that of the last layer, followed through what keeps axes apart. */
function neuronAxis(output: Value, type: string, nodes: readonly Node[]): number {
  if (type === "Linear" || nodes.some(isRecurrent)) return output.rank - 1;
  let axes = output.shape.map((_, i) => i);
  for (let node = output.producer; node && nodes.includes(node); node = node.inputs[0]?.producer ?? null) {
    if (CHANNELS_FIRST.has(node.operator.type)) return axes[1]!;
    if (CHANNELS_LAST.has(node.operator.type)) return axes.at(-1)!;
    if (node.inputs[0]?.rank !== node.output.rank) break;
    if (node.operator.type === "Transpose") {
      const perm = node.attributes.perm as readonly number[];
      axes = axes.map((_, axis) => axes[perm.indexOf(axis)]!);
    }
  }
  return 1;
}
