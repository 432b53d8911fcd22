// State that is not learned: running statistics in training, evaluation, files and growth; frozen parameters.

import { describe, expect, it } from "vitest";
import { Random } from "../src/base/random.ts";
import {
  ArborizeError,
  type ArborizeOptions,
  arborize,
  losses,
  nn,
  nodeEngine,
  optim,
  readOnnx,
  Tensor,
  type Training,
  type Value,
} from "../src/index.ts";
import { temporaryFolders } from "./support/folders.ts";

const folder = temporaryFolders();

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3, { padding: 1, bias: false });
  norm = new nn.BatchNorm2d(4);
  head = new nn.Linear(4 * 36, 3);
  forward(x: Value): Value {
    return this.head.call(this.norm.call(this.conv.call(x)).relu().flatten());
  }
}

const OPTIONS = {
  inputs: { x: ["batch", 1, 6, 6] },
  loss: losses.crossEntropy(),
  optimizer: optim.adam({ learningRate: 0.01 }),
  growth: { switchMode: "fixed", fixedEpochs: 1, maxDendrites: 2 },
  engine: nodeEngine({ threads: 1 }),
} satisfies ArborizeOptions;

const random = Random.stream(3, "statistics");
const batch = {
  x: Tensor.of(
    [8, 1, 6, 6],
    Array.from({ length: 288 }, () => 2 + random.normal()),
  ),
  target: Tensor.of([8], [0, 1, 2, 0, 1, 2, 0, 1], "int64"),
};

const numbers = async (training: Training, name: string) =>
  Array.from((await training.stateDict()).get(name)!.toNumbers());
const train = (options: Partial<ArborizeOptions> = {}) => arborize(new Net(), { ...OPTIONS, ...options });

describe("running statistics", () => {
  it("are PyTorch's after a step, and counted", async () => {
    const training = await train();
    const before = await training.stateDict();
    await training.step(batch);
    // By hand: the convolution in plain arithmetic.
    const w = before.get("conv.weight")!.toNumbers();
    const x = batch.x.toNumbers();
    for (let channel = 0; channel < 4; channel++) {
      const values: number[] = [];
      for (let b = 0; b < 8; b++) {
        for (let i = 0; i < 36; i++) {
          let sum = 0;
          for (let k = 0; k < 9; k++) {
            const [row, column] = [Math.floor(i / 6) + Math.floor(k / 3) - 1, (i % 6) + (k % 3) - 1];
            if (row < 0 || row > 5 || column < 0 || column > 5) continue;
            sum += w[channel * 9 + k]! * x[b * 36 + row * 6 + column]!;
          }
          values.push(sum);
        }
      }
      const mean = values.reduce((a, b) => a + b) / values.length;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1);
      expect((await numbers(training, "norm.running_mean"))[channel]).toBeCloseTo(0.1 * mean, 5);
      expect((await numbers(training, "norm.running_var"))[channel]).toBeCloseTo(0.9 + 0.1 * variance, 5);
    }
    await training.step(batch);
    expect(await numbers(training, "norm.num_batches_tracked")).toEqual([2]);
    await training.release();
  });

  it("are what evaluation goes by, in the exported file too", async () => {
    const training = await train();
    for (let i = 0; i < 3; i++) await training.step(batch);
    const one = { x: Tensor.of([1, 1, 6, 6], Array.from(batch.x.toNumbers()).slice(0, 36)) };
    const alone = Array.from((await training.predict(one)).toNumbers());
    const together = Array.from((await training.predict({ x: batch.x })).toNumbers()).slice(0, 3);
    alone.forEach((value, i) => {
      expect(value).toBeCloseTo(together[i]!, 5);
    });
    const again = await arborize(await readOnnx(await training.toOnnx()), OPTIONS);
    expect(await again.evaluate([batch])).toBeCloseTo(await training.evaluate([batch]), 6);
    // An exported batch normalization keeps its statistics unless asked otherwise.
    await again.step(batch);
    expect(await numbers(again, "norm.running_mean")).toEqual(await numbers(training, "norm.running_mean"));
    const live = await arborize(await readOnnx(await training.toOnnx()), { ...OPTIONS, batchNorm: "train" });
    await Promise.all([live.step(batch)]);
    await training.step(batch);
    const wanted = await numbers(training, "norm.running_mean");
    (await numbers(live, "norm.running_mean")).forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i]!, 6);
    });
    for (const each of [training, again, live]) await each.release();
  });

  it("stay as they were when a step fails", async () => {
    const training = await train();
    await training.step(batch);
    const before = await training.stateDict();
    const bad = { ...batch, x: Tensor.full([8, 1, 6, 6], Number.NaN) };
    await expect(training.step(bad)).rejects.toMatchObject({ code: "not_a_number" });
    expect(await training.stateDict()).toEqual(before);
    await training.release();
  });

  it("grow on, are saved and come back bit for bit", async () => {
    const run = async (training: Training, epochs: number) => {
      for (let i = 0; i < epochs; i++) {
        await training.step(batch);
        await training.addValidationScore(i);
      }
    };
    const training = await train();
    await run(training, 2);
    expect(training.dendrites).toBeGreaterThan(0);
    const path = `${folder("statistics")}/state.safetensors`;
    await training.save(path);
    const resumed = await train();
    await resumed.load(path);
    for (const each of [training, resumed]) await each.step(batch);
    expect(await resumed.stateDict()).toEqual(await training.stateDict());
    expect(await numbers(resumed, "norm.num_batches_tracked")).toEqual([3]);
    for (const each of [training, resumed]) await each.release();
  });
});

describe("frozen", () => {
  const changed = async (training: Training) => {
    const before = await training.stateDict();
    await training.step(batch);
    const after = await training.stateDict();
    const differs = ([name, value]: [string, Tensor]) =>
      Array.from(value.toNumbers()).some((each, i) => each !== after.get(name)!.toNumbers()[i]);
    await training.release();
    return [...before].filter(differs).map(([name]) => name);
  };

  it("parameters by pattern stay, and are not counted", async () => {
    const training = await train({ freeze: ["conv.*", "head.bias"] });
    expect(training.parameterCount).toBe(8 + 3 * 144);
    expect(await changed(training)).toEqual([
      "norm.weight",
      "norm.bias",
      "head.weight",
      "norm.running_mean",
      "norm.running_var",
      "norm.num_batches_tracked",
    ]);
  });

  it("parameters of a module stay as well", async () => {
    const net = new Net();
    net.head.requiresGrad(false);
    expect(await changed(await arborize(net, OPTIONS))).not.toContain("head.weight");
  });

  it("statistics are what a batch normalization then goes by in training", async () => {
    const training = await train({ freeze: ["norm.*"] });
    const loss = await training.evaluate([batch]);
    expect(await training.step(batch)).toBeCloseTo(loss, 6);
    expect(await changed(training)).toEqual(["conv.weight", "head.weight", "head.bias"]);
    const all = await train({ batchNorm: "freeze" });
    expect((await changed(all)).filter((name) => name.includes("running"))).toEqual([]);
  });

  it("layers grow dendrites that learn", async () => {
    const training = await train({ freeze: ["*"], growth: { switchMode: "fixed", fixedEpochs: 1 } });
    await training.addValidationScore(0);
    expect(training.dendrites).toBe(1);
    // A new dendrite's output weight is zero: it has a gradient, the weights behind it only after a step.
    await training.step(batch);
    expect(await changed(training)).toEqual([
      "conv.dendrites.0.weight",
      "conv.dendrites.0.norm.weight",
      "conv.dendrites.0.norm.bias",
      "conv.dendrites.output",
      "head.dendrites.0.weight",
      "head.dendrites.0.bias",
      "head.dendrites.output",
    ]);
  });

  it("names that nothing has are refused", async () => {
    const failing = train({ freeze: ["cnov.*"] });
    await expect(failing).rejects.toThrow(ArborizeError);
    await expect(failing).rejects.toMatchObject({ code: "bad_option", message: /"cnov\.\*"/ });
  });
});
