// Data sets in files that are found in a folder or downloaded once, and always checked.

import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { ArborizeError } from "../base/errors.ts";
import { type DownloadProgress, download } from "./download.ts";
import { exists, readFileBytes, writeFileAtomic } from "./files.ts";
import { isGzip, unpack } from "./idx.ts";
import { checkNames } from "./options.ts";

/** One file of a data set. */
export interface SourceFile {
  /** Its name without `.gz`. */
  readonly name: string;
  /** The SHA-256 of its unpacked content. Default: not checked. */
  readonly sha256?: string;
  /** What mirrors call it. Default: its name with `.gz`. */
  readonly remote?: string;
}

/** A data set: where its files lie. */
export interface Source {
  readonly title: string;
  /** The folder that holds the files, inside ARBORIZE_DATA and the cache. */
  readonly folder: string;
  /** Where the files can be downloaded from, tried in this order. None: from an archive. */
  readonly mirrors: readonly string[];
  readonly files: readonly SourceFile[];
  /** Where people get the files by hand, where that is not from the mirrors. */
  readonly home?: string;
}

/** Where a data set finds its files. */
export interface SourceOptions {
  /**
   * The folder that has the files, packed (`.gz`) or not, itself or in a subfolder called like the data set, such as
   * `mnist`. Default: the environment variable ARBORIZE_DATA. Nothing is ever downloaded into it.
   */
  folder?: string | undefined;
  /**
   * Without a folder: the files are downloaded once into a subfolder of this one. Default: `arborize` in
   * XDG_CACHE_HOME or `~/.cache`, on Windows in %LOCALAPPDATA%.
   */
  cache?: string | undefined;
  /** Cancels a download. */
  signal?: AbortSignal | undefined;
  /** Called as a download goes on; not at all when every file is there. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** How the content of a file is read. */
export interface Reading<T> {
  /** Reads the unpacked content; `name` is what errors call it. @throws `bad_file` for what is of another format. */
  readonly read: (content: Uint8Array, name: string) => T;
  /** Says whose file a checksum is, where it is a known one. */
  readonly whose?: (sha256: string) => string;
  /** Milliseconds of silence after which a mirror is given up. */
  readonly timeout?: number | undefined;
}

/** Reads one file of a data set, from the folder given, or from the cache, into which it may first be downloaded. */
export async function loadFile<T>(
  source: Source,
  file: SourceFile,
  options: SourceOptions,
  reading: Reading<T>,
): Promise<T> {
  checkSourceOptions(source, options);
  const folder = givenFolder(options);
  return folder === undefined
    ? cached(source, file, options, reading)
    : local(source, file, folder, options, reading);
}

/** @throws `bad_option` for an option that there is not. */
export function checkSourceOptions({ title }: Source, options: SourceOptions): void {
  checkNames(title, options, ["folder", "cache", "signal", "onProgress"]);
}

/** The folder that the caller or ARBORIZE_DATA names. */
export function givenFolder({ folder }: SourceOptions): string | undefined {
  return folder ?? (process.env.ARBORIZE_DATA || undefined);
}

/** The folder that downloads of all data sets go to when the caller names none. */
export function defaultCache(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): string {
  if (platform === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "arborize");
  // The XDG specification asks to ignore relative paths.
  const xdg = env.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), ".cache"), "arborize");
}

async function local<T>(
  source: Source,
  file: SourceFile,
  folder: string,
  options: SourceOptions,
  reading: Reading<T>,
): Promise<T> {
  const path = await find(file, [join(folder, source.folder), folder]);
  if (path !== undefined) return parse(source, file, await readFileBytes(path), path, reading);
  const named = options.folder === undefined ? "ARBORIZE_DATA" : "folder";
  const wanted = `"${file.name}.gz" (or unpacked, without .gz) is neither in "${folder}" (${named})`;
  const wayOut = `${byHand(source)} into it, or leave ${named} unset to have them downloaded.`;
  throw new ArborizeError(
    "bad_file",
    `${source.title}: ${wanted} nor in its subfolder "${source.folder}". ${wayOut}`,
  );
}

async function cached<T>(
  source: Source,
  file: SourceFile,
  { cache = defaultCache(), signal, onProgress }: SourceOptions,
  reading: Reading<T>,
): Promise<T> {
  const folder = join(cache, source.folder);
  const path = await find(file, [folder]);
  if (path !== undefined) {
    try {
      return parse(source, file, await readFileBytes(path), path, reading);
    } catch {
      // The cache is ours to mend: a good download replaces the damaged file.
    }
  }
  const remote = remoteName(file);
  const { bytes, result } = await download(
    source.mirrors.map((mirror) => `${mirror}${remote}`),
    {
      file: remote,
      accept: (bytes, url) => ({ bytes, result: parse(source, file, bytes, url, reading) }),
      wayOut: `${byHand(source)} into a folder of yours and pass it as folder, or in ARBORIZE_DATA.`,
      signal,
      onProgress,
      timeout: reading.timeout,
    },
  );
  // Some servers say that the packing is an encoding of the transfer, and fetch then undoes it.
  const target = join(folder, isGzip(bytes) ? `${file.name}.gz` : file.name);
  try {
    await writeFileAtomic(target, bytes);
  } catch (error) {
    const { message } = error as Error;
    throw new ArborizeError("write_failed", `${message} Or pass another folder as cache.`, { cause: error });
  }
  return result;
}

/** The first file of that name, packed or not, in `folders`. */
async function find(file: SourceFile, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    for (const name of [`${file.name}.gz`, file.name]) {
      if (await exists(join(folder, name))) return join(folder, name);
    }
  }
  return undefined;
}

/** What `bytes`, which came from `origin`, hold, if they are really `file`'s. */
function parse<T>(
  source: Source,
  file: SourceFile,
  bytes: Uint8Array,
  origin: string,
  { read, whose }: Reading<T>,
): T {
  const content = unpack(bytes, origin);
  const found = createHash("sha256").update(content).digest("hex");
  // Also where it is another: what is of another format, such as a server's login page, gets the more telling error.
  const result = read(content, origin);
  if (found === (file.sha256 ?? found)) return result;
  const problem = `its unpacked content has SHA-256 ${found}, wanted ${file.sha256}${whose?.(found) ?? ""}`;
  throw new ArborizeError(
    "bad_file",
    `"${origin}" is not ${source.title}'s "${file.name}": ${problem}. Delete it and ${byHand(source, "get")}.`,
  );
}

function byHand({ files, home, mirrors }: Source, verb = "Get"): string {
  return `${verb} ${files.map(remoteName).join(", ")} from ${home ?? mirrors.join(" or ")}`;
}

function remoteName(file: SourceFile): string {
  return file.remote ?? `${file.name}.gz`;
}
