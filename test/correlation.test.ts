// Dendrites that learn by correlation: beside a network that stays as it is, to follow what is left of its neurons' error.

import { describe, expect, it } from "vitest";
import {
  arborize,
  attachDendrites,
  type Batch,
  findSites,
  gradients,
  losses,
  nn,
  ops,
  optim,
  Random,
  type Training,
  type Value,
} from "../src/index.ts";
import { temporaryFolders } from "./support/folders.ts";
import { digits, OPTIONS, SmallNet } from "./support/journey.ts";
import { randn, runGraph } from "./support/run.ts";

const correlation = { bootstrapBatches: 4, candidates: 2 };
const options = { ...OPTIONS, dendrites: { learning: "correlation", correlation } as const };

const bytesOf = async (training: Training) =>
  new Map([...(await training.stateDict())].map(([name, tensor]) => [name, tensor.clone().bytes()]));

class Normalized extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3);
  norm = new nn.BatchNorm2d(4);
  drop = new nn.Dropout(0.3);
  fc = new nn.Linear(100, 10);
  forward(x: Value): Value {
    return this.fc.call(this.drop.call(this.norm.call(this.conv.call(x)).relu().maxPool2d(2).flatten()));
  }
}

describe("a dendrite phase", async () => {
  const training = await arborize(new Normalized(), options);
  const batches = Array.from({ length: 6 }, (_, i) =>
    digits.train.batch(Array.from({ length: 50 }, (_, j) => 50 * i + j)),
  );
  const validation = [digits.validation.batch(Array.from({ length: 100 }, (_, i) => i))];
  const epoch = async () => {
    for (const batch of batches) await training.step(batch);
    return training.addValidationScore(await training.evaluate(validation));
  };
  for (let i = 0; i < 3; i++) await epoch();

  it("leaves parameters, statistics and the validation score as they are, bit by bit", async () => {
    expect([training.phase, training.dendrites]).toEqual(["dendrites", 0]);
    const before = await bytesOf(training);
    expect([...before.keys()]).toContain("norm.running_var");
    const score = await training.evaluate(validation);
    const loss = await training.evaluate(validation, null);
    for (let i = 0; i < 2; i++) {
      const { decisions, restructured } = await epoch();
      expect([restructured, decisions[0]!.type]).toEqual([false, "dendrites_learned"]);
      expect(await bytesOf(training)).toEqual(before);
      expect(await training.evaluate(validation)).toBe(score);
      expect(await training.evaluate(validation, null)).toBe(loss);
    }
  });

  it("ends after as many epochs as the neurons had, and the dendrites join without changing a bit", async () => {
    const loss = await training.evaluate(validation, null);
    const { restructured, decisions } = await epoch();
    expect([restructured, training.phase, training.dendrites]).toEqual([true, "neurons", 1]);
    expect(decisions.at(-1)!.text).toContain(
      "as long as the neurons had: dendrite 1 takes part after 3 epochs",
    );
    expect(await training.evaluate(validation, null)).toBe(loss);
    const { epochs, switches } = training.history;
    expect(epochs.map(({ dendriteScores }) => Object.keys(dendriteScores ?? {}))).toEqual([
      [],
      [],
      [],
      ...Array.from({ length: 3 }, () => ["conv", "fc"]),
    ]);
    expect(epochs.map(({ branchEpoch }) => branchEpoch)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(switches).toHaveLength(1);
    const scores = epochs.slice(3).map(({ dendriteScores }) => dendriteScores!.fc!);
    expect(Math.max(...scores)).toBeLessThan(1);
    expect(scores.at(-1)).toBeGreaterThan(1.5 * scores[0]!);
  });

  it("is followed by neurons that learn beside dendrites that don't", async () => {
    const before = await bytesOf(training);
    await training.step(batches[0]!);
    await training.step(batches[1]!);
    for (const [name, bytes] of await bytesOf(training)) {
      const same = Buffer.from(bytes).equals(before.get(name)!);
      expect([name, same]).toEqual([name, name.includes(".dendrites.0.")]);
    }
  });
});

describe("a dendrite phase that is saved", () => {
  const folder = temporaryFolders();

  it("goes on in the midst of an epoch, bit by bit", async () => {
    // Every bit of the search for a rate is saved once the dendrites have joined.
    const growth = { switchMode: "fixed", fixedEpochs: 1, maxDendrites: 2 } as const;
    const optimizer = optim.rmsprop({ learningRate: 0.002, momentum: 0.5 });
    const choice = { ...correlation, bootstrapBatches: 3, capAtNeuronPhase: false, patience: 2, optimizer };
    const dendrites = { learning: "correlation", correlation: choice } as const;
    const batches = Array.from({ length: 4 }, (_, i) =>
      digits.train.batch([...Array(20).keys()].map((j) => 20 * i + j)),
    );
    const made = () => arborize(new Normalized(), { ...options, dendrites, growth });
    const one = await made();
    const other = await made();
    await one.addValidationScore(0.5);
    expect([one.phase, one.learningRate]).toEqual(["dendrites", 0.002]);
    const path = `${folder("phase")}.safetensors`;
    // Stops among the batches that only measure, and among those that teach.
    for (const [i, stop] of [2, 1].entries()) {
      for (const batch of batches.slice(0, stop)) await one.step(batch);
      await one.save(path);
      await other.load(path);
      for (const training of [one, other]) {
        for (const batch of batches.slice(stop)) await training.step(batch);
        await training.addValidationScore(0.5);
      }
      expect(await bytesOf(other)).toEqual(await bytesOf(one));
      expect(other.history.epochs[i + 1]!.dendriteScores).toEqual(one.history.epochs[i + 1]!.dendriteScores);
    }
    for (let i = 0; one.phase === "dendrites"; i++) {
      for (const training of [one, other]) {
        for (const batch of batches) await training.step(batch);
        await training.addValidationScore(0.5);
      }
      expect(i).toBeLessThan(200);
    }
    expect([other.phase, other.dendrites]).toEqual(["neurons", 1]);
    expect(await bytesOf(other)).toEqual(await bytesOf(one));
  });
});

describe("a validation score that changes while dendrites learn", () => {
  it("is an error, unless it may", async () => {
    for (const requireFlat of [true, false]) {
      const dendrites = { learning: "correlation", correlation: { ...correlation, requireFlat } } as const;
      const growth = { switchMode: "every" } as const;
      const training = await arborize(new SmallNet(), { ...options, dendrites, growth });
      const batch = digits.train.batch([0, 1, 2, 3]);
      for (let i = 0; i < 2; i++) {
        await training.step(batch);
        await training.addValidationScore(0.5);
      }
      await training.step(batch);
      const next = training.addValidationScore(0.6);
      if (requireFlat) await expect(next).rejects.toThrow("The validation score changed from 0.5 to 0.6");
      else expect((await next).restructured).toBe(true);
    }
  });
});

describe("a planted residual", () => {
  /** Targets are the network's output and `sigmoid(u.x)` for each neuron: what a dendrite is to find. */
  const [inputs, neurons, examples] = [6, 3, 512];
  const u = randn([neurons, inputs], "u", 1.5).data;

  it("is found by the best of eight candidates for each neuron", async () => {
    class Net extends nn.Module {
      fc = new nn.Linear(inputs, neurons);
      forward(x: Value): Value {
        return this.fc.call(x);
      }
    }
    const training = await arborize(new Net(), {
      inputs: { x: ["batch", inputs] },
      loss: losses.mse(),
      optimizer: optim.sgd({ learningRate: 0 }),
      growth: { switchMode: "every", maxDendrites: 1, maximize: false },
      dendrites: {
        learning: "correlation",
        initialScale: 0.5,
        correlation: {
          candidates: 8,
          bootstrapBatches: 1,
          capAtNeuronPhase: false,
          patience: 20,
          optimizer: optim.adam({ learningRate: 0.03 }),
        },
      },
      seed: 1,
      engine: OPTIONS.engine,
    });
    const x = randn([examples, inputs], "x");
    const target = (await training.predict({ x })).clone();
    const row = (data: Float32Array, at: number) => data.subarray(at * inputs, (at + 1) * inputs);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    for (let p = 0; p < examples; p++) {
      for (let n = 0; n < neurons; n++) {
        const planted = 1 / (1 + Math.exp(-dot(row(u, n), row(x.data, p))));
        (target.data as Float32Array)[p * neurons + n]! += planted;
      }
    }
    const batch: Batch = { x, target };
    await training.step(batch);
    await training.addValidationScore(1);
    expect(training.phase).toBe("dendrites");
    for (let i = 0; i < 400 && training.phase === "dendrites"; i++) {
      await training.step(batch);
      await training.addValidationScore(1);
    }
    expect(training.phase).toBe("neurons");
    const found = (await training.stateDict()).get("fc.dendrites.0.weight")!.data as Float32Array;
    const size = (a: Float32Array) => Math.sqrt(dot(a, a));
    for (let n = 0; n < neurons; n++) {
      const [a, b] = [row(found, n), row(u, n)];
      expect(Math.abs(dot(a, b)) / (size(a) * size(b)), `neuron ${n}`).toBeGreaterThan(0.98);
    }
  });
});

describe("gradients at dendrites that have joined", () => {
  const layers = new nn.Sequential(new nn.Linear(6, 8), new nn.Tanh(), new nn.Linear(8, 10));
  const base = nn.trace(layers, { inputs: { x: ["batch", 6] }, seed: 3 });
  const x = randn([5, 6], "x");
  const sites = findSites(base).filter(({ id }) => id === "2");

  /** The network's output, and the input's gradient of a fixed combination of outputs. */
  async function slopes(stopGradients: boolean, dendrite: string) {
    const plan = { sites, count: 1, random: (name: string) => Random.stream(9, name), stopGradients };
    const values = new Map(
      [...attachDendrites(base, plan).state].map(([name, tensor]) => {
        if (name === "2.dendrites.output") return [name, randn(tensor.shape, name)];
        return [name, name.startsWith("2.dendrites.0.") ? randn(tensor.shape, dendrite + name) : tensor];
      }),
    );
    const graph = attachDendrites(base, { ...plan, values });
    const [y] = graph.outputs;
    const combination = graph.constant(randn([10], "combination"));
    const [slope] = gradients(ops.reduceSum(ops.mul(y!, combination)), [graph.inputs[0]!]);
    const found = await runGraph(graph, { x }, { slope: slope!, y: y! });
    return { slope: found.slope!.bytes(), y: found.y!.bytes() };
  }

  it("don't depend on the dendrites where they end there, and do where they go through", async () => {
    const [one, other] = [await slopes(true, "one"), await slopes(true, "other")];
    expect(other.y).not.toEqual(one.y);
    expect(other.slope).toEqual(one.slope);
    const through = await slopes(false, "one");
    expect(through.y).toEqual(one.y);
    expect(through.slope).not.toEqual(one.slope);
    expect((await slopes(false, "other")).slope).not.toEqual(through.slope);
  });

  it("end by default; dendrites stay as they are either way", async () => {
    const batch = digits.train.batch([0, 1, 2, 3, 4, 5, 6, 7]);
    const trained = async (choice: object) => {
      const dendrites = { learning: "correlation", correlation: { ...correlation, ...choice } } as const;
      const growth = { switchMode: "every" } as const;
      const training = await arborize(new SmallNet(), { ...options, dendrites, growth });
      for (let i = 0; training.dendrites === 0; i++) {
        await training.step(batch);
        await training.addValidationScore(0.5 + (training.phase === "neurons" ? i / 10 : 0));
      }
      const before = await training.stateDict();
      // The first step moves output weights off zero, through which the second is heard.
      await training.step(batch);
      await training.step(batch);
      const values = await training.stateDict();
      for (const [name, { data }] of values) {
        if (name.includes(".dendrites.0.")) expect(data).toEqual(before.get(name)!.data);
      }
      return values.get("conv.weight")!.bytes();
    };
    const stopped = await trained({});
    expect(await trained({ gradients: "stopped" })).toEqual(stopped);
    expect(await trained({ gradients: "through" })).not.toEqual(stopped);
  });
});
