// Modules: parameters and a forward function, traced once into a graph. PyTorch's nn.Module, as far as graphs need it.

import { ArborizeError, didYouMean } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { DType, Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { isStatic, lengthReader, type Shape, shapeText } from "../graph/shape.ts";
import type { Initializer } from "./init.ts";

/** A learned tensor of a module. Its initial value is drawn when the model is traced, from the seed given there. */
export class Parameter {
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** A value to start from instead of a drawn one: what `loadStateDict` sets. */
  data: Tensor | null = null;

  constructor(shape: readonly number[], initializer: Initializer) {
    this.shape = shape;
    this.initializer = initializer;
  }
}

/**
 * A network or part of one. A subclass keeps its modules and parameters in fields (or arrays in fields) and computes its
 * output in `forward`, calling its modules by `call`.
 */
export abstract class Module {
  /** Computes the output from the inputs, in terms of values. Runs once, when the model is traced. */
  abstract forward(...inputs: never[]): Value;

  /** Applies the module: runs `forward` with new nodes in this module's scope. */
  call(...inputs: Parameters<this["forward"]>): Value {
    const given = inputs as readonly unknown[] as readonly Value[];
    const trace = Trace.of(given[0]!.graph);
    return trace.graph.within(trace.enter(this), () =>
      (this.forward as (...all: Value[]) => Value)(...given),
    );
  }

  /** The modules and parameters that this module holds, by name: its fields, in order. */
  children(): [name: string, child: Module | Parameter][] {
    const fields: [string, unknown][] = Object.entries(this);
    const listed = fields.flatMap(([name, field]) =>
      Array.isArray(field)
        ? field.map((item: unknown, i): [string, unknown] => [`${name}.${i}`, item])
        : [[name, field] as [string, unknown]],
    );
    return listed.filter((entry): entry is [string, Module | Parameter] => isChild(entry[1]));
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
    const found = new Map<Parameter, string>();
    for (const [module, path] of this.namedModules()) {
      for (const [name, child] of module.children()) {
        if (child instanceof Parameter && !found.has(child))
          found.set(child, path === "" ? name : `${path}.${name}`);
      }
    }
    return found;
  }

  /**
   * Sets the values that parameters start from, by state dict name.
   *
   * @throws `bad_data` listing everything that is missing, unexpected or of the wrong shape; nothing is set then.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>): this {
    const own = new Map([...this.namedParameters()].map(([parameter, name]) => [name, parameter]));
    const missing = [...own.keys()].filter((name) => !state.has(name)).map((name) => `missing: ${name}`);
    const unexpected = [...state.keys()]
      .filter((name) => !own.has(name))
      .map((name) => `unexpected: ${name}.${didYouMean(name, own.keys())}`);
    const misshapen = [...own].flatMap(([name, { shape }]) => {
      const found = state.get(name)?.shape;
      if (!found || found.join() === shape.join()) return [];
      return [`wrong shape: ${name} is ${shapeText(found)}, wanted ${shapeText(shape)}`];
    });
    const problems = [...missing, ...unexpected, ...misshapen];
    if (problems.length > 0) {
      throw new ArborizeError(
        "bad_data",
        `The state dict does not fit ${this.constructor.name}:\n  ${problems.join("\n  ")}`,
      );
    }
    for (const [name, parameter] of own) parameter.data = state.get(name)!.to("float32");
    return this;
  }
}

function isChild(child: unknown): child is Module | Parameter {
  return child instanceof Module || child instanceof Parameter;
}

/** What a model is traced with: each input's axes, lengths or names such as `"batch"`. */
export interface TraceOptions {
  /** By name, in the order of `forward`'s arguments. An array means float32. */
  readonly inputs: Readonly<Record<string, Shape | { readonly dtype: DType; readonly shape: Shape }>>;
  /** Seed of the initial parameters. Default: 0. */
  readonly seed?: number;
}

/** Traces a model into a graph: parameters under their state dict names, nodes in their modules' scopes. */
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
  graph.output(model.call(...(values as never[])));
  return graph;
}

/** Where the modules and parameters of a model are in the graph that it is being traced into. */
export class Trace {
  static readonly #traces = new WeakMap<Graph, Trace>();
  readonly graph: Graph;
  readonly #modules: ReadonlyMap<Module, string>;
  readonly #parameters: ReadonlyMap<Parameter, Value>;

  private constructor(graph: Graph, model: Module, seed: number) {
    this.graph = graph;
    this.#modules = model.namedModules();
    for (const [module, scope] of this.#modules) graph.modules.set(scope, { type: module.constructor.name });
    this.#parameters = new Map(
      [...model.namedParameters()].map(([parameter, name]) => {
        const drawn = () => parameter.initializer(parameter.shape, Random.stream(seed, `parameter/${name}`));
        return [parameter, graph.parameter(name, parameter.data ?? drawn())];
      }),
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
      const { type, calls = 0 } = this.graph.modules.get(scope)!;
      this.graph.modules.set(scope, { type, calls: calls + 1 });
      return scope;
    }
    throw new ArborizeError(
      "invalid_graph",
      `A ${module.constructor.name} is called that the model does not hold. Keep it in a field of its module, or in an array in one.`,
    );
  }

  /** The value of a parameter in the graph. */
  valueOf(parameter: Parameter): Value {
    const value = this.#parameters.get(parameter);
    if (value) return value;
    throw new ArborizeError(
      "invalid_graph",
      `A parameter ${shapeText(parameter.shape)} is used that the model does not hold. Keep it in a field of its module.`,
    );
  }
}
