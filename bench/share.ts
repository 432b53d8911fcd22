// How busy the loader keeps the engine: the share of wall time of `fit` that is spent in the engine's runs, and where the rest goes.

import { parseArgs } from "node:util";
import { data, type Engine, fit, losses, metrics, nn, nodeEngine, optim } from "../src/index.ts";

const { values } = parseArgs({
  options: {
    images: { type: "string", default: "4000" },
    dendrites: { type: "string", default: "0" },
    augment: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(
    "Trains PyTorch's MNIST CNN for an epoch a number of dendrites and says what share of the time the engine ran.\n\n" +
      "  --images     generated images of 28 x 28 to learn from (default: 4000)\n" +
      "  --dendrites  dendrites at most (default: 0)\n" +
      "  --augment    turn and shear images anew for each epoch",
  );
  process.exit();
}

/** The engine with a clock on its runs. */
function clocked(engine: Engine) {
  const spent = new Map<string, number>();
  const add = (name: string, ms: number) => spent.set(name, (spent.get(name) ?? 0) + ms);
  const timed: Engine = {
    ...engine,
    async compile(model, options) {
      const begin = performance.now();
      const program = await engine.compile(model, options);
      add("compiling", performance.now() - begin);
      return {
        release: () => program.release(),
        async run(inputs, outputs) {
          const start = performance.now();
          const results = await program.run(inputs, outputs);
          add(options.name, performance.now() - start);
          return results;
        },
      };
    },
  };
  return { timed, spent };
}

const images = Number(values.images);
const digits = data.digits({ train: images, validation: 500, test: 1, size: 28 });
const { timed, spent } = clocked(nodeEngine());
let start = performance.now();
await fit(new nn.models.MnistNet(), {
  inputs: { x: ["batch", 1, 28, 28] },
  loss: losses.crossEntropy(),
  metric: metrics.accuracy,
  optimizer: optim.adadelta(),
  growth: { switchMode: "fixed", fixedEpochs: 1, maxDendrites: Number(values.dendrites), retainAll: true },
  engine: timed,
  train: data.batches(digits.train, {
    batchSize: 64,
    shuffle: true,
    ...(values.augment ? { transform: data.augment({ rotate: 10, shear: 5 }) } : {}),
  }),
  validation: data.batches(digits.validation, { batchSize: 500 }),
  maxEpochs: Number(values.dendrites) + 1,
  progress: false,
  onEpoch: ({ dendrites, trainSeconds }) => {
    const whole = performance.now() - start;
    const inEngine = [...spent.values()].reduce((sum, ms) => sum + ms, 0);
    const shares = [...spent].map(([name, ms]) => `${name} ${((100 * ms) / whole).toFixed(1)} %`);
    const share = `${((100 * inEngine) / whole).toFixed(1)} % of ${(whole / 1000).toFixed(1)} s in the engine`;
    console.log(
      `${dendrites} dendrites: ${share} (${shares.join(", ")}); steps ${trainSeconds.toFixed(1)} s`,
    );
    spent.clear();
    start = performance.now();
  },
});
