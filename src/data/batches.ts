// The order in which examples are met: batches of a data set, epoch after epoch, as a pure function of the
// seed.

import { ArborizeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { Batch, Dataset } from "./dataset.ts";
import { checkInteger, checkNames, show } from "./options.ts";
import type { BatchTransform } from "./transform.ts";
import { type Job, transformElsewhere } from "./transform-threads.ts";

/** How `batches` goes through a data set. */
export interface BatchesOptions {
  /** Examples a batch; the last one of an epoch may have fewer. Default 64. */
  batchSize?: number;
  /** Whether each epoch has an order of its own. Default false: the data set's order, every time. */
  shuffle?: boolean;
  /** Decides the orders. Default 0. */
  seed?: number;
  /** Whether to leave out a last batch that has fewer than `batchSize` examples. Default false. */
  dropLast?: boolean;
  /** At most this many batches an epoch, for quick trials. Default: all. */
  limit?: number;
  /**
   * What becomes of each batch, such as `augment(…)`. Its random stream follows from the seed, the epoch and the batch's
   * number, so a run that resumes meets the same batches.
   */
  transform?: BatchTransform;
  /**
   * Threads beside the training thread that do `transform` in advance, while the engine runs: for `for await`, as `fit` goes
   * through batches, and for `augment(…)`. Functions of your own cannot be sent to them and run where batches are met. The
   * batches are the same either way. 0 for none. Default 1.
   */
  workers?: number;
}

/**
 * Goes through `dataset` in batches, each iteration one epoch: `for (const batch of batches(train, { shuffle:
 * true }))`, or `for await`, which gives the same and has `augment(…)` done by another thread in advance.
 *
 * The order of an epoch depends on `seed` and the epoch's number alone, so a run that resumes sets `epoch`
 * and meets the same batches as one that was never interrupted.
 *
 * @throws `bad_option` for options out of range or unknown, and for options that leave no batch at all.
 */
export function batches(dataset: Dataset, options: BatchesOptions = {}): Batches {
  return new Batches(dataset, options);
}

/** Batches of a data set; made by {@link batches}. */
export class Batches implements Iterable<Batch>, AsyncIterable<Batch> {
  readonly dataset: Dataset;
  /** Batches an epoch. */
  readonly length: number;
  readonly batchSize: number;
  readonly #shuffle: boolean;
  readonly #seed: number;
  readonly #transform: BatchTransform | undefined;
  readonly #workers: number;
  #epoch = 0;

  constructor(dataset: Dataset, options: BatchesOptions) {
    const {
      batchSize = 64,
      shuffle = false,
      seed = 0,
      dropLast = false,
      limit,
      transform,
      workers = 1,
    } = options;
    checkNames("batches", options, [
      "batchSize",
      "shuffle",
      "seed",
      "dropLast",
      "limit",
      "transform",
      "workers",
    ]);
    checkInteger("batches", "batchSize", batchSize, 1);
    checkInteger("batches", "seed", seed, 0);
    checkInteger("batches", "workers", workers, 0);
    if (limit !== undefined) checkInteger("batches", "limit", limit, 1);
    for (const [name, value] of Object.entries({ shuffle, dropLast })) {
      if (typeof value === "boolean") continue;
      throw new ArborizeError("bad_option", `batches: ${name} is ${show(value)}, wanted true or false.`);
    }
    const whole = dataset.length / batchSize;
    const all = dropLast ? Math.floor(whole) : Math.ceil(whole);
    if (all === 0) {
      const reason =
        dropLast && dataset.length > 0 ? ` a whole batch of ${batchSize}; lower batchSize` : " any";
      const problem = `the data set has ${dataset.length} examples, too few for${reason}`;
      throw new ArborizeError("bad_option", `batches: ${problem}.`);
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.length = Math.min(all, limit ?? all);
    this.#shuffle = shuffle;
    this.#seed = seed;
    this.#transform = transform;
    this.#workers = workers;
  }

  /** Which epoch, from 0 on, the next iteration will be. Each iteration raises it by one as it starts. */
  get epoch(): number {
    return this.#epoch;
  }

  /** @throws `bad_option` unless it is an integer from 0 on. */
  set epoch(epoch: number) {
    checkInteger("batches", "epoch", epoch, 0);
    this.#epoch = epoch;
  }

  [Symbol.iterator](): Iterator<Batch> {
    return this.#iterate(this.#epoch++);
  }

  [Symbol.asyncIterator](): AsyncIterator<Batch> {
    return this.#ahead(this.#epoch++);
  }

  *#iterate(epoch: number): Generator<Batch, void, void> {
    for (const { batch, stream } of this.#gather(epoch)) {
      yield this.#transform?.(batch, Random.stream(this.#seed, stream)) ?? batch;
    }
  }

  /** The same, with the next few batches transformed elsewhere meanwhile. */
  async *#ahead(epoch: number): AsyncGenerator<Batch, void, void> {
    const transform = this.#transform;
    if (this.#workers === 0 || !isSendable(transform)) {
      yield* this.#iterate(epoch);
      return;
    }
    const coming: Promise<Batch>[] = [];
    let asked = 0;
    for (const gathered of this.#gather(epoch)) {
      const next = transformElsewhere({ transform, seed: this.#seed, ...gathered }, asked++ % this.#workers);
      // Whoever comes to this batch meets the error; nobody else may.
      next.catch(() => undefined);
      coming.push(next);
      if (coming.length > 2 * this.#workers) yield coming.shift()!;
    }
    yield* coming;
  }

  /** The batches of an epoch as they are in the data set, and what the random stream of each is called. */
  *#gather(epoch: number): Generator<{ batch: Batch; stream: string }, void, void> {
    const { length } = this.dataset;
    const order = this.#shuffle
      ? Random.stream(this.#seed, `shuffle/${epoch}`).permutation(length)
      : Uint32Array.from({ length }, (_, i) => i);
    for (let i = 0; i < this.length; i++) {
      const start = i * this.batchSize;
      const batch = this.dataset.batch(order.subarray(start, Math.min(start + this.batchSize, length)));
      yield { batch, stream: `transform/${epoch}/${i}` };
    }
  }
}

function isSendable(transform: BatchTransform | undefined): transform is Job["transform"] {
  return transform?.augment !== undefined;
}
