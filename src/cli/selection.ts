// The options that say where dendrites grow, of all commands that ask.

import type { Selection } from "../dendrites/selection.ts";
import { type Given, type Option, textOf, UsageError } from "./command.ts";
import { defined } from "./train/defined.ts";

export const SELECTION_FLAGS: Readonly<Record<string, Option>> = {
  types: {
    value: "A,B",
    help: "classes of modules that grow (default: Linear,Conv1d,Conv2d,Conv3d); none for no class",
  },
  modules: { value: "A,B", help: "paths of modules that grow besides, * for any text: layer1.*.conv1" },
  blocks: {
    value: "A,B",
    help: "paths or classes that grow as one with all that is in them, or two values as FROM..TO",
  },
  track: { value: "A,B", help: "paths or classes that deliberately have no dendrites" },
  skip: { value: "A,B", help: "paths or classes that are left out, like what nothing covers" },
  "no-normalization": { help: "layers do not take the normalization along that follows them" },
};

/** What the options say of where dendrites grow; only what they say. @throws `UsageError`. */
export function selectionOf(given: Given): Selection {
  const types = namesOf(given, "types");
  return defined({
    types: types?.join() === "none" ? [] : types,
    modules: namesOf(given, "modules"),
    blocks: namesOf(given, "blocks")?.map(blockOf),
    track: namesOf(given, "track"),
    skip: namesOf(given, "skip"),
    withNormalization: given.values["no-normalization"] ? false : undefined,
  });
}

/** The names that an option lists. @throws `UsageError` for an empty one. */
export function namesOf(given: Given, option: string): string[] | undefined {
  const names = textOf(given, option)
    ?.split(",")
    .map((name) => name.trim());
  if (names?.includes("")) throw new UsageError(`--${option} has an empty name: ${textOf(given, option)}.`);
  return names;
}

function blockOf(text: string): NonNullable<Selection["blocks"]>[number] {
  const [from, to, ...more] = text.split("..");
  if (to === undefined) return text;
  if (from && to && more.length === 0) return { from, to };
  throw new UsageError(`--blocks takes two values as FROM..TO, not "${text}".`);
}
