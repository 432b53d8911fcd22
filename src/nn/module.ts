// Modules: parameters and a forward function, traced once into a graph. PyTorch's nn.Module, as far as graphs need it.

import { ArborizeError, didYouMean } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { DType, Tensor } from "../base/tensor.ts";
import { Graph, Value } from "../graph/graph.ts";
import { isStatic, lengthReader, type Shape, shapeText } from "../graph/shape.ts";
import type { Initializer } from "./init.ts";

/** A learned tensor of a module. Its initial value is drawn when the model is traced, from the seed given there. */
export class Parameter {
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** A value to start from instead of a drawn one: what `loadStateDict` sets. */
  data: Tensor | null = null;
  /** Whether training changes it. Default: true. */
  requiresGrad = true;

  constructor(shape: readonly number[], initializer: Initializer) {
    this.shape = shape;
    this.initializer = initializer;
  }
}

/** A tensor of a module's state that is not learned, such as running statistics: training writes into it by `update`. */
export class Buffer {
  /** Its initial value: given, or set by `loadStateDict`. */
  data: Tensor;

  constructor(data: Tensor) {
    this.data = data;
  }

  get shape(): readonly number[] {
    return this.data.shape;
  }
}

/** What a forward gives: a value, or several. */
export type Outputs = Value | readonly Outputs[];

/** What `loadStateDict` found that does not fit, by state dict name. */
export interface StateDictReport {
  /** What the module has and the state dict has not. */
  readonly missing: readonly string[];
  /** What the state dict has and the module has not. */
  readonly unexpected: readonly string[];
}

/**
 * A network or part of one. A subclass keeps its modules and parameters in fields (or arrays in fields) and computes its
 * output in `forward`, calling its modules by `call`.
 */
export abstract class Module {
  /**
   * Computes the output, or a list of outputs, from the inputs, in terms of values. Runs once, when the model is traced.
   */
  abstract forward(...inputs: never[]): Outputs;

  /** Applies the module: runs `forward` with new nodes in this module's scope. */
  call(...inputs: Parameters<this["forward"]>): ReturnType<this["forward"]> {
    const given = inputs as readonly unknown[] as readonly Value[];
    const trace = Trace.of(given[0]!.graph);
    return trace.graph.within(trace.enter(this), () =>
      (this.forward as (...all: Value[]) => ReturnType<this["forward"]>)(...given),
    );
  }

  /** Whether dendrites grow on the module as one, with all that is in it, when nothing else is asked for. Default: false. */
  get growsAsOne(): boolean {
    return false;
  }

  /** The modules, parameters and buffers that this module holds, by name: its fields, in order. */
  children(): [name: string, child: Child][] {
    const fields: [string, unknown][] = Object.entries(this);
    const listed = fields.flatMap(([name, field]) =>
      Array.isArray(field)
        ? field.map((item: unknown, i): [string, unknown] => [`${name}.${i}`, item])
        : [[name, field] as [string, unknown]],
    );
    return listed.filter((entry): entry is [string, Child] => isChild(entry[1]));
  }

  /** Puts a module in the place of the one that `children` calls `name`. */
  setChild(name: string, module: Module): void {
    const [field, at] = name.split(".") as [keyof this, string?];
    if (at === undefined) this[field] = module as this[keyof this];
    else (this[field] as unknown[])[Number(at)] = module;
  }

  /** This module and all inside it, by dotted path; a module reached twice keeps its first path. */
  namedModules(prefix = "", found = new Map<Module, string>()): Map<Module, string> {
    if (found.has(this)) return found;
    found.set(this, prefix);
    for (const [name, child] of this.children()) {
      if (child instanceof Module) child.namedModules(prefix === "" ? name : `${prefix}.${name}`, found);
    }
    return found;
  }

  /** All parameters by state dict name, such as `conv1.weight`; one reached twice keeps its first name. */
  namedParameters(): Map<Parameter, string> {
    return new Map([...this.#namedState()].filter(isNamed(Parameter)));
  }

  /** All buffers by state dict name, such as `bn1.running_mean`. */
  namedBuffers(): Map<Buffer, string> {
    return new Map([...this.#namedState()].filter(isNamed(Buffer)));
  }

  #namedState(): Map<Parameter | Buffer, string> {
    const found = new Map<Parameter | Buffer, string>();
    for (const [module, path] of this.namedModules()) {
      for (const [name, child] of module.children()) {
        if (!(child instanceof Module) && !found.has(child))
          found.set(child, path === "" ? name : `${path}.${name}`);
      }
    }
    return found;
  }

  /** Whether training changes the parameters of this module and all inside it; PyTorch's `requires_grad_`. */
  requiresGrad(flag = true): this {
    for (const parameter of this.namedParameters().keys()) parameter.requiresGrad = flag;
    return this;
  }

  /**
   * Sets the values that parameters and buffers start from, by state dict name.
   *
   * @param options `strict` (default: true): whether every name must be there, and no other.
   * @returns what was missing and unexpected; nothing, if strict.
   * @throws `bad_data` listing everything that is of the wrong shape and, if strict, missing or unexpected; nothing is set
   *   then.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, { strict = true } = {}): StateDictReport {
    const own = new Map([...this.#namedState()].map(([child, name]) => [name, child]));
    const missing = [...own.keys()].filter((name) => !state.has(name));
    const unexpected = [...state.keys()].filter((name) => !own.has(name));
    const misshapen = [...own].flatMap(([name, { shape }]) => {
      const found = state.get(name)?.shape;
      if (!found || found.join() === shape.join()) return [];
      return [`wrong shape: ${name} is ${shapeText(found)}, wanted ${shapeText(shape)}`];
    });
    const names = [
      ...missing.map((name) => `missing: ${name}`),
      ...unexpected.map((name) => `unexpected: ${name}.${didYouMean(name, own.keys())}`),
    ];
    const problems = [...(strict ? names : []), ...misshapen];
    if (problems.length > 0) {
      throw new ArborizeError(
        "bad_data",
        `The state dict does not fit ${this.constructor.name}:\n  ${problems.join("\n  ")}`,
      );
    }
    for (const [name, child] of own) {
      const data = state.get(name);
      if (data) child.data = data.to(child instanceof Buffer ? child.data.dtype : "float32");
    }
    return { missing, unexpected };
  }
}

type Child = Module | Parameter | Buffer;

function isChild(child: unknown): child is Child {
  return child instanceof Module || child instanceof Parameter || child instanceof Buffer;
}

function isNamed<T extends Parameter | Buffer>(type: new (...args: never[]) => T) {
  return (entry: [Parameter | Buffer, string]): entry is [T, string] => entry[0] instanceof type;
}

/** What a model is traced with: each input's axes, lengths or names such as `"batch"`. */
export interface TraceOptions {
  /** By name, in the order of `forward`'s arguments. An array means float32. */
  readonly inputs: Readonly<Record<string, Shape | { readonly dtype: DType; readonly shape: Shape }>>;
  /** Seed of the initial parameters. Default: 0. */
  readonly seed?: number;
}

/**
 * Traces a model into a graph: parameters and buffers under their state dict names, nodes in their modules' scopes. Of several
 * outputs, the first is what a loss is computed from.
 */
export function trace(model: Module, { inputs, seed = 0 }: TraceOptions): Graph {
  const graph = new Graph({ name: model.constructor.name });
  Trace.begin(graph, model, seed);
  const given = Object.entries(inputs).map(([name, input]) =>
    "dtype" in input ? { name, ...input } : { name, dtype: "float32" as const, shape: input },
  );
  const texts = given.flatMap(({ shape }) => shape.filter((dim) => !isStatic(dim)));
  const readLength = lengthReader(texts);
  const values = given.map(({ name, dtype, shape }) =>
    graph.input(
      name,
      dtype,
      shape.map((dim) => (isStatic(dim) ? dim : readLength(dim))),
    ),
  );
  if (values.length === 0) {
    throw new ArborizeError(
      "missing_input",
      'A model needs at least one input, such as { x: ["batch", 1, 28, 28] }.',
    );
  }
  for (const output of flat(model.call(...(values as never[])))) graph.output(output);
  return graph;
}

function flat(outputs: Outputs): readonly Value[] {
  return outputs instanceof Value ? [outputs] : outputs.flatMap(flat);
}

/** Where the modules and parameters of a model are in the graph that it is being traced into. */
export class Trace {
  static readonly #traces = new WeakMap<Graph, Trace>();
  readonly graph: Graph;
  readonly #modules: ReadonlyMap<Module, string>;
  readonly #parameters: ReadonlyMap<Parameter, Value>;
  readonly #buffers: ReadonlyMap<Buffer, Value>;

  private constructor(graph: Graph, model: Module, seed: number) {
    this.graph = graph;
    this.#modules = model.namedModules();
    for (const [module, scope] of this.#modules) {
      const type = module.constructor.name;
      graph.modules.set(scope, { type, ...(module.growsAsOne && { growsAsOne: true }) });
    }
    this.#parameters = new Map(
      [...model.namedParameters()].map(([parameter, name]) => {
        const drawn = () => parameter.initializer(parameter.shape, Random.stream(seed, `parameter/${name}`));
        const data = parameter.data ?? drawn();
        const { requiresGrad } = parameter;
        return [parameter, requiresGrad ? graph.parameter(name, data) : graph.buffer(name, data, true)];
      }),
    );
    this.#buffers = new Map(
      [...model.namedBuffers()].map(([buffer, name]) => [buffer, graph.buffer(name, buffer.data)]),
    );
  }

  static begin(graph: Graph, model: Module, seed: number): void {
    Trace.#traces.set(graph, new Trace(graph, model, seed));
  }

  /** The trace that is building `graph`. @throws `invalid_graph` for a graph that no model is traced into. */
  static of(graph: Graph): Trace {
    const found = Trace.#traces.get(graph);
    if (found) return found;
    throw new ArborizeError(
      "invalid_graph",
      "Modules can only be called on values of a model that is being traced.",
    );
  }

  /** Counts a call of a module, and gives its path in the model. */
  enter(module: Module): string {
    const scope = this.#modules.get(module);
    if (scope !== undefined) {
      const { calls = 0, ...info } = this.graph.modules.get(scope)!;
      this.graph.modules.set(scope, { ...info, calls: calls + 1 });
      return scope;
    }
    throw new ArborizeError(
      "invalid_graph",
      `A ${module.constructor.name} is called that the model does not hold. Keep it in a field of its module, or in an array in one.`,
    );
  }

  /** The value of a parameter or buffer in the graph; of a buffer that was updated, its new one, as in PyTorch. */
  valueOf(state: Parameter | Buffer): Value {
    const value = state instanceof Buffer ? this.#buffers.get(state) : this.#parameters.get(state);
    if (value) return this.graph.updates.get(value) ?? value;
    const kind = state instanceof Buffer ? "buffer" : "parameter";
    throw new ArborizeError(
      "invalid_graph",
      `A ${kind} ${shapeText(state.shape)} is used that the model does not hold. Keep it in a field of its module.`,
    );
  }

  /** Makes training write `next` into a buffer. */
  update(buffer: Buffer, next: Value): void {
    this.valueOf(buffer);
    this.graph.update(this.#buffers.get(buffer)!, next);
  }
}
