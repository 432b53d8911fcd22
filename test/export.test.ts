// What users export: files that grow on, and files that others only run.

import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arborize, losses, nn, optim, readOnnx, type Training, type Value } from "../src/index.ts";
import { largestError, randn } from "./support/run.ts";

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 3, 3);
  bn = new nn.BatchNorm2d(3);
  drop = new nn.Dropout(0.5);
  fc = new nn.Linear(48, 2);
  forward(x: Value): Value {
    return this.fc.call(this.drop.call(this.bn.call(this.conv.call(x)).relu().flatten()));
  }
}

const batch = { x: randn([4, 1, 6, 6], "x"), target: randn([4, 2], "target") };
const OPTIONS = { loss: losses.mse(), optimizer: optim.sgd({ learningRate: 0.1 }) };

describe("an exported training", () => {
  let training: Training;
  let wanted: Float32Array;

  beforeAll(async () => {
    const growth = { switchMode: "every" } as const;
    training = await arborize(new Net(), { ...OPTIONS, inputs: { x: ["batch", 1, 6, 6] }, growth });
    for (let epoch = 0; epoch < 2; epoch++) {
      for (let i = 0; i < 3; i++) await training.step(batch);
      await training.addValidationScore(epoch + 1);
    }
    for (let i = 0; i < 3; i++) await training.step(batch);
    wanted = (await training.predict(batch)).data as Float32Array;
  });
  afterAll(() => training.release());

  it.each([
    [{}],
    [{ opset: 17 }],
    [{ clean: true }],
    [{ clean: true, opset: 17 }],
    [{ clean: true, foldBatchNorm: true }],
  ])("computes what evaluation does in the plain runtime: %j", async (options) => {
    const bytes = await training.toOnnx(options);
    const session = await ort.InferenceSession.create(bytes);
    const x = new ort.Tensor("float32", batch.x.data, batch.x.shape);
    const results = await session.run({ x });
    // The output has the name that it had before anything grew.
    expect(Object.keys(results)).toEqual(["fc/Gemm"]);
    const found = results["fc/Gemm"]!.data as Float32Array;
    expect(largestError(found, wanted)).toBeLessThan(1e-5);
    await session.release();
  });

  it("says what grew", async () => {
    const facts = {
      "arborize.dendrites": "2",
      "arborize.sites": "conv fc",
      "arborize.activation": "sigmoid",
      "arborize.parameters": `${training.parameterCount}`,
    };
    const { metadata } = await readOnnx(await training.toOnnx());
    expect(metadata).toEqual({ ...facts, "arborize.form": "growable" });
    const clean = await readOnnx(await training.toOnnx({ clean: true }));
    expect(clean.metadata).toEqual({ ...facts, "arborize.form": "clean" });
  });

  it("grows on from the growable form, as it was", async () => {
    for (const opset of [17, 21]) {
      const model = await readOnnx(await training.toOnnx({ opset }));
      const again = await arborize(model, OPTIONS);
      expect([again.dendrites, again.sites]).toEqual([2, ["conv", "fc"]]);
      expect(largestError((await again.predict(batch)).data as Float32Array, wanted)).toBeLessThan(1e-6);
      await again.release();
    }
  });

  it("leaves dendrites out of the names of the clean form's weights", async () => {
    const { graph } = await readOnnx(await training.toOnnx({ clean: true, foldBatchNorm: true }));
    const types = graph.nodes.map(({ operator }) => operator.type);
    const count = (type: string) => types.filter((each) => each === type).length;
    expect([count("Conv"), count("Gemm"), count("BatchNormalization"), count("Dropout")]).toEqual([
      1, 1, 0, 0,
    ]);
    expect(graph.parameters.filter(({ name }) => /dendrites\.\d+\.weight/.test(name))).toEqual([]);
  });

  it("refuses to fold normalizations of modules that are to grow", async () => {
    await expect(training.toOnnx({ foldBatchNorm: true })).rejects.toThrow("it needs clean as well");
    await expect(training.toOnnx({ opset: 12 })).rejects.toThrow("opset is 12");
  });
});
