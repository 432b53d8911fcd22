// onnxruntime-web, which has a file of WebAssembly for each kind of device.

import type * as ort from "onnxruntime-web";
import { ArborizeError } from "../base/errors.ts";

/** What computes. */
export type WebDevice = "wasm" | "webgpu";

export type Runtime = typeof ort;

/** What the runtime is told before it is first used. */
interface RuntimeOptions {
  readonly threads: number;
  readonly wasmPaths?: string | undefined;
}

const IMPORTS: Readonly<Record<WebDevice, () => Promise<Runtime>>> = {
  wasm: () => import("onnxruntime-web/wasm"),
  webgpu: () => import("onnxruntime-web/webgpu"),
};

const loaded = new Map<WebDevice, Promise<Runtime>>();

/** The runtime, loaded once for each kind of device. @throws `runtime_failed` */
export function loadRuntime(device: WebDevice, options: RuntimeOptions): Promise<Runtime> {
  const known = loaded.get(device) ?? load(device, options);
  loaded.set(device, known);
  return known;
}

async function load(device: WebDevice, { threads, wasmPaths }: RuntimeOptions): Promise<Runtime> {
  try {
    const runtime = await IMPORTS[device]();
    const { env } = runtime;
    env.wasm.numThreads = threads;
    if (wasmPaths !== undefined) env.wasm.wasmPaths = wasmPaths;
    env.logLevel = "error";
    return runtime;
  } catch (error) {
    loaded.delete(device);
    throw new ArborizeError(
      "runtime_failed",
      `onnxruntime-web cannot be loaded: ${(error as Error).message}. In a browser Arborize needs it: npm install onnxruntime-web`,
      { cause: error },
    );
  }
}
