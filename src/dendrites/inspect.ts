// What a network is made of, as plain data: its modules, what learns, where dendrites can grow, and why not.

import { type DType, sizeOf } from "../base/tensor.ts";
import { type Graph, nodesBehind, type Value } from "../graph/graph.ts";
import type { Shape } from "../graph/shape.ts";
import { gradientReach } from "../transform/reach.ts";
import { detachDendrites } from "./detach.ts";
import { isWithin } from "./network.ts";
import type { Selection } from "./selection.ts";
import { inspectModules, type Verdict } from "./sites.ts";

/** A value at the border of a network. */
export interface ValueReport {
  readonly name: string;
  readonly dtype: DType;
  /** Lengths; those that vary by their symbol. */
  readonly shape: Shape;
}

/** A parameter or buffer that lies in no module. */
export interface WeightReport extends ValueReport {
  /** How many numbers it has. */
  readonly size: number;
  readonly trains: boolean;
  /** Why it does not train. */
  readonly trainsNot?: string;
}

/** A module, with the modules in it. */
export interface ModuleReport {
  /** Its dotted path, such as `layer1.0.conv1`. */
  readonly id: string;
  /** Its class, such as `Conv2d`; null for a container that is known by its name alone. */
  readonly type: string | null;
  /** The shapes of what others read of it. */
  readonly outputs: readonly Shape[];
  /** How many numbers of it and of the modules in it are learned or frozen, running statistics not counted. */
  readonly parameters: number;
  /** Whether weights of its own learn; null where it has none. */
  readonly trains: boolean | null;
  /** Why it does not train. */
  readonly trainsNot?: string;
  /** What becomes of it; null where it has no weights of its own and no rule names it. */
  readonly verdict: Verdict["status"] | null;
  /** The rule that says so, or why it takes no dendrites. */
  readonly reason?: string;
  readonly modules: readonly ModuleReport[];
}

/** What was asked to grow as one and is no module: what lies between two values. */
export interface BlockReport {
  readonly id: string;
  readonly verdict: Verdict["status"];
  readonly reason: string;
}

/** An operator that no gradient passes. */
export interface ObstacleReport {
  /** ONNX's name of it, such as `ArgMax`. */
  readonly operator: string;
  /** Which one it is, as error messages name it. */
  readonly node: string;
  readonly reason: string;
  /** The parameters that learn nothing for it. */
  readonly blocks: readonly string[];
}

/** What `inspect` found. */
export interface ModelReport {
  readonly name: string;
  readonly inputs: readonly ValueReport[];
  readonly outputs: readonly ValueReport[];
  readonly modules: readonly ModuleReport[];
  /** Blocks between two values, as they were asked for. */
  readonly blocks: readonly BlockReport[];
  /** How many modules and blocks take dendrites. */
  readonly sites: number;
  /** Dendrites that the network has: how many on each module that has some, and how many numbers they are. */
  readonly dendrites: {
    readonly modules: Readonly<Record<string, number>>;
    readonly parameters: number;
  };
  /** Parameters that lie in no module. */
  readonly outside: readonly WeightReport[];
  readonly obstacles: readonly ObstacleReport[];
  /** The parameters that are neither in a module that grows, alone or with others, nor in one that is tracked. */
  readonly uncovered: readonly string[];
  /**
   * How many numbers there are without dendrites: all parameters, those of them that learn, and buffers (running statistics,
   * frozen weights).
   */
  readonly count: { readonly parameters: number; readonly learned: number; readonly buffers: number };
}

/**
 * What a network is made of: a tree of modules with shapes, numbers of parameters and, for each, whether it learns by gradients
 * and can take dendrites, and why not; the parameters outside of modules; operators that no gradient passes, and which
 * parameters they keep from learning. A network that has dendrites is told of without them, and of them as such. Plain data,
 * for `JSON.stringify` too.
 *
 * @param model a graph (of `nn.trace`), or what `readOnnx` gives.
 */
export function inspect(model: Graph | { readonly graph: Graph }, selection: Selection = {}): ModelReport {
  const given = "graph" in model ? model.graph : model;
  const { base: graph, counts } = detachDendrites(given);
  const { learned, obstacles } = gradientReach(graph);
  const verdicts = inspectModules(graph, selection);
  const owners = ownersOf(graph);
  const whyNot = (weight: Value): string | null => {
    if (weight.kind === "buffer") return "it is a buffer, which is not learned";
    if (learned.has(weight)) return null;
    const [obstacle] = [...obstacles].find(([, blocked]) => blocked.includes(weight)) ?? [];
    return obstacle ? `no gradient passes ${obstacle.label}` : "no output of floating numbers depends on it";
  };
  const tree = new Tree(
    graph,
    owners,
    new Map(verdicts.flatMap((verdict) => (verdict.between ? [] : [[verdict.id, verdict]]))),
    whyNot,
  );
  const outside = graph.parameters.filter((parameter) => !owners.has(parameter));
  return {
    name: graph.name,
    inputs: graph.inputs.map(valueReport),
    outputs: graph.outputs.map(valueReport),
    modules: tree.below(""),
    blocks: verdicts.flatMap(({ id, status, reason, between }) =>
      between ? [{ id, verdict: status, reason }] : [],
    ),
    sites: verdicts.filter(({ site }) => site).length,
    dendrites: {
      modules: Object.fromEntries(counts),
      parameters: total(given.parameters) - total(graph.parameters),
    },
    outside: outside.map((weight) => ({
      ...valueReport(weight),
      size: sizeOf(weight.data!.shape),
      ...trainsReport([weight], whyNot),
    })) as WeightReport[],
    obstacles: [...obstacles].map(([node, blocked]) => ({
      operator: node.operator.type,
      node: node.label,
      reason: reasonOf(node.operator.gradient),
      blocks: blocked.map(({ name }) => name),
    })),
    uncovered: uncoveredBy(graph, verdicts),
    count: {
      parameters: total(graph.parameters),
      learned: total([...learned]),
      buffers: total(graph.buffers),
    },
  };
}

function uncoveredBy(graph: Graph, verdicts: readonly Verdict[]): string[] {
  const covered = new Set(verdicts.flatMap(({ site }) => site?.parameters ?? []));
  const tracked = verdicts.flatMap(({ id, status }) => (status === "tracked" ? [id] : []));
  for (const { scope, inputs } of graph.nodes) {
    if (!tracked.some((id) => isWithin(scope, id))) continue;
    for (const input of inputs) if (input) covered.add(input);
  }
  return graph.parameters.flatMap((parameter) => (covered.has(parameter) ? [] : [parameter.name]));
}

/** The module that each weight belongs to: the first one that reads it. What only the network itself reads has none. */
function ownersOf(graph: Graph): Map<Value, string> {
  const owners = new Map<Value, string>();
  for (const { scope, inputs } of nodesBehind(graph.outputs)) {
    for (const input of inputs) {
      const isWeight = input?.kind === "parameter" || input?.kind === "buffer";
      if (scope !== "" && isWeight && !owners.has(input)) owners.set(input, scope);
    }
  }
  return owners;
}

type WhyNot = (weight: Value) => string | null;

/** The modules of a graph under each other by their dotted paths. */
class Tree {
  readonly #graph: Graph;
  readonly #verdicts: ReadonlyMap<string, Verdict>;
  readonly #whyNot: WhyNot;
  readonly #weights = new Map<string, Value[]>();
  /** The paths right below a path, in the order of the graph. */
  readonly #children = new Map<string, Set<string>>();

  constructor(
    graph: Graph,
    owners: ReadonlyMap<Value, string>,
    verdicts: ReadonlyMap<string, Verdict>,
    whyNot: WhyNot,
  ) {
    this.#graph = graph;
    this.#verdicts = verdicts;
    this.#whyNot = whyNot;
    for (const [weight, id] of owners) this.#weights.set(id, [...(this.#weights.get(id) ?? []), weight]);
    for (const id of [...graph.modules.keys(), ...this.#weights.keys()]) this.#place(id);
  }

  #place(id: string): void {
    const parts = id === "" ? [] : id.split(".");
    parts.forEach((_, i) => {
      const parent = parts.slice(0, i).join(".");
      const children = this.#children.get(parent) ?? new Set();
      this.#children.set(parent, children.add(parts.slice(0, i + 1).join(".")));
    });
  }

  /** The reports on the modules right below a path. */
  below(parent: string): ModuleReport[] {
    return [...(this.#children.get(parent) ?? [])].map((id) => this.#report(id));
  }

  #report(id: string): ModuleReport {
    const own = this.#weights.get(id) ?? [];
    const modules = this.below(id);
    const counted = total(own.filter((weight) => weight.kind === "parameter"));
    return {
      id,
      type: this.#graph.modules.get(id)?.type ?? null,
      outputs: this.#outputsOf(id),
      parameters: modules.reduce((sum, { parameters }) => sum + parameters, counted),
      ...trainsReport(own, this.#whyNot),
      ...verdictReport(this.#verdicts.get(id)),
      modules,
    };
  }

  /** The shapes of the values that a module, with those in it, computes for others. */
  #outputsOf(id: string): Shape[] {
    const isInside = (scope: string) => scope === id || scope.startsWith(`${id}.`);
    const nodes = nodesBehind(this.#graph.outputs);
    const read = new Set<Value | null>(this.#graph.outputs);
    for (const node of nodes) if (!isInside(node.scope)) for (const input of node.inputs) read.add(input);
    const inside = nodes.filter(({ scope }) => isInside(scope));
    return inside
      .flatMap(({ outputs }) => outputs.filter((output) => read.has(output)))
      .map(({ shape }) => shape);
  }
}

function trainsReport(weights: readonly Value[], whyNot: WhyNot): Pick<ModuleReport, "trains" | "trainsNot"> {
  if (weights.length === 0) return { trains: null };
  // Running statistics are beside weights that learn, not instead of them.
  const parameters = weights.filter(({ kind }) => kind === "parameter");
  const reasons = (parameters.length > 0 ? parameters : weights).map(whyNot);
  const [reason] = reasons;
  return reasons.includes(null) || !reason ? { trains: true } : { trains: false, trainsNot: reason };
}

function verdictReport(verdict: Verdict | undefined): Pick<ModuleReport, "verdict" | "reason"> {
  return verdict ? { verdict: verdict.status, reason: verdict.reason } : { verdict: null };
}

function valueReport({ name, dtype, shape }: Value): ValueReport {
  return { name, dtype, shape };
}

function reasonOf(gradient: object): string {
  return "nondifferentiable" in gradient ? `${gradient.nondifferentiable}` : "it stops gradients on purpose";
}

function total(weights: readonly Value[]): number {
  return weights.reduce((sum, { data }) => sum + sizeOf(data!.shape), 0);
}
