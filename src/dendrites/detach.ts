// The way back: a graph that has dendrites, such as an imported one, as the graph without and what its dendrites have
// learned, so that it can be trained and grown on.

import { ArborizeError } from "../base/errors.ts";
import type { Tensor } from "../base/tensor.ts";
import { type Graph, nodesBehind, type Value } from "../graph/graph.ts";
import { addOp, mulOp, reluOp, reshapeOp, sigmoidOp, sinOp, splitOp, tanhOp } from "../ops/index.ts";
import { rewrite } from "../transform/rewrite.ts";
import { usersOf } from "../transform/users.ts";
import type { DendriteActivation } from "./attach.ts";

/** A graph taken apart. */
export interface Detached {
  /** The graph without dendrites. */
  readonly base: Graph;
  /** The modules that have dendrites, by scope, and how many each has. */
  readonly counts: ReadonlyMap<string, number>;
  /** The dendrites' non-linearity; null where there are none. */
  readonly activation: DendriteActivation | null;
  /** All parameters and buffers by name, those of the dendrites too: what `attachDendrites` puts the graph together from. */
  readonly values: ReadonlyMap<string, Tensor>;
}

const OUTPUT_WEIGHTS = /^(.*)\.dendrites\.output$/;
const ACTIVATIONS = new Map([
  [sigmoidOp.type, "sigmoid"],
  [tanhOp.type, "tanh"],
  [reluOp.type, "relu"],
  [sinOp.type, "sin"],
] as const);

/** What a graph says of its dendrites. */
interface Grown extends Pick<Detached, "counts" | "activation"> {
  /** The products of output weights with dendrites' outputs, which are added to neurons. */
  readonly terms: ReadonlySet<Value>;
}

/** How many dendrites the modules of a graph have, by names; null as activation where they are not as `attachDendrites` adds them. */
export function dendritesOf(graph: Graph): Grown {
  const weights = graph.parameters.filter(({ name }) => OUTPUT_WEIGHTS.test(name));
  const counts = new Map(weights.map((weight) => [moduleOf(weight), weight.data!.shape[0]!]));
  const ofWeights = weights.map((weight) => termsOf(graph, weight));
  const terms = new Set(ofWeights.flat());
  const [activation = null, ...others] = new Set([...terms].map(activationOf));
  const users = usersOf(graph);
  const isAdded = (term: Value) =>
    users.get(term)?.every((user) => user?.operator === addOp && user.inputs[1] === term);
  // The dendrites follow every call, and may add to several outputs.
  const known = ofWeights.every(({ length }, i) => length > 0 && length % weights[i]!.data!.shape[0]! === 0);
  const isOurs = known && others.length === 0 && [...terms].every(isAdded);
  return { counts, terms, activation: isOurs ? activation : null };
}

/**
 * Undoes `attachDendrites`. A graph without dendrites is its own base.
 *
 * @throws `invalid_graph` when names say that there are dendrites, but the nodes are not those of `attachDendrites`.
 */
export function detachDendrites(graph: Graph): Detached {
  const values = graph.state;
  const { counts, activation, terms } = dendritesOf(graph);
  if (counts.size === 0) return { base: graph, counts, activation, values };
  const modules = [...counts.keys()];
  if (!activation) throw notOurs(graph, modules);
  const cut = rewrite(
    graph,
    (node, [start]) => (node.operator === addOp && terms.has(node.inputs[1]!) ? [start!] : undefined),
    { keepNames: true },
  );
  const inDendrites = (name: string) => modules.some((id) => name.startsWith(`${id}.dendrites`));
  const { graph: base } = rewrite(cut.graph, undefined, {
    omit: ({ name }) => inDendrites(name),
    keepNames: true,
  });
  for (const scope of [...base.modules.keys()]) if (inDendrites(scope)) base.modules.delete(scope);
  return { base, counts, activation, values };
}

/** The module whose dendrites' output weights these are. */
function moduleOf({ name }: Value): string {
  return OUTPUT_WEIGHTS.exec(name)![1]!;
}

/** The products of a module's output weights with its dendrites' outputs. */
function termsOf(graph: Graph, weights: Value): Value[] {
  const rows = new Set<Value>([weights]);
  const terms: Value[] = [];
  for (const { operator, inputs, outputs, output } of nodesBehind(graph.outputs)) {
    if ((operator === splitOp || operator === reshapeOp) && rows.has(inputs[0]!)) {
      for (const row of outputs) rows.add(row);
    } else if (operator === mulOp && rows.has(inputs[1]!)) terms.push(output);
  }
  return terms;
}

function activationOf(term: Value): DendriteActivation | undefined {
  return ACTIVATIONS.get(term.producer!.inputs[0]?.producer?.operator.type ?? "");
}

function notOurs(graph: Graph, modules: readonly string[]): ArborizeError {
  return new ArborizeError(
    "invalid_graph",
    `"${graph.name}" names dendrites on ${modules.join(", ")}, but its nodes are not those that Arborize grows: it cannot be taken apart. Use the file that Arborize exported. Where dendrites combine in a way of their own (dendrites.rules), a file cannot say how: go on from the weights instead, arborize(model, { state: await readStateDict("best.safetensors"), … }) with the model as it was without dendrites and the same rules.`,
  );
}
