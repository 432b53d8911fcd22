// Disks that are full, folders that are closed, files that are damaged: errors that name the file, and nothing lost.

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  ArborizeError,
  type ArborizeOptions,
  arborize,
  data,
  losses,
  nn,
  optim,
  Tensor,
  type Training,
  fit as train,
} from "../src/index.ts";
import { compiled } from "./support/compiled.ts";
import { temporaryFolders } from "./support/folders.ts";
import { digits, OPTIONS, SmallNet, stateOf } from "./support/journey.ts";

const folder = temporaryFolders();
const { train: _, validation: __, test: ___, batchSize: ____, progress: _____, ...options } = OPTIONS;
const make = (changes: Partial<ArborizeOptions> = {}) =>
  arborize(new SmallNet(), { ...options, growth: { switchMode: "every" }, ...changes });
const good = digits.train.batch([0, 1, 2, 3, 4, 5]);

/** What `fail` throws. */
async function errorOf(fail: () => Promise<unknown>): Promise<ArborizeError> {
  const thrown = await fail().then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(ArborizeError);
  return thrown as ArborizeError;
}

const limited = spawnSync("sh", ["-c", "ulimit -f 600"]).status === 0;
if (!limited) console.warn("skipped: a full disk (this system has no `ulimit -f`)");
const isRoot = process.getuid?.() === 0;
if (isRoot) console.warn("skipped: a read-only folder (root may write everywhere)");

describe("writing", () => {
  it.skipIf(!limited)("to a full disk keeps the older checkpoint", async () => {
    const path = folder("full.safetensors");
    const child = compiled("test/support/full-disk-child.ts");
    const command = `ulimit -f 600; exec "${process.execPath}" "${child}" "${path}"`;
    const { stdout, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
    expect(stderr.split("\n").filter((line) => line.includes("Error"))).toEqual([]);
    const { code, message } = JSON.parse(stdout);
    expect(code).toBe("write_failed");
    expect(message).toContain(`"${path}"`);
    expect(message).toContain("EFBIG");
    // What was there is the state before growing, whole, and nothing lies beside it.
    const training = await arborize(new nn.Sequential(new nn.Linear(256, 256)), {
      inputs: { x: ["batch", 256] },
      loss: losses.mse(),
      optimizer: optim.sgd(),
    });
    await training.load(path);
    expect([training.dendrites, training.epochs]).toEqual([0, 0]);
    expect(readdirSync(folder("")).filter((name) => name.includes(".tmp"))).toEqual([]);
  });

  it.skipIf(isRoot)("to a read-only folder", async () => {
    const closed = folder("closed");
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    const path = join(closed, "state.safetensors");
    const training = await make();
    for (const write of [() => training.save(path), () => training.exportOnnx(path)]) {
      const { code, message } = await errorOf(write);
      expect(code).toBe("write_failed");
      expect(message).toContain(`"${path}"`);
    }
    chmodSync(closed, 0o700);
  });

  it("where a folder should be is a file", async () => {
    writeFileSync(folder("file"), "x");
    const training = await make();
    const { code, message } = await errorOf(() => training.save(join(folder("file"), "state.safetensors")));
    expect(code).toBe("write_failed");
    expect(message).toMatch(/"[^"]*state\.safetensors".*is a file, not a folder/s);
    expect(readFileSync(folder("file"), "utf8")).toBe("x");
  });
});

describe("loading", () => {
  /** A checkpoint of a network that has grown once, in the middle of an epoch. */
  async function checkpoint(changes: Partial<ArborizeOptions> = {}): Promise<Uint8Array> {
    const training = await make(changes);
    await training.step(good);
    await training.addValidationScore(0.5);
    await training.step(good);
    return training.toCheckpoint();
  }

  async function expectRefused(training: Training, bytes: Uint8Array, ...parts: string[]): Promise<void> {
    const path = folder("damaged.safetensors");
    writeFileSync(path, bytes);
    const { code, message } = await errorOf(() => training.load(path));
    expect(code, message).toBe("bad_file");
    expect(message).toContain(`"${path}"`);
    for (const part of parts) expect(message).toContain(part);
  }

  const untimed = async (training: Training) => {
    await training.save(folder("untimed.safetensors"));
    return stateOf(folder("untimed.safetensors"));
  };

  it("a file that is cut short, anywhere", async () => {
    const bytes = await checkpoint();
    const training = await make();
    const before = await untimed(training);
    for (let i = 0; i < 40; i++) {
      await expectRefused(training, bytes.subarray(0, Math.floor((bytes.length * i) / 40)));
    }
    await expectRefused(training, bytes.subarray(0, -1));
    expect(await untimed(training)).toEqual(before);
    writeFileSync(folder("whole.safetensors"), bytes);
    await training.load(folder("whole.safetensors"));
    expect(training.dendrites).toBe(1);
  });

  it("what is no checkpoint, or one of another training", async () => {
    const training = await make();
    await training.step(good);
    const before = await untimed(training);
    const parameters = data.writeSafetensors(await training.stateDict());
    await expectRefused(training, parameters, "not a checkpoint of Arborize");
    await expectRefused(training, await training.toOnnx());
    await expectRefused(training, new TextEncoder().encode("epoch,score\n"));
    await expectRefused(training, await checkpoint({ seed: 6 }), "of another training", "seed 6", "seed 5");
    await expectRefused(training, await checkpoint({ optimizer: optim.sgd() }), "sgd", "adam");
    await expectRefused(training, await checkpoint({ dendrites: { activation: "tanh" } }), "tanh", "sigmoid");
    await expectRefused(training, await checkpoint({ dendrites: { types: ["Linear"] } }), "dendrites on fc,");
    const wider = await arborize(new nn.Sequential(new nn.Flatten(), new nn.Linear(144, 10)), options);
    await expectRefused(training, await wider.toCheckpoint(), "1.weight[10,144]");
    const missing = folder("nowhere.safetensors");
    expect(await errorOf(() => training.load(missing))).toMatchObject({
      code: "bad_file",
      message: expect.stringContaining(`"${missing}"`),
    });
    expect(await untimed(training)).toEqual(before);
  });

  it("a checkpoint that lacks a part, or holds it in another shape", async () => {
    const { tensors, metadata } = data.readSafetensors(await checkpoint());
    const training = await make();
    const before = await untimed(training);
    const parts = [
      "fc.weight",
      "conv.dendrites.0.bias",
      "fc.dendrites.output",
      "checkpoint.best.conv.weight",
    ];
    for (const part of parts) {
      expect(tensors.has(part), part).toBe(true);
      const name = part.replace("checkpoint.best.", "");
      const without = new Map([...tensors].filter(([key]) => key !== part));
      await expectRefused(training, data.writeSafetensors(without, metadata), `${name} is missing`);
      const misshapen = new Map(tensors).set(part, Tensor.zeros([3]));
      await expectRefused(training, data.writeSafetensors(misshapen, metadata), `${name} is float32[3]`);
    }
    expect(await untimed(training)).toEqual(before);
  });

  it("a training state that was tampered with", async () => {
    const { tensors, metadata } = data.readSafetensors(await checkpoint());
    const training = await make();
    const before = await untimed(training);
    const state = JSON.parse(metadata.arborize!);
    const changed: Record<string, unknown> = {
      format: { ...state, format: 2 },
      dendrites: { ...state, now: { ...state.now, dendrites: -1 } },
      masks: { ...state, now: { ...state.now, progress: { ...state.now.progress, masks: [1, 2] } } },
      tracker: { ...state, tracker: { ...state.tracker, history: "none" } },
      history: { ...state, record: { ...state.record, history: { ...state.record.history, epochs: [1] } } },
      lineage: { ...state, record: { ...state.record, lineage: { current: [-1], kept: {} } } },
    };
    for (const [part, given] of Object.entries(changed)) {
      const bytes = data.writeSafetensors(tensors, { arborize: JSON.stringify(given) });
      await expectRefused(training, bytes, part);
    }
    await expectRefused(training, data.writeSafetensors(tensors, { arborize: "{" }), "not JSON");
    expect(await untimed(training)).toEqual(before);
  });
});

describe("a run folder", () => {
  it("that holds a run is refused unless it is to go on", async () => {
    const runFolder = folder("taken");
    await train(new SmallNet(), { ...OPTIONS, maxEpochs: 1, runFolder });
    const contents = () => readdirSync(runFolder).map((name) => [name, readFileSync(join(runFolder, name))]);
    const before = contents();
    const again = (changes: object) =>
      train(new SmallNet(), { ...OPTIONS, maxEpochs: 2, runFolder, ...changes });
    const { code, message } = await errorOf(() => again({}));
    expect(code).toBe("bad_option");
    expect(message).toContain(`"${runFolder}" already holds a run`);
    expect((await errorOf(() => again({ resume: true, seed: 9 }))).code).toBe("bad_file");
    expect(contents()).toEqual(before);
  });
});
