// Data sets that are published as one archive: downloaded once, checked, and kept as the files that are read.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import yauzl from "yauzl";
import { ArborizeError } from "../base/errors.ts";
import { downloadFile, isBadFile } from "./download.ts";
import { digestOf, exists, writeFileAtomic } from "./files.ts";
import { checkSourceOptions, defaultCache, type Source, type SourceOptions } from "./source.ts";

/** An archive on the net. */
export interface Archive {
  readonly urls: readonly string[];
  /** As it was published; the files made of it have none of their own. */
  readonly md5: string;
  /**
   * Makes files of the archive at `path`, which `name` is in errors: among them the source's, packed as `.gz`.
   *
   * @throws `bad_file` before the first of them when something is missing.
   */
  readonly unpack: (path: string, name: string) => AsyncIterable<ArchivedFile>;
}

/** A file from an archive: its path there, or the name that it shall have. */
export interface ArchivedFile {
  readonly path: string;
  readonly content: Uint8Array;
}

/** The most that an archive may have, so that no server can fill the disk. */
const LIMIT = 2 ** 30;

/**
 * The folder in the cache that has a source's files, made of an archive that is downloaded where they are not there yet. A
 * download that was interrupted goes on where it was; the archive goes when all of its files are there.
 *
 * @throws `download_failed`, `bad_file` for an archive with another checksum, `write_failed`.
 */
export async function unpackedArchive(
  source: Source,
  { urls, md5, unpack }: Archive,
  options: SourceOptions,
): Promise<string> {
  checkSourceOptions(source, options);
  const { title, folder, files, home } = source;
  const { cache = defaultCache(), signal, onProgress } = options;
  const target = join(cache, folder);
  const there = await Promise.all(files.map(({ name }) => exists(join(target, `${name}.gz`))));
  if (there.every(Boolean)) return target;
  const file = urls[0]!.split("/").at(-1)!;
  const path = join(target, file);
  // It has this name only after its checksum was right: all that was left to do is to unpack it.
  if (!(await exists(path))) {
    await downloadFile(urls, path, {
      file,
      check: async (arrived, url) => {
        const found = await digestOf(arrived, "md5");
        if (found === md5) return;
        throw new ArborizeError("bad_file", `"${url}" is not ${title}: it has MD5 ${found}, wanted ${md5}.`);
      },
      wayOut: `Get ${home ?? urls[0]} into a folder of yours and pass it as folder, or in ARBORIZE_DATA.`,
      limit: LIMIT,
      signal,
      onProgress,
    });
  }
  try {
    for await (const unpacked of unpack(path, urls[0]!)) {
      await writeFileAtomic(join(target, unpacked.path), unpacked.content);
    }
  } catch (error) {
    // Damaged since it was checked: the next call fetches it anew. A full disk is no reason for that.
    if (isBadFile(error)) await rm(path, { force: true });
    throw error;
  }
  await rm(path, { force: true });
  return target;
}

/**
 * The files called `names`, in whatever folders, of the zip archive at `path`, which `name` is in errors.
 *
 * @throws `bad_file` for what is no zip archive, or damaged, or lacks one of them.
 */
export async function* zipFiles(
  path: string,
  name: string,
  names: readonly string[],
): AsyncGenerator<ArchivedFile> {
  const zip = await reading(name, yauzl.openPromise(path, { autoClose: false }));
  try {
    const found = new Map<string, yauzl.Entry>();
    const entries = zip.eachEntry();
    for (let next = await reading(name, entries.next()); !next.done; ) {
      found.set(next.value.fileName.split("/").at(-1)!, next.value);
      next = await reading(name, entries.next());
    }
    const missing = names.filter((wanted) => !found.has(wanted));
    if (missing.length > 0) {
      throw new ArborizeError("bad_file", `"${name}" has no ${missing.join(", ")} in it.`);
    }
    for (const wanted of names) {
      const content = zip.openReadStreamPromise(found.get(wanted)!).then(buffer);
      yield { path: wanted, content: await reading(name, content) };
    }
  } finally {
    zip.close();
  }
}

/** What the library for zip archives gives, its errors as ours. */
async function reading<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { message } = error as Error;
    throw new ArborizeError("bad_file", `"${name}" is no zip archive, or damaged: ${message}.`, {
      cause: error,
    });
  }
}

const BLOCK = 512;

/** The files in a tar archive. @throws `bad_file` for what is none, or cut short. */
export function* tarFiles(archive: Uint8Array, name: string): Generator<ArchivedFile> {
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
