// The engine on onnxruntime-web: WebAssembly, in browsers.

import type * as ort from "onnxruntime-web";
import { ArborizeError } from "../base/errors.ts";
import { type DType, Tensor, type TensorData } from "../base/tensor.ts";
import type { CompileOptions, Engine, Program, Resident } from "./engine.ts";
import { failed, refused } from "./failures.ts";

/** Options of the engine for browsers. */
export interface WebEngineOptions {
  /**
   * Threads of WebAssembly that one operator may use. More than one needs a page that is isolated from others, by the headers
   * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`. All engines of a page have as
   * many as the first one to compile. Default: as many as the machine has cores, on other pages 1.
   */
  readonly threads?: number;
  /**
   * Where onnxruntime-web's files `ort-wasm-simd-threaded.mjs` and `.wasm` are: a folder's address, with a slash at its end.
   * Default: where a bundler has put them.
   */
  readonly wasmPaths?: string;
}

/** An engine in a browser. Free to make: the runtime is loaded when a program is first compiled. */
export function webEngine(options: WebEngineOptions = {}): Engine {
  const { threads = threadsOfPage() } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new ArborizeError("bad_option", `webEngine: threads is ${threads}, wanted a whole number from 1.`);
  }
  return {
    name: `WebAssembly (${threads} ${threads === 1 ? "thread" : "threads"})`,
    sharesMemory: true,
    compile: async (model, compiling) =>
      WebProgram.compile(await loadRuntime({ ...options, threads }), model, compiling),
    upload: (tensor) => new WebResident(tensor),
    download: async (resident) => (resident as WebResident).tensor,
  };
}

/** What browsers tell of themselves, which Node.js' types don't declare. */
interface Page {
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

function threadsOfPage(): number {
  const { crossOriginIsolated = false, navigator } = globalThis as Page;
  return crossOriginIsolated ? (navigator?.hardwareConcurrency ?? 1) : 1;
}

type Runtime = typeof ort;

let runtime: Promise<Runtime> | undefined;

/** The runtime, loaded once. @throws `runtime_failed` */
function loadRuntime({ threads, wasmPaths }: WebEngineOptions): Promise<Runtime> {
  runtime ??= import("onnxruntime-web/wasm").then(
    (loaded) => {
      const { wasm } = loaded.env;
      if (threads !== undefined) wasm.numThreads = threads;
      if (wasmPaths !== undefined) wasm.wasmPaths = wasmPaths;
      loaded.env.logLevel = "error";
      return loaded;
    },
    (error) => {
      runtime = undefined;
      throw new ArborizeError(
        "runtime_failed",
        `onnxruntime-web cannot be loaded: ${(error as Error).message}. In a browser Arborize needs it: npm install onnxruntime-web`,
        { cause: error },
      );
    },
  );
  return runtime;
}

/** Milliseconds after which a run lets the page have its turn. */
const TURN = 50;

let turned = 0;

/**
 * Lets events happen, now and then: runs of small programs follow one another without an end to the thread's task, and a page
 * would stand still, or a worker not hear that it is to stop.
 */
async function giveTurn(): Promise<void> {
  if (performance.now() - turned < TURN) return;
  // Timers wait for some milliseconds, messages don't.
  const { port1, port2 } = new MessageChannel();
  await new Promise<void>((resolve) => {
    port1.addEventListener("message", () => resolve());
    port1.start();
    port2.postMessage(null);
  });
  port1.close();
  turned = performance.now();
}

class WebResident implements Resident {
  readonly tensor: Tensor;

  constructor(tensor: Tensor) {
    this.tensor = tensor;
  }

  get dtype(): DType {
    return this.tensor.dtype;
  }

  get shape(): readonly number[] {
    return this.tensor.shape;
  }
}

class WebProgram implements Program {
  readonly #runtime: Runtime;
  readonly #session: ort.InferenceSession;
  readonly #name: string;

  private constructor(runtime: Runtime, session: ort.InferenceSession, name: string) {
    this.#runtime = runtime;
    this.#session = session;
    this.#name = name;
  }

  static async compile(runtime: Runtime, model: Uint8Array, { name }: CompileOptions): Promise<WebProgram> {
    try {
      const session = await runtime.InferenceSession.create(model, {
        executionProviders: ["wasm"],
        graphOptimizationLevel: "all",
        // A plan of one block for all tensors would come on top of what the first run has taken.
        enableMemPattern: false,
        logSeverityLevel: 3,
      });
      return new WebProgram(runtime, session, name);
    } catch (error) {
      throw refused(name, error);
    }
  }

  async run(
    inputs: ReadonlyMap<string, Resident>,
    outputs: ReadonlyMap<string, Resident | null>,
  ): Promise<Map<string, Resident>> {
    await giveTurn();
    const native = await this.#run(inputs, [...outputs.keys()]);
    const results = new Map<string, Resident>();
    for (const [name, given] of outputs) {
      const { type, dims, data } = native[name]!;
      if (!given) {
        results.set(name, new WebResident(new Tensor(type as DType, dims, data as TensorData)));
        continue;
      }
      // The runtime has memory of its own: what it has computed there is copied to where it is wanted.
      ((given as WebResident).tensor.data as Float32Array).set(data as Float32Array);
      results.set(name, given);
    }
    return results;
  }

  async #run(
    inputs: ReadonlyMap<string, Resident>,
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, ort.Tensor>>> {
    const wanted = new Set(this.#session.inputNames);
    const feeds: Record<string, ort.Tensor> = {};
    for (const [name, resident] of inputs) {
      const { dtype, data, shape } = (resident as WebResident).tensor;
      if (!wanted.has(name)) continue;
      feeds[name] = new this.#runtime.Tensor(dtype as "float32", data as Float32Array, shape);
    }
    try {
      return (await this.#session.run(feeds, outputs)) as Readonly<Record<string, ort.Tensor>>;
    } catch (error) {
      throw failed(this.#name, inputs, error);
    }
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}
