// Files of the Hugging Face hub, by its own client, which users install where they want it.

import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { basename } from "node:path";
import { ArborizeError } from "../base/errors.ts";
import { readFileBytes } from "./files.ts";
import { parseHubFile } from "./hub-names.ts";

/**
 * The bytes of a file of the hub. It is downloaded once, into the cache that all of Hugging Face's programs share, and a file of
 * large-file storage is checked against the SHA-256 that the hub says. HF_ENDPOINT names another hub than huggingface.co.
 *
 * @throws `bad_option` where the client is not installed or the name is none, `download_failed` where the hub has no such file or
 *   cannot be reached, `bad_file` where what is in the cache is not the hub's.
 */
export async function readHubFile(source: string): Promise<Uint8Array> {
  const { repo, revision, path } = parseHubFile(source);
  const { downloadFileToCacheDir } = await client();
  const hubUrl = process.env.HF_ENDPOINT || undefined;
  let pointer: string;
  try {
    pointer = await downloadFileToCacheDir({ repo, revision, path, ...(hubUrl ? { hubUrl } : {}) });
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error };
    const why = cause?.message ? `${message}: ${cause.message}` : message;
    throw new ArborizeError(
      "download_failed",
      `Cannot get "${path}" of "${repo}" (${revision}) from the Hugging Face hub: ${why}. Look whether it has that file, or download it by hand and name its path.`,
      { cause: error },
    );
  }
  const bytes = await readFileBytes(pointer);
  // The cache names what came from large-file storage by its SHA-256.
  const blob = await realpath(pointer);
  const wanted = basename(blob);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (!/^[0-9a-f]{64}$/.test(wanted) || wanted === found) return bytes;
  throw new ArborizeError(
    "bad_file",
    `"${blob}" is not "${path}" of "${repo}": it has SHA-256 ${found}. Delete it, and it is downloaded again.`,
  );
}

async function client() {
  try {
    return await import("@huggingface/hub");
  } catch (error) {
    throw new ArborizeError(
      "bad_option",
      "Files of the Hugging Face hub need its client: npm install @huggingface/hub. Or download the file and name its path.",
      { cause: error },
    );
  }
}
