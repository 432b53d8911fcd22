// Downloads: several mirrors in turn, a watch on silence, and nothing accepted before it has been checked.

import { ArborizeError } from "../base/errors.ts";
import { PartialFile } from "./files.ts";

/** How far a download is. */
export interface DownloadProgress {
  /** The file's name. */
  readonly file: string;
  /** Bytes that have arrived. */
  readonly received: number;
  /** Bytes that will arrive, where the server says. */
  readonly total: number | undefined;
}

/** How `download` goes about it. */
export interface DownloadOptions<T> {
  /** The file's name, for progress and errors. */
  file: string;
  /** Checks what arrived and makes of it what the caller needs; a `bad_file` rejects this mirror. */
  accept: (bytes: Uint8Array, url: string) => T;
  /** How to do without the download: the end of the error. */
  wayOut: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Milliseconds of silence after which a mirror is given up. Default 30,000. */
  timeout?: number | undefined;
  /** Bytes after which a mirror is given up, so that none can fill the memory. Default 256 MiB. */
  limit?: number;
}

/** How `downloadFile` goes about it. */
export interface DownloadFileOptions extends Omit<DownloadOptions<void>, "accept"> {
  /** Checks the file that arrived; a `bad_file` rejects this mirror. */
  check: (path: string, url: string) => Promise<void>;
}

/** A mirror did not deliver; `message` says why. */
class MirrorFailure extends Error {}

/**
 * Downloads from the first of `urls` that delivers something acceptable.
 *
 * @throws `download_failed` when none could be reached or `signal` aborts (its reason is then the `cause`);
 * `bad_file` when at least one delivered, but nothing acceptable. Errors of callbacks pass through.
 */
export function download<T>(urls: readonly string[], options: DownloadOptions<T>): Promise<T> {
  return fromFirst(urls, options, async (url) => {
    const chunks: Uint8Array[] = [];
    await receive(url, options, 0, async (chunk) => void chunks.push(chunk));
    return options.accept(new Uint8Array(Buffer.concat(chunks)), url);
  });
}

/** How often in a row one mirror is asked for a file, as long as each time something arrived. */
const TRIES = 5;

/**
 * Downloads a large file to `path`, piece by piece into `path.part`, which an interruption leaves: what has arrived is not
 * asked for again, by the next try or the next call. A file made of pieces that is not accepted is fetched anew as a whole.
 *
 * @throws as `download`; `write_failed`.
 */
export async function downloadFile(
  urls: readonly string[],
  path: string,
  options: DownloadFileOptions,
): Promise<void> {
  const part = await PartialFile.open(path);
  /** Whether it was accepted; where not, what was begun before may be to blame. */
  const attempt = async (url: string): Promise<boolean> => {
    const from = part.size;
    await part.cut(await receive(url, options, from, (chunk, at) => part.write(chunk, at)));
    try {
      await options.check(part.path, url);
    } catch (error) {
      await part.cut(0);
      if (from > 0 && isBadFile(error)) return false;
      throw error;
    }
    return true;
  };
  const wayOut = () => {
    const kept = part.size > 0 ? `The ${part.size} bytes that arrived are kept for another try. ` : "";
    return `${kept}${options.wayOut}`;
  };
  try {
    await fromFirst(urls, { ...options, wayOut }, async (url) => {
      for (let tries = 1; ; tries++) {
        const before = part.size;
        try {
          if (await attempt(url)) return;
        } catch (error) {
          const goesOn = error instanceof MirrorFailure && part.size > before && tries < TRIES;
          if (!goesOn || options.signal?.aborted) throw error;
        }
      }
    });
    await part.finish();
  } finally {
    await part.close();
  }
}

/** Whether the error says that a file is not what it should be. */
export function isBadFile(error: unknown): boolean {
  return error instanceof ArborizeError && error.code === "bad_file";
}

/** What the first of `urls` gives that neither fails as a mirror nor gives a bad file. */
async function fromFirst<T>(
  urls: readonly string[],
  options: { file: string; wayOut: string | (() => string); signal?: AbortSignal | undefined },
  attempt: (url: string) => Promise<T>,
): Promise<T> {
  const { file, signal, wayOut } = options;
  const end = () => (typeof wayOut === "string" ? wayOut : wayOut());
  const failures: string[] = [];
  let delivered = false;
  for (const url of urls) {
    try {
      return await attempt(url);
    } catch (error) {
      if (signal?.aborted) {
        const message = `The download of "${file}" was cancelled. ${end()}`;
        throw new ArborizeError("download_failed", message, { cause: signal.reason });
      }
      if (!(error instanceof MirrorFailure || isBadFile(error))) throw error;
      delivered ||= isBadFile(error);
      const message = (error as Error).message.replace(/\.$/, "");
      failures.push(error instanceof MirrorFailure ? `${url}: ${message}` : message);
    }
  }
  const message = `Cannot download "${file}": ${failures.join("; ")}. ${end()}`;
  throw new ArborizeError(delivered ? "bad_file" : "download_failed", message);
}

/** Gives what `url` has from byte `from` on, or from the first where the server cannot do that. @returns its size */
async function receive(
  url: string,
  options: Omit<DownloadOptions<unknown>, "accept">,
  from: number,
  take: (chunk: Uint8Array, at: number) => Promise<void>,
): Promise<number> {
  const { file, signal, onProgress, timeout = 30_000, limit = 2 ** 28 } = options;
  const silence = new AbortController();
  const silent = () => silence.abort(new MirrorFailure(`nothing arrived for ${timeout / 1000} s`));
  const cancel = () => silence.abort(signal?.reason);
  signal?.addEventListener("abort", cancel, { once: true });
  if (signal?.aborted) cancel();
  let timer = setTimeout(silent, timeout);
  try {
    const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
    const response = await mirror(fetch(url, { headers, signal: silence.signal }), silence.signal);
    const range = response.headers.get("content-range") ?? "";
    // Nothing after what we have: either that is all, or it is of another file.
    if (response.status === 416 && from > 0) {
      return range === `bytes */${from}` ? from : await receive(url, options, 0, take);
    }
    if (!response.ok) throw new MirrorFailure(`HTTP ${response.status} ${response.statusText}`.trim());
    if (response.status === 206 && !range.startsWith(`bytes ${from}-`)) {
      throw new MirrorFailure(`it sent "${range}", asked for bytes from ${from} on`);
    }
    let received = response.status === 206 ? from : 0;
    // With a content encoding, the length is that of other bytes than those that we see.
    const plain = !response.headers.get("content-encoding");
    const length = (plain && Number(response.headers.get("content-length"))) || undefined;
    const total = length && received + length;
    onProgress?.({ file, received, total });
    const reader = response.body?.getReader();
    while (reader !== undefined) {
      const { value } = await mirror(reader.read(), silence.signal);
      if (value === undefined) break;
      clearTimeout(timer);
      timer = setTimeout(silent, timeout);
      if (received + value.length > limit) throw new MirrorFailure(`more than ${limit} bytes`);
      await take(value, received);
      received += value.length;
      onProgress?.({ file, received, total });
    }
    if (total !== undefined && received !== total) {
      throw new MirrorFailure(`cut short, ${received} of ${total} bytes arrived`);
    }
    return received;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
    silence.abort(); // ends the connection when we leave early
  }
}

/** `promise`, failing as a mirror's failure with a reason in plain words. */
async function mirror<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (signal.reason instanceof MirrorFailure) throw signal.reason;
    const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
    throw new MirrorFailure(REASONS[cause?.code ?? ""] ?? cause?.message ?? message, { cause: error });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "the host was not found (is there an internet connection?)",
  EAI_AGAIN: "the host could not be looked up (is there an internet connection?)",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was lost half-way",
  ENETUNREACH: "the network cannot be reached (is there an internet connection?)",
  EHOSTUNREACH: "the host cannot be reached",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_SOCKET: "the connection was lost half-way",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
};
