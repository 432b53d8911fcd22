// Calls of a tracker's server, which may be away.

import { ArborizeError } from "../../base/errors.ts";

/** A server that takes and gives JSON. */
export interface Server {
  /** Whose it is, for messages. */
  readonly title: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer: its JSON, or what it refuses. */
export type Answer = { readonly ok: true; readonly json: unknown } | Refusal;

/** A request that the server understood and does not do. */
export interface Refusal {
  readonly ok: false;
  readonly status: number;
  readonly text: string;
}

/** Milliseconds to wait before the second and the third try. */
const PAUSES = [250, 1000];
const LONGEST = 10_000;

/**
 * One call, tried three times where the server is away or busy.
 *
 * @param body what is posted; without one it is a GET.
 * @throws `tracker_failed` where it stays away.
 */
export async function call(server: Server, path: string, body?: object): Promise<Answer> {
  let problem = "";
  for (const pause of [0, ...PAUSES]) {
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    try {
      const response = await fetch(`${server.url}/${path}`, {
        headers: { "content-type": "application/json", ...server.headers },
        ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(LONGEST),
      });
      const text = await response.text();
      if (response.ok) return { ok: true, json: text === "" ? {} : JSON.parse(text) };
      const busy = response.status >= 500 || response.status === 408 || response.status === 429;
      if (!busy) return { ok: false, status: response.status, text: text.slice(0, 300) };
      problem = `answers ${response.status}`;
    } catch (error) {
      problem = `cannot be reached (${reasonOf(error as Error)})`;
    }
  }
  throw new ArborizeError(
    "tracker_failed",
    `${server.title} at ${server.url} ${problem}; it is tried again after each epoch.`,
  );
}

function reasonOf(error: Error): string {
  const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException;
  return typeof code === "string" ? code : message;
}
