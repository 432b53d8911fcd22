// What `files.ts` does where there are no files: reading is fetching, and writing is left to the page.

import { ArborizeError } from "../base/errors.ts";

/**
 * The bytes at an address, relative to the page's.
 *
 * @throws `bad_file` when there is nothing, or it cannot be had.
 */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  const fail = (problem: string, cause?: unknown) =>
    new ArborizeError(
      "bad_file",
      `Cannot fetch "${path}": ${problem}. Check the address; a relative one starts at the page's. Files that a user chooses are read by their arrayBuffer().`,
      { cause },
    );
  const response = await fetch(path).catch((error) => {
    throw fail((error as Error).message, error);
  });
  if (!response.ok) throw fail(`the server says ${response.status} ${response.statusText}`.trimEnd());
  return new Uint8Array(await response.arrayBuffer());
}

/** @throws `write_failed`, always. */
export async function writeFileAtomic(path: string): Promise<void> {
  throw new ArborizeError(
    "write_failed",
    `Cannot write "${path}": there are no files in a browser. toOnnx() and toCheckpoint() give the bytes, for a download or the browser's storage.`,
  );
}

/** @throws `bad_file`, always: it could only be had by waiting. */
export function readBeside(beside: string, name: string): Uint8Array {
  throw new ArborizeError(
    "bad_file",
    `"${beside}" has weights in another file, "${name}", which is not read in a browser: save the model as one file (onnx.save with save_as_external_data=False).`,
  );
}
