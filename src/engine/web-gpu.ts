// Programs on WebGPU. What a run writes stays in the GPU's memory until it is downloaded; a program that the GPU cannot run is run
// by WebAssembly.

import type * as ort from "onnxruntime-web";
import { type DType, Tensor, type TensorData } from "../base/tensor.ts";
import type { CompileOptions, Program, Resident } from "./engine.ts";
import { failed, refused } from "./failures.ts";
import { SESSION } from "./session.ts";
import type { Runtime } from "./web-runtime.ts";
import { alone, giveTurn } from "./web-turns.ts";

/**
 * The tensors that runs of a program have written and that are not disposed of, and who holds them. Their memory is the program's: once
 * that is released the runtime must not be asked to free it.
 */
type Written = Map<ort.Tensor, WeakRef<GpuResident>>;

function dispose(native: ort.Tensor, written: Written): void {
  if (written.delete(native)) native.dispose();
}

/** Gives the GPU's memory back when what held it is gone. */
const unheld = new FinalizationRegistry<{ native: ort.Tensor; written: Written }>(({ native, written }) =>
  dispose(native, written),
);

/** A tensor, where it is now: in ordinary memory until a run has written it. */
export class GpuResident implements Resident {
  readonly dtype: DType;
  readonly shape: readonly number[];
  #tensor: Tensor | null;
  #native: ort.Tensor | null = null;
  #written: Written | null = null;

  constructor({ dtype, shape }: Resident, tensor: Tensor | null) {
    this.dtype = dtype;
    this.shape = shape;
    this.#tensor = tensor;
  }

  /** What the runtime reads: in ordinary memory, or where it is. */
  async native({ Tensor: Native }: Runtime, ordinary: boolean): Promise<ort.Tensor> {
    if (this.#native && !ordinary) return this.#native;
    const { dtype, data, shape } = await this.#read();
    return new Native(dtype as "float32", data as Float32Array, shape);
  }

  /** Holds what a run has written instead of what it held. */
  take(native: ort.Tensor, written: Written): void {
    this.#let();
    this.#tensor = null;
    this.#native = native;
    this.#written = written;
    written.set(native, new WeakRef(this));
    unheld.register(this, { native, written }, this);
  }

  /** In ordinary memory. */
  download(): Promise<Tensor> {
    return alone(() => this.#read());
  }

  /** Moves it into ordinary memory. */
  async settle(): Promise<void> {
    this.#tensor = await this.#read();
    this.#let();
  }

  async #read(): Promise<Tensor> {
    return this.#tensor ?? new Tensor(this.dtype, this.shape, (await this.#native!.getData()) as TensorData);
  }

  #let(): void {
    if (!this.#native) return;
    unheld.unregister(this);
    dispose(this.#native, this.#written!);
    this.#native = null;
  }
}

export class GpuProgram implements Program {
  readonly #runtime: Runtime;
  readonly #session: ort.InferenceSession;
  readonly #name: string;
  /** Whether WebAssembly runs it. */
  readonly #ordinary: boolean;
  readonly #written: Written = new Map();

  private constructor(runtime: Runtime, session: ort.InferenceSession, name: string, ordinary: boolean) {
    this.#runtime = runtime;
    this.#session = session;
    this.#name = name;
    this.#ordinary = ordinary;
  }

  static async compile(runtime: Runtime, model: Uint8Array, { name }: CompileOptions): Promise<GpuProgram> {
    const create = async (ordinary: boolean) => {
      const session = await runtime.InferenceSession.create(model, {
        ...SESSION,
        executionProviders: [ordinary ? "wasm" : "webgpu"],
        ...(ordinary ? {} : { preferredOutputLocation: "gpu-buffer" }),
      });
      return new GpuProgram(runtime, session, name, ordinary);
    };
    try {
      return await alone(() => create(false).catch(() => create(true)));
    } catch (error) {
      throw refused(name, error);
    }
  }

  async run(
    inputs: ReadonlyMap<string, Resident>,
    outputs: ReadonlyMap<string, Resident | null>,
  ): Promise<Map<string, Resident>> {
    await giveTurn();
    return alone(() => this.#run(inputs, outputs));
  }

  async #run(
    inputs: ReadonlyMap<string, Resident>,
    outputs: ReadonlyMap<string, Resident | null>,
  ): Promise<Map<string, Resident>> {
    const native = await this.#compute(inputs, [...outputs.keys()]);
    const results = new Map<string, Resident>();
    for (const [name, given] of outputs) {
      const { type, dims } = native[name]!;
      const resident = (given as GpuResident) ?? new GpuResident({ dtype: type as DType, shape: dims }, null);
      resident.take(native[name]!, this.#written);
      results.set(name, resident);
    }
    return results;
  }

  async #compute(
    inputs: ReadonlyMap<string, Resident>,
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, ort.Tensor>>> {
    const feeds: Record<string, ort.Tensor> = {};
    for (const name of this.#session.inputNames) {
      const resident = inputs.get(name) as GpuResident | undefined;
      if (resident) feeds[name] = await resident.native(this.#runtime, this.#ordinary);
    }
    try {
      return (await this.#session.run(feeds, outputs)) as Readonly<Record<string, ort.Tensor>>;
    } catch (error) {
      throw failed(this.#name, inputs, error);
    }
  }

  release(): Promise<void> {
    return alone(async () => {
      for (const [native, holder] of [...this.#written]) {
        await holder.deref()?.settle();
        dispose(native, this.#written);
      }
      await this.#session.release();
    });
  }
}
