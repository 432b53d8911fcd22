// Growing: a graph with dendrites is a function of the graph without, a number of dendrites and their weights.

import type { Random } from "../base/random.ts";
import { sizeOf, Tensor } from "../base/tensor.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { staticShape } from "../graph/shape.ts";
import { add, mul, relu, reshape, sigmoid, split, tanh } from "../ops/index.ts";
import { type Replacement, type Rewritten, rewrite } from "../transform/rewrite.ts";
import type { Site } from "./sites.ts";

/** The non-linearities that a dendrite can have. */
export type DendriteActivation = "sigmoid" | "tanh" | "relu";

const ACTIVATIONS: Readonly<Record<DendriteActivation, (x: Value) => Value>> = { sigmoid, tanh, relu };

/** What dendrites there are, and what their weights start from. */
export interface DendritePlan {
  /** The modules they grow on. */
  readonly sites: readonly Site[];
  /** Dendrites on each. */
  readonly count: number;
  /** Default: "sigmoid". */
  readonly activation?: DendriteActivation;
  /** Values of parameters by name, of neurons and of dendrites that already exist. What is missing is new. */
  readonly values?: ReadonlyMap<string, Tensor>;
  /** The stream from which the new parameter called `name` is drawn. */
  readonly random: (name: string) => Random;
  /** Standard deviation of a new dendrite's weights. Default: 0.01. */
  readonly initialScale?: number;
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
 * are zero, so that a fresh dendrite changes no output; rows of T that exist are kept.
 */
export function attachDendrites(base: Graph, plan: DendritePlan): Graph {
  return growOn(base, plan.count === 0 ? { ...plan, sites: [] } : plan);
}

/** A module in a graph that has grown. */
export interface Grown {
  readonly site: Site;
  /** The module's output with its dendrites' added. */
  readonly sum: Value;
  /** The dendrites' outputs, in the order in which they grew. */
  readonly dendrites: readonly Value[];
  readonly target: Rewritten;
}

/** Grows on every site, and calls `onGrown` with each. */
export function growOn(base: Graph, plan: DendritePlan, onGrown?: (grown: Grown) => void): Graph {
  const siteAt = new Map(plan.sites.map((site) => [site.output.producer!, site]));
  const growHere: Replacement = (node, inputs, target) => {
    const site = siteAt.get(node);
    if (!site) return undefined;
    const { outputs } = target.graph.add(node.operator, inputs, node.attributes);
    const at = node.outputs.indexOf(site.output);
    const grown = withDendrites(outputs[at]!, site, plan, target);
    onGrown?.(grown);
    return outputs.map((output, i) => (i === at ? grown.sum : output));
  };
  return rewrite(base, growHere, plan.values ? { values: plan.values } : {}).graph;
}

function withDendrites(y: Value, site: Site, plan: DendritePlan, target: Rewritten): Grown {
  const dendrites: Value[] = [];
  for (let j = 0; j < plan.count; j++) {
    dendrites.push(dendriteOutput(`${site.id}.dendrites.${j}`, dendrites, site, plan, target));
  }
  if (plan.count === 0) return { site, sum: y, dendrites, target };
  const weights = connection(`${site.id}.dendrites.output`, plan.count, site, plan, target.graph);
  return { site, sum: weighted(y, weights, dendrites, site), dendrites, target };
}

/** The output of the dendrite called `id`, given those of the earlier ones. */
export function dendriteOutput(
  id: string,
  earlier: readonly Value[],
  site: Site,
  plan: DendritePlan,
  target: Rewritten,
): Value {
  const { graph } = target;
  graph.modules.set(id, { type: site.type });
  return graph.within(id, () => {
    const own = copyOf(site, id, plan, target);
    const count = earlier.length;
    const cascade = count === 0 ? null : connection(`${id}.cascade`, count, site, plan, graph);
    return ACTIVATIONS[plan.activation ?? "sigmoid"](weighted(own, cascade, earlier, site));
  });
}

/** `start + sum_i weights[i] * outputs[i]`, a weight per neuron. */
function weighted(start: Value, weights: Value | null, outputs: readonly Value[], site: Site): Value {
  if (!weights) return start;
  const trailing = new Array<number>(start.rank - 1 - site.channelAxis).fill(1);
  const rows = split(weights, new Array<number>(outputs.length).fill(1), 0);
  const terms = outputs.map((output, i) => mul(output, reshape(rows[i]!, [site.channels, ...trailing])));
  return terms.reduce(add, start);
}

/** The module's nodes once more, with parameters of the dendrite `id`. */
function copyOf(site: Site, id: string, plan: DendritePlan, { graph, mapped }: Rewritten): Value {
  const copies = new Map<Value, Value>();
  for (const parameter of site.parameters) {
    const name = `${id}.${ownName(parameter, site)}`;
    copies.set(parameter, graph.parameter(name, plan.values?.get(name) ?? fresh(parameter, name, plan)));
  }
  for (const node of site.nodes) {
    const inputs = node.inputs.map((input) => input && (copies.get(input) ?? mapped(input)));
    const { outputs } = graph.add(node.operator, inputs, node.attributes);
    node.outputs.forEach((output, i) => {
      copies.set(output, outputs[i]!);
    });
  }
  return copies.get(site.output)!;
}

/** A parameter's name in its module; one that the module shares with another has its name there. */
function ownName({ name }: Value, { id }: Site): string {
  return name.startsWith(`${id}.`) ? name.slice(id.length + 1) : name.slice(name.lastIndexOf(".") + 1);
}

/** New weights of a dendrite: normal, small enough to start near the activation's middle. */
function fresh(parameter: Value, name: string, { random, initialScale = 0.01 }: DendritePlan): Tensor {
  const stream = random(name);
  const shape = staticShape(parameter);
  const values = Array.from({ length: sizeOf(shape) }, () => stream.normal() * initialScale);
  return Tensor.of(shape, values, parameter.dtype);
}

/** The weights from `rows` dendrites to each neuron, `[rows, c]`: the rows that exist, then zeros. */
function connection(name: string, rows: number, site: Site, plan: DendritePlan, graph: Graph): Value {
  const weights = Tensor.zeros([rows, site.channels], site.output.dtype);
  const known = plan.values?.get(name);
  if (known) (weights.data as Float32Array).set(known.data as Float32Array);
  return graph.parameter(name, weights);
}
