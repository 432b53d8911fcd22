// A page with a script of ours, as a bundler makes it for browsers, and a server for it.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, relative, resolve } from "node:path";
import { build, type Plugin } from "vite";
import { IN_BROWSERS, WITH_EFFECTS } from "./packaged.ts";

const SOURCE = join(import.meta.dirname, "..", "..", "src");

/** What package.json tells bundlers. */
function asPackaged(): Plugin {
  return {
    name: "as-packaged",
    enforce: "pre",
    async resolveId(given, importer, options) {
      const found = await this.resolve(given, importer, { ...options, skipSelf: true });
      if (!found?.id.startsWith(SOURCE)) return found;
      const own = relative(SOURCE, found.id);
      const path = IN_BROWSERS.get(own) ?? own;
      return { id: join(SOURCE, path), moduleSideEffects: WITH_EFFECTS.has(path) };
    },
  };
}

/** Bundles the page in a folder of this one, minified as for the public. */
export async function bundle(page: string, outDir: string): Promise<void> {
  await build({
    configFile: false,
    root: join(import.meta.dirname, page),
    logLevel: "error",
    // Comments in packages, sizes of chunks.
    build: { outDir, emptyOutDir: true, chunkSizeWarningLimit: 4096, rollupOptions: { onwarn: () => {} } },
    plugins: [asPackaged()],
  });
}

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** A folder behind an address. */
export interface Served {
  readonly url: string;
  close(): void;
}

/** Serves a folder to this machine. @param isolated whether its pages are isolated from others, which threads need. */
export async function serveFolder(folder: string, isolated: boolean): Promise<Served> {
  const headers = isolated
    ? { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }
    : {};
  const server = createServer(({ url = "/" }, response) => {
    const path = resolve(folder, `.${url === "/" ? "/index.html" : url}`);
    try {
      const content = readFileSync(path);
      response.writeHead(200, {
        "content-type": TYPES[extname(path)] ?? "application/octet-stream",
        ...headers,
      });
      response.end(content);
    } catch {
      response.writeHead(404, headers).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
