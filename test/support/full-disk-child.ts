// Saves a checkpoint, grows, and saves again over it: `full-disk-child.ts FILE`. Run where files may not get so large, it
// prints what the second time threw, as JSON.

import { nodeEngine } from "../../src/engine/node.ts";
import { ArborizeError, arborize, losses, nn, optim } from "../../src/index.ts";

const path = process.argv[2]!;
const training = await arborize(new nn.Sequential(new nn.Linear(256, 256)), {
  inputs: { x: ["batch", 256] },
  loss: losses.mse(),
  optimizer: optim.sgd(),
  engine: nodeEngine({ threads: 1 }),
  growth: { switchMode: "every" },
});
await training.save(path);
await training.addValidationScore(0.5);
try {
  await training.save(path);
} catch (error) {
  if (!(error instanceof ArborizeError)) throw error;
  process.stdout.write(JSON.stringify({ code: error.code, message: error.message }));
}
