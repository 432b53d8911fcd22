// The one error class of the library. Imported by everybody, imports nothing.

/** What went wrong, for programs; `ArborizeError.message` says it for people. */
export type ErrorCode =
  | "shape_mismatch"
  | "dtype_mismatch"
  | "unknown_operator"
  | "unsupported_attribute"
  | "not_differentiable"
  | "invalid_graph"
  | "missing_input"
  | "bad_file"
  | "bad_option"
  | "bad_data"
  | "not_a_number"
  | "write_failed"
  | "download_failed"
  | "tracker_failed"
  | "runtime_failed"
  | "internal";

/**
 * Every error that Arborize throws. The message names the thing, what was found, what was wanted and
 * the way out; `code` is stable and machine-readable.
 */
export class ArborizeError extends Error {
  override readonly name = "ArborizeError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Throws `internal` unless `condition` holds: a bug of ours, never the user's fault. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new ArborizeError("internal", `${message} (a bug in Arborize: please report it)`);
}

/** A `did you mean "x"?` suffix naming the closest of `candidates`, or nothing when none is close. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best === undefined ? "" : ` Did you mean "${best}"?`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
