// The server of the live page: this machine alone, reading alone.

import { readFileSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import { basename, dirname, extname, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { ArborizeError } from "../../base/errors.ts";
import { readFileBytes } from "../../data/files.ts";
import { RunFolder } from "../../train/run-folder.ts";
import { colorSheet } from "./colors.ts";
import { versionOf, viewRun } from "./view.ts";

const HOST = "127.0.0.1";
/** The ports that are tried where none is named, so that a page finds a server again that was started anew. */
const PORTS = [4477, 4478, 4479, 4480, 4481, 4482, 0];
const POLL = 400;
/** Milliseconds that pages have to get the last state before the server ends. */
const GRACE = 500;
/** How many times as long as reading a run took it is left alone: the run may train in this process. */
const REST = 9;
/** Milliseconds that it is left alone at most. */
const LONGEST_REST = 5000;
/** Milliseconds after which a page looks for a server that is gone. */
const RETRY = 1000;
/** Milliseconds after which a stream says something, so that a dead one is noticed. */
const HEARTBEAT = 15_000;

/** The page's own files lie beside the sources, for a build as well. */
const own = (name: string) => new URL(`../../../src/cli/watch/page/${name}`, import.meta.url);
const font = (weight: string) => new URL(`../../../src/report/fonts/Inter-${weight}.otf`, import.meta.url);
const foreign = createRequire(import.meta.url);

const FILES: Readonly<Record<string, () => string | URL>> = {
  "/": () => own("index.html"),
  "/client.js": () => own("client.js"),
  "/charts.js": () => own("charts.js"),
  "/curves.js": () => own("curves.js"),
  "/dom.js": () => own("dom.js"),
  "/icon.svg": () => own("icon.svg"),
  "/modules.js": () => own("modules.js"),
  "/parts.js": () => own("parts.js"),
  "/regular.otf": () => font("Regular"),
  "/semibold.otf": () => font("SemiBold"),
  "/style.css": () => own("style.css"),
  "/uplot.js": () => foreign.resolve("uplot/dist/uPlot.esm.js"),
  "/uplot.css": () => foreign.resolve("uplot/dist/uPlot.min.css"),
};

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".otf": "font/otf",
};

/** What of a run's folder the page links to. */
const LINKED = ["report", "chart"] as const;

/** A server that runs. */
export interface Watch {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the page of runs on 127.0.0.1.
 *
 * @param port 0 for any that is free; by default 4477 or one of the next that is.
 * @throws `bad_option` for a port that is taken.
 */
export async function serveRuns(paths: readonly string[], port?: number): Promise<Watch> {
  let hosts: readonly string[] = [];
  const streams: Streams = { open: 0, ending: false, costs: new Map() };
  const app = application(paths, () => hosts, streams);
  const server = await listen(app, port === undefined ? PORTS : [port]);
  const address = server.address() as { port: number };
  hosts = [`${HOST}:${address.port}`, `localhost:${address.port}`];
  return {
    url: `http://${HOST}:${address.port}/`,
    async close() {
      const watched = streams.open > 0;
      streams.ending = true;
      if (watched) await delay(POLL + GRACE);
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Pages that listen. */
interface Streams {
  open: number;
  /** Set once the server is about to end. */
  ending: boolean;
  /** Milliseconds that reading each run took the last time. */
  readonly costs: Map<string, number>;
}

async function listen(app: Hono, [port = 0, ...others]: readonly number[]): Promise<Server> {
  try {
    return await new Promise<Server>((done, fail) => {
      const started = serve({ fetch: app.fetch, port, hostname: HOST }) as Server;
      started.once("listening", () => done(started));
      started.once("error", fail);
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" && others.length > 0) return listen(app, others);
    const problem = code === "EADDRINUSE" ? "another program has it. Name another: --port" : message;
    throw new ArborizeError("bad_option", `Port ${port} cannot be used: ${problem}.`, { cause: error });
  }
}

function application(paths: readonly string[], hosts: () => readonly string[], streams: Streams): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    // A name that leads here by another's DNS must not make this page a part of theirs.
    if (!hosts().includes(context.req.header("host") ?? "")) return context.text("Wrong host.", 403);
    await next();
    const { headers } = context.res;
    headers.set("Content-Security-Policy", policyFor(context.req.path));
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("X-Frame-Options", "DENY");
    headers.set("Referrer-Policy", "no-referrer");
    headers.set("Cache-Control", "no-store");
  });
  for (const [path, file] of Object.entries(FILES)) {
    app.get(path, (context) => {
      const found = file();
      const type = TYPES[extname(found instanceof URL ? found.pathname : found)]!;
      return context.body(readFileSync(found), 200, { "Content-Type": type });
    });
  }
  app.get("/colors.css", (context) => context.body(colorSheet(), 200, { "Content-Type": TYPES[".css"]! }));
  app.get("/api/runs", (context) => context.json(paths.map((path) => ({ name: basename(resolve(path)) }))));
  app.get("/api/runs/:index", async (context) => {
    const path = runAt(paths, context.req.param("index"));
    if (path === undefined) return context.notFound();
    const start = performance.now();
    const view = await viewRun(path);
    streams.costs.set(path, performance.now() - start);
    return context.json(view);
  });
  app.get("/runs/:index/:file", async (context) => {
    const path = runAt(paths, context.req.param("index"));
    const kind = LINKED.find((each) => basename(new RunFolder("").file(each)) === context.req.param("file"));
    if (path === undefined || kind === undefined) return context.notFound();
    const file = new RunFolder(path).file(kind);
    if (!(await liesIn(path, file))) return context.notFound();
    const bytes = await readFileBytes(file);
    return context.body(new Uint8Array(bytes), 200, { "Content-Type": TYPES[extname(file)]! });
  });
  app.get("/events", (context) =>
    streamSSE(context, async (stream) => {
      const known = new Map<string, string>();
      const told = new Map<string, number>();
      let quiet = 0;
      streams.open += 1;
      stream.onAbort(() => {
        streams.open -= 1;
      });
      await stream.writeSSE({ event: "alive", data: "", retry: RETRY });
      while (!stream.aborted) {
        const { ending } = streams;
        for (const [index, path] of paths.entries()) {
          const version = await versionOf(path);
          if (known.get(path) === version) continue;
          const rested = performance.now() - (told.get(path) ?? -Infinity);
          const rest = Math.min(LONGEST_REST, REST * (streams.costs.get(path) ?? 0));
          if (!ending && rested < rest) continue;
          known.set(path, version);
          told.set(path, performance.now());
          quiet = 0;
          await stream.writeSSE({ event: "change", data: String(index) });
        }
        if (quiet >= HEARTBEAT) {
          quiet = 0;
          await stream.writeSSE({ event: "alive", data: "" });
        }
        if (ending) break;
        await stream.sleep(POLL);
        quiet += POLL;
      }
      // The page gets what has changed before it is let go.
      await stream.sleep(GRACE);
    }),
  );
  app.onError((error, context) => {
    if (!(error instanceof ArborizeError)) throw error;
    return context.json({ error: error.message }, 500);
  });
  return app;
}

/** Whether a file is there and is the folder's own: a link may lead to anything on this machine. */
async function liesIn(folder: string, file: string): Promise<boolean> {
  try {
    return dirname(await realpath(file)) === (await realpath(folder)) && (await stat(file)).isFile();
  } catch {
    return false;
  }
}

function runAt(paths: readonly string[], index: string): string | undefined {
  return /^\d{1,4}$/.test(index) ? paths[Number(index)] : undefined;
}

/** Scripts and styles are files of ours; a report's style is within its page, and it has no scripts. */
function policyFor(path: string): string {
  if (path.startsWith("/runs/")) return "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  return "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'";
}
