// Our side of `bench/mnist.ts`: serves blocks of training steps of the MNIST CNN on request, as bench/peer/mnist_step.py does.

import { createInterface } from "node:readline";
import { arborize, losses, nn, nodeEngine, optim, Random, Tensor } from "../src/index.ts";

const [threads, batchSize, dendrites] = process.argv.slice(2).map(Number) as [number, number, number];

const training = await arborize(new nn.models.MnistNet(), {
  inputs: { x: ["batch", 1, 28, 28] },
  loss: losses.crossEntropy(),
  optimizer: optim.adadelta({ learningRate: 1 }),
  growth: { switchMode: "every", retainAll: true },
  engine: nodeEngine({ threads }),
});
for (let i = 0; i < dendrites; i++) await training.addValidationScore(i);

const random = Random.stream(0, "bench");
const x = new Tensor(
  "float32",
  [batchSize, 1, 28, 28],
  Float32Array.from({ length: batchSize * 784 }, () => random.normal()),
);
const target = Tensor.of(
  [batchSize],
  Array.from({ length: batchSize }, () => random.integer(10)),
  "int64",
);

console.log(`Arborize on ONNX Runtime, Node ${process.version}`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "end") {
    console.log(process.resourceUsage().maxRSS / 1024);
    break;
  }
  const times: number[] = [];
  for (let i = 0; i < Number(line); i++) {
    const start = performance.now();
    await training.step({ x, target });
    times.push(performance.now() - start);
  }
  console.log(times.map((time) => time.toFixed(3)).join(" "));
}
await training.release();
