// What an epoch of a dendrite phase costs beside one of the neurons: with the network in each step, and on what is kept of it.
//
//     npx tsx bench/dendrite-phase.ts [--threads N] [NAME…]
//
// The least of several epochs taken in turns, so that a machine that is busy otherwise does not matter much. Epochs are of
// training alone, without validation.

import { availableParallelism } from "node:os";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  arborize,
  type Batch,
  type DendriteOptions,
  data,
  nn,
  nodeEngine,
  type Training,
  type Value,
} from "../src/index.ts";
import { drawBatch, LOSS, ROWS, type Row } from "./networks.ts";

const BATCHES = 4;
const ROUNDS = 12;
/** Milliseconds after which the threads of the training before have stopped waiting for more. */
const PAUSE = 50;

/** Three convolutions of 32 channels, and a classifier. */
class Convolutions extends nn.Module {
  readonly first = new nn.Conv2d(3, 32, 5);
  readonly second = new nn.Conv2d(32, 32, 5);
  readonly fc = new nn.Linear(32 * 25, 10);

  forward(x: Value): Value {
    const pooled = this.first.call(x).relu().maxPool2d(2);
    return this.fc.call(this.second.call(pooled).relu().maxPool2d(2).flatten());
  }
}

interface Subject {
  readonly row: Row;
  readonly where: DendriteOptions;
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  mlp: { row: ROWS.mlp, where: { types: ["Linear"] } },
  "mlp, last layer": { row: ROWS.mlp, where: { types: [], modules: ["4"] } },
  cnn: {
    row: {
      ...ROWS["mnist-cnn"],
      model: () => new Convolutions(),
      inputs: { x: ["batch", 3, 32, 32] },
      batch: { shape: [64, 3, 32, 32] },
    },
    where: { types: ["Linear", "Conv2d"] },
  },
  "mnist-cnn": { row: ROWS["mnist-cnn"], where: { types: ["Linear", "Conv2d"] } },
  "mnist-cnn, linear layers": { row: ROWS["mnist-cnn"], where: { types: ["Linear"] } },
  lstm: { row: ROWS.lstm, where: { types: ["LSTM", "Linear"] } },
};

const { values, positionals: chosen } = parseArgs({
  options: {
    threads: { type: "string", default: String(availableParallelism()) },
    help: { type: "boolean", short: "h", default: false },
  },
  allowPositionals: true,
});
const threads = Number(values.threads);
const strangers = chosen.filter((name) => !(name in SUBJECTS));
if (values.help || strangers.length > 0 || !(Number.isInteger(threads) && threads > 0)) {
  if (strangers.length > 0) console.error(`no such network: ${strangers.join(", ")}\n`);
  console.log(
    "Times epochs of dendrites that learn by correlation against epochs of neurons.\n\n" +
      `usage: dendrite-phase.ts [--threads N] [${Object.keys(SUBJECTS).join(" | ")}] …\n` +
      `  --threads  of the engine (default: the machine's, ${availableParallelism()})`,
  );
  process.exit(values.help ? 0 : 2);
}

/** A training with `dendrites` dendrites whose next one learns, or whose neurons do. */
async function prepared(
  { row, where }: Subject,
  batches: readonly Batch[],
  dendrites: number,
  cacheMegabytes: number | null,
): Promise<Training> {
  const training = await arborize(row.model(), {
    inputs: row.inputs,
    loss: LOSS,
    optimizer: row.optimizer(),
    dendrites: {
      ...where,
      learning: "correlation",
      correlation: {
        bootstrapBatches: 1,
        requireFlat: false,
        patience: 1000,
        cacheMegabytes: cacheMegabytes ?? 0,
      },
    },
    growth: { switchMode: "every", retainAll: true, findBestRate: false },
    engine: nodeEngine({ threads }),
  });
  for (let score = 0; ; score++) {
    const neurons = training.phase === "neurons";
    if (training.dendrites === dendrites && neurons === (cacheMegabytes === null)) return training;
    for (const batch of neurons ? [] : batches.slice(0, 2)) await training.step(batch);
    await training.addValidationScore(score);
  }
}

/** The time of an epoch, in milliseconds. */
async function epoch(training: Training, batches: readonly Batch[]): Promise<number> {
  await setTimeout(PAUSE);
  const before = performance.now();
  for (const batch of batches) await training.step(batch);
  return performance.now() - before;
}

console.log("| network | dendrites | neurons, ms | dendrites, ms | ratio | kept, ms | ratio |");
console.log("| --- | --: | --: | --: | --: | --: | --: |");
for (const [name, subject] of Object.entries(SUBJECTS)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const { row } = subject;
  const size = row.batch.shape[0]!;
  const drawn = drawBatch({
    ...row,
    batch: { ...row.batch, shape: [BATCHES * size, ...row.batch.shape.slice(1)] },
  });
  const batches = [...data.batches(data.tensorDataset(drawn), { batchSize: size })];
  for (const dendrites of [0, 1]) {
    const trainings = [
      await prepared(subject, batches, dendrites, null),
      await prepared(subject, batches, dendrites, 0),
      await prepared(subject, batches, dendrites, 4096),
    ];
    const least = trainings.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, training] of trainings.entries()) {
        const time = await epoch(training, batches);
        // The first one compiles, and fills the memory.
        if (round > 0) least[i] = Math.min(least[i]!, time);
      }
    }
    const [neurons, network, kept] = least as [number, number, number];
    const cells = [
      name,
      dendrites,
      neurons.toFixed(0),
      network.toFixed(0),
      (network / neurons).toFixed(2),
      kept.toFixed(0),
      (kept / neurons).toFixed(2),
    ];
    console.log(`| ${cells.join(" | ")} |`);
    for (const training of trainings) await training.release();
  }
}
