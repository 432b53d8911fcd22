// The public names of this folder.

export { type Batches, type BatchesOptions, batches } from "./batches.ts";
export {
  type Batch,
  type Dataset,
  type Field,
  type ImageDatasetOptions,
  imageDataset,
  split,
  subset,
  tensorDataset,
} from "./dataset.ts";
export { type DigitsOptions, digits } from "./digits.ts";
export type { DownloadProgress } from "./download.ts";
export { readFileBytes, writeFileAtomic } from "./files.ts";
export { type Idx, readIdx } from "./idx.ts";
export { fashionMnist, mnist, type TrainAndTest } from "./mnist.ts";
export { readSafetensors, type Safetensors, writeSafetensors } from "./safetensors.ts";
export type { SourceOptions } from "./source.ts";
