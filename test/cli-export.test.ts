// `arborize export`, on a run folder and on files.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../src/cli/command.ts";
import { run } from "../src/cli/run.ts";
import {
  ArborizeError,
  arborize,
  losses,
  nn,
  optim,
  readOnnx,
  type Tensor,
  type Value,
} from "../src/index.ts";
import { contextOf } from "./support/command.ts";
import { temporaryFolders } from "./support/folders.ts";
import { largestError, outputOf, randn } from "./support/run.ts";

const file = temporaryFolders();
const folder = file("run");
const model = join(folder, "model.onnx");
const x = randn([5, 1, 6, 6], "x");
let wanted: Tensor;

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 3, 3);
  bn = new nn.BatchNorm2d(3);
  fc = new nn.Linear(48, 2);
  forward(input: Value): Value {
    return this.fc.call(this.bn.call(this.conv.call(input)).relu().flatten());
  }
}

const cli = (...args: string[]) =>
  run(
    args,
    contextOf(() => undefined),
  );

async function expectSame(path: string): Promise<void> {
  const { graph } = await readOnnx(path);
  const found = await outputOf(graph, x);
  expect(largestError(found.toNumbers(), wanted.toNumbers())).toBeLessThan(1e-5);
}

beforeAll(async () => {
  mkdirSync(folder);
  mkdirSync(file("empty"));
  const training = await arborize(new Net(), {
    inputs: { x: ["batch", 1, 6, 6] },
    loss: losses.mse(),
    optimizer: optim.sgd({ learningRate: 0.1 }),
    growth: { switchMode: "every" },
  });
  const batch = { x, target: randn([5, 2], "target") };
  await training.step(batch);
  await training.addValidationScore(1);
  for (let i = 0; i < 3; i++) await training.step(batch);
  wanted = await training.predict(batch);
  await training.exportOnnx(model);
  await training.release();
});

describe("arborize export", () => {
  it("writes a run's network beside it", async () => {
    const text = await cli("export", folder);
    const path = join(folder, "model-export.onnx");
    expect(text).toMatch(/^.*model-export\.onnx\n[\d,]+ bytes; growable, 1 dendrite on each of conv, fc\n$/);
    await expectSame(path);
    const { graph } = await readOnnx(path);
    expect(graph.parameters.map(({ name }) => name)).toContain("conv.dendrites.0.weight");
  });

  it("writes a clean one, of an older opset, where it is told to", async () => {
    const output = file("clean.onnx");
    const args = ["export", model, "--clean", "--fold-batch-norm", "--opset", "17", "-o", output, "--json"];
    const facts = JSON.parse(await cli(...args));
    expect(facts).toMatchObject({
      output,
      bytes: readFileSync(output).length,
      "arborize.form": "clean",
      "arborize.dendrites": "1",
      "arborize.sites": "conv fc",
    });
    await expectSame(output);
    const { graph } = await readOnnx(output);
    expect(graph.nodes.map(({ operator }) => operator.type)).not.toContain("BatchNormalization");
    // What grew is still known of a file that is written once more.
    expect(await cli("export", output, "-o", file("again.onnx"))).toContain(
      "clean, 1 dendrite on each of conv, fc",
    );
    await expectSame(file("again.onnx"));
  });

  it("writes the best or latest network of a run that has not ended, from its checkpoint", async () => {
    const rows = Array.from(
      { length: 60 },
      (_, i) => `${i % 7},${i % 5},${(i % 7) + (i % 5) > 5 ? "a" : "b"}`,
    );
    writeFileSync(file("table.csv"), `x,y,kind\n${rows.join("\n")}\n`);
    const unfinished = file("unfinished");
    const settings = [
      "--epochs",
      "3",
      "--patience",
      "1",
      "--dendrites",
      "1",
      "--threads",
      "1",
      "--lr",
      "0.05",
    ];
    await cli("train", "--data", file("table.csv"), "--out", unfinished, ...settings);
    const ended = join(unfinished, "model.onnx");
    const table = randn([4, 2], "rows");
    const outputAt = async (path: string) =>
      (await outputOf((await readOnnx(path)).graph, table)).toNumbers();
    const best = await outputAt(ended);
    renameSync(ended, file("ended.onnx"));
    await cli("export", unfinished);
    expect(largestError(await outputAt(join(unfinished, "model-export.onnx")), best)).toBeLessThan(1e-6);
    await cli("export", unfinished, "--latest", "--clean", "-o", file("latest.onnx"));
    const latest = await outputAt(file("latest.onnx"));
    expect(latest).toHaveLength(best.length);
    // Of a program's run only the program knows the network.
    rmSync(join(unfinished, "config.json"));
    await expect(cli("export", unfinished)).rejects.toThrow(
      /was made by a program, .*training\.load\("latest\.safetensors"\), await training\.restoreBest\(\)/,
    );
  });

  it("says what is wrong with what it is given", async () => {
    writeFileSync(file("text.onnx"), "text");
    const wrong: [string[], typeof UsageError | typeof ArborizeError, RegExp][] = [
      [["export"], UsageError, /export needs RUN_OR_FILE\.onnx/],
      [["export", model, "--fold-batch-norm"], UsageError, /needs --clean/],
      [["export", model, "--opset", "x"], UsageError, /--opset is "x"/],
      [["export", model, "-o", model], UsageError, /is the model itself/],
      [["export", model, "--opset", "12"], ArborizeError, /opset is 12, written are 17/],
      [
        ["export", file("empty")],
        ArborizeError,
        /is not the folder of a run: it holds neither model\.onnx nor a checkpoint/,
      ],
      [["export", model, "--latest"], UsageError, /--latest is of a run's folder/],
      [["export", file("absent.onnx")], ArborizeError, /absent\.onnx/],
      [["export", file("text.onnx")], ArborizeError, /text\.onnx/],
    ];
    for (const [args, type, message] of wrong) {
      const failed = await cli(...args).catch((error: unknown) => error);
      expect(failed, args.join(" ")).toBeInstanceOf(type);
      expect((failed as Error).message).toMatch(message);
    }
  });
});
