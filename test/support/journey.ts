// One small training that the journeys share: a CNN on generated digits, with everything that has state.

import { readFileSync } from "node:fs";
import { nodeEngine } from "../../src/engine/node.ts";
import { type FitOptions, readSafetensors } from "../../src/index.ts";
import { SMALL } from "./small-net.ts";

export { digits, SmallNet } from "./small-net.ts";

/** On one thread, without a word. */
export const OPTIONS = {
  ...SMALL,
  engine: nodeEngine({ threads: 1 }),
  progress: false,
} satisfies FitOptions;

/** A state file without what a clock put in: tensors as text and bytes by name, and the rest as data. */
export function stateOf(path: string): { tensors: Record<string, unknown>; rest: unknown } {
  const { tensors, metadata } = readSafetensors(readFileSync(path), path);
  return {
    tensors: Object.fromEntries([...tensors].map(([name, tensor]) => [name, [`${tensor}`, tensor.bytes()]])),
    rest: metadata.arborize === undefined ? metadata : JSON.parse(metadata.arborize, withoutTimes),
  };
}

/** For `JSON.parse`: leaves out seconds. */
function withoutTimes(key: string, value: unknown): unknown {
  return key.endsWith("Seconds") ? undefined : value;
}
