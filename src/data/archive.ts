// Data sets that are published as one archive: downloaded once, checked, and kept as the files that are read.

import { createHash } from "node:crypto";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ArborizeError } from "../base/errors.ts";
import { download } from "./download.ts";
import { exists, writeFileAtomic } from "./files.ts";
import { defaultCache, type Source, type SourceOptions } from "./source.ts";

/** An archive on the net. */
export interface Archive {
  readonly urls: readonly string[];
  /** As it was published; the files made of it have none of their own. */
  readonly md5: string;
  /** Makes the source's files of it, as many as the source names and in its order. @throws `bad_file` */
  readonly unpack: (archive: Uint8Array, name: string) => readonly Uint8Array[];
}

/**
 * The folder in the cache that has a source's files, made of an archive that is downloaded where they are not there yet.
 *
 * @throws `download_failed`, `bad_file` for an archive with another checksum, `write_failed`.
 */
export async function unpackedArchive(
  { title, folder, files, home }: Source,
  { urls, md5, unpack }: Archive,
  { cache = defaultCache(), signal, onProgress }: SourceOptions,
): Promise<string> {
  const target = join(cache, folder);
  const paths = files.map(({ name }) => join(target, `${name}.gz`));
  const there = await Promise.all(paths.map(exists));
  if (there.every(Boolean)) return target;
  const unpacked = await download(urls, {
    file: urls[0]!.split("/").at(-1)!,
    accept: (bytes, url) => {
      const found = createHash("md5").update(bytes).digest("hex");
      if (found === md5) return unpack(bytes, url);
      throw new ArborizeError("bad_file", `"${url}" is not ${title}: it has MD5 ${found}, wanted ${md5}.`);
    },
    wayOut: `Get ${home ?? urls[0]} into a folder of yours and pass it as folder, or in ARBORIZE_DATA.`,
    signal,
    onProgress,
  });
  for (const [i, content] of unpacked.entries()) await writeFileAtomic(paths[i]!, gzipSync(content));
  return target;
}

const BLOCK = 512;

/** The files in a tar archive. @throws `bad_file` for what is none, or cut short. */
export function* tarFiles(
  archive: Uint8Array,
  name: string,
): Generator<{ path: string; content: Uint8Array }> {
  const text = (at: number, length: number) => {
    const field = archive.subarray(at, at + length);
    const end = field.indexOf(0);
    return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
  };
  let at = 0;
  while (at + BLOCK <= archive.length && archive[at] !== 0) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    const next = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (text(at + 257, 5) !== "ustar" || !(next <= archive.length)) {
      throw new ArborizeError("bad_file", `"${name}" is no tar archive, or cut short: at byte ${at}.`);
    }
    const prefix = text(at + 345, 155);
    const path = `${prefix === "" ? "" : `${prefix}/`}${text(at, 100)}`;
    const kind = text(at + 156, 1);
    if (kind === "0" || kind === "") yield { path, content: archive.subarray(at + BLOCK, at + BLOCK + size) };
    at = next;
  }
}
