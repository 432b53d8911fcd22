// What engines say when the runtime fails.

import { ArborizeError } from "../base/errors.ts";
import type { Resident } from "./engine.ts";

/** The runtime would not compile the program of this name. */
export function refused(name: string, error: unknown): ArborizeError {
  return new ArborizeError(
    "runtime_failed",
    `ONNX Runtime refused the ${name}: ${(error as Error).message}`,
    { cause: error },
  );
}

/** A run of the program of this name failed. */
export function failed(name: string, inputs: ReadonlyMap<string, Resident>, error: unknown): ArborizeError {
  const fed = [...inputs].map(([input, { dtype, shape }]) => `  ${input}: ${dtype}[${shape.join(", ")}]`);
  const shown = fed.length > 12 ? [...fed.slice(0, 12), `  … and ${fed.length - 12} more`] : fed;
  return new ArborizeError(
    "runtime_failed",
    `The ${name} failed in ONNX Runtime: ${(error as Error).message}\nIts inputs were\n${shown.join("\n")}`,
    { cause: error },
  );
}
