// The engine on onnxruntime-node: the CPU, through MLAS.

import { arch, availableParallelism } from "node:os";
import * as ort from "onnxruntime-node";
import { type DType, Tensor, type TensorData } from "../base/tensor.ts";
import type { CompileOptions, Engine, Program, Resident } from "./engine.ts";
import { failed, refused } from "./failures.ts";
import { SESSION } from "./session.ts";
import { onlyUnread, UNREAD, withUnread } from "./uncopied.ts";

/** Options of the CPU engine. */
export interface NodeEngineOptions {
  /**
   * Threads that one operator may use. Default: as many as the machine has cores. The same number gives the same bits
   * in every run, another number may round differently.
   */
  readonly threads?: number;
}

/** An engine on this machine's CPU. Free to make: programs hold the resources. */
export function nodeEngine({ threads = availableParallelism() }: NodeEngineOptions = {}): Engine {
  return {
    name: `cpu (${threads} ${threads === 1 ? "thread" : "threads"})`,
    sharesMemory: true,
    // Elsewhere a row by a row is a product as of large matrices, which takes ten times as long.
    multipliesVectors: arch() === "x64",
    compile: (model, options) => NodeProgram.compile(model, threads, options),
    upload: (tensor) => new NodeResident(tensor),
    download: async (resident) => (resident as NodeResident).tensor,
  };
}

class NodeResident implements Resident {
  readonly tensor: Tensor;
  readonly native: ort.Tensor;

  constructor(tensor: Tensor) {
    this.tensor = tensor;
    this.native = new ort.Tensor(tensor.dtype as "float32", tensor.data as Float32Array, tensor.shape);
  }

  get dtype(): DType {
    return this.tensor.dtype;
  }

  get shape(): readonly number[] {
    return this.tensor.shape;
  }

  static wrap(native: ort.Tensor): NodeResident {
    return new NodeResident(new Tensor(native.type as DType, native.dims, native.data as TensorData));
  }
}

class NodeProgram implements Program {
  readonly #session: ort.InferenceSession;
  readonly #name: string;
  readonly #givesOutputs: boolean;

  private constructor(session: ort.InferenceSession, { name, givesOutputs = false }: CompileOptions) {
    this.#session = session;
    this.#name = name;
    this.#givesOutputs = givesOutputs;
  }

  static async compile(model: Uint8Array, threads: number, options: CompileOptions): Promise<NodeProgram> {
    try {
      const session = await ort.InferenceSession.create(options.givesOutputs ? withUnread(model) : model, {
        ...SESSION,
        executionProviders: ["cpu"],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
      });
      return new NodeProgram(session, options);
    } catch (error) {
      throw refused(options.name, error);
    }
  }

  async run(
    inputs: ReadonlyMap<string, Resident>,
    outputs: ReadonlyMap<string, Resident | null>,
  ): Promise<Map<string, Resident>> {
    const results = new Map<string, Resident>();
    const native = await this.#run(inputs, outputs);
    for (const [name, given] of outputs) results.set(name, given ?? NodeResident.wrap(native[name]!));
    return results;
  }

  /** What the runtime returns: nothing of what it has been given a tensor for, where that is so of all. */
  async #run(
    inputs: ReadonlyMap<string, Resident>,
    outputs: ReadonlyMap<string, Resident | null>,
  ): Promise<Readonly<Record<string, ort.Tensor>>> {
    const feeds = Object.fromEntries(
      [...inputs].map(([name, value]) => [name, (value as NodeResident).native]),
    );
    const fetches = Object.fromEntries(
      [...outputs].map(([name, value]) => [name, value && (value as NodeResident).native]),
    );
    const given = this.#givesOutputs && [...outputs.values()].every((value) => value !== null);
    if (given) fetches[UNREAD] = null;
    try {
      return (await this.#session.run(feeds, fetches)) as Readonly<Record<string, ort.Tensor>>;
    } catch (error) {
      if (given && onlyUnread(error)) return {};
      throw failed(this.#name, inputs, error);
    }
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}
