// What `run-folder.ts` does in a browser, which has no folders.

import { ArborizeError } from "../base/errors.ts";

/** Says what to do instead. */
export class RunFolder {
  /** @throws `bad_option`, always. */
  constructor(path: string) {
    throw new ArborizeError(
      "bad_option",
      `There is no folder for a run, "${path}", in a browser: leave runFolder out, and keep what onEpoch, toCheckpoint() and toOnnx() give.`,
    );
  }
}
