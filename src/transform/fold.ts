// What does not depend on inputs, computed once.

import { sizeOf, type Tensor } from "../base/tensor.ts";
import type { Engine } from "../engine/engine.ts";
import { type Graph, type Node, nodesBehind, type Value } from "../graph/graph.ts";
import { isStaticShape } from "../graph/shape.ts";
import { writeOnnx } from "../onnx/write.ts";
import { identityOp } from "../ops/index.ts";
import { rewrite } from "./rewrite.ts";

/** Values of at most this many elements may be stored beside what they are computed from. */
const SMALL = 4096;

/** Whether a value is stored: it has its data, whatever runs. */
export function isStored(value: Value | null | undefined): value is Value & { readonly data: Tensor } {
  return value?.data != null;
}

/**
 * The graph with everything that only depends on what is stored computed on `engine`, so that all of its nodes depend on
 * inputs. Of large weights that are used as they are too, no second copy is made, such as of an embedding that is tied to a
 * Linear. Identities are gone.
 */
export async function foldStored(graph: Graph, engine: Engine): Promise<Graph> {
  const nodes = nodesBehind(graph.outputs);
  const fixed = fixedNodes(nodes);
  const read = new Set<Value | null>(nodes.flatMap((node) => (fixed.has(node) ? [] : node.inputs)));
  for (const output of graph.outputs) read.add(output);
  const wanted = [...fixed].flatMap(({ outputs }) => outputs.filter((output) => read.has(output)));
  const values = await computed(graph, wanted, engine);
  const reserved = wanted.map(({ name }) => name);
  const replaced = rewrite(
    graph,
    (node, inputs, target) => {
      if (node.operator.type === identityOp.type) return [inputs[0]!];
      if (!node.outputs.some((output) => values.has(output))) return undefined;
      return node.outputs.map((output) => {
        const data = values.get(output);
        // Weights keep a name.
        return (
          data && (output.rank > 0 ? target.graph.buffer(output.name, data) : target.graph.constant(data))
        );
      });
    },
    { reserved },
  );
  // Once more for what nothing reads any longer.
  return rewrite(replaced.graph).graph;
}

/** The nodes that depend on no input and give nothing much larger than they take. */
function fixedNodes(nodes: readonly Node[]): Set<Node> {
  const all = nodesWith(nodes, isStored);
  const asItIs = new Set(nodes.flatMap((node) => (all.has(node) ? [] : node.inputs)));
  return nodesWith(
    nodes,
    (value) => isStored(value) && (value.data.data.length <= SMALL || !asItIs.has(value)),
  );
}

/** The nodes that depend on `sources` alone. */
function nodesWith(nodes: readonly Node[], isSource: (value: Value) => boolean): Set<Node> {
  const found = new Set<Node>();
  for (const node of nodes) {
    const { operator, inputs, outputs } = node;
    if (!operator.deterministic || inputs.every((input) => input === null)) continue;
    const known = (value: Value | null) =>
      value === null || isSource(value) || (value.producer !== null && found.has(value.producer));
    if (inputs.every(known) && size(outputs) <= Math.max(SMALL, size(inputs))) found.add(node);
  }
  return found;
}

function size(values: readonly (Value | null)[]): number {
  return values.reduce((sum, value) => {
    if (!value) return sum;
    return sum + (isStaticShape(value.shape) ? sizeOf(value.shape) : Number.POSITIVE_INFINITY);
  }, 0);
}

async function computed(graph: Graph, values: readonly Value[], engine: Engine): Promise<Map<Value, Tensor>> {
  if (values.length === 0) return new Map();
  const outputs = new Map(values.map((value, i) => [`folded ${i}`, value]));
  const program = await engine.compile(writeOnnx(graph, { outputs }), {
    name: "constant part of the network",
  });
  const results = await program.run(new Map(), new Map([...outputs.keys()].map((name) => [name, null])));
  const found = new Map<Value, Tensor>();
  for (const [name, value] of outputs) found.set(value, (await engine.download(results.get(name)!)).clone());
  await program.release();
  return found;
}
