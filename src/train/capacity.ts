// A trial before a long run: can this network take so many dendrites, what do they cost, is memory enough?

import { Random } from "../base/random.ts";
import type { Batch } from "../data/dataset.ts";
import { GrowingNetwork, type NetworkParts } from "./network.ts";

/** What a number of dendrites costs. */
export interface CapacityRow {
  readonly dendrites: number;
  /** How many numbers are learned. */
  readonly parameters: number;
  /** The training loss on the batch; growing does not change it, but for dropout. */
  readonly loss: number;
  /** Seconds to rebuild and compile the training step. */
  readonly compileSeconds: number;
  /** Seconds of one step on the batch, after a first one. */
  readonly stepSeconds: number;
}

/** Grows 0 to `dendrites` dendrites on a copy of a network, with two training steps on each. The network is left as it is. */
export async function measureCapacity(
  parts: NetworkParts & { readonly seed: number },
  batch: Batch,
  dendrites: number,
): Promise<CapacityRow[]> {
  const network = new GrowingNetwork(parts);
  const rows: CapacityRow[] = [];
  const knobs = parts.optimizer.knobs(1, 0);
  for (let count = network.dendrites; count <= dendrites; count++) {
    const start = performance.now();
    const { values } = await network.snapshot();
    await network.rebuild(count, values, (name) => Random.stream(parts.seed, `capacity/${name}`));
    const masks = () => Random.stream(parts.seed, "capacity");
    const loss = await network.step(batch, masks(), knobs);
    const compiled = performance.now();
    await network.step(batch, masks(), knobs);
    const end = performance.now();
    rows.push({
      dendrites: count,
      parameters: network.parameterCount,
      loss,
      compileSeconds: (compiled - start) / 1000,
      stepSeconds: (end - compiled) / 1000,
    });
  }
  await network.release();
  return rows;
}
