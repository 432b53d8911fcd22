// Which module a node of a file belongs to. Files know nothing of modules: names of weights and nodes tell.

import type { Graph, ModuleInfo, Node, Value } from "../graph/graph.ts";

/** What PyTorch calls the layers that nodes are; # is the number of axes of places. */
const LAYERS: ReadonlyMap<string, string> = new Map([
  ["BatchNormalization", "BatchNorm#d"],
  ["Conv", "Conv#d"],
  ["ConvTranspose", "ConvTranspose#d"],
  ["Gather", "Embedding"],
  ["Gemm", "Linear"],
  ["GroupNormalization", "GroupNorm"],
  ["InstanceNormalization", "InstanceNorm#d"],
  ["LayerNormalization", "LayerNorm"],
  ["MatMul", "Linear"],
  ["PRelu", "PReLU"],
]);

/** What a file says of a node that tells where it belongs. */
interface NodeName {
  readonly opType: string;
  readonly name: string;
  readonly output: readonly string[];
}

/** Finds the modules of a graph while its nodes are added in order. */
export class ModuleFinder {
  /** Whether a value follows from weights alone, such as a transposed one. */
  readonly #derived = new Map<Value, boolean>();
  /** The kind of layer that a scope is, by the weights named after it. */
  readonly #layers = new Map<string, string>();

  /**
   * The scope of a node that is to be added: where its weights belong by their names (`fc1` for `fc1.weight`), as they are or
   * transposed. Where exporters made these names up, the node's own name tells, `/layer1/layer1.0/conv1/Conv`; at last a
   * layer without any is called like the node or its weight. Nodes without weights belong where a path says so, as PyTorch
   * writes them and we do.
   */
  scopeOf({ opType: type, name, output: [output] }: NodeName, inputs: readonly (Value | null)[]): string {
    const weights = inputs.filter((input): input is Value => input !== null && this.#isDerived(input));
    if (weights.length === 0) {
      const last = name.slice(name.lastIndexOf("/") + 1).replace(/_\d+$/, "");
      const isPath = name.startsWith("/") || (name === output && last === type);
      return isPath ? scopeOfName(name) : "";
    }
    const named = weights.map(scopeOfWeight).find((scope) => scope !== "");
    if (named !== undefined) {
      if (!LAYERS.has(type)) return named;
      const layer = this.#layers.get(named) ?? type;
      this.#layers.set(named, layer);
      // A weight that two layers share, as an embedding and the output, is called after one of them.
      return layer === type ? named : scopeOfName(name) || named;
    }
    const biased = type === "Add" && inputs.find((input) => input?.producer?.operator.type === "MatMul");
    if (biased) return biased.producer!.scope;
    return scopeOfName(name) || (LAYERS.has(type) ? plainName(name) || plainName(weights[0]!.name) : "");
  }

  /** Says of each scope of the graph what module it is. */
  describe({ nodes, modules }: Graph): void {
    const inside = new Map<string, Node[]>();
    for (const node of nodes) {
      const weighed = node.inputs.some((input) => input && this.#isDerived(input));
      if (node.scope === "" || !weighed || this.#isDerived(node.output)) continue;
      inside.set(node.scope, [...(inside.get(node.scope) ?? []), node]);
    }
    for (const [scope, members] of inside) modules.set(scope, this.#infoOf(members));
  }

  #infoOf(nodes: readonly Node[]): ModuleInfo {
    const [first] = nodes as [Node];
    const type = this.#typeOf(first);
    const calls = nodes.filter(({ operator }) => operator === first.operator).length;
    const rest = nodes.filter(({ operator }) => operator !== first.operator);
    const biases = type === "Linear" && first.operator.type === "MatMul" ? calls : 0;
    // Something else besides a layer and its bias makes it another module than its first node says.
    const whole = rest.length <= biases && rest.every(({ operator }) => operator.type === "Add");
    return { type: whole ? type : first.operator.type, ...(calls > 1 && { calls }) };
  }

  /** What PyTorch calls the layer that a node with weights is. */
  #typeOf({ operator: { type }, inputs, attributes, output }: Node): string {
    if (type === "MatMul") return inputs[1]!.rank === 2 && this.#isDerived(inputs[1]!) ? "Linear" : type;
    if (type === "Gemm") return attributes.transA ? type : "Linear";
    const places = Math.max(1, output.rank - 2);
    return LAYERS.get(type)?.replace("#", `${places}`) ?? type;
  }

  #isDerived(value: Value): boolean {
    const known = this.#derived.get(value);
    if (known !== undefined) return known;
    const inputs = value.producer?.inputs ?? [];
    const fixed = inputs.filter((input) => input !== null && input.kind !== "constant") as Value[];
    const derived = value.producer
      ? fixed.length > 0 && fixed.every((input) => this.#isDerived(input))
      : value.kind === "parameter" || value.kind === "buffer";
    this.#derived.set(value, derived);
    return derived;
  }
}

/** What a weight's name says: that before the last dot, if it is not made up. */
function scopeOfWeight({ name, producer }: Value): string {
  if (producer) return producer.scope;
  const madeUp = name.startsWith("onnx::") || name.includes("/");
  return madeUp ? "" : name.slice(0, Math.max(0, name.lastIndexOf(".")));
}

/** What a node's name says: the path to it. PyTorch repeats containers there, `/layer1/layer1.0/conv1/Conv`. */
function scopeOfName(name: string): string {
  const parts = partsOf(name).slice(0, -1);
  const own = parts.map((part, i) => {
    const container = `${parts[i - 1]}.`;
    return part.startsWith(container) ? part.slice(container.length) : part;
  });
  return own.join(".");
}

function plainName(name: string): string {
  return partsOf(name).join(".");
}

/** The parts of a path; TensorFlow joins those of nodes that it fused by semicolons, the first tells enough. */
function partsOf(name: string): string[] {
  return (name.split(";")[0] ?? "").split("/").filter((part) => part !== "");
}
