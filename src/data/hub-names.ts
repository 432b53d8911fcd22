// How files of the Hugging Face hub are named.

import { ArborizeError } from "../base/errors.ts";

/** What stands before the name of a repository. */
const PREFIX = "hf:";

/** Where a file lies on the hub. */
export interface HubFile {
  /** `OWNER/NAME`. */
  readonly repo: string;
  readonly revision: string;
  readonly path: string;
}

/** Whether `source` names a file of the hub. */
export function isHubFile(source: string): boolean {
  return source.startsWith(PREFIX);
}

/** Reads `hf:OWNER/NAME`, with `@REVISION` and `:FILE` behind where they are not `main` and `model.safetensors`. @throws `bad_option` */
export function parseHubFile(source: string): HubFile {
  const found = /^hf:([\w.-]+\/[\w.-]+)(?:@([^:]+?))?(?::(.+))?$/.exec(source);
  if (!found) {
    throw new ArborizeError(
      "bad_option",
      `"${source}" names no file of the Hugging Face hub, wanted hf:OWNER/NAME, hf:OWNER/NAME@REVISION or hf:OWNER/NAME@REVISION:FILE.`,
    );
  }
  const [, repo, revision = "main", path = "model.safetensors"] = found;
  return { repo: repo!, revision, path };
}
