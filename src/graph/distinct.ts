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

/** Values made of tensors, one for all that are equal: of one type and shape, with the same bits. */
export class TensorMap<Value> {
  readonly #entries = new Map<string, { readonly tensor: Tensor; readonly value: Value }[]>();

  /** What has been made of such a tensor, or is made of it now. */
  of(tensor: Tensor, make: () => Value): Value {
    const key = summary(tensor);
    const alike = this.#entries.get(key) ?? [];
    const known = alike.find((entry) => sameBits(entry.tensor, tensor));
    if (known) return known.value;
    const value = make();
    this.#entries.set(key, [...alike, { tensor, value }]);
    return value;
  }
}

/** A tensor's type, shape and a hash of its bits: few different tensors share one. */
function summary(tensor: Tensor): string {
  let hash = 0x811c9dc5;
  for (const part of tensor.bits()) hash = Math.imul(hash ^ part ^ (hash >>> 15), 0x01000193);
  return `${tensor} ${hash}`;
}

function sameBits(a: Tensor, b: Tensor): boolean {
  const [bits, others] = [a.bits(), b.bits()];
  return bits.length === others.length && bits.every((part, i) => part === others[i]);
}
