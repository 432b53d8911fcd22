// Our side of the bench: serves blocks of training steps of a row on request, as bench/peer/step.py does. Each is on the same batch,
// or on the next one of a loader.

import { createInterface } from "node:readline";
import { arborize, nodeEngine } from "../src/index.ts";
import { drawBatch, LOSS, loadedBatches, mnistRow, ROWS, type Row, type RowName } from "./networks.ts";

const [name, threads, dendrites, ...rest] = process.argv.slice(2) as [RowName, ...string[]];
// "loader" and how many images an epoch has; or, of the MNIST CNN, the images in a batch and how many times as wide it is.
const loads = rest[0] === "loader";
const sizes = rest.map(Number) as [number, number];
const row: Row = loads || rest.length === 0 ? ROWS[name] : mnistRow(...sizes);

const training = await arborize(row.model(), {
  inputs: row.inputs,
  loss: LOSS,
  optimizer: row.optimizer(),
  dendrites: row.where,
  growth: Number(dendrites) > 0 ? { switchMode: "every", retainAll: true } : { maxDendrites: 0 },
  engine: nodeEngine({ threads: Number(threads) }),
});
for (let i = 0; i < Number(dendrites); i++) await training.addValidationScore(i);
const batch = drawBatch(row);
const batches = loads ? loadedBatches(row, sizes[1]) : null;

console.log(`Arborize on ONNX Runtime, Node ${process.version}`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "end") {
    console.log(process.resourceUsage().maxRSS / 1024);
    break;
  }
  const times: number[] = [];
  for (let i = 0; i < Number(line); i++) {
    const start = performance.now();
    await training.step(batches ? (await batches.next()).value : batch);
    times.push(performance.now() - start);
  }
  console.log(times.map((time) => time.toFixed(3)).join(" "));
}
await training.release();
