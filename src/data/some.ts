// Some examples of many, to be gone through again and again.

import { Random } from "../base/random.ts";
import { type Batches, batches } from "./batches.ts";
import { type Batch, type Dataset, sizeOfBatch, subset } from "./dataset.ts";
import { checkInteger } from "./options.ts";

/** Which examples are looked at. */
export interface SomeOptions {
  /** How many, at most; of a data set they are drawn, of batches the first ones are taken. Default: all. */
  readonly examples?: number;
  /** Draws them. Default: 0. */
  readonly seed?: number;
  /** Examples in a batch of a data set. Default: 64. */
  readonly batchSize?: number;
}

/** Examples that stay the same each time they are gone through. */
export interface Some {
  readonly batches: Iterable<Batch>;
  /** Where each of them is in the data set, or among those of the batches. */
  readonly positions: ArrayLike<number>;
  /** How many there are of which these are some. */
  readonly of: number;
}

/** @throws `bad_option` for a number of examples that is none. */
export function someOf(data: Dataset | Batches, options: SomeOptions = {}): Some {
  const { examples = Number.POSITIVE_INFINITY, seed = 0, batchSize = 64 } = options;
  if (options.examples !== undefined) checkInteger("examples", "examples", examples, 1);
  if (!("batch" in data)) return firstOf(data, examples);
  const { length } = data;
  const drawn = Random.stream(seed, "examples").permutation(length).slice(0, examples).sort();
  return { batches: batches(subset(data, drawn), { batchSize }), positions: drawn, of: length };
}

function firstOf(data: Batches, examples: number): Some {
  const taken: Batch[] = [];
  let count = 0;
  for (const batch of data) {
    if (count >= examples) break;
    taken.push(batch);
    count += sizeOfBatch(batch);
  }
  const positions = Array.from({ length: count }, (_, i) => i);
  return { batches: taken, positions, of: Math.max(count, data.dataset.length) };
}
