// What becomes of batches before they are learned from.

import type { Random } from "../base/random.ts";
import type { Batch } from "./dataset.ts";

/** Changes a batch; whatever is random about it comes from the stream given. */
export interface BatchTransform {
  (batch: Batch, random: Random): Batch;
  /**
   * Options of `augment` that make the same transform on another thread. A function of your own has none: it cannot be
   * sent, and runs where batches are met.
   */
  readonly augment?: object;
}
