// Files that training starts from, by path or as bytes.

import type { Tensor } from "../base/tensor.ts";
import { readBeside, readFileBytes } from "../data/files.ts";
import { readHubFile } from "../data/hub.ts";
import { isHubFile } from "../data/hub-names.ts";
import { readSafetensors } from "../data/safetensors.ts";
import type { ReadExternal } from "../onnx/external.ts";
import { readOnnx as decodeOnnx, type OnnxModel, type ReadOptions } from "../onnx/read.ts";

/** What is known of a model besides its file. */
export type OpenOptions = Omit<ReadOptions, "name" | "external">;

/**
 * Reads an ONNX model (opsets 7 to 23) for `arborize` and `fit`.
 *
 * Floating initializers with at least one axis become parameters, under their own names; scalars, integers, the outputs of
 * Constant nodes and what operators read as settings (the scales of Resize) are constants; the running statistics of a
 * BatchNormalization are buffers, which training updates if the node is in training mode. A node whose weight is called
 * `fc1.weight` belongs to the module `fc1`; where weights have made-up names, the path in the node's name tells.
 *
 * An `If` whose condition follows from the graph becomes the branch that it takes; where it depends on the length of an axis
 * or on an input, `axes` and `inputs` can fix these.
 *
 * @param source a path, or the file's bytes. Weights in other files are found beside it, if it is a path.
 * @throws `bad_file` when there is no such file or it is damaged, `unknown_operator` listing every operator that is not
 *   known, `shape_mismatch` and others when the graph is not sound.
 */
export async function readOnnx(source: string | Uint8Array, options: OpenOptions = {}): Promise<OnnxModel> {
  if (typeof source !== "string") return decodeOnnx(source, options);
  const external = (...part: Parameters<ReadExternal>) => readBeside(source, ...part);
  return decodeOnnx(await readFileBytes(source), { ...options, name: source, external });
}

/**
 * Reads a state dict, tensors by name, from a safetensors file: for `Module.loadStateDict`.
 *
 * @param source a file, its bytes, or one of the Hugging Face hub, as `hf:OWNER/NAME`, with `@REVISION` (default: `main`) and `:FILE`
 *   (default: `model.safetensors`) behind it. The hub's client has to be installed: `npm install @huggingface/hub`.
 * @throws `bad_file` when there is no such file or it is damaged; `bad_option` without the client, `download_failed` where the hub
 *   does not give the file.
 */
export async function readStateDict(source: string | Uint8Array): Promise<ReadonlyMap<string, Tensor>> {
  if (typeof source !== "string") return readSafetensors(source).tensors;
  const bytes = await (isHubFile(source) ? readHubFile(source) : readFileBytes(source));
  return readSafetensors(bytes, source).tensors;
}
