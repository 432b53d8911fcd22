// The thread that learns, so that the page stays quick. What it does is what a program for Node.js does.

import { arborize, type Batch, data, losses, metrics, nn, optim, Tensor, type Value } from "arborize/web";
import type { Order, Report } from "./messages.ts";

class SmallCnn extends nn.Module {
  conv1 = new nn.Conv2d(1, 4, 3, { padding: 1 });
  conv2 = new nn.Conv2d(4, 6, 3, { padding: 1 });
  fc1 = new nn.Linear(6 * 5 * 5, 12);
  fc2 = new nn.Linear(12, 10);

  forward(x: Value) {
    x = this.conv1.call(x).relu().maxPool2d(2);
    x = this.conv2.call(x).relu().maxPool2d(2).flatten();
    return this.fc2.call(this.fc1.call(x).relu());
  }
}

const training = await arborize(new SmallCnn(), {
  inputs: { x: ["batch", 1, 20, 20] },
  loss: losses.crossEntropy(),
  metric: metrics.accuracy,
  optimizer: optim.adam({ learningRate: 0.004 }),
  growth: { patience: 4, maxDendrites: 3, maxTries: 2 },
});
const digits = data.digits({ train: 3000, validation: 1000, test: 1000 });
const train = data.batches(digits.train, { batchSize: 32, shuffle: true });
const validation = data.batches(digits.validation, { batchSize: 250 });
const test = data.batches(digits.test, { batchSize: 250 });

const report = (message: Report) => postMessage(message);
let stopping = false;

async function learn(): Promise<void> {
  stopping = false;
  while (!training.complete && !stopping) {
    train.epoch = training.epochs;
    for (const batch of train) await training.step(batch);
    const score = await training.evaluate(validation);
    const { dendrites, parameterCount: parameters, epochs: epoch } = training;
    const { restructured, decisions } = await training.addValidationScore(score);
    const told = restructured ? (decisions.at(-1)?.text ?? null) : null;
    report({ type: "epoch", epoch, dendrites, parameters, validation: score, told });
  }
  if (training.complete) await training.restoreBest();
  const accuracy = (100 * (await training.evaluate(test))).toFixed(1);
  const state = training.complete ? "Grown" : "Stopped";
  report({
    type: "end",
    told: `${state}: ${training.dendrites} dendrites a layer, ${accuracy} % of the test digits read.`,
    engine: training.engineName,
    model: Uint8Array.from(await training.toOnnx({ clean: true })),
  });
}

/** What the network takes a drawing for. */
async function read(ink: Float32Array): Promise<void> {
  // As data.digits normalizes its pixels.
  const pixels = Array.from(ink, (value) => (value - 0.134) / 0.229);
  const batch: Batch = { x: Tensor.of([1, 1, 20, 20], pixels) };
  const scores = Array.from((await training.predict(batch)).toNumbers());
  const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
  const sum = powers.reduce((a, b) => a + b);
  report({ type: "guess", shares: powers.map((power) => power / sum) });
}

addEventListener("message", async ({ data: order }: MessageEvent<Order>) => {
  try {
    if (order.type === "train") await learn();
    else if (order.type === "read") await read(order.ink);
    else stopping = true;
  } catch (error) {
    report({ type: "failed", told: (error as Error).message });
  }
});
