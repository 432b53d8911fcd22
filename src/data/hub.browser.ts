// What `hub.ts` does in a browser, which keeps what it has fetched by itself.

import { readFileBytes } from "./files.browser.ts";
import { parseHubFile } from "./hub-names.ts";

/** The bytes of a file of the hub. @throws `bad_option`, `bad_file` */
export function readHubFile(source: string): Promise<Uint8Array> {
  const { repo, revision, path } = parseHubFile(source);
  return readFileBytes(`https://huggingface.co/${repo}/resolve/${revision}/${path}`);
}
