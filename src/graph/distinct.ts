/** Plain data as a text that tells apart all that differ: JSON, and what JSON has no word for. */
export function distinctText(value: unknown): string {
  return JSON.stringify(value, distinct);
}

/** Elements of int64 tensors, infinities, NaN and minus zero. */
function distinct(_: string, value: unknown): unknown {
  const special = typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0));
  if (special) return Object.is(value, -0) ? "-0" : `${value}`;
  return typeof value === "bigint" ? `${value}n` : value;
}
