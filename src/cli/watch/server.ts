// The server of the live page: this machine alone, reading alone.

import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import { basename, extname, resolve } from "node:path";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { ArborizeError } from "../../base/errors.ts";
import { exists, readFileBytes } from "../../data/files.ts";
import { RunFolder } from "../../train/run-folder.ts";
import { versionOf, viewRun } from "./view.ts";

const HOST = "127.0.0.1";
const POLL = 400;
/** Milliseconds after which a stream says something, so that a dead one is noticed. */
const HEARTBEAT = 15_000;

/** The page's own files lie beside the sources, for a build as well. */
const own = (name: string) => new URL(`../../../src/cli/watch/page/${name}`, import.meta.url);
const foreign = createRequire(import.meta.url);

const FILES: Readonly<Record<string, () => string | URL>> = {
  "/": () => own("index.html"),
  "/client.js": () => own("client.js"),
  "/charts.js": () => own("charts.js"),
  "/style.css": () => own("style.css"),
  "/uplot.js": () => foreign.resolve("uplot/dist/uPlot.esm.js"),
  "/uplot.css": () => foreign.resolve("uplot/dist/uPlot.min.css"),
};

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
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
 * @param port 0 for any that is free.
 * @throws `bad_option` for a port that is taken.
 */
export async function serveRuns(paths: readonly string[], port: number): Promise<Watch> {
  let hosts: readonly string[] = [];
  const app = application(paths, () => hosts);
  const server = await new Promise<Server>((done, fail) => {
    const started = serve({ fetch: app.fetch, port, hostname: HOST }) as Server;
    started.once("listening", () => done(started));
    started.once("error", (error: NodeJS.ErrnoException) => {
      const problem =
        error.code === "EADDRINUSE" ? "another program has it. Name another: --port" : error.message;
      fail(new ArborizeError("bad_option", `Port ${port} cannot be used: ${problem}.`, { cause: error }));
    });
  });
  const address = server.address() as { port: number };
  hosts = [`${HOST}:${address.port}`, `localhost:${address.port}`];
  return {
    url: `http://${HOST}:${address.port}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function application(paths: readonly string[], hosts: () => readonly string[]): Hono {
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
  app.get("/api/runs", (context) => context.json(paths.map((path) => ({ name: basename(resolve(path)) }))));
  app.get("/api/runs/:index", async (context) => {
    const path = runAt(paths, context.req.param("index"));
    return path === undefined ? context.notFound() : context.json(await viewRun(path));
  });
  app.get("/runs/:index/:file", async (context) => {
    const path = runAt(paths, context.req.param("index"));
    const kind = LINKED.find((each) => basename(new RunFolder("").file(each)) === context.req.param("file"));
    if (path === undefined || kind === undefined) return context.notFound();
    const file = new RunFolder(path).file(kind);
    if (!(await exists(file))) return context.notFound();
    const bytes = await readFileBytes(file);
    return context.body(new Uint8Array(bytes), 200, { "Content-Type": TYPES[extname(file)]! });
  });
  app.get("/events", (context) =>
    streamSSE(context, async (stream) => {
      const known = new Map<string, string>();
      let quiet = 0;
      while (!stream.aborted) {
        for (const [index, path] of paths.entries()) {
          const version = await versionOf(path);
          if (known.get(path) === version) continue;
          known.set(path, version);
          quiet = 0;
          await stream.writeSSE({ event: "change", data: String(index) });
        }
        if (quiet >= HEARTBEAT) {
          quiet = 0;
          await stream.writeSSE({ event: "alive", data: "" });
        }
        await stream.sleep(POLL);
        quiet += POLL;
      }
    }),
  );
  app.onError((error, context) => {
    if (!(error instanceof ArborizeError)) throw error;
    return context.json({ error: error.message }, 500);
  });
  return app;
}

function runAt(paths: readonly string[], index: string): string | undefined {
  return /^\d{1,4}$/.test(index) ? paths[Number(index)] : undefined;
}

/** Scripts and styles are files of ours; a report's style is within its page, and it has no scripts. */
function policyFor(path: string): string {
  if (path.startsWith("/runs/")) return "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  return "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";
}
