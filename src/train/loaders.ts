// What a run learns from and is scored by, as batches.

import { type Batches, batches } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";

/** The data of a run. */
export interface RunData {
  /** What is learned from: a data set, shuffled anew for each epoch, or batches of your own. */
  readonly train: Dataset | Batches;
  /** What decides growth. */
  readonly validation: Dataset | Batches;
  /** What is only reported, each epoch. */
  readonly test?: Dataset | Batches;
  /** Examples in a batch of a data set. Default: 64. */
  readonly batchSize?: number;
}

/** The batches of each part. */
export function loaders({ train, validation, test, batchSize = 64 }: RunData, seed: number) {
  const loader = (data: Dataset | Batches, shuffle: boolean): Batches =>
    "batch" in data ? batches(data, { batchSize, shuffle, seed }) : data;
  return {
    train: loader(train, true),
    validation: loader(validation, false),
    test: test ? loader(test, false) : null,
  };
}
