// Growing: a graph with dendrites is a function of the graph without, a number of dendrites and their weights.

import type { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import type { Graph, Node, Value } from "../graph/graph.ts";
import { staticShape } from "../graph/shape.ts";
import {
  add,
  mul,
  relu,
  reshape,
  scalar,
  sigmoid,
  sin,
  split,
  stopGradient,
  sub,
  tanh,
} from "../ops/index.ts";
import { type Replacement, type Rewritten, rewrite } from "../transform/rewrite.ts";
import type { Call } from "./call.ts";
import { isWithin, readsOf } from "./network.ts";
import { type Combine, rowShapeOf, type Site } from "./site.ts";

/** The non-linearities that a dendrite can have. */
export type DendriteActivation = "sigmoid" | "tanh" | "relu" | "sin";

const ACTIVATIONS: Readonly<Record<DendriteActivation, (x: Value) => Value>> = { sigmoid, tanh, relu, sin };

/** What dendrites there are, and what their weights start from. */
export interface DendritePlan {
  /** The modules they grow on. */
  readonly sites: readonly Site[];
  /** Dendrites on each, or by the path of a module, which has none where it is not named. */
  readonly count: number | ReadonlyMap<string, number>;
  /** Default: "sigmoid". */
  readonly activation?: DendriteActivation;
  /** Values of parameters by name, of neurons and of dendrites that already exist. What is missing is new. */
  readonly values?: ReadonlyMap<string, Tensor>;
  /** The stream from which the new parameter called `name` is drawn. */
  readonly random: (name: string) => Random;
  /** Standard deviation of a new dendrite's weights. Default: 0.01. */
  readonly initialScale?: number;
  /**
   * Whether gradients end at the dendrites' outputs: the output weights then learn, and neither the dendrites nor what the
   * module reads hears of it through them. Default: false.
   */
  readonly stopGradients?: boolean;
}

/** How many dendrites a plan has on a site. */
export function countOn({ count }: DendritePlan, { id }: Site): number {
  return typeof count === "number" ? count : (count.get(id) ?? 0);
}

/**
 * The graph with `count` dendrites on every site. With M the module, D_j dendrites of M's structure with weights of their
 * own, and act the activation:
 *
 *     y   = M(x) + sum_j T[j] * o_j
 *     o_j = act(D_j(x) + sum_{i<j} C_j[i] * o_i)
 *
 * where the rows of T and C_j have one weight per neuron. D_j's parameters are `M.dendrites.j.NAME`, C_j is
 * `M.dendrites.j.cascade` of shape [j, c], T is `M.dendrites.output` of shape [count, c]. New cascade and output weights
 * are zero, so that a fresh dendrite changes no output; rows of T that exist are kept. Running statistics of a dendrite are
 * its own. Every call of a module has the same dendrites, and a weight that modules share has one in each dendrite, which
 * they share too.
 */
export function attachDendrites(base: Graph, plan: DendritePlan): Graph {
  return growOn(base, { ...plan, sites: plan.sites.filter((site) => countOn(plan, site) > 0) });
}

/** A module in a graph that has grown, at one of its outputs that dendrites feed. */
export interface Grown {
  readonly site: Site;
  /** Whether it is the site's own output, of the first of its calls. */
  readonly first: boolean;
  /** The shape in which one weight a neuron broadcasts over the output. */
  readonly rowShape: readonly number[];
  /** What the module reads. */
  readonly input: Value;
  /** The module's output with its dendrites' added. */
  readonly sum: Value;
  /** The dendrites' outputs, in the order in which they grew. */
  readonly dendrites: readonly Value[];
  /** Make what the sum has of each dendrite: its output times its weights, or what is missing of a combination without it. */
  readonly contributions: readonly (() => Value)[];
  /** The output of one more dendrite, which nothing hears, under a name such as `candidates.0`. */
  readonly another: (name: string) => Value;
}

/** Grows on every site, and calls `onGrown` with each of their outputs, of all calls. */
export function growOn(base: Graph, plan: DendritePlan, onGrown?: (grown: Grown) => void): Graph {
  const feedsAt = new Map<Node, Feed[]>();
  const callAt = new Map<Node, Call>();
  for (const site of plan.sites) {
    for (const call of site.calls) {
      for (const node of call.nodes) callAt.set(node, call);
      for (const output of call.outputs) {
        const producer = output.producer!;
        feedsAt.set(producer, [...(feedsAt.get(producer) ?? []), { site, call, output }]);
      }
    }
  }
  let growth: Growth | null = null;
  const growHere: Replacement = (node, inputs, target) => {
    growth ??= new Growth(base, plan, target);
    const feeds = feedsAt.get(node) ?? [];
    // Within its module a value is what the neuron alone computes.
    const read = growth.withoutDendrites(inputs, callAt.get(node));
    if (feeds.length === 0 && read === inputs) return undefined;
    const outputs = [...target.graph.add(node.operator, read, node.attributes, target.namesOf(node)).outputs];
    for (const feed of feeds) {
      const at = node.outputs.indexOf(feed.output);
      const grown = growth.withDendrites(outputs[at]!, feed);
      onGrown?.(grown);
      outputs[at] = grown.sum;
    }
    return outputs;
  };
  return rewrite(base, growHere, { keepNames: true, ...(plan.values && { values: plan.values }) }).graph;
}

/** A value that dendrites add to. */
interface Feed {
  readonly site: Site;
  readonly call: Call;
  readonly output: Value;
}

/** The dendrites of a graph while it is built. */
class Growth {
  readonly #base: Graph;
  readonly #plan: DendritePlan;
  readonly #target: Rewritten;
  /** Connections by name. */
  readonly #connections = new Map<string, Value>();
  /** By the name of a dendrite in its module: the copies of weights, which modules may share. */
  readonly #weights = new Map<string, Map<Value, Value>>();
  /** By a dendrite's whole name: the copies of what its module's calls compute. */
  readonly #copies = new Map<string, { readonly of: Map<Value, Value>; readonly calls: Set<Call> }>();
  /** What the neuron alone computes, by what it is with dendrites. */
  readonly #alone = new Map<Value, { readonly call: Call; readonly value: Value }>();

  constructor(base: Graph, plan: DendritePlan, target: Rewritten) {
    this.#base = base;
    this.#plan = plan;
    this.#target = target;
  }

  /** What a node of a call reads. */
  withoutDendrites(inputs: readonly (Value | null)[], call: Call | undefined): readonly (Value | null)[] {
    const alone = inputs.map((input) => {
      const known = input && this.#alone.get(input);
      return known && known.call === call ? known.value : input;
    });
    return alone.some((value, i) => value !== inputs[i]) ? alone : inputs;
  }

  /** The output of a module with its dendrites' added. */
  withDendrites(neuron: Value, feed: Feed): Grown {
    const { site, call } = feed;
    const count = countOn(this.#plan, site);
    const dendrites: Value[] = [];
    for (let j = 0; j < count; j++) dendrites.push(this.#dendrite(`dendrites.${j}`, dendrites, feed));
    const another = (name: string) => this.#dendrite(name, dendrites, feed);
    const { output } = feed;
    const [first, rowShape] = [output === site.output, rowShapeOf(site, output)];
    const place = { site, first, rowShape, input: this.#target.mapped(call.input) };
    if (count === 0) return { ...place, sum: neuron, dendrites, contributions: [], another };
    const weights = this.#connection(`${site.id}.dendrites.output`, count, feed);
    const heard = this.#plan.stopGradients ? dendrites.map(stopGradient) : dendrites;
    const combined = (site.combine ?? sum)({ neuron, dendrites: heard, weights });
    this.#alone.set(combined, { call, value: neuron });
    const contributions = dendrites.map((_, j) => () => {
      if (!site.combine) return mul(heard[j]!, weights[j]!);
      const silent = weights.map((weight, i) => (i === j ? mul(weight, scalar(weight, 0)) : weight));
      return sub(combined, site.combine({ neuron, dendrites: heard, weights: silent }));
    });
    return { ...place, sum: combined, dendrites, contributions, another };
  }

  /** The output of the dendrite of a name, given those of the earlier ones. */
  #dendrite(name: string, earlier: readonly Value[], feed: Feed): Value {
    const { graph } = this.#target;
    const { site, call, output } = feed;
    const id = `${site.id}.${name}`;
    return graph.within(id, () => {
      const neuron = this.#follow(site, call, name).get(output)!;
      const weights = earlier.length === 0 ? [] : this.#connection(`${id}.cascade`, earlier.length, feed);
      return ACTIVATIONS[this.#plan.activation ?? "sigmoid"](sum({ neuron, dendrites: earlier, weights }));
    });
  }

  /** The copies of a module's values in a dendrite, those of a call among them. */
  #follow(site: Site, call: Call, name: string): ReadonlyMap<Value, Value> {
    const { graph, mapped } = this.#target;
    const id = `${site.id}.${name}`;
    const copies = this.#copies.get(id) ?? { of: this.#ownWeights(site, name), calls: new Set() };
    this.#copies.set(id, copies);
    if (copies.calls.has(call)) return copies.of;
    copies.calls.add(call);
    // A dendrite reads the module's input as it is, then what is copied, then what it shares with the neuron.
    const copyOf = (value: Value) =>
      value === call.input ? mapped(value) : (copies.of.get(value) ?? mapped(value));
    for (const node of call.nodes) {
      if (copies.of.has(node.output)) continue;
      const inner = isWithin(node.scope, site.id) ? node.scope.slice(site.id.length) : "";
      const inputs = readsOf(node).map((input) => input && copyOf(input));
      const { outputs } = graph.within(id + inner, () => graph.add(node.operator, inputs, node.attributes));
      node.outputs.forEach((output, i) => {
        copies.of.set(output, outputs[i]!);
      });
    }
    for (const statistic of site.statistics.keys()) {
      const next = this.#base.updates.get(statistic);
      const copy = next && copies.of.get(next);
      if (copy) graph.update(copies.of.get(statistic)!, copy);
    }
    return copies.of;
  }

  /** What a dendrite has its own of. */
  #ownWeights(site: Site, name: string): Map<Value, Value> {
    const { graph } = this.#target;
    const id = `${site.id}.${name}`;
    graph.modules.set(id, { type: site.type });
    const weights = this.#weights.get(name) ?? new Map<Value, Value>();
    this.#weights.set(name, weights);
    const known = (weight: string) => this.#plan.values?.get(weight);
    for (const parameter of site.parameters) {
      const own = `${id}.${site.names.get(parameter)}`;
      if (weights.has(parameter)) continue;
      weights.set(parameter, graph.parameter(own, known(own) ?? fresh(parameter, own, this.#plan)));
    }
    for (const [statistic, start] of site.statistics) {
      const own = `${id}.${site.names.get(statistic)}`;
      if (weights.has(statistic)) continue;
      const { dtype, data } = statistic;
      const first = start === null ? data! : Tensor.full(staticShape(statistic), start, dtype);
      weights.set(statistic, graph.buffer(own, known(own) ?? first));
    }
    return new Map(weights);
  }

  /** The weights from `rows` dendrites to each neuron, a row each: those that exist, then zeros. */
  #connection(name: string, rows: number, { site, output }: Feed): Value[] {
    const { graph } = this.#target;
    const all = this.#connections.get(name) ?? graph.parameter(name, this.#rows(name, rows, site));
    this.#connections.set(name, all);
    const apart = split(all, new Array<number>(rows).fill(1), 0);
    return apart.map((row) => reshape(row, rowShapeOf(site, output)));
  }

  #rows(name: string, rows: number, { channels, output }: Site): Tensor {
    const weights = Tensor.zeros([rows, channels], output.dtype);
    const known = this.#plan.values?.get(name);
    if (known) (weights.data as Float32Array).set(known.data as Float32Array);
    return weights;
  }
}

/** `neuron + sum_i weights[i] * dendrites[i]`, a weight per neuron. */
const sum: Combine = ({ neuron, dendrites, weights }) =>
  dendrites.map((output, i) => mul(output, weights[i]!)).reduce(add, neuron);

/** New weights of a dendrite: normal, small enough to start near the activation's middle. */
function fresh(parameter: Value, name: string, { random, initialScale = 0.01 }: DendritePlan): Tensor {
  const weights = Tensor.zeros(staticShape(parameter), parameter.dtype);
  random(name).fillNormal(weights.data as Float32Array, initialScale);
  return weights;
}
