// The public names of this folder that need no files.

export { type AugmentOptions, augment, type Range } from "./augment.ts";
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
export { readSafetensors, type Safetensors, writeSafetensors } from "./safetensors.ts";
export type { BatchTransform } from "./transform.ts";
export { tokenDataset, type WordPiece, wordPiece } from "./wordpiece.ts";
