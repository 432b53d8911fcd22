// Our side of the bench: serves blocks of training steps of a row on request, as bench/peer/step.py does.

import { createInterface } from "node:readline";
import { arborize, nodeEngine } from "../src/index.ts";
import { drawBatch, LOSS, mnistRow, ROWS, type Row, type RowName } from "./networks.ts";

// Of the MNIST CNN also the images in a batch, and how many times as wide it is.
const [name, threads, dendrites, images, width = "1"] = process.argv.slice(2) as [RowName, ...string[]];
const row: Row = images ? mnistRow(Number(images), Number(width)) : ROWS[name];

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

console.log(`Arborize on ONNX Runtime, Node ${process.version}`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "end") {
    console.log(process.resourceUsage().maxRSS / 1024);
    break;
  }
  const times: number[] = [];
  for (let i = 0; i < Number(line); i++) {
    const start = performance.now();
    await training.step(batch);
    times.push(performance.now() - start);
  }
  console.log(times.map((time) => time.toFixed(3)).join(" "));
}
await training.release();
