// What tells nodes and constants apart from others.

import type { Tensor } from "../base/tensor.ts";

/** A text that tells a node apart from all that differ from it in operator, inputs or attributes. */
export function nodeKey(
  { domain, type }: { readonly domain: string; readonly type: string },
  inputs: readonly ({ readonly name: string } | null)[],
  attributes: object,
): string {
  return JSON.stringify([domain, type, inputs.map((input) => input?.name), attributes], distinct);
}

/** JSON, and what it has no word for: elements of int64 tensors, infinities, NaN and minus zero. */
function distinct(_: string, value: unknown): unknown {
  const special = typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0));
  if (special) return Object.is(value, -0) ? "-0" : `${value}`;
  return typeof value === "bigint" ? `${value}n` : value;
}

/** Values of tensors, found again by equal ones: of one type and shape, with the same bits. */
export class TensorMap<Value> {
  readonly #entries = new Map<string, { readonly tensor: Tensor; readonly value: Value }[]>();

  get(tensor: Tensor): Value | undefined {
    return this.#entries.get(summary(tensor))?.find((entry) => sameBytes(entry.tensor, tensor))?.value;
  }

  set(tensor: Tensor, value: Value): void {
    const key = summary(tensor);
    this.#entries.set(key, [...(this.#entries.get(key) ?? []), { tensor, value }]);
  }
}

/** A tensor's type, shape and a hash of its bits: few different tensors share one. */
function summary(tensor: Tensor): string {
  let hash = 0x811c9dc5;
  for (const part of partsOf(tensor)) hash = Math.imul(hash ^ part ^ (hash >>> 15), 0x01000193);
  return `${tensor} ${hash}`;
}

function sameBytes(a: Tensor, b: Tensor): boolean {
  const others = partsOf(b);
  return partsOf(a).every((part, i) => part === others[i]);
}

/** The bits of a tensor, as words where it has whole ones. */
function partsOf({ data }: Tensor): Uint32Array | Uint8Array {
  const { buffer, byteOffset, byteLength } = data;
  return byteOffset % 4 === 0 && byteLength % 4 === 0
    ? new Uint32Array(buffer, byteOffset, byteLength / 4)
    : new Uint8Array(buffer, byteOffset, byteLength);
}
