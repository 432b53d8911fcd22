// What goes wrong names the thing, and nothing is lost by it.

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type ArborizeOptions,
  arborize,
  type Batch,
  type Dataset,
  losses,
  nn,
  optim,
  Tensor,
  type Training,
  fit as train,
  type Value,
} from "../src/index.ts";
import { temporaryFolders } from "./support/folders.ts";
import { digits, OPTIONS, SmallNet, stateOf } from "./support/journey.ts";

const folder = temporaryFolders();
const { train: _, validation: __, test: ___, batchSize: ____, progress: _____, ...options } = OPTIONS;
const make = (changes: Partial<ArborizeOptions> = {}) => arborize(new SmallNet(), { ...options, ...changes });
const good = digits.train.batch([0, 1, 2, 3, 4, 5]);
const another = digits.train.batch([6, 7, 8, 9]);
/** An error of `code` whose message has these parts, in this order. */
const wrong = (code: string, ...parts: string[]) => {
  const message = expect.stringMatching(new RegExp(parts.map(escaped).join(".*"), "s"));
  return expect.objectContaining({ code, message });
};
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

let saves = 0;
/** Everything that a training knows, without times. */
async function everything(training: Training): Promise<unknown> {
  const path = folder(`state-${saves++}`);
  await training.save(path);
  return stateOf(path);
}

/** Runs `fail` on a training in the middle of a run and expects that it, and what follows, are as if it had not been. */
async function expectHarmless(fail: (training: Training) => Promise<unknown>): Promise<void> {
  const [training, twin] = [await make(), await make()];
  for (const each of [training, twin]) await each.step(good);
  const before = await everything(training);
  await fail(training);
  expect(await everything(training)).toEqual(before);
  expect(await training.step(another)).toBe(await twin.step(another));
  expect(await everything(training)).toEqual(await everything(twin));
}

describe("a batch that does not fit", () => {
  const floats = Tensor.of([6], [0, 1, 2, 3, 4, 5]);
  const CASES: Readonly<Record<string, [Batch, ...Parameters<typeof wrong>]>> = {
    "a missing tensor": [
      { images: good.x!, target: good.target! },
      "missing_input",
      'no tensor "x"',
      'it has "images", "target"',
    ],
    "a misspelt name": [
      { x: good.x!, targets: good.target! },
      "missing_input",
      '"target"',
      'Did you mean "targets"?',
    ],
    "an empty batch": [{}, "missing_input", '"x"', "it has nothing"],
    "a wrong length": [
      { x: Tensor.zeros([6, 1, 12, 13]), target: good.target! },
      "shape_mismatch",
      '"x" has shape [6, 1, 12, 13]',
      "wants [batch = 6, 1, 12, 12]",
    ],
    "too few axes": [
      { x: Tensor.zeros([6, 144]), target: good.target! },
      "shape_mismatch",
      '"x" has shape [6, 144]',
      ", 1, 12, 12]",
    ],
    "different numbers of examples": [
      { x: good.x!, target: Tensor.of([5], [0, 1, 2, 3, 4], "int64") },
      "shape_mismatch",
      '"target" has shape [5]',
      "[batch = 6]",
    ],
    "classes that are not whole numbers": [
      { x: good.x!, target: floats },
      "dtype_mismatch",
      '"target" is float32[6]',
      "int64 is wanted",
    ],
    "a class that the network does not know": [
      { x: good.x!, target: Tensor.of([6], [0, 1, 2, 3, 4, 10], "int64") },
      "bad_data",
      '"target" holds the class 10 (element 5)',
      "10 classes are 0 to 9",
    ],
    "a negative class": [
      { x: good.x!, target: Tensor.of([6], [0, -1, 2, 3, 4, 9], "int32") },
      "bad_data",
      '"target" holds the class -1 (element 1)',
    ],
  };

  it.each(Object.entries(CASES))("%s", async (_name, [batch, code, ...parts]) => {
    await expectHarmless((training) => expect(training.step(batch)).rejects.toEqual(wrong(code, ...parts)));
  });

  it("is not one with classes that the loss ignores", async () => {
    const classes = [3, -100, 2, 1, 4, 9];
    const ignoring = { x: good.x!, target: Tensor.of([6], classes, "int64") };
    const other = {
      x: good.x!,
      target: Tensor.of(
        [6],
        classes.map((each) => (each < 0 ? 7 : each)),
        "int64",
      ),
    };
    const nothing = { x: good.x!, target: Tensor.full([6], 7, "int64") };
    const training = await make({ loss: losses.crossEntropy({ ignoreIndex: 7 }) });
    await expect(training.step(ignoring)).rejects.toEqual(wrong("bad_data", "holds the class -100"));
    expect(await training.step(other)).toBeCloseTo(Math.LN10, 0);
    expect(await (await make()).step(ignoring)).toBeCloseTo(Math.LN10, 0);
    // A mean over nothing.
    await expect(training.step(nothing)).rejects.toEqual(wrong("not_a_number", "loss is NaN"));
  });

  it("is refused by evaluate and predict as well", async () => {
    await expectHarmless(async (training) => {
      const batch = { x: Tensor.zeros([2, 1, 12, 13]), target: good.target! };
      const unknown = { x: good.x!, target: Tensor.full([6], 12, "int64") };
      await expect(training.evaluate([batch])).rejects.toEqual(wrong("shape_mismatch", '"x"'));
      await expect(training.predict({ y: good.x! })).rejects.toEqual(wrong("missing_input", '"x"'));
      await expect(training.evaluate([unknown])).rejects.toEqual(wrong("bad_data", "class 12"));
      await expect(training.evaluate([])).rejects.toEqual(wrong("bad_data", "nothing to evaluate"));
    });
  });
});

describe("a network that does not fit", () => {
  it("names the module", async () => {
    class Misfit extends nn.Module {
      body = new nn.Sequential(new nn.Conv2d(1, 4, 3), new nn.Flatten());
      head = new nn.Linear(100, 10);
      forward(x: Value): Value {
        return this.head.call(this.body.call(x as never));
      }
    }
    await expect(arborize(new Misfit(), options)).rejects.toEqual(
      wrong("shape_mismatch", 'Gemm "head"', "takes 100 features, the input has 400"),
    );
    const { inputs: _inputs, ...without } = options;
    await expect(arborize(new SmallNet(), without)).rejects.toEqual(
      wrong("bad_option", "inputs of a module"),
    );
    const { loss: _loss, ...lossless } = options;
    await expect(arborize(new SmallNet(), lossless as never)).rejects.toEqual(
      wrong("bad_option", "needs a loss"),
    );
  });
});

describe("not a number", () => {
  it("in a batch changes nothing", async () => {
    const x = good.x!.clone();
    x.data[7] = Number.NaN;
    await expectHarmless((training) =>
      expect(training.step({ x, target: good.target! })).rejects.toEqual(
        wrong("not_a_number", "training loss is NaN", "as before this step"),
      ),
    );
  });

  it("after a step that was too large names the learning rate", async () => {
    const training = await make({ optimizer: optim.sgd({ learningRate: 1e30 }) });
    const diverge = async () => {
      for (let i = 0; i < 5; i++) await training.step(good);
    };
    await expect(diverge()).rejects.toEqual(wrong("not_a_number", "Lower the learning rate"));
    const before = await everything(training);
    await expect(training.step(good)).rejects.toEqual(wrong("not_a_number"));
    expect(await everything(training)).toEqual(before);
  });

  it("as a score changes nothing, and the next score is taken", async () => {
    await expectHarmless(async (training) => {
      for (const score of [Number.NaN, Number.POSITIVE_INFINITY]) {
        await expect(training.addValidationScore(score)).rejects.toEqual(
          wrong("not_a_number", "epoch 0", `${score}`),
        );
      }
    });
    const training = await make();
    await training.addValidationScore(Number.NaN).catch(() => undefined);
    await training.addValidationScore(0.5);
    expect(training.history.epochs.map(({ validation: score }) => score)).toEqual([0.5]);
  });

  it("in the middle of fit leaves a folder that goes on as if it had not been", async () => {
    let batches = 0;
    const spoilt: Dataset = {
      ...digits.train,
      batch(indices) {
        const batch = digits.train.batch(indices);
        // The fourth batch of the third epoch.
        if (++batches === 16) batch.x!.data[0] = Number.NaN;
        return batch;
      },
    };
    const all = { ...OPTIONS, maxEpochs: 5 };
    await expect(
      train(new SmallNet(), { ...all, train: spoilt, runFolder: folder("spoilt") }),
    ).rejects.toEqual(
      wrong("not_a_number", "In epoch 2, step 3", join(folder("spoilt"), "latest.safetensors"), "resume"),
    );
    await train(new SmallNet(), { ...all, runFolder: folder("spoilt"), resume: true });
    await train(new SmallNet(), { ...all, runFolder: folder("unspoilt") });
    const latest = (run: string) => stateOf(join(folder(run), "latest.safetensors"));
    expect(latest("spoilt")).toEqual(latest("unspoilt"));
  });
});
