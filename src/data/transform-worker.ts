// The other thread: transforms batches that it is sent. See transform-threads.ts.

import { parentPort } from "node:worker_threads";
import { ArborizeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import { type AugmentOptions, augment } from "./augment.ts";
import { buffersOf, type Order, type Reply, received, sendable } from "./transform-messages.ts";

parentPort!.on("message", ({ id, augment: options, seed, stream, batch }: Order) => {
  const reply = (answer: Reply, buffers: ArrayBuffer[] = []) => parentPort!.postMessage(answer, buffers);
  try {
    const changed = augment(options as AugmentOptions)(received(batch), Random.stream(seed, stream));
    const sent = sendable(changed);
    reply({ id, batch: sent }, buffersOf(sent));
  } catch (error) {
    const { code, message } =
      error instanceof ArborizeError ? error : { code: "internal" as const, message: `${error}` };
    reply({ id, code, message });
  }
});
