// What a page does with Arborize: everything that the test asks of it, as functions of the window.

import {
  ArborizeError,
  type ArborizeOptions,
  arborize,
  type Batch,
  data,
  losses,
  metrics,
  nn,
  optim,
  Random,
  readOnnx,
  readStateDict,
  Tensor,
  fit as train,
  type Value,
  webEngine,
} from "../../../src/web.ts";
import { digits, SMALL, SmallNet } from "../small-net.ts";

const numbers = (bytes: Uint8Array) => Array.from(bytes);
const bytes = (from: readonly number[]) => Uint8Array.from(from);
const first = (): Batch =>
  data.batches(digits.validation, { batchSize: 20 })[Symbol.iterator]().next().value!;

/** What an error says, with its code. */
async function failure(work: () => unknown): Promise<string> {
  try {
    await work();
    return "none";
  } catch (error) {
    return error instanceof ArborizeError ? `${error.code}: ${error.message}` : String(error);
  }
}

interface Gpu {
  readonly gpu?: { requestAdapter(): Promise<object | null> };
}

/** What GPUs do otherwise: pools that overlap, running statistics, masks. */
class Pooled extends nn.Module {
  conv = new nn.Conv2d(1, 2, 3);
  norm = new nn.BatchNorm2d(2);
  drop = new nn.Dropout(0.2);
  fc = new nn.Linear(2 * 9, 3);

  forward(x: Value): Value {
    x = this.norm.call(this.conv.call(x)).relu().maxPool2d(3, { stride: 2, padding: 1 });
    return this.fc.call(this.drop.call(x.flatten()));
  }
}

export const page = {
  /** Steps, a loss, a score, what is written and released: on WebAssembly and on WebGPU. Null where there is no adapter. */
  async onGpu() {
    const { gpu } = (globalThis as unknown as { navigator: Gpu }).navigator;
    if (!(await gpu?.requestAdapter())) return null;
    const random = Random.stream(3, "images");
    const x = Tensor.of(
      [4, 1, 8, 8],
      Array.from({ length: 4 * 64 }, () => random.normal()),
    );
    const batch = { x, target: Tensor.of([4], [0, 1, 2, 0], "int64") };
    const on = async (engine: NonNullable<ArborizeOptions["engine"]>) => {
      const training = await arborize(new Pooled(), {
        inputs: { x: ["batch", 1, 8, 8] },
        loss: losses.crossEntropy(),
        metric: metrics.accuracy,
        optimizer: optim.sgd({ learningRate: 0.1 }),
        engine,
      });
      const told = [await training.step(batch), await training.step(batch)];
      // All at once: what is predicted may be from before the step or after it.
      const [third] = await Promise.all([training.step(batch), training.predict(batch)]);
      told.push(third, ...(await training.predict(batch)).toNumbers());
      const score = await training.evaluate([batch]);
      told.push(await training.evaluate([batch], null));
      await training.release();
      const state = [...(await training.stateDict()).values()];
      return {
        engine: training.engineName,
        told,
        score,
        state: state.flatMap((each) => [...each.toNumbers()]),
      };
    };
    return { wasm: await on(webEngine()), gpu: await on(webEngine({ device: "webgpu" })) };
  },
  /** Trains and grows to the end. */
  async grow() {
    const epochs: string[] = [];
    let turns = 0;
    const timer = setInterval(() => turns++, 10);
    const { training, history } = await train(new SmallNet(), {
      ...SMALL,
      growth: { ...SMALL.growth, maxDendrites: 1 },
      onEpoch: ({ dendrites, validation }) => {
        epochs.push(`${dendrites} ${validation}`);
      },
    });
    clearInterval(timer);
    const output: Tensor = await training.predict(first());
    const { examples } = await training.explain(digits.validation, { examples: 20 });
    return {
      engine: training.engineName,
      epochs,
      losses: history.epochs.map(({ trainLoss }) => trainLoss),
      output: Array.from(output.toNumbers()),
      onnx: numbers(await training.toOnnx()),
      checkpoint: numbers(await training.toCheckpoint()),
      explained: examples,
      turns,
    };
  },
  /** Goes on from a checkpoint, for a step, and says the loss. */
  async goOn(checkpoint: readonly number[]) {
    const training = await arborize(new SmallNet(), SMALL);
    await training.load(bytes(checkpoint));
    return [training.dendrites, await training.step(first())];
  },
  /** What fetched files hold, and what errors there are. */
  async files() {
    const { graph } = await readOnnx("model.onnx");
    const state = await readStateDict("best.safetensors");
    const training = await arborize(new SmallNet(), { ...SMALL, engine: webEngine({ threads: 1 }) });
    return {
      parameters: graph.parameters.length,
      state: [...state.keys()],
      missing: await failure(() => readOnnx("missing.onnx")),
      folder: await failure(() => train(new SmallNet(), { ...SMALL, runFolder: "runs/x" })),
      saved: await failure(() => training.save("latest.safetensors")),
      threads: await failure(() => webEngine({ threads: 0 })),
      model: await failure(() => readOnnx(new Uint8Array(10))),
    };
  },
};

Object.assign(globalThis, { page });
