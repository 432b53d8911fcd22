// The golden cases of PyTorch, where this checkout has them.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "../../src/base/tensor.ts";
import { readSafetensors } from "../../src/data/safetensors.ts";

/** The folder of goldens, specs and data beside the checkout. Not part of the project. */
export const SHARED = join(import.meta.dirname, "..", "..", "..", "shared");

/** A reason to print when something under `SHARED` is not there, or false. */
export function missing(...path: string[]): string | false {
  const full = join(SHARED, ...path);
  return existsSync(full) ? false : `skipped: ${join("shared", ...path)} is not beside this checkout`;
}

/** A case: the network, its tensors and its settings. */
export interface Golden {
  readonly model: Uint8Array;
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly settings: {
    readonly loss: "cross_entropy" | "mse";
    readonly base?: string;
    readonly dendrites?: number;
    readonly modules?: readonly string[];
    readonly optimizers: Readonly<Record<string, Readonly<Record<string, number | boolean>>>>;
  };
  /** The tensors whose names start with `prefix`, without it. */
  with(prefix: string): Map<string, Tensor>;
}

/** Reads a golden case. */
export function readGolden(name: string): Golden {
  const file = (part: string) => readFileSync(join(SHARED, "golden", name, part));
  const { tensors } = readSafetensors(file("tensors.safetensors"), name);
  return {
    model: file("model.onnx"),
    tensors,
    settings: JSON.parse(file("case.json").toString()),
    with: (prefix) =>
      new Map(
        [...tensors].flatMap(([key, tensor]) =>
          key.startsWith(prefix) ? [[key.slice(prefix.length), tensor]] : [],
        ),
      ),
  };
}

/** ‖a - b‖ / ‖b‖. */
export function relativeError(a: Tensor, b: Tensor): number {
  const [x, y] = [a.toNumbers(), b.toNumbers()];
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < y.length; i++) {
    difference += (x[i]! - y[i]!) ** 2;
    norm += y[i]! ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), 1e-12);
}
