// From a checkpoint of the original to a training, and back.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  arborize,
  type DendriteOptions,
  fromPerforatedAI,
  losses,
  nn,
  optim,
  readSafetensors,
  Tensor,
  toPerforatedAI,
  type Value,
  writeSafetensors,
} from "../src/index.ts";
import { temporaryFolders } from "./support/folders.ts";
import { relativeError } from "./support/golden.ts";
import { python, runPython } from "./support/python.ts";
import { randn } from "./support/run.ts";

class Net extends nn.Module {
  conv = new nn.Conv1d(2, 3, 3);
  fc = new nn.Linear(4, 2);
  forward(x: Value): Value {
    return this.fc.call(this.conv.call(x).relu());
  }
}

const OPTIONS = {
  inputs: { x: ["batch", 2, 6] },
  loss: losses.mse(),
  optimizer: optim.sgd({ learningRate: 0.1 }),
};

const batch = { x: randn([3, 2, 6], "x"), target: randn([3, 3, 2], "target") };

describe("a network of the original's", () => {
  it("is trained on with its dendrites, and goes back after", async () => {
    const first = await arborize(new Net(), { ...OPTIONS, growth: { switchMode: "every" } });
    for (let i = 0; i < 2; i++) {
      for (let step = 0; step < 3; step++) await first.step(batch);
      await first.addValidationScore(i + 1);
    }
    expect(first.dendrites).toBe(2);
    await first.step(batch);
    const file = writeSafetensors(toPerforatedAI(await first.stateDict()));

    const { stateDict, modules } = fromPerforatedAI(readSafetensors(file).tensors);
    expect(modules).toEqual(first.sites);
    const second = await arborize(new Net(), { ...OPTIONS, seed: 7, state: stateDict });
    expect([second.dendrites, second.parameterCount]).toEqual([2, first.parameterCount]);
    expect((await second.predict(batch)).data).toEqual((await first.predict(batch)).data);
    expect(await second.step(batch)).toBeLessThan(
      await first.evaluate([batch], null).then((loss) => loss + 1e-6),
    );
    await Promise.all([first.release(), second.release()]);
  });

  it("is refused where it is of another network, with all that does not fit", async () => {
    const plain = await arborize(new Net(), OPTIONS);
    const values = new Map(await plain.stateDict());
    values.delete("fc.bias");
    values.set("conv.weight", Tensor.zeros([3, 2, 5]));
    values.set("fc.wieght", Tensor.zeros([2, 4]));
    await expect(arborize(new Net(), { ...OPTIONS, state: values })).rejects.toThrow(
      /conv\.weight is float32\[3, 2, 5\], wanted float32\[3, 2, 3\]\n.*fc\.bias is missing\n.*fc\.wieght is not in the network\. Did you mean "fc\.weight"/,
    );
    values.set("fc.dendrites.output", Tensor.zeros([1, 2]));
    await expect(arborize(new Net(), { ...OPTIONS, state: values })).rejects.toThrow(
      /with 1 dendrite on fc:[\s\S]*fc\.dendrites\.0\.weight is missing/,
    );
    await plain.release();
  });
});

const image = (size: number) => ({ x: ["batch", 2, size, size] });

/** The networks of test/support/original.py, with what grows. */
const CASES: Record<string, [make: () => nn.Module, inputs: nn.TraceOptions["inputs"], DendriteOptions]> = {
  conv1d: [
    () => new nn.Sequential(new nn.Conv1d(2, 4, 3), new nn.Tanh(), new nn.Conv1d(4, 3, 2, { stride: 2 })),
    { x: ["batch", 2, 9] },
    {},
  ],
  channel_last: [
    () => new nn.Sequential(new nn.Linear(4, 6), new nn.Tanh(), new nn.Linear(6, 2)),
    { x: ["batch", 5, 4] },
    {},
  ],
  sequential: [
    () =>
      new nn.Sequential(
        new nn.Block([new nn.Conv2d(2, 4, 3), new nn.BatchNorm2d(4)]),
        ...[new nn.Tanh(), new nn.Flatten(), new nn.Linear(36, 3)],
      ),
    image(5),
    {},
  ],
  basic_block: [
    () => new nn.Sequential(new Residual(2, 4, 2), new Residual(4, 3, 1)),
    image(6),
    { types: ["Residual"] },
  ],
};

class Residual extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  downsample: nn.Sequential;
  constructor(inner: number, outer: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(inner, outer, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outer);
    this.conv2 = new nn.Conv2d(outer, outer, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outer);
    const size = new nn.Conv2d(inner, outer, 1, { stride, bias: false });
    this.downsample = new nn.Sequential(size, new nn.BatchNorm2d(outer));
  }
  forward(x: Value): Value {
    const y = this.bn2.call(this.conv2.call(this.bn1.call(this.conv1.call(x)).relu()));
    return y.add(this.downsample.call(x)).relu();
  }
}

if (!python) console.warn("skipped: the original's checkpoints in PyTorch, for python3 has no torch here");
const folder = temporaryFolders()("original");
const script = join(import.meta.dirname, "support", "original.py");

describe.skipIf(!python)("networks of the original's, made in PyTorch,", () => {
  const counts: number[] = [];
  beforeAll(() => {
    mkdirSync(folder);
    counts.push(...runPython(script, "make", folder).trim().split("\n").map(Number));
  }, 120_000);
  const open = (name: string, part: string) =>
    readSafetensors(readFileSync(join(folder, name, part))).tensors;

  it.each(Object.entries(CASES))(
    "compute here what they compute there, with their gradients and numbers: %s",
    async (name, [make, inputs, dendrites]) => {
      const original = fromPerforatedAI(open(name, "state.safetensors"));
      expect(original.blocks).toEqual(name === "sequential" ? ["0"] : []);
      const found = open(name, "found.safetensors");
      const given = { x: found.get("input")!, target: found.get("target")! };
      // A step of plain gradient descent moves parameters by their gradients, here so far that rounding is nothing beside.
      const rate = 2 ** 20;
      const optimizer = optim.sgd({ learningRate: rate });
      const training = await arborize(make(), {
        ...OPTIONS,
        ...{ inputs, dendrites, optimizer, state: original.stateDict },
      });
      expect([training.dendrites, training.sites]).toEqual([2, original.modules]);
      expect(training.parameterCount).toBe(counts[Object.keys(CASES).indexOf(name)]);
      const before = await training.stateDict();
      const loss = await training.step(given);
      expect(loss / found.get("loss")!.item()).toBeCloseTo(1, 5);
      const after = await training.stateDict();
      const grads = [...found].flatMap(([key, tensor]): [string, Tensor][] =>
        key.startsWith("grad.") ? [[key.slice(5), tensor]] : [],
      );
      const gradients = fromPerforatedAI(new Map(grads)).stateDict;
      const learned = [...before.keys()].filter((key) => !/running_|num_batches/.test(key));
      expect([...gradients.keys()].sort()).toEqual(learned.sort());
      for (const [key, wanted] of gradients) {
        const [from, to] = [before.get(key)!.toNumbers(), after.get(key)!.toNumbers()];
        const gradient = Tensor.of(
          wanted.shape,
          Array.from(from, (value, i) => (value - to[i]!) / rate),
        );
        // A bias before a normalization has none but for rounding.
        const size = Math.hypot(...wanted.toNumbers());
        if (size < 1e-6) expect(Math.hypot(...gradient.toNumbers()), key).toBeLessThan(1e-6);
        else expect(relativeError(gradient, wanted), key).toBeLessThan(1e-4);
      }
      await training.release();
    },
  );

  it("are loaded there with strict=True after they grew on here, and compute the same", async () => {
    const wanted = new Map<string, Tensor>();
    for (const [name, [make, inputs, dendrites]] of Object.entries(CASES)) {
      const original = fromPerforatedAI(open(name, "state.safetensors"));
      const growth = { switchMode: "every" } as const;
      const state = original.stateDict;
      const training = await arborize(make(), { ...OPTIONS, inputs, dendrites, state, growth });
      const found = open(name, "found.safetensors");
      const given = { x: found.get("input")!, target: found.get("target")! };
      await training.step(given);
      await training.addValidationScore(1);
      for (let i = 0; i < 2; i++) await training.step(given);
      expect(training.dendrites).toBe(3);
      const ours = writeSafetensors(toPerforatedAI(await training.stateDict(), original));
      writeFileSync(join(folder, name, "ours.safetensors"), ours);
      writeFileSync(join(folder, name, "input.safetensors"), writeSafetensors([["input", given.x]]));
      wanted.set(name, await training.predict(given));
      await training.release();
    }
    runPython(script, "load", folder);
    for (const [name, tensor] of wanted) {
      const there = open(name, "theirs.safetensors").get("output")!;
      expect(relativeError(there, tensor), name).toBeLessThan(1e-5);
    }
  }, 120_000);
});
