// Downloads: several mirrors in turn, a watch on silence, and nothing accepted before it has been checked.

import { ArborizeError } from "../base/errors.ts";

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
  /** Checks what arrived and makes of it what the caller needs; an `ArborizeError` rejects this mirror. */
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

/** A mirror did not deliver; `message` says why. */
class MirrorFailure extends Error {}

/**
 * Downloads from the first of `urls` that delivers something acceptable.
 *
 * @throws `download_failed` when none could be reached or `signal` aborts (its reason is then the `cause`);
 * `bad_file` when at least one delivered, but nothing acceptable. Errors of callbacks pass through.
 */
export async function download<T>(urls: readonly string[], options: DownloadOptions<T>): Promise<T> {
  const failures: string[] = [];
  let delivered = false;
  for (const url of urls) {
    try {
      const bytes = await fetchBytes(url, options);
      delivered = true;
      return options.accept(bytes, url);
    } catch (error) {
      if (options.signal?.aborted) {
        const message = `The download of "${options.file}" was cancelled. ${options.wayOut}`;
        throw new ArborizeError("download_failed", message, { cause: options.signal.reason });
      }
      if (!(error instanceof MirrorFailure || error instanceof ArborizeError)) throw error;
      failures.push(error instanceof MirrorFailure ? `${url}: ${error.message}` : error.message);
    }
  }
  const message = `Cannot download "${options.file}": ${failures.join("; ")}. ${options.wayOut}`;
  throw new ArborizeError(delivered ? "bad_file" : "download_failed", message);
}

async function fetchBytes(url: string, options: DownloadOptions<unknown>): Promise<Uint8Array> {
  const { file, signal, onProgress, timeout = 30_000, limit = 2 ** 28 } = options;
  const silence = new AbortController();
  const silent = () => silence.abort(new MirrorFailure(`nothing arrived for ${timeout / 1000} s`));
  const cancel = () => silence.abort(signal?.reason);
  signal?.addEventListener("abort", cancel, { once: true });
  if (signal?.aborted) cancel();
  let timer = setTimeout(silent, timeout);
  try {
    const response = await mirror(fetch(url, { signal: silence.signal }), silence.signal);
    if (!response.ok) throw new MirrorFailure(`HTTP ${response.status} ${response.statusText}`.trim());
    // With a content encoding, the length is that of other bytes than those that we see.
    const plain = !response.headers.get("content-encoding");
    const total = (plain && Number(response.headers.get("content-length"))) || undefined;
    const chunks: Uint8Array[] = [];
    let received = 0;
    onProgress?.({ file, received, total });
    const reader = response.body?.getReader();
    while (reader !== undefined) {
      const part = await mirror(reader.read(), silence.signal);
      if (part.value === undefined) break;
      clearTimeout(timer);
      timer = setTimeout(silent, timeout);
      chunks.push(part.value);
      received += part.value.length;
      if (received > limit) throw new MirrorFailure(`more than ${limit} bytes`);
      onProgress?.({ file, received, total });
    }
    if (total !== undefined && received !== total) {
      throw new MirrorFailure(`cut short, ${received} of ${total} bytes arrived`);
    }
    return new Uint8Array(Buffer.concat(chunks));
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
