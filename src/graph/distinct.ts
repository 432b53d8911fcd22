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
