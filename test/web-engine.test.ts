// The engine for browsers beside that for Node.js, which runs it too, on one thread: the same steps.

import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { webEngine } from "../src/engine/web.ts";
import {
  type ArborizeOptions,
  arborize,
  type Batch,
  data,
  type Engine,
  Graph,
  losses,
  metrics,
  nn,
  nodeEngine,
  optim,
  Random,
  Tensor,
  type Value,
  writeOnnx,
} from "../src/index.ts";
import { matMul } from "../src/ops/index.ts";

const web = webEngine({ threads: 1 });
const node = nodeEngine({ threads: 1 });

/** Maps with running statistics that are updated as one. */
class Normalized extends nn.Module {
  first = new nn.Conv2d(1, 8, 3, { padding: 1 });
  firstNorm = new nn.BatchNorm2d(8);
  second = new nn.Conv2d(8, 8, 3, { padding: 1 });
  secondNorm = new nn.BatchNorm2d(8);
  drop = new nn.Dropout(0.2);
  fc = new nn.Linear(8 * 16, 3);

  forward(x: Value): Value {
    x = this.firstNorm.call(this.first.call(x)).relu();
    x = this.secondNorm.call(this.second.call(x)).relu().maxPool2d(2);
    return this.fc.call(this.drop.call(x.flatten()));
  }
}

/** A table of which a batch looks up few rows, and a recurrent layer. */
class Words extends nn.Module {
  table = new nn.Embedding(50, 8);
  lstm = new nn.LSTM(8, 8, { batchFirst: true });
  fc = new nn.Linear(8, 3);

  forward(x: Value): Value {
    const [, [hidden]] = this.lstm.call(this.table.call(x));
    return this.fc.call(hidden.squeeze(0));
  }
}

/** Pools that overlap. */
class Pooled extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3);
  fc = new nn.Linear(4 * 9, 3);

  forward(x: Value): Value {
    return this.fc.call(this.conv.call(x).maxPool2d(3, { stride: 2, padding: 1 }).flatten());
  }
}

const random = Random.stream(4, "batches");
const target = Tensor.of([6], [0, 1, 2, 0, 1, 2], "int64");
const images = (): Batch => ({
  x: Tensor.of(
    [6, 1, 8, 8],
    Array.from({ length: 6 * 64 }, () => random.normal()),
  ),
  target,
});
const dataset = data.tensorDataset({ ...images() });
const words = (): Batch => ({
  x: Tensor.of(
    [6, 5],
    Array.from({ length: 30 }, () => random.integer(50)),
    "int64",
  ),
  target,
});

const CASES: Record<
  string,
  { model: () => nn.Module; batch: () => Batch; options: Pick<ArborizeOptions, "inputs" | "optimizer"> }
> = {
  "convolutions with running statistics and dropout, by SGD with momentum": {
    model: () => new Normalized(),
    batch: images,
    options: {
      inputs: { x: ["batch", 1, 8, 8] },
      optimizer: optim.sgd({ learningRate: 0.1, momentum: 0.9 }),
    },
  },
  "a table and an LSTM, by AdamW": {
    model: () => new Words(),
    batch: words,
    options: {
      inputs: { x: { dtype: "int64", shape: ["batch", 5] } },
      optimizer: optim.adamw({ learningRate: 0.01 }),
    },
  },
};

describe("the engine for browsers", () => {
  for (const [name, { model, batch, options }] of Object.entries(CASES)) {
    it(`takes the same steps as that for Node.js: ${name}`, async () => {
      const start = (engine: Engine) =>
        arborize(model(), {
          ...options,
          loss: losses.crossEntropy(),
          engine,
          growth: { switchMode: "every", findBestRate: false, maxDendrites: 1 },
        });
      const [here, there] = [await start(node), await start(web)];
      expect(there.engineName).toBe("WebAssembly (1 thread)");
      const batches = [batch(), batch(), batch()];
      for (const dendrites of [0, 1]) {
        for (const each of batches) {
          expect(await there.step(each)).toBeCloseTo(await here.step(each), 4);
        }
        if (dendrites === 1) continue;
        for (const training of [here, there]) await training.addValidationScore(0.5);
        expect([here.dendrites, there.dendrites]).toEqual([1, 1]);
      }
      const [wanted, found] = [await here.stateDict(), await there.stateDict()];
      expect([...found.keys()]).toEqual([...wanted.keys()]);
      for (const [key, tensor] of wanted) {
        const numbers = Array.from(found.get(key)!.toNumbers());
        Array.from(tensor.toNumbers()).forEach((value, i) => {
          expect(numbers[i], key).toBeCloseTo(value, 3);
        });
      }
      const [first] = batches;
      const output = Array.from((await there.predict(first!)).toNumbers());
      Array.from((await here.predict(first!)).toNumbers()).forEach((value, i) => {
        expect(output[i]).toBeCloseTo(value, 3);
      });
      // All at once, as by a page that predicts while it learns: before the step or after it.
      const asked = [there.step(first!), there.evaluate([first!]), there.predict(first!)] as const;
      expect((await Promise.all(asked))[0]).toBeCloseTo(await here.step(first!), 4);
    });
  }

  it("needs no float64, no indices of maxima and no memory in common, as on a GPU", async () => {
    const lesser: Engine = {
      ...node,
      sharesMemory: false,
      indexesMaxima: false,
      computesFloat64: false,
      compile(model, options) {
        const { graph } = fromBinary(ModelProtoSchema, model);
        for (const { opType, output, attribute } of graph!.node) {
          if (opType === "MaxPool") expect(output).toHaveLength(1);
          if (opType === "Cast") expect(attribute.map(({ i }) => Number(i))).not.toContain(11);
        }
        for (const { dataType } of graph!.initializer) expect(dataType).not.toBe(11);
        return node.compile(model, options);
      },
    };
    const told: number[][] = [];
    const batches = [images(), images()];
    for (const engine of [node, lesser]) {
      for (const learning of ["gradient", "correlation"] as const) {
        const training = await arborize(new Pooled(), {
          inputs: { x: ["batch", 1, 8, 8] },
          loss: losses.crossEntropy(),
          metric: metrics.accuracy,
          optimizer: optim.adam({ learningRate: 0.01 }),
          dendrites: { learning },
          growth: { switchMode: "every", findBestRate: false, maxDendrites: 1 },
          engine,
        });
        const numbers: number[] = [];
        for (let epoch = 0; epoch < 3; epoch++) {
          for (const batch of batches) numbers.push(await training.step(batch));
          numbers.push(await training.evaluate(batches));
          await training.addValidationScore(0.5);
        }
        const { modules } = await training.explain(data.batches(dataset, { batchSize: 6 }));
        numbers.push(training.dendrites, modules.length);
        told.push(numbers);
      }
    }
    const [gradient, correlation, ...again] = told;
    [gradient, correlation].forEach((numbers, i) => {
      again[i]!.forEach((value, at) => {
        expect(value).toBeCloseTo(numbers![at]!, 4);
      });
    });
  });

  it("writes into what it is given, and says which run failed on what", async () => {
    const graph = new Graph({ name: "product" });
    const [a, b] = [graph.input("a", "float32", ["n", 2]), graph.input("b", "float32", [2, 2])];
    const model = writeOnnx(graph, { outputs: new Map([["y", matMul(a, b)]]) });
    const program = await web.compile(model, { name: "product" });
    const given = web.upload(Tensor.zeros([1, 2]));
    const feeds = (width: number) =>
      new Map([
        ["a", web.upload(Tensor.of([1, width], new Array<number>(width).fill(1)))],
        ["b", web.upload(Tensor.of([2, 2], [1, 2, 3, 4]))],
      ]);
    const results = await program.run(feeds(2), new Map([["y", given]]));
    expect(results.get("y")).toBe(given);
    expect(Array.from((await web.download(given)).toNumbers())).toEqual([4, 6]);
    await expect(program.run(feeds(3), new Map([["y", null]]))).rejects.toThrow(
      /The product failed in ONNX Runtime: [\s\S]*a: float32\[1, 3\]/,
    );
    await expect(web.compile(new Uint8Array(8), { name: "noise" })).rejects.toThrow(
      /ONNX Runtime refused the noise/,
    );
  });
});
