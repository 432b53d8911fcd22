// Modules that hold modules.

import { ArborizeError } from "../../base/errors.ts";
import type { Value } from "../../graph/graph.ts";
import { Module, type Parameter } from "../module.ts";

type Named = [name: string, child: Module | Parameter];

/** Modules one after another, named by position, `0`, `1`, …, or as an object names them. */
export class Sequential extends Module {
  readonly #modules: Map<string, Module>;

  constructor(...modules: readonly Module[] | [named: Readonly<Record<string, Module>>]) {
    super();
    const [first] = modules;
    const named = first && !(first instanceof Module);
    this.#modules = new Map(
      named
        ? Object.entries(first)
        : (modules as readonly Module[]).map((module, i) => [`${i}`, module] as const),
    );
  }

  override children(): Named[] {
    return [...this.#modules];
  }

  override setChild(name: string, module: Module): void {
    this.#modules.set(name, module);
  }

  forward(x: Value): Value {
    return [...this.#modules.values()].reduce((value, module) => module.call(value as never), x);
  }
}

/**
 * Modules one after another that grow dendrites as one: each dendrite is a copy of all of them. Keeps together what belongs
 * together, such as a layer, its activation and the next layer.
 */
export class Block extends Sequential {
  constructor(modules: readonly Module[]) {
    super(...modules);
  }

  override get growsAsOne(): boolean {
    return true;
  }
}

/** What only holds modules has no output of its own. */
function noForward(container: Module): never {
  throw new ArborizeError(
    "invalid_graph",
    `A ${container.constructor.name} computes nothing by itself. Call the modules in it.`,
  );
}

/** A list of modules, named by position: for loops in a forward. */
export class ModuleList<M extends Module = Module> extends Module {
  readonly #modules: M[];

  constructor(modules: Iterable<M> = []) {
    super();
    this.#modules = [...modules];
  }

  /** How many there are. */
  get length(): number {
    return this.#modules.length;
  }

  /** The module at a position, which may count from the end. */
  at(index: number): M | undefined {
    return this.#modules.at(index);
  }

  /** Adds a module at the end. */
  append(module: M): this {
    this.#modules.push(module);
    return this;
  }

  [Symbol.iterator](): ArrayIterator<M> {
    return this.#modules[Symbol.iterator]();
  }

  override children(): Named[] {
    return this.#modules.map((module, i) => [`${i}`, module]);
  }

  override setChild(name: string, module: Module): void {
    this.#modules[Number(name)] = module as M;
  }

  forward(): Value {
    return noForward(this);
  }
}

/** Modules by name. */
export class ModuleDict<M extends Module = Module> extends Module {
  readonly #modules: Map<string, M>;

  constructor(modules: Readonly<Record<string, M>> = {}) {
    super();
    this.#modules = new Map(Object.entries(modules));
  }

  /** The module called `name`, or undefined. */
  get(name: string): M | undefined {
    return this.#modules.get(name);
  }

  /** Adds a module, or puts it in another's place. */
  set(name: string, module: M): this {
    this.#modules.set(name, module);
    return this;
  }

  /** All names, in the order in which they were added. */
  keys(): MapIterator<string> {
    return this.#modules.keys();
  }

  [Symbol.iterator](): MapIterator<[string, M]> {
    return this.#modules[Symbol.iterator]();
  }

  override children(): Named[] {
    return [...this.#modules];
  }

  override setChild(name: string, module: Module): void {
    this.#modules.set(name, module as M);
  }

  forward(): Value {
    return noForward(this);
  }
}
