// Checks of options that several files of this folder share.

import { ArborizeError, didYouMean } from "../base/errors.ts";

/** Fails for options that do not exist: a misspelt one would otherwise be ignored in silence. */
export function checkNames(owner: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const hint = didYouMean(name, known);
    throw new ArborizeError(
      "bad_option",
      `${owner} has no option "${name}".${hint} It takes ${known.join(", ")}.`,
    );
  }
}

/** Fails unless `value` is an integer from `least` on. */
export function checkInteger(owner: string, name: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  const wanted = `an integer, ${least} or more`;
  throw new ArborizeError("bad_option", `${owner}: ${name} is ${show(value)}, wanted ${wanted}.`);
}

/** A value as messages show it. */
export function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
