// Serves the page with the package as it is built in dist/. Elsewhere `npm install arborize onnxruntime-web` takes the alias's place.

import { join } from "node:path";
import { defineConfig } from "vite";

/** They isolate the page from others, without which WebAssembly has one thread. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  resolve: { alias: { "arborize/web": join(import.meta.dirname, "..", "..", "dist", "web.js") } },
  worker: { format: "es" },
  // It finds its WebAssembly beside itself.
  optimizeDeps: {
    exclude: ["onnxruntime-web"],
    // Found before the page asks for them, which would make it load again.
    include: ["@bufbuild/protobuf", "@huggingface/tokenizers", "fast-png", "onnx-buf", "uplot", "zod"],
  },
  server: { headers },
  preview: { headers },
});
