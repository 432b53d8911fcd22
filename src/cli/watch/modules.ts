// The modules of the best network of a run, from the names of its state: `M.dendrites.…` belongs to the dendrites of M.

import { sizeOf, type Tensor } from "../../base/tensor.ts";
import { exists, readFileBytes } from "../../data/files.ts";
import { readSafetensors } from "../../data/safetensors.ts";
import { RunFolder } from "../../train/run-folder.ts";

/** A module that learns, in the best network so far. */
export interface ModuleView {
  readonly path: string;
  /** Numbers that its neurons learn. */
  readonly parameters: number;
  /** Numbers that its dendrites learn. */
  readonly dendriteParameters: number;
  /** For each dendrite, what it adds to neurons: its output weights, at most 200 of them. */
  readonly outputs: readonly (readonly number[])[];
}

const MOST_WEIGHTS = 200;
/** What normalizations count, which is in the state and isn't learned. */
const COUNTED = /(^|\.)(running_mean|running_var|num_batches_tracked)$/;

/** Reads them; none before there is a best network. @throws `bad_file` for a damaged file. */
export async function modulesOf(path: string): Promise<ModuleView[]> {
  const file = new RunFolder(path).file("best");
  if (!(await exists(file))) return [];
  const { tensors } = readSafetensors(await readFileBytes(file), file);
  const modules = new Map<string, { parameters: number; dendriteParameters: number; outputs: number[][] }>();
  for (const [name, tensor] of tensors) {
    if (COUNTED.test(name)) continue;
    const at = name.search(/\.dendrites\.(\d+\.|output$)/);
    const module = at >= 0 ? name.slice(0, at) : name.slice(0, Math.max(0, name.lastIndexOf(".")));
    const found = modules.get(module) ?? { parameters: 0, dendriteParameters: 0, outputs: [] };
    modules.set(module, found);
    if (at < 0) found.parameters += sizeOf(tensor.shape);
    else found.dendriteParameters += sizeOf(tensor.shape);
    if (name.endsWith(".dendrites.output")) found.outputs = rowsOf(tensor);
  }
  return [...modules].map(([module, found]) => ({ path: module, ...found }));
}

/** The rows of a matrix, each thinned out evenly where it is long. */
function rowsOf(tensor: Tensor): number[][] {
  const [count = 0] = tensor.shape;
  const width = sizeOf(tensor.shape.slice(1));
  const numbers = tensor.toNumbers();
  const step = Math.ceil(width / MOST_WEIGHTS);
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: Math.ceil(width / step) }, (__, i) => numbers[row * width + i * step]!),
  );
}
