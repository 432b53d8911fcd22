// Modules that hold modules.

import type { Value } from "../../graph/graph.ts";
import { Module, type Parameter } from "../module.ts";

/** Modules one after another, named by position: `0`, `1`, … */
export class Sequential extends Module {
  readonly #modules: readonly Module[];

  constructor(...modules: readonly Module[]) {
    super();
    this.#modules = modules;
  }

  override children(): [name: string, child: Module | Parameter][] {
    return this.#modules.map((module, i) => [`${i}`, module]);
  }

  forward(x: Value): Value {
    return this.#modules.reduce((value, module) => module.call(value as never), x);
  }
}
