// What `transform-threads.ts` does in a browser: the same batches, on the thread that asks for them.

import { Random } from "../base/random.ts";
import type { Batch } from "./dataset.ts";
import type { Job } from "./transform-threads.ts";

export type { Job } from "./transform-threads.ts";

/** Transforms a batch. @throws what the transform throws. */
export async function transformElsewhere({ transform, seed, stream, batch }: Job): Promise<Batch> {
  return transform(batch, Random.stream(seed, stream));
}
