// Models of others, changed before they are traced: modules of a class swapped for what is made of them.

import { ArborizeError, didYouMean } from "../base/errors.ts";
import { Module } from "./module.ts";

/**
 * Swaps the modules of a class, wherever a model holds them, for others: a convolution for a block with its normalization, an
 * activation for another. What a new module holds of the old one brings its values along, under the new names; a
 * state dict of the old names is loaded before. A module that is held twice is swapped once, for both. Modules in one that is
 * swapped come before it, and a new one is not looked into, so that it may hold the old.
 *
 * @param type the class, exactly: subclasses stay.
 * @param replace makes the new module of the old one and its path (`""` for the model itself); the old one leaves it.
 * @returns the model, or what it was swapped for.
 * @throws `bad_option` when no module is of the class, or `replace` gives no module.
 */
export function replaceModules<M extends Module>(
  model: Module,
  type: abstract new (...args: never[]) => M,
  replace: (old: M, path: string) => Module,
): Module {
  const modules = model.namedModules();
  const isAsked = (module: Module): module is M => module.constructor === type;
  if (![...modules.keys()].some(isAsked)) {
    const classes = new Set([...modules.keys()].map((module) => module.constructor.name));
    throw new ArborizeError(
      "bad_option",
      `replaceModules: ${model.constructor.name} has no module of the class ${type.name}.${didYouMean(type.name, classes)}`,
    );
  }
  const swapped = new Map<Module, Module>();
  const swap = (module: Module): Module => {
    const known = swapped.get(module);
    if (known) return known;
    // What holds itself is looked into once.
    swapped.set(module, module);
    for (const [name, child] of module.children()) {
      if (!(child instanceof Module)) continue;
      const next = swap(child);
      if (next !== child) module.setChild(name, next);
    }
    const made = isAsked(module) ? replace(module, modules.get(module)!) : module;
    if (!(made instanceof Module)) {
      const path = modules.get(module);
      throw new ArborizeError("bad_option", `replaceModules: "${path}" was swapped for ${made}, no module.`);
    }
    swapped.set(module, made);
    return made;
  };
  return swap(model);
}
