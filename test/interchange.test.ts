// From a checkpoint of the original to a training, and back.

import { describe, expect, it } from "vitest";
import {
  arborize,
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
