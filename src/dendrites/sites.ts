// Where dendrites can grow: the modules of a graph, and for each whether it takes dendrites and why not.

import { ArborizeError, didYouMean } from "../base/errors.ts";
import { type Graph, type Node, nodesBehind } from "../graph/graph.ts";
import { isWithin, Network } from "./network.ts";
import { type BlockBetween, Rules, type Ruling, type Selection } from "./selection.ts";
import { type Candidate, type Site, siteOf } from "./site.ts";

/** What was found of one module. */
export interface Verdict {
  /** Its dotted path, such as `layer1.0.conv1`. */
  readonly id: string;
  /** Its class, such as `Conv2d`; of what a file does not name, that of its first operator, or nothing. */
  readonly type: string;
  /**
   * `grows`: it is a site. `part`: it is in a site, or grows with one. `tracked`, `skipped`: as asked. `stays`: it has no
   * dendrites, for the reason given.
   */
  readonly status: "grows" | "part" | "tracked" | "skipped" | "stays";
  /** The rule that says so, or why it takes no dendrites. */
  readonly reason: string;
  /** Whether it was asked by its own name to grow. */
  readonly explicit: boolean;
  /** Whether it is no module, but what lies between two values. */
  readonly between?: true;
  /** Where its dendrites are, if it grows. */
  readonly site: Site | null;
}

/** Why what lies in no module takes no dendrites: they are named after their module. */
const UNNAMED = "it is the whole network, not a module in it; put its layers in fields, or in nn.Sequential";

/**
 * The verdict on every module that has parameters of its own or that rules name, in the order of the graph.
 *
 * @throws `bad_option` for a name in the rules that no module has.
 */
export function inspectModules(graph: Graph, selection: Selection = {}): Verdict[] {
  const inspection = new Inspection(graph, new Rules(selection));
  inspection.check();
  return inspection.verdicts();
}

/** As `inspectModules`, but names that no module has are left out. */
export function inspectLeniently(graph: Graph, selection: Selection): Verdict[] {
  return new Inspection(graph, new Rules(selection)).verdicts();
}

/** The sites of a graph, in its order. */
export function findSites(graph: Graph, selection: Selection = {}): Site[] {
  return inspectModules(graph, selection).flatMap(({ site }) => (site ? [site] : []));
}

/** Layers that take a normalization along. */
const LAYER = /^(Linear|Conv(Transpose)?[123]d)$/;
/** Names of normalizations, of modules and of operators. */
const NORMALIZATION = /^(Batch|Instance|Layer|Group|RMS)Norm/;

function without(
  id: string,
  type: string,
  status: Exclude<Verdict["status"], "grows">,
  reason: string,
): Verdict {
  return { id, type, status, reason, explicit: false, site: null };
}

class Inspection {
  readonly #net: Network;
  readonly #rules: Rules;
  /** All modules by path, the outer before those in them. */
  readonly #types = new Map<string, string>();
  /** The modules whose own nodes read weights. */
  readonly #withWeights = new Set<string>();

  constructor(graph: Graph, rules: Rules) {
    this.#net = new Network(graph);
    this.#rules = rules;
    for (const { scope, inputs, operator } of this.#net.nodes) {
      const parts = scope === "" ? [] : scope.split(".");
      parts.forEach((_, i) => {
        const id = parts.slice(0, i + 1).join(".");
        if (!this.#types.has(id)) this.#types.set(id, graph.modules.get(id)?.type ?? "");
      });
      if (inputs.some((input) => input?.kind === "parameter" || input?.kind === "buffer")) {
        this.#withWeights.add(scope);
        if (scope !== "" && this.#types.get(scope) === "") this.#types.set(scope, operator.type);
      }
    }
  }

  /** @throws `bad_option` for a name in the rules that no module has. */
  check(): void {
    const modules = [...this.#types].map(([id, type]) => ({ id, type }));
    this.#rules.check(this.#net.graph.name, modules);
  }

  verdicts(): Verdict[] {
    const between = this.#rules.blocksBetween.map((block) => this.#between(block));
    // What is in one of these is not asked for.
    const outer: Verdict[] = [];
    const found: Verdict[] = [];
    if (this.#withWeights.has("")) found.push(without("", this.#net.graph.name, "stays", UNNAMED));
    for (const [id, type] of this.#types) {
      const owner =
        outer.find((other) => isWithin(id, other.id)) ??
        between.find(({ site }) => site && this.#net.members(id).every((node) => site.nodes.includes(node)));
      const verdict = owner ? this.#inside(id, type, owner) : this.#verdict(id, type);
      if (!verdict) continue;
      if (verdict.status !== "stays" || verdict.explicit) outer.push(verdict);
      found.push(verdict);
    }
    return this.#withNormalizations([...found, ...between]);
  }

  #inside(id: string, type: string, { id: outer, status }: Verdict): Verdict | null {
    if (!this.#withWeights.has(id)) return null;
    if (status === "tracked" || status === "skipped") {
      return without(id, type, status, `it is in ${outer}, which is ${status}`);
    }
    return without(id, type, status === "grows" ? "part" : "stays", `it is in ${outer}`);
  }

  #verdict(id: string, type: string): Verdict | null {
    const ruling = this.#rules.of(id, type, this.#net.graph.modules.get(id)?.growsAsOne ?? false);
    if (ruling?.what === "grows") return this.#grown(id, type, ruling);
    if (ruling) return without(id, type, ruling.what, ruling.reason);
    if (!this.#withWeights.has(id)) return null;
    return without(id, type, "stays", `${type} is not among the types that grow`);
  }

  #grown(id: string, type: string, { reason, explicit }: Ruling): Verdict {
    const site = siteOf(this.#net, this.#candidate(id, type), this.#rules.ruleFor(id, type));
    if (typeof site !== "string") return { id, type, status: "grows", reason, explicit, site };
    return { ...without(id, type, "stays", site), explicit };
  }

  #candidate(id: string, type: string): Candidate {
    const { modules } = this.#net.graph;
    // Files know how often layers are called, not what holds them.
    const inner = [...modules].flatMap(([scope, { calls = 1 }]) => (isWithin(scope, id) ? [calls] : []));
    const calls = modules.get(id)?.calls ?? Math.min(...inner);
    return { id, type, nodes: this.#net.members(id), calls: Number.isFinite(calls) ? calls : 1 };
  }

  /** A block that is given by the values around it. */
  #between({ from, to, id = to }: BlockBetween): Verdict {
    const { graph, nodes } = this.#net;
    const values = [...graph.inputs, ...nodes.flatMap(({ outputs }) => outputs)];
    const [start, end] = [from, to].map((name) => {
      const value = values.find((each) => each.name === name);
      if (value) return value;
      // An output has a name of its own.
      const at = graph.outputNames.indexOf(name);
      if (at >= 0) return graph.outputs[at]!;
      const hint = didYouMean(
        name,
        values.map((each) => each.name),
      );
      throw new ArborizeError(
        "bad_option",
        `dendrites.blocks: "${graph.name}" has no value "${name}".${hint}`,
      );
    });
    const before = new Set<Node>(nodesBehind([start!]));
    const inside = nodesBehind([end!]).filter((node) => !before.has(node));
    const block: Verdict = {
      ...without(id, "Block", "stays", `"${to}" does not follow from "${from}"`),
      explicit: true,
      between: true,
    };
    if (inside.length === 0) return block;
    const candidate = { id, type: "Block", nodes: inside, calls: 1 };
    const site = siteOf(this.#net, candidate, this.#rules.ruleFor(id, "Block"));
    if (typeof site === "string") return { ...block, reason: site };
    if (site.input !== start) return { ...block, reason: `it reads "${site.input.name}", not "${from}"` };
    if (site.output !== end)
      return { ...block, reason: `others read "${site.output.name}" of it, not "${to}"` };
    return { ...block, status: "grows", reason: "blocks has it", site };
  }

  /** The verdicts with normalizations in the sites of the layers before them. */
  #withNormalizations(verdicts: readonly Verdict[]): Verdict[] {
    if (!this.#rules.withNormalization) return [...verdicts];
    const found = new Map(verdicts.map((verdict) => [verdict.id, verdict]));
    for (const verdict of verdicts) {
      if (!verdict.site || !LAYER.test(verdict.type)) continue;
      const norm = this.#normalizationAfter(verdict.site);
      const own = norm && found.get(norm.id);
      if (!norm || (own && own.status !== "stays")) continue;
      const site = this.#together(verdict.site, norm);
      if (!site) continue;
      const named = norm.id || "the normalization";
      found.set(verdict.id, { ...verdict, reason: `${verdict.reason}, with ${named} that follows`, site });
      if (own) found.set(norm.id, without(norm.id, own.type, "part", `it grows with ${verdict.id}`));
    }
    return [...found.values()];
  }

  /** The normalization that alone reads what a layer computes, in every call of it. */
  #normalizationAfter({ calls }: Site): { readonly id: string; readonly nodes: readonly Node[] } | null {
    const readers = calls.map(({ outputs: [output] }) => {
      const users = this.#net.users.get(output!) ?? [];
      return users.length === 1 ? users[0]! : null;
    });
    const [first] = readers;
    if (!first || readers.some((reader) => reader?.scope !== first.scope)) return null;
    const { scope, operator } = first;
    if (scope !== "" && NORMALIZATION.test(this.#types.get(scope) ?? "")) {
      return { id: scope, nodes: this.#net.members(scope) };
    }
    return NORMALIZATION.test(operator.type) ? { id: "", nodes: readers as Node[] } : null;
  }

  /** A layer and its normalization as one site, where both mean the same neurons. */
  #together(layer: Site, norm: { readonly id: string; readonly nodes: readonly Node[] }): Site | null {
    const { id, type, calls, channelAxis, channels } = layer;
    const nodes = [...new Set([...this.#net.members(id), ...norm.nodes])].sort((a, b) => a.index - b.index);
    const beside = norm.id === "" ? [] : [norm.id];
    const candidate = { id, type, nodes, calls: calls.length, beside };
    const site = siteOf(this.#net, candidate, this.#rules.ruleFor(id, type));
    if (typeof site === "string" || site.channelAxis !== channelAxis) return null;
    return site.channels === channels ? site : null;
  }
}
