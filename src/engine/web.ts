// The engine on onnxruntime-web, in browsers: on WebAssembly, or on a GPU.

import { ArborizeError } from "../base/errors.ts";
import type { Engine } from "./engine.ts";
import { GpuProgram, GpuResident } from "./web-gpu.ts";
import { loadRuntime, type WebDevice } from "./web-runtime.ts";
import { WasmProgram, WasmResident } from "./web-wasm.ts";

/** Options of the engine for browsers. */
export interface WebEngineOptions {
  /**
   * What computes: `"wasm"`, the processor by WebAssembly, or `"webgpu"`, the graphics processor, for which the browser must have
   * WebGPU. Default: "wasm".
   */
  readonly device?: WebDevice;
  /**
   * Threads of WebAssembly that one operator may use. More than one needs a page that is isolated from others, by the headers
   * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`. All engines of a page have as
   * many as the first one to compile. Default: as many as the machine has cores, on other pages 1.
   */
  readonly threads?: number;
  /**
   * Where onnxruntime-web's files `ort-wasm-simd-threaded.*` are: a folder's address, with a slash at its end. Default: where a
   * bundler has put them.
   */
  readonly wasmPaths?: string;
}

/**
 * An engine in a browser. Free to make: the runtime is loaded when a program is first compiled.
 *
 * @throws `bad_option` for options out of range, and for a GPU where the browser has no WebGPU.
 */
export function webEngine(options: WebEngineOptions = {}): Engine {
  const { device = "wasm", threads = threadsOfPage(), wasmPaths } = options;
  const refuse = (problem: string) => new ArborizeError("bad_option", `webEngine: ${problem}`);
  if (!Number.isInteger(threads) || threads < 1)
    throw refuse(`threads is ${threads}, wanted a whole number from 1.`);
  const runtime = () => loadRuntime(device, { threads, wasmPaths });
  switch (device) {
    case "wasm":
      return {
        name: `WebAssembly (${threads} ${threads === 1 ? "thread" : "threads"})`,
        sharesMemory: true,
        compile: async (model, compiling) => WasmProgram.compile(await runtime(), model, compiling),
        upload: (tensor) => new WasmResident(tensor),
        download: async (resident) => (resident as WasmResident).tensor,
      };
    case "webgpu":
      if (!(globalThis as Page).navigator?.gpu)
        throw refuse('this browser has no WebGPU (navigator.gpu): use device "wasm".');
      return {
        name: "WebGPU",
        sharesMemory: false,
        indexesMaxima: false,
        computesFloat64: false,
        compile: async (model, compiling) => GpuProgram.compile(await runtime(), model, compiling),
        upload: (tensor) => new GpuResident(tensor, tensor),
        download: (resident) => (resident as GpuResident).download(),
      };
    default:
      throw refuse(`device is "${device}", wanted "wasm" or "webgpu".`);
  }
}

/** What browsers tell of themselves, which Node.js' types don't declare. */
interface Page {
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: { readonly hardwareConcurrency?: number; readonly gpu?: object };
}

function threadsOfPage(): number {
  const { crossOriginIsolated = false, navigator } = globalThis as Page;
  return crossOriginIsolated ? (navigator?.hardwareConcurrency ?? 1) : 1;
}
