// Networks that other programs exported, with inputs and what ONNX Runtime makes of the file as it is.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type TensorProto, TensorProtoSchema } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { Tensor } from "../src/base/tensor.ts";
import { arborize, losses, nodeEngine, optim } from "../src/index.ts";
import { type ReadOptions, readOnnx } from "../src/onnx/read.ts";
import { fromTensorProto } from "../src/onnx/tensor.ts";
import { writeOnnx } from "../src/onnx/write.ts";
import { missing, SHARED } from "./support/golden.ts";
import { largestError, runGraph } from "./support/run.ts";

const FOLDER = join(SHARED, "data", "onnx-models");
const skipped = missing("data", "onnx-models");
const engine = nodeEngine({ threads: 1 });

/** What is known of some models besides their file. */
const FIXED: Readonly<Record<string, ReadOptions>> = {
  "silero-vad-16k": {
    axes: { batch: 1, sequence: 576 },
    inputs: { sr: Tensor.of([], [16_000], "int64") },
  },
};

/** Not trained here: the runtime takes half a minute to compile the step of convolutions over 43,844 samples. */
const SLOW: readonly string[] = ["basic-pitch"];

const models = skipped
  ? []
  : readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, "model.onnx")));

function read(name: string) {
  return readOnnx(readFileSync(join(FOLDER, name, "model.onnx")), { name, ...FIXED[name] });
}

/** The stored tensors of one kind, by the name of what they are for. */
function stored(name: string, kind: "input" | "output"): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (let i = 0; existsSync(path(name, kind, i)); i++) {
    const proto: TensorProto = fromBinary(TensorProtoSchema, readFileSync(path(name, kind, i)));
    tensors.set(proto.name, fromTensorProto(proto));
  }
  return tensors;
}

const path = (name: string, kind: string, i: number) =>
  join(FOLDER, name, "test_data_set_0", `${kind}_${i}.pb`);

describe.skipIf(skipped)(`exported models${skipped ? ` (${skipped})` : ""}`, () => {
  it.each(models)("%s computes what was stored, exported again too", async (name) => {
    const { graph } = read(name);
    const wanted = stored(name, "output");
    expect(graph.outputs.map((value) => value.name)).toEqual([...wanted.keys()]);
    const inputs = Object.fromEntries(stored(name, "input"));
    for (const each of [graph, readOnnx(writeOnnx(graph)).graph]) {
      const found = await runGraph(each, inputs);
      for (const [output, tensor] of wanted) {
        expect(`${found[output]}`).toBe(`${tensor}`);
        // The runtime's optimizations alone move outputs by 2e-6.
        const error = largestError(found[output]!.toNumbers(), tensor.toNumbers());
        expect(error, output).toBeLessThan(1e-5);
      }
    }
  });

  const trainable = models.filter((name) => !SLOW.includes(name) && read(name).graph.parameters.length > 0);
  it.each(trainable)("%s learns", async (name) => {
    const model = read(name);
    const [first] = model.graph.outputs;
    const target = stored(name, "output").get(first!.name)!;
    const training = await arborize(model, {
      loss: losses.mse(),
      optimizer: optim.adam({ learningRate: 1e-5 }),
      growth: { maxDendrites: 0 },
      engine,
    });
    const values = Array.from(target.toNumbers(), (value, i) => value + (i % 3) - 1);
    const shifted = Tensor.of(target.shape, values);
    const batch = { ...Object.fromEntries(stored(name, "input")), target: shifted };
    const before = await training.step(batch);
    expect(before).toBeGreaterThan(0.1);
    expect(await training.step(batch)).toBeLessThan(before);
  });
});
