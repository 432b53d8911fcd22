// Files on disk: read whole, or written beside and renamed, so that a file is always either the old one or
// the new one, never half of either.

import { createHash, randomBytes } from "node:crypto";
import { closeSync, constants, createReadStream, openSync, readSync, statSync } from "node:fs";
import {
  appendFile,
  chmod,
  type FileHandle,
  mkdir,
  open,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { ArborizeError } from "../base/errors.ts";

/**
 * Writes `data` (a string as UTF-8) to `path` as one step: readers see the old file or the whole new one,
 * also when the process or the machine dies half-way. Missing parent folders are created; a symbolic link
 * keeps pointing at its target, which is replaced; a device or a pipe is written to directly.
 *
 * @throws `write_failed` when it cannot be written. Whatever was at `path` before is then untouched, and
 * nothing is left beside it.
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  let temporary: string | undefined;
  try {
    await makeFolder(dirname(resolve(path)));
    const before = await stat(path).catch(() => undefined);
    if (before?.isDirectory()) throw Object.assign(new Error("a folder"), { code: "EISDIR" });
    // A rename would replace /dev/stdout or a named pipe by a plain file.
    if (before !== undefined && !before.isFile()) return await writeFile(path, data);
    const target = before === undefined ? resolve(path) : await realpath(path);
    // The name is cut so that a long one does not grow past what the file system takes.
    const name = `.${basename(target).slice(0, 60)}.${process.pid}-${randomBytes(6).toString("hex")}.tmp`;
    temporary = join(dirname(target), name);
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    if (before !== undefined) await chmod(temporary, before.mode & 0o7777);
    await rename(temporary, target);
    await syncFolder(dirname(target));
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => undefined);
    throw new ArborizeError("write_failed", writeFailure(path, error), { cause: error });
  }
}

/** Writes `data` behind what `path` holds. Half of it may be written when this fails or dies. @throws `write_failed` */
export async function appendToFile(path: string, data: Uint8Array): Promise<void> {
  await writing(path, async () => {
    await makeFolder(dirname(resolve(path)));
    await appendFile(path, data);
  });
}

/** What `work`, which adds to the file at `path`, gives. @throws `write_failed` */
async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = writeFailure(path, error, "What was in it before is untouched.");
    throw new ArborizeError("write_failed", message, { cause: error });
  }
}

/** A file that comes in pieces: it grows as `path.part` and is moved to `path` when it is whole. */
export class PartialFile {
  readonly #target: string;
  readonly #file: FileHandle;
  #size: number;

  private constructor(target: string, file: FileHandle, size: number) {
    this.#target = target;
    this.#file = file;
    this.#size = size;
  }

  /** Opens it, with what an earlier try left of it. @throws `write_failed` */
  static async open(target: string): Promise<PartialFile> {
    const path = `${target}.part`;
    return writing(path, async () => {
      await makeFolder(dirname(resolve(path)));
      // Neither emptied nor appended to: where two processes fetch one file, they write the same bytes to the same places.
      const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o666);
      return new PartialFile(target, file, (await file.stat()).size);
    });
  }

  /** Where it grows. */
  get path(): string {
    return `${this.#target}.part`;
  }

  /** How many bytes of it there are. */
  get size(): number {
    return this.#size;
  }

  /** Writes bytes from `at` on, which is then its end. @throws `write_failed` */
  async write(bytes: Uint8Array, at: number): Promise<void> {
    await writing(this.path, async () => {
      for (let done = 0; done < bytes.length; ) {
        done += (await this.#file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
      }
    });
    this.#size = at + bytes.length;
  }

  /** Forgets what lies behind `size` bytes. @throws `write_failed` */
  async cut(size: number): Promise<void> {
    await writing(this.path, () => this.#file.truncate(size));
    this.#size = size;
  }

  /** Moves it to its place. @throws `write_failed` */
  async finish(): Promise<void> {
    await writing(this.#target, async () => {
      await this.#file.sync();
      await this.#file.close();
      await rename(this.path, this.#target);
      await syncFolder(dirname(this.#target));
    });
  }

  /** Leaves what there is for another try; an empty file goes. */
  async close(): Promise<void> {
    await this.#file.close();
    if (this.#size === 0) await rm(this.path, { force: true });
  }
}

/** The SHA-256, MD5 or other digest of the file at `path`, in hexadecimal digits, read in pieces. */
export async function digestOf(path: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/**
 * The bytes of the file at `path`.
 *
 * @throws `bad_file` when it is missing, a folder, unreadable, or larger than 2 GiB.
 */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  try {
    const buffer = await readFile(path);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (error) {
    throw new ArborizeError("bad_file", await readFailure(path, error), { cause: error });
  }
}

/**
 * `length` bytes from `offset` on of the file called `name` in the folder of the file at `beside`.
 *
 * @throws `bad_file` when it is no file, unreadable, or ends before.
 */
export function readBeside(beside: string, name: string, offset: number, length: number): Uint8Array {
  const path = join(dirname(beside), name);
  const fail = (problem: string, cause?: unknown): never => {
    throw new ArborizeError("bad_file", `Cannot read "${path}": ${problem}.`, { cause });
  };
  const bytes = (): Uint8Array => {
    const found = statSync(path);
    if (!found.isFile()) return fail("it is not a file");
    if (found.size < offset + length) {
      return fail(`it has ${found.size} bytes, ${length} from ${offset} on were expected`);
    }
    const buffer = new Uint8Array(length);
    const file = openSync(path, "r");
    try {
      // One call may give less than was asked for.
      for (let done = 0; done < length; ) {
        const read = readSync(file, buffer, done, length - done, offset + done);
        if (read === 0) return fail(`it ended after ${done} of ${length} bytes`);
        done += read;
      }
    } finally {
      closeSync(file);
    }
    return buffer;
  };
  try {
    return bytes();
  } catch (error) {
    if (error instanceof ArborizeError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    return fail(code === "ENOENT" ? "no such file" : message, error);
  }
}

/** Whether something (a file, a folder) is at `path`. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Like mkdir's `recursive`, which never ends where the system refuses with ENOENT, as in /proc (Node 20). */
async function makeFolder(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => undefined))?.isDirectory()) return;
  const parent = dirname(folder);
  if (parent !== folder) await makeFolder(parent);
  await mkdir(folder).catch(async (error) => {
    // Somebody else may have made it meanwhile.
    if (!(await stat(folder).catch(() => undefined))?.isDirectory()) throw error;
  });
}

/** Makes the rename itself survive a power cut, where folders can be synced: not on Windows, so no must. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // The new file is in place and complete either way.
  }
}

/** Per system error: the reason in plain words, and the way out. */
const WRITE_FAILURES: Readonly<Record<string, readonly [reason: string, wayOut: string]>> = {
  ENOSPC: ["the disk is full", "Free some space or write to another disk."],
  EDQUOT: ["the disk quota is used up", "Free some space or write to another disk."],
  EFBIG: ["the file would be larger than allowed", "Raise the limit (ulimit -f) or write to another disk."],
  EACCES: ["permission denied", "Write to a folder that you own, or change its permissions."],
  EPERM: ["permission denied", "Write to a folder that you own, or close programs that hold the file open."],
  EROFS: ["the disk is read-only", "Write to another disk."],
  ENOENT: ["its folder is missing and cannot be created", "Create the folder or correct the path."],
  ENOTDIR: ["a part of its path is a file, not a folder", "Correct the path."],
  EEXIST: ["a part of its path is a file, not a folder", "Correct the path."],
  EISDIR: ["it is a folder", "Give the path of a file, such as one inside that folder."],
  ENAMETOOLONG: ["its name is too long", "Give a shorter name."],
  EBUSY: ["another program holds it open", "Close that program or write elsewhere."],
  EMFILE: ["too many files are open", "Close some, or raise the limit (ulimit -n)."],
  EIO: ["the disk reports an error", "Check the disk, or write to another one."],
};

/** Why `path` could not be written, for people. Exported for its test alone. */
export function writeFailure(
  path: string,
  error: unknown,
  before = "A file that was there before is untouched.",
): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const [reason, wayOut] = WRITE_FAILURES[code ?? ""] ?? [message, "Check the path and the disk."];
  const known = code !== undefined && code in WRITE_FAILURES ? ` (${code})` : "";
  return `Cannot write "${path}": ${reason}${known}. ${before} ${wayOut}`;
}

async function readFailure(path: string, error: unknown): Promise<string> {
  const { code, message } = error as NodeJS.ErrnoException;
  const start = `Cannot read "${path}"`;
  switch (code) {
    case "ENOENT": {
      const folder = dirname(resolve(path));
      const missing = (await exists(folder)) ? "no such file" : `its folder "${folder}" does not exist`;
      return `${start}: ${missing}. Check the path; a relative one starts at "${process.cwd()}".`;
    }
    case "ENOTDIR":
      return `${start}: a part of its path is a file, not a folder. Correct the path.`;
    case "EISDIR":
      return `${start}: it is a folder. Give the path of a file inside it.`;
    case "EACCES":
    case "EPERM":
      return `${start}: permission denied (${code}). Change the file's permissions or use a copy that you own.`;
    case "ERR_FS_FILE_TOO_LARGE":
      return `${start}: it is larger than 2 GiB, the most that is read in one piece. Split it.`;
    default:
      return `${start}: ${message}.`;
  }
}
