// The one interface behind which graphs run. An engine knows nothing of graphs: it takes the bytes of ONNX models.

import type { DType, Tensor } from "../base/tensor.ts";

/**
 * A tensor where the engine wants it: for the CPU ordinary memory, for a GPU a buffer of its own. Opaque to all but the
 * engine that made it.
 */
export interface Resident {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Options of `Engine.compile`. */
export interface CompileOptions {
  /** What error messages call the program, such as "training step". */
  readonly name: string;
  /** Whether runs give tensors for their outputs, which the engine may prepare for; the opset is 11 or later. Default: false. */
  readonly givesOutputs?: boolean;
}

/** A compiled model. */
export interface Program {
  /**
   * Runs once.
   *
   * @param inputs all inputs of the model by name; others are ignored.
   * @param outputs the outputs to compute: into the given tensor, which must have the right type and shape, or into a
   *   new one where it is null. A tensor may not be an input and an output of one run.
   * @throws `runtime_failed` with the program's name and the inputs' types and shapes.
   */
  run(
    inputs: ReadonlyMap<string, Resident>,
    outputs: ReadonlyMap<string, Resident | null>,
  ): Promise<Map<string, Resident>>;
  /** Frees the program; it cannot run again. */
  release(): Promise<void>;
}

/** Compiles and runs ONNX models. */
export interface Engine {
  readonly name: string;
  /** Whether uploaded tensors stay in their memory, so that what is written there is what the next run reads. */
  readonly sharesMemory: boolean;
  /** Whether it multiplies rows of vectors, `[..., 1, K]` by `[..., K, 1]`, about as fast as it reads them. Default: false. */
  readonly multipliesVectors?: boolean;
  /** Whether its MaxPool says where maxima are. Default: true. */
  readonly indexesMaxima?: boolean;
  /** Whether it computes with float64. Default: true. */
  readonly computesFloat64?: boolean;
  /** @throws `runtime_failed` when the runtime refuses the model. */
  compile(model: Uint8Array, options: CompileOptions): Promise<Program>;
  /** Hands a tensor over. It may share the tensor's memory, so the caller must not write to it afterwards. */
  upload(tensor: Tensor): Resident;
  /** Brings a tensor back. It may share the engine's memory: clone what must outlive the next run. */
  download(resident: Resident): Promise<Tensor>;
}
