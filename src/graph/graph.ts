// Graphs of operator nodes. Knows nothing of protobuf, of single operators or of how graphs are run.
// A graph only ever grows: transformations build a new one (transform/rewrite.ts) or append (transform/gradient.ts).

import { ArborizeError, invariant } from "../base/errors.ts";
import type { DType, Tensor } from "../base/tensor.ts";
import { nodeKey, TensorMap } from "./distinct.ts";
import type { Attributes, Operator, ValueType } from "./operator.ts";
import { type Shape, sameShape, shapeText } from "./shape.ts";

/**
 * Where a value comes from: `input` is fed at each run, `parameter` is learned, `buffer` belongs to the network's state but
 * is not learned, `constant` never changes, `result` is the output of a node.
 */
export type ValueKind = "input" | "parameter" | "buffer" | "constant" | "result";

/** A typed value of a graph: written once, by its producer or from outside. */
export class Value {
  readonly graph: Graph;
  readonly kind: ValueKind;
  /** Unique in its graph. A parameter's or buffer's is its state dict name, such as `conv1.weight`. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The node that computes it, for results. */
  readonly producer: Node | null;
  /** The initial value, of parameters and buffers, and the value, of constants. */
  readonly data: Tensor | null;

  /** Made by the graph's methods. */
  constructor(
    graph: Graph,
    kind: ValueKind,
    name: string,
    type: ValueType,
    origin: { producer?: Node; data?: Tensor },
  ) {
    this.graph = graph;
    this.kind = kind;
    this.name = name;
    this.dtype = type.dtype;
    this.shape = type.shape;
    this.producer = origin.producer ?? null;
    this.data = origin.data ?? null;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  toString(): string {
    return `${this.name}: ${this.dtype}${shapeText(this.shape)}`;
  }
}

/** One application of an operator, made by `Graph.add`. */
export class Node {
  readonly operator: Operator;
  readonly inputs: readonly (Value | null)[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
  /** The module it belongs to, as a dotted path; `""` outside of any. */
  readonly scope: string;
  /** Position in its graph. */
  readonly index: number;

  constructor(
    graph: Graph,
    operator: Operator,
    inputs: readonly (Value | null)[],
    attributes: Attributes,
    types: readonly ValueType[],
    names: readonly string[],
  ) {
    this.operator = operator;
    this.inputs = inputs;
    this.attributes = attributes;
    this.scope = graph.scope;
    this.index = graph.nodes.length;
    this.outputs = types.map((type, i) => new Value(graph, "result", names[i]!, type, { producer: this }));
  }

  /** The only output. */
  get output(): Value {
    return this.outputs[0]!;
  }

  /** `Conv "layer1.0.conv1" (node 12)`, as messages name it. */
  get label(): string {
    return nodeLabel(this.operator, this.scope, this.index);
  }
}

function nodeLabel(operator: Operator, scope: string, index: number): string {
  return `${operator.type}${scope === "" ? "" : ` "${scope}"`} (node ${index})`;
}

/** A module that the graph was traced from, by its scope: what selection rules ask about. */
export interface ModuleInfo {
  /** Class name, such as `Conv2d`. */
  readonly type: string;
  /** How often the model called it; absent where that is not known, as in imported graphs. */
  readonly calls?: number;
  /** Whether it grows dendrites as one, with all that is in it. */
  readonly growsAsOne?: boolean;
}

/** A gradient that is given for a value as a function of others, whatever nodes compute it. */
export interface CustomGradient {
  readonly inputs: readonly Value[];
  /** The inputs' cotangents from the value's. */
  readonly rule: (cotangent: Value) => readonly Value[];
}

/** Options of a graph. */
export interface GraphOptions {
  readonly name?: string;
  /** Give a node that equals an earlier one (operator, inputs, attributes) the earlier one's outputs. Default: false. */
  readonly shareSubexpressions?: boolean;
  /** Names that are given later, which no value gets that is not given one. Default: none. */
  readonly reserved?: Iterable<string>;
  /** What names that are made up begin with. For the body of a node, whose names must differ from those around it. Default: `""`. */
  readonly prefix?: string;
}

/** A graph of operator nodes in topological order, with typed values and module scopes. */
export class Graph {
  readonly name: string;
  readonly inputs: Value[] = [];
  readonly parameters: Value[] = [];
  /** State that is not learned: running statistics, frozen parameters. */
  readonly buffers: Value[] = [];
  /** Buffers that are weights otherwise. */
  readonly frozen = new Set<Value>();
  /** What a training step writes into buffers, by buffer; others keep their value. */
  readonly updates = new Map<Value, Value>();
  readonly constants: Value[] = [];
  readonly nodes: Node[] = [];
  readonly outputs: Value[] = [];
  /** What the outputs are called in files, which may differ from the names of the values. */
  readonly outputNames: string[] = [];
  /** Modules by scope, outermost first. */
  readonly modules = new Map<string, ModuleInfo>();
  /** Gradients that replace those of the nodes behind a value. */
  readonly customGradients = new Map<Value, CustomGradient>();
  /** The scope that new nodes get. */
  scope = "";

  readonly #names = new Set<string>();
  readonly #reserved: ReadonlySet<string>;
  readonly #prefix: string;
  readonly #counters = new Map<string, number>();
  readonly #equal: Map<string, Node> | null;
  readonly #constants = new TensorMap<Value>();

  constructor(options: GraphOptions = {}) {
    this.name = options.name ?? "network";
    this.#reserved = new Set(options.reserved);
    this.#prefix = options.prefix ?? "";
    this.#equal = options.shareSubexpressions ? new Map() : null;
  }

  /** Declares a value that is fed at each run. @throws `invalid_graph` when the name is taken. */
  input(name: string, dtype: DType, shape: Shape): Value {
    const value = this.#declare("input", this.#claim(name), { dtype, shape });
    this.inputs.push(value);
    return value;
  }

  /** Declares a learned value, with its initial value. @throws `invalid_graph` when the name is taken. */
  parameter(name: string, data: Tensor): Value {
    const value = this.#declare("parameter", this.#claim(name), data, data);
    this.parameters.push(value);
    return value;
  }

  /** Declares state that is not learned: that of training, or a `frozen` weight. @throws `invalid_graph` when the name is taken. */
  buffer(name: string, data: Tensor, frozen = false): Value {
    const value = this.#declare("buffer", this.#claim(name), data, data);
    this.buffers.push(value);
    if (frozen) this.frozen.add(value);
    return value;
  }

  /**
   * Makes `next` what training writes into `buffer`, instead of an earlier one.
   * @throws `invalid_graph` unless `buffer` is one, of the type and shape of `next`.
   */
  update(buffer: Value, next: Value): void {
    for (const value of [buffer, next]) this.#own(value);
    const fits = buffer.dtype === next.dtype && sameShape(buffer.shape, next.shape);
    if (buffer.kind !== "buffer" || !fits) {
      throw new ArborizeError(
        "invalid_graph",
        `"${buffer.name}" cannot be updated with ${next}: it is the ${buffer.kind} ${buffer}.`,
      );
    }
    this.updates.set(buffer, next);
  }

  /** A constant. Equal ones without a name are the same value. */
  constant(data: Tensor, name?: string): Value {
    const declare = () => {
      const value = this.#declare("constant", this.#claim(name) ?? this.uniqueName("constant"), data, data);
      this.constants.push(value);
      return value;
    };
    return name === undefined ? this.#constants.of(data, declare) : declare();
  }

  /** Marks a value as an output of the graph, called `name` in files. */
  output(value: Value, name = value.name): void {
    this.#own(value);
    this.outputs.push(value);
    this.outputNames.push(name);
  }

  /**
   * Appends a node. `names` are its outputs' names where they matter (imported graphs); made up otherwise.
   * @throws `shape_mismatch`, `dtype_mismatch`: the message names module and node.
   */
  add(
    operator: Operator,
    inputs: readonly (Value | null)[],
    attributes: Attributes = {},
    names: readonly (string | undefined)[] = [],
  ): Node {
    for (const input of inputs) if (input) this.#own(input);
    const key = this.#equal && operator.deterministic ? nodeKey(operator, inputs, attributes) : null;
    const known = key === null ? undefined : this.#equal?.get(key);
    if (known) return known;
    const types = this.#infer(operator, inputs, attributes);
    const base = this.scope === "" ? operator.type : `${this.scope}/${operator.type}`;
    const outputNames = types.map((_, i) => this.#claim(names[i]) ?? this.uniqueName(base));
    const node = new Node(this, operator, inputs, attributes, types, outputNames);
    this.nodes.push(node);
    if (key !== null) this.#equal?.set(key, node);
    return node;
  }

  /** Runs `build` with new nodes in `scope`. */
  within<T>(scope: string, build: () => T): T {
    const outer = this.scope;
    this.scope = scope;
    try {
      return build();
    } finally {
      this.scope = outer;
    }
  }

  /** The network's state by name, as a state dict has it: its parameters, then its buffers. */
  get state(): Map<string, Tensor> {
    return new Map([...this.parameters, ...this.buffers].map(({ name, data }) => [name, data!]));
  }

  /** A name that no value has yet: `given`, `given_1`, `given_2`, … */
  uniqueName(given: string): string {
    const base = this.#prefix + given;
    let count = this.#counters.get(base) ?? 0;
    let name = count === 0 ? base : `${base}_${count}`;
    while (this.#names.has(name) || this.#reserved.has(name)) name = `${base}_${++count}`;
    this.#counters.set(base, count + 1);
    this.#names.add(name);
    return name;
  }

  #claim<T extends string | undefined>(name: T): T {
    if (name === undefined) return name;
    if (this.#names.has(name)) {
      throw new ArborizeError("invalid_graph", `Graph "${this.name}" already has a value called "${name}".`);
    }
    this.#names.add(name);
    return name;
  }

  #declare(kind: ValueKind, name: string, type: ValueType, data?: Tensor): Value {
    return new Value(this, kind, name, { dtype: type.dtype, shape: type.shape }, data ? { data } : {});
  }

  #own(value: Value): void {
    invariant(value.graph === this, `value "${value.name}" belongs to another graph than "${this.name}"`);
  }

  #infer(
    operator: Operator,
    inputs: readonly (Value | null)[],
    attributes: Attributes,
  ): readonly ValueType[] {
    const label = () => nodeLabel(operator, this.scope, this.nodes.length);
    for (const [name, attribute] of Object.entries(attributes)) {
      if (attribute === undefined || Object.hasOwn(operator.attributes, name)) continue;
      throw new ArborizeError("unsupported_attribute", `${label()}: attribute "${name}" is not supported.`);
    }
    try {
      return operator.infer(inputs, attributes);
    } catch (error) {
      if (!(error instanceof ArborizeError) || error.code === "internal") throw error;
      throw new ArborizeError(error.code, `${label()}: ${error.message}.`, { cause: error });
    }
  }
}

/** The nodes that `outputs` depend on, in topological order. */
export function nodesBehind(outputs: readonly Value[]): Node[] {
  const needed = new Set<Node>();
  const stack = outputs.map((value) => value.producer);
  while (stack.length > 0) {
    const node = stack.pop();
    if (!node || needed.has(node)) continue;
    needed.add(node);
    for (const input of node.inputs) if (input?.producer) stack.push(input.producer);
  }
  return [...needed].sort((a, b) => a.index - b.index);
}
