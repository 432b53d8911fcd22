// What a page does with Arborize: everything that the test asks of it, as functions of the window.

import {
  ArborizeError,
  arborize,
  type Batch,
  data,
  readOnnx,
  readStateDict,
  type Tensor,
  fit as train,
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

export const page = {
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
