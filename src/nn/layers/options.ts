// What layers share: checks of their arguments, and PyTorch's initial values.

import { ArborizeError } from "../../base/errors.ts";
import { type Initializer, kaimingUniform, uniform } from "../init.ts";

/** PyTorch's initial weights of Linear and the convolutions: uniform over ±1 / sqrt(fanIn). */
export const defaultWeight = kaimingUniform(Math.sqrt(5));

/** PyTorch's initial biases: uniform over ±1 / sqrt(fanIn). */
export function defaultBias(fanIn: number): Initializer {
  return uniform(-1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
}

/** @throws `bad_option` naming a count that is not a whole number from 1. */
export function checkCounts(layer: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isSafeInteger(count) && count > 0) continue;
    throw new ArborizeError(
      "bad_option",
      `${layer}: ${name} is ${count}, it must be a whole number of at least 1.`,
    );
  }
}

/** @throws `bad_option` naming channels that do not divide into groups. */
export function checkGroups(layer: string, groups: number, channels: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(channels)) {
    if (count % groups === 0) continue;
    const problem = `${count} ${name} channels do not divide into ${groups} groups`;
    throw new ArborizeError("bad_option", `${layer}: ${problem}.`);
  }
}

/** Options of layers that may have a bias. */
export interface BiasOption {
  /** Default: true. */
  readonly bias?: boolean;
}
