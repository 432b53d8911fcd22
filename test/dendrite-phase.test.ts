// Phases in which dendrites learn by correlation: what is kept of examples, kinds of modules, and what a checkpoint must hold.

import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import {
  type ArborizeOptions,
  arborize,
  type Batch,
  data,
  losses,
  nn,
  optim,
  readSafetensors,
  Tensor,
  type Training,
  type Value,
  writeSafetensors,
} from "../src/index.ts";
import { temporaryFolders } from "./support/folders.ts";
import { digits, OPTIONS, SmallNet } from "./support/journey.ts";
import { largestError, randn } from "./support/run.ts";

const growth = { switchMode: "fixed", fixedEpochs: 4, maxDendrites: 1, findBestRate: false } as const;
const learning = (correlation: object, where: object = {}) =>
  ({ learning: "correlation", correlation: { bootstrapBatches: 3, ...correlation }, ...where }) as const;

/** An engine that counts how often programs run, by their names. */
function counting() {
  const runs = new Map<string, number>();
  const { engine } = OPTIONS;
  const counted: typeof engine = {
    ...engine,
    compile: async (model, options) => {
      const program = await engine.compile(model, options);
      return {
        release: () => program.release(),
        run: (inputs, outputs) => {
          runs.set(options.name, (runs.get(options.name) ?? 0) + 1);
          return program.run(inputs, outputs);
        },
      };
    },
  };
  return { engine: counted, runs: () => runs.get("frozen network") ?? 0 };
}

/** Trains through a whole phase. Returns how often the frozen network ran by itself in each of its epochs. */
async function phase(
  training: Training,
  batches: (epoch: number) => Iterable<Batch>,
  runs: () => number,
): Promise<number[]> {
  const counts: number[] = [];
  for (let epoch = 0; training.dendrites === 0; epoch++) {
    const before = runs();
    for (const batch of batches(epoch)) await training.step(batch);
    if (training.phase === "dendrites") counts.push(runs() - before);
    await training.addValidationScore(0.5);
  }
  return counts;
}

describe("what the frozen network gives of each example", () => {
  // 110 examples: batches of 50, 50 and 10.
  const examples = data.subset(digits.train, [...Array(110).keys()]);
  const shuffled = (epoch: number) => {
    const batches = data.batches(examples, { batchSize: 50, shuffle: true, seed: 3 });
    batches.epoch = epoch;
    return batches;
  };
  /** Every image with noise of its own in each epoch. */
  const noisy = function* (epoch: number): Generator<Batch> {
    let i = 0;
    for (const batch of shuffled(epoch)) {
      const { x, target } = batch as { x: Tensor; target: Tensor };
      const noise = randn(x.shape, `noise ${epoch} ${i++}`, 0.01).data;
      yield {
        x: Tensor.of(
          x.shape,
          Array.from(x.toNumbers(), (value, k) => value + noise[k]!),
        ),
        target,
      };
    }
  };

  async function run(
    options: Partial<ArborizeOptions>,
    cacheMegabytes: number,
    batches: (epoch: number) => Iterable<Batch> = shuffled,
  ) {
    const { engine, runs } = counting();
    const dendrites = learning({ cacheMegabytes });
    const training = await arborize(new SmallNet(), { ...OPTIONS, growth, dendrites, engine, ...options });
    const counts = await phase(training, batches, runs);
    return { counts, state: await training.stateDict(), history: training.history };
  }

  it("is computed once, and candidates learn from it as from the network", async () => {
    const [kept, plain] = [await run({}, 64), await run({}, 0)];
    // One run more tells whether examples stand alone.
    expect(kept.counts).toEqual([4, 0, 0, 0, 0]);
    // Where nothing is kept it runs as a part of each step.
    expect(plain.counts).toEqual([0, 0, 0, 0, 0]);
    for (const [name, tensor] of plain.state) {
      expect(largestError(kept.state.get(name)!.toNumbers(), tensor.toNumbers()), name).toBeLessThan(1e-4);
    }
    for (const [i, { dendriteScores, trainLoss }] of plain.history.epochs.entries()) {
      const other = kept.history.epochs[i]!;
      for (const [site, score] of Object.entries(dendriteScores ?? {})) {
        expect(other.dendriteScores![site]).toBeCloseTo(score, 4);
      }
      // Means over batches and over examples are not quite the same.
      expect(Math.abs(other.trainLoss! - trainLoss!)).toBeLessThan(0.2);
    }
  });

  it("is not kept where it does not fit", async () => {
    // The batch that did not fit has run in vain.
    expect((await run({}, 0.05)).counts).toEqual([2, 0, 0, 0, 0]);
  });

  it("is not kept where examples are others in each epoch", async () => {
    const { counts } = await run({}, 64, noisy);
    expect(counts).toEqual([4, 3, 0, 0, 0]);
  });

  it("is not kept where it depends on the batch", async () => {
    const weight = Array.from({ length: 10 }, (_, i) => 1 + i);
    const { counts } = await run({ loss: losses.crossEntropy({ weight }) }, 64);
    expect(counts).toEqual([2, 0, 0, 0, 0]);
  });
});

class Recurrent extends nn.Module {
  lstm = new nn.LSTM(12, 6, { batchFirst: true });
  fc = new nn.Linear(6, 10);
  forward(x: Value): Value {
    const [, [hidden]] = this.lstm.call(x.squeeze(1));
    return this.fc.call(hidden.squeeze(0));
  }
}

class Blocks extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3, { bias: false });
  norm = new nn.BatchNorm2d(4);
  block = new nn.models.BasicBlock(4, 4, 2);
  fc = new nn.Linear(100, 10);
  forward(x: Value): Value {
    return this.fc.call(this.block.call(this.norm.call(this.conv.call(x)).relu()).flatten());
  }
}

describe.each([
  ["an LSTM", () => new Recurrent(), { types: ["LSTM"] }, ["lstm"]],
  [
    "a convolution with its normalization and a block",
    () => new Blocks(),
    { blocks: ["BasicBlock"] },
    ["conv", "block"],
  ],
] as const)("a phase on %s", (_, make, where, modules) => {
  it("leaves the network as it is, and the best candidate joins whole", async () => {
    const { engine, runs } = counting();
    const optimizer = optim.adam({ learningRate: 0.02 });
    const dendrites = learning({ candidates: 2, optimizer }, { ...where, initialScale: 0.3 });
    const training = await arborize(make(), { ...OPTIONS, growth, dendrites, engine });
    const batches = () => data.batches(data.subset(digits.train, [...Array(100).keys()]), { batchSize: 50 });
    const validation = () => data.batches(digits.validation, { batchSize: 50 });
    for (let i = 0; training.phase === "neurons"; i++) {
      for (const batch of batches()) await training.step(batch);
      await training.addValidationScore(0.5 + i / 10);
    }
    const before = await training.stateDict();
    const loss = await training.evaluate(validation(), null);
    const counts: number[] = [];
    while (training.dendrites === 0) {
      const start = runs();
      for (const batch of batches()) await training.step(batch);
      counts.push(runs() - start);
      expect(await training.evaluate(validation(), null)).toBe(loss);
      await training.addValidationScore(0.5);
    }
    expect(counts).toEqual([3, 0, 0, 0, 0]);
    const after = await training.stateDict();
    for (const [name, tensor] of before) expect(after.get(name)!.bytes(), name).toEqual(tensor.bytes());
    // Output weights are zero: nothing has changed but that dendrites are there.
    expect(await training.evaluate(validation(), null)).toBe(loss);
    const scores = training.history.epochs.flatMap(({ dendriteScores }) =>
      dendriteScores ? [dendriteScores] : [],
    );
    for (const id of modules) {
      expect(Object.keys(scores[0]!)).toContain(id);
      const own = scores.map((score) => score[id]!);
      expect(Math.max(...own), id).toBeGreaterThan(1.05 * own[0]!);
      const names = [...after.keys()].filter((name) => name.startsWith(`${id}.dendrites.0.`));
      const wanted = [...before.keys()].filter((name) => name.startsWith(`${id}.`)).length;
      expect(names.length, names.join()).toBeGreaterThanOrEqual(wanted);
      // A dendrite's running statistics are its own, and have moved.
      for (const name of names.filter((name) => name.endsWith("running_mean"))) {
        expect(Math.max(...Array.from(after.get(name)!.toNumbers(), Math.abs)), name).toBeGreaterThan(0);
      }
    }
    await training.step([...batches()][0]!);
  });
});

describe("a module that is called twice", () => {
  const [inputs, neurons, examples] = [4, 3, 40];

  /** Reads both halves of its input with the same weights, the second one counting three times. */
  class Twice extends nn.Module {
    fc = new nn.Linear(inputs, neurons);
    forward(x: Value): Value {
      const [one, other] = x.split(inputs, 1) as [Value, Value];
      return this.fc.call(one).add(this.fc.call(other).mul(3));
    }
  }

  const folder = temporaryFolders();

  it("has candidates that follow the errors of both calls", async () => {
    const training = await arborize(new Twice(), {
      inputs: { x: ["batch", 2 * inputs] },
      loss: losses.mse(),
      optimizer: optim.sgd({ learningRate: 0.1 }),
      growth: { switchMode: "every", maximize: false },
      dendrites: learning({ bootstrapBatches: 1, requireFlat: false }, { initialScale: 1 }),
      engine: OPTIONS.engine,
    });
    const x = randn([examples, 2 * inputs], "x");
    const target = randn([examples, neurons], "target");
    const y = (await training.predict({ x })).clone().toNumbers();
    await training.addValidationScore(1);
    const path = `${folder("twice")}.safetensors`;
    await training.save(path);
    const { tensors } = readSafetensors(await readFile(path), path);
    const weight = tensors.get("checkpoint.phase.fc.candidates.0.weight")!.toNumbers();
    const bias = tensors.get("checkpoint.phase.fc.candidates.0.bias")!.toNumbers();
    // The first step only measures, the second one before it learns.
    await training.step({ x, target });
    await training.step({ x, target });
    await training.addValidationScore(1);

    // Pearson's r over the positions of both calls, by the formula, in float64.
    const scores = Array.from({ length: neurons }, (_, n) => {
      const [v, e]: [number[], number[]] = [[], []];
      for (const call of [0, 1]) {
        for (let p = 0; p < examples; p++) {
          let a = Number(bias[n]);
          for (let i = 0; i < inputs; i++)
            a += weight[n * inputs + i]! * x.data[(2 * p + call) * inputs + i]!;
          v.push(1 / (1 + Math.exp(-a)));
          // The mean square's slope, of each example by itself.
          const slope = (2 / neurons) * (y[p * neurons + n]! - target.data[p * neurons + n]!);
          e.push(slope * (call === 0 ? 1 : 3));
        }
      }
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      const dot = (a: number[], b: number[]) =>
        a.reduce((sum, value, p) => sum + (value - mean(a)) * (b[p]! - mean(b)), 0);
      return Math.abs(dot(v, e)) / Math.sqrt(dot(v, v) * dot(e, e));
    });
    const wanted = scores.reduce((sum, score) => sum + score, 0) / neurons;
    expect(training.history.epochs.at(-1)!.dendriteScores!.fc).toBeCloseTo(wanted, 5);
  });
});

describe("modules that share weights", () => {
  class Tied extends nn.Module {
    one = new nn.Linear(6, 6);
    two = new nn.Linear(6, 6);
    constructor() {
      super();
      Object.assign(this.two, { weight: this.one.weight });
    }
    forward(x: Value): Value {
      return this.two.call(this.one.call(x).tanh());
    }
  }
  const options = {
    inputs: { x: ["batch", 6] },
    loss: losses.mse(),
    optimizer: optim.adam(),
    engine: OPTIONS.engine,
  } as const;

  it("cannot have candidates side by side", async () => {
    const tried = arborize(new Tied(), { ...options, dendrites: learning({}) });
    await expect(tried).rejects.toThrow('"one" and "two" share weights');
    const one = await arborize(new Tied(), { ...options, dendrites: learning({}, { skip: ["two"] }) });
    expect(one.sites).toEqual(["one"]);
  });
});

describe("a checkpoint of a phase", () => {
  const folder = temporaryFolders();
  const options = {
    ...OPTIONS,
    growth: { ...growth, fixedEpochs: 2 },
    dendrites: learning({ candidates: 2 }),
  };

  it("that is damaged is refused when it is loaded, and nothing changes", async () => {
    const training = await arborize(new SmallNet(), options);
    const batch = digits.train.batch([...Array(20).keys()]);
    for (let i = 0; i < 4; i++) {
      for (let k = 0; k < 4; k++) await training.step(batch);
      if (i < 3) await training.addValidationScore(0.5);
    }
    expect(training.phase).toBe("dendrites");
    const path = `${folder("damaged")}.safetensors`;
    await training.save(path);
    const { tensors, metadata } = readSafetensors(await readFile(path), path);
    const inPhase = [...tensors.keys()].filter((name) => name.startsWith("checkpoint.phase."));
    const kinds = [
      /candidates\.1\.weight$/,
      /^checkpoint\.phase\.optimizer/,
      /moments$/,
      /best\.weight$/,
      /kept$/,
    ];
    const other = await arborize(new SmallNet(), options);
    const before = await other.stateDict();
    for (const kind of kinds) {
      const name = inPhase.find((each) => kind.test(each))!;
      const short = name.slice("checkpoint.phase.".length);
      const without = new Map(tensors);
      without.delete(name);
      const cut = new Map(tensors).set(name, Tensor.zeros([1, 2, 3], tensors.get(name)!.dtype));
      for (const [damaged, problem] of [
        [without, `${short} is missing`],
        [cut, `${short} is ${cut.get(name)}, wanted ${tensors.get(name)}`],
      ] as const) {
        await writeFile(path, writeSafetensors(damaged, metadata));
        await expect(other.load(path)).rejects.toMatchObject({
          code: "bad_file",
          message: expect.stringContaining(problem),
        });
      }
    }
    expect([other.phase, other.epochs]).toEqual(["neurons", 0]);
    expect(await other.stateDict()).toEqual(before);
    await writeFile(path, writeSafetensors(tensors, metadata));
    await other.load(path);
    expect(other.phase).toBe("dendrites");
  });
});
