// Programs on WebAssembly. The runtime has memory of its own there, which tensors are copied into and out of.

import type * as ort from "onnxruntime-web";
import { type DType, Tensor, type TensorData } from "../base/tensor.ts";
import type { CompileOptions, Program, Resident } from "./engine.ts";
import { failed, refused } from "./failures.ts";
import { SESSION } from "./session.ts";
import type { Runtime } from "./web-runtime.ts";
import { alone, giveTurn } from "./web-turns.ts";

export class WasmResident implements Resident {
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

export class WasmProgram implements Program {
  readonly #runtime: Runtime;
  readonly #session: ort.InferenceSession;
  readonly #name: string;

  private constructor(runtime: Runtime, session: ort.InferenceSession, name: string) {
    this.#runtime = runtime;
    this.#session = session;
    this.#name = name;
  }

  static async compile(runtime: Runtime, model: Uint8Array, { name }: CompileOptions): Promise<WasmProgram> {
    try {
      const options = { ...SESSION, executionProviders: ["wasm"] };
      const session = await alone(() => runtime.InferenceSession.create(model, options));
      return new WasmProgram(runtime, session, name);
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
        results.set(name, new WasmResident(new Tensor(type as DType, dims, data as TensorData)));
        continue;
      }
      ((given as WasmResident).tensor.data as Float32Array).set(data as Float32Array);
      results.set(name, given);
    }
    return results;
  }

  async #run(
    inputs: ReadonlyMap<string, Resident>,
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, ort.Tensor>>> {
    const feeds: Record<string, ort.Tensor> = {};
    for (const name of this.#session.inputNames) {
      const resident = inputs.get(name) as WasmResident | undefined;
      if (!resident) continue;
      const { dtype, data, shape } = resident.tensor;
      feeds[name] = new this.#runtime.Tensor(dtype as "float32", data as Float32Array, shape);
    }
    try {
      const run = () => this.#session.run(feeds, outputs);
      return (await alone(run)) as Readonly<Record<string, ort.Tensor>>;
    } catch (error) {
      throw failed(this.#name, inputs, error);
    }
  }

  async release(): Promise<void> {
    await alone(() => this.#session.release());
  }
}
