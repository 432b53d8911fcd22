// Threads beside the training thread that transform batches while the engine runs, which keeps the training thread waiting.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { ArborizeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { Batch } from "./dataset.ts";
import type { BatchTransform } from "./transform.ts";
import { type Order, type Reply, received, sendable } from "./transform-messages.ts";

/** What is to be done: a transform that can be sent, its random stream, a batch. */
export interface Job {
  readonly transform: BatchTransform & { readonly augment: object };
  readonly seed: number;
  readonly stream: string;
  readonly batch: Batch;
}

interface Pending {
  readonly job: Job;
  readonly resolve: (batch: Batch) => void;
  readonly reject: (error: Error) => void;
}

/** One thread. It does not keep the process alive while it has nothing to do. */
class TransformThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #orders = 0;
  #broken = false;

  constructor() {
    this.#worker = startWorker();
    this.#worker.unref();
    this.#worker.on("message", (reply: Reply) => this.#settle(reply));
    this.#worker.on("error", () => this.#giveUp());
  }

  run(job: Job): Promise<Batch> {
    if (this.#broken) return Promise.resolve(here(job));
    const id = this.#orders++;
    const { seed, stream, batch } = job;
    const order: Order = { id, augment: job.transform.augment, seed, stream, batch: sendable(batch) };
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { job, resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(order);
    });
  }

  #settle(reply: Reply): void {
    const { resolve, reject } = this.#pending.get(reply.id)!;
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ("batch" in reply) resolve(received(reply.batch));
    else reject(new ArborizeError(reply.code, reply.message));
  }

  /** Where threads cannot be had, as in a bundle without the worker's file, the work is done on this one: the same batches. */
  #giveUp(): void {
    this.#broken = true;
    const left = [...this.#pending.values()];
    this.#pending.clear();
    for (const { job, resolve, reject } of left) {
      try {
        resolve(here(job));
      } catch (error) {
        reject(error as Error);
      }
    }
  }
}

function startWorker(): Worker {
  if (import.meta.url.endsWith(".js")) return new Worker(new URL("./transform-worker.js", import.meta.url));
  // A checkout runs its sources as they are. Threads don't inherit what makes that possible.
  const resolved = createRequire(import.meta.url).resolve("tsx/esm/api");
  const tsx = pathToFileURL(resolved.replace(/\.cjs$/, ".mjs"));
  const source = new URL("./transform-worker.ts", import.meta.url);
  const code = `import(${JSON.stringify(tsx)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(source)}); })`;
  return new Worker(code, { eval: true });
}

function here({ transform, seed, stream, batch }: Job): Batch {
  return transform(batch, Random.stream(seed, stream));
}

const threads: TransformThread[] = [];

/** Transforms a batch on thread number `thread`, which all loaders share. @throws what the transform throws. */
export function transformElsewhere(job: Job, thread: number): Promise<Batch> {
  threads[thread] ??= new TransformThread();
  return threads[thread].run(job);
}
