// Trackers: what their files and their server hold of a run, also of one that was killed, went on, or found the server away.

import { appendFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  type Progress,
  type RunHistory,
  type Sink,
  sinks,
  type TrainingEvent,
  fit as train,
} from "../src/index.ts";
import { grownRun } from "../src/report/histories.fixture.ts";
import { crc32c, type DecodedEvent, decodeEvents } from "./support/events-proto.ts";
import { temporaryFolders } from "./support/folders.ts";
import { OPTIONS, SmallNet } from "./support/journey.ts";
import { MlflowServer } from "./support/mlflow-server.ts";

const file = temporaryFolders();
const whole = grownRun();
const upTo = (epochs: number): RunHistory => ({
  ...whole,
  epochs: whole.epochs.slice(0, epochs),
  switches: whole.switches.filter(({ epoch }) => epoch < epochs),
});
const SETTINGS = {
  growth: { patience: 10, thresholds: [0.1, 0.2] },
  note: "a | b\nc",
  long: "x".repeat(900),
};

/** Tells a sink of the run's epochs from `from` to `to`, as `fit` does. */
async function play(sink: Sink, from: number, to: number, folder: string | null = null): Promise<void> {
  const run = { name: "grown", folder, settings: SETTINGS, environment: {} };
  await sink.receive({ type: "start", run, history: upTo(from) });
  for (let i = from + 1; i <= to; i++) await sink.receive(epochEnd(i));
}

function epochEnd(epochs: number): TrainingEvent {
  const outcome = { restructured: false, complete: false, best: false, decisions: [] };
  const history = upTo(epochs);
  return { type: "epochEnd", epoch: history.epochs.at(-1)!, outcome, history };
}

const end = (status: "complete" | "interrupted" | "failed", epochs: number): TrainingEvent => ({
  type: "end",
  status,
  history: { ...upTo(epochs), ...(status === "complete" ? { ended: "no dendrite helps" } : {}) },
});

const EPOCHS = whole.epochs.length;

describe("event files of TensorBoard", () => {
  const only = (folder: string) => {
    const names = readdirSync(folder);
    expect(names).toEqual([expect.stringMatching(/^events\.out\.tfevents\.\d{10}\.arborize$/)]);
    return join(folder, names[0]!);
  };
  const events = (folder: string) => decodeEvents(readFileSync(only(folder)));
  const text = (event: DecodedEvent, tag: string) => {
    const value = event.summary!.value.find((each) => each.tag === tag)!;
    expect([value.metadata!.pluginData!.pluginName, value.tensor!.dtype]).toEqual(["text", 7]);
    return new TextDecoder().decode(value.tensor!.stringVal[0]);
  };
  /** Steps that have numbers, in the file's order. */
  const steps = (folder: string) =>
    events(folder)
      .filter(({ summary }) => summary?.value.some(({ tag }) => tag === "train/loss"))
      .map(({ step }) => Number(step));

  it("are what protobuf's decoder takes, with each epoch's numbers, settings and growth", async () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    await play(sinks.tensorBoard(file("board")), 0, EPOCHS);
    const [version, settings, ...epochs] = events(file("board"));
    expect(version!.fileVersion).toBe("brain.Event:2");
    expect(Math.abs(version!.wallTime - Date.now() / 1000)).toBeLessThan(60);
    expect(text(settings!, "settings")).toContain(
      "| setting | value |\n| --- | --- |\n| growth.patience | 10 |\n| growth.thresholds | [0.1, 0.2] |\n| note | a \\| b c |\n",
    );
    expect(epochs).toHaveLength(EPOCHS);
    for (const [i, event] of epochs.entries()) {
      const { validation, test, trainLoss, learningRate } = whole.epochs[i]!;
      const values = Object.fromEntries(event.summary!.value.map((value) => [value.tag, value.simpleValue]));
      expect(Number(event.step)).toBe(i);
      expect(values).toMatchObject({
        "train/loss": Math.fround(trainLoss),
        "validation/accuracy": Math.fround(validation),
        "test/accuracy": Math.fround(test!),
        "score/top5__any": Math.fround(0.99 + i / 10_000),
        learning_rate: Math.fround(learningRate),
      });
      const grown = whole.switches.find(({ epoch }) => epoch === i);
      expect("growth" in values).toBe(grown !== undefined);
      if (grown) expect(text(event, "growth")).toBe(grown.reason);
    }
  });

  it("of a run that was killed at any byte go on with each epoch once", async () => {
    const folder = file("killed-board");
    await play(sinks.tensorBoard(folder), 0, 5);
    const size = readFileSync(only(folder)).length;
    for (const missing of [1, 20, 300, 700, size - 5]) {
      truncateSync(only(folder), size - missing);
      await play(sinks.tensorBoard(folder), 5, 5);
      expect(steps(folder)).toEqual([0, 1, 2, 3, 4]);
      expect(events(folder)[0]!.fileVersion).toBe("brain.Event:2");
    }
    // The state that the run goes on from may be older than what was tracked, and newer.
    await play(sinks.tensorBoard(folder), 3, 6);
    expect(steps(folder)).toEqual([0, 1, 2, 3, 4, 5]);
    await play(sinks.tensorBoard(folder), 9, 9);
    expect(steps(folder)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("hold one run", async () => {
    const folder = file("board-of-another");
    await play(sinks.tensorBoard(folder), 0, 0);
    await play(sinks.tensorBoard(folder), 0, 2);
    const before = readFileSync(only(folder));
    await expect(play(sinks.tensorBoard(folder), 0, 1)).rejects.toThrow(
      /events\.out.*already holds a run, and nothing of it may be lost\. Go on with that run \(resume\), or name another/,
    );
    expect(readFileSync(only(folder))).toEqual(before);
  });
});

describe("lines of JSON", () => {
  const rows = (path: string): Record<string, unknown>[] =>
    readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));

  it("have each epoch's numbers, times and growth", async () => {
    await play(sinks.jsonLines(file("deep/run.jsonl")), 0, EPOCHS);
    const all = rows(file("deep/run.jsonl"));
    expect(all.map(({ _step }) => _step)).toEqual(whole.epochs.map(({ epoch }) => epoch));
    const { trainLoss, validation, running, test } = whole.epochs[13]!;
    expect(all[13]).toEqual({
      _step: 13,
      _timestamp: expect.closeTo(Date.now() / 1000, -2),
      _runtime: 14 * 11,
      "train/loss": trainLoss,
      "validation/accuracy": validation,
      "validation/running": running,
      "test/accuracy": test,
      "score/top5__any": 0.9913,
      learning_rate: 0.001 * 0.75 ** 13,
      dendrites: 0,
      parameters: 1_199_882,
      "time/train_seconds": 10,
      "time/validation_seconds": 1,
      growth: "no improvement for 4 epochs",
    });
  });

  it("of a run that was killed at any byte go on with each epoch once", async () => {
    const path = file("killed.jsonl");
    await play(sinks.jsonLines(path), 0, 4);
    const content = readFileSync(path);
    for (const missing of [1, 2, 30, content.length - 3]) {
      writeFileSync(path, content.subarray(0, content.length - missing));
      await play(sinks.jsonLines(path), 4, 5);
      expect(rows(path).map(({ _step }) => _step)).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it("are not written over anything else", async () => {
    for (const content of ["my notes\n", "my notes, unfinished", '{"a": 1}\n', '{"_step":0}\n']) {
      writeFileSync(file("notes"), content);
      await expect(play(sinks.jsonLines(file("notes")), 0, 1)).rejects.toThrow(/Name another|name another/);
      expect(readFileSync(file("notes"), "utf8")).toBe(content);
    }
  });
});

describe("a run of MLflow", async () => {
  const server = new MlflowServer();
  await server.start();
  afterEach(() => vi.unstubAllEnvs());
  const lastRun = () => [...server.runs.values()].at(-1)!;
  const steps = (key = "train/loss") =>
    lastRun()
      .metrics.filter((metric) => metric.key === key)
      .map(({ step }) => step);
  const counted = (epochs: number) => Array.from({ length: epochs }, (_, i) => i);

  it("has settings, numbers, growth, an end", async () => {
    vi.stubEnv("MLFLOW_TRACKING_TOKEN", "secret");
    const sink = sinks.mlflow({ uri: `${server.uri}/`, experiment: "dendrites", tags: { team: "a" } });
    await play(sink, 0, EPOCHS);
    await sink.receive(end("complete", EPOCHS));
    const run = lastRun();
    expect([run.experiment, run.name, run.status]).toEqual(["dendrites", "grown", "FINISHED"]);
    expect(Math.abs(run.ended! - Date.now())).toBeLessThan(60_000);
    expect(Object.fromEntries(run.params)).toMatchObject({ "growth.patience": "10", long: "x".repeat(500) });
    expect(steps()).toEqual(counted(EPOCHS));
    const validations = run.metrics
      .filter(({ key }) => key === "validation/accuracy")
      .map(({ value }) => value);
    expect(validations).toEqual(whole.epochs.map(({ validation }) => validation));
    expect(Object.fromEntries(run.tags)).toMatchObject({
      team: "a",
      "mlflow.runName": "grown",
      "growth.epoch_13": "no improvement for 4 epochs",
      ended: "no dendrite helps",
    });
    expect(server.authorization).toBe("Bearer secret");
  });

  it("goes on where the run does, in the same experiment", async () => {
    vi.stubEnv("MLFLOW_TRACKING_URI", server.uri);
    vi.stubEnv("MLFLOW_TRACKING_USERNAME", "me");
    vi.stubEnv("MLFLOW_TRACKING_PASSWORD", "pass");
    const folder = file("mlflow-run");
    const first = sinks.mlflow();
    await play(first, 0, 4, folder);
    await first.receive(end("interrupted", 4));
    const runs = server.runs.size;
    expect([lastRun().experiment, lastRun().status, server.authorization]).toEqual([
      "Default",
      "KILLED",
      `Basic ${btoa("me:pass")}`,
    ]);
    const second = sinks.mlflow();
    await play(second, 4, 7, folder);
    expect(lastRun().status).toBe("RUNNING");
    await second.receive(end("failed", 7));
    expect([server.runs.size, lastRun().status]).toEqual([runs, "FAILED"]);
    expect(steps()).toEqual(counted(7));
    // A run that the server has lost begins anew, with all that was before.
    server.runs.clear();
    const third = sinks.mlflow();
    await play(third, 7, 8, folder);
    await third.receive(end("complete", 8));
    expect(steps()).toEqual(counted(8));
  });

  it("gets what it has missed when its server is back", async () => {
    const sink = sinks.mlflow({ uri: server.uri });
    server.troubles.push(503, 429);
    await play(sink, 0, 2);
    await server.stop();
    const told: unknown[] = [];
    for (let i = 3; i < 6; i++) await sink.receive(epochEnd(i));
    const step: TrainingEvent = { type: "step", step: 1, steps: 9, loss: 1, meanLoss: 1, dendrites: 0 };
    await vi.waitFor(async () => {
      await Promise.resolve(sink.receive(step)).catch((error: unknown) => told.push(error));
      expect(told).toHaveLength(1);
    }, 10_000);
    expect(told[0]).toMatchObject({
      code: "tracker_failed",
      message: `MLflow at ${server.uri} cannot be reached (ECONNREFUSED); it is tried again after each epoch.`,
    });
    await server.start();
    await sink.receive(epochEnd(6));
    await sink.receive(end("complete", 7));
    expect(steps()).toEqual(counted(7));
    expect(lastRun().status).toBe("FINISHED");
  });

  it("is refused at the start, without a secret in the message", async () => {
    server.troubles.push(401);
    await expect(play(sinks.mlflow({ uri: server.uri }), 0, 1)).rejects.toThrow(
      /refuses with 401: .*TROUBLE.* Set MLFLOW_TRACKING_TOKEN/,
    );
    const wrong = [undefined, "file:///tmp/mlruns", "databricks", "http://me:hush@localhost"];
    for (const uri of wrong) {
      const open = () => sinks.mlflow(uri === undefined ? {} : { uri });
      expect(open).toThrow("MLflow wants the address of a tracking server");
      expect(open).not.toThrow("hush");
    }
  });
});

describe("fit", () => {
  const SHORT = { ...OPTIONS, growth: { switchMode: "never" as const }, maxEpochs: 2 };

  it("tells of a training in order, and goes on when a tracker fails", async () => {
    const lines: string[] = [];
    const nothing = () => {};
    const progress: Progress = {
      start: nothing,
      update: nothing,
      finish: nothing,
      close: nothing,
      log: (line) => lines.push(line),
    };
    const seen: TrainingEvent[] = [];
    const broken: Sink = {
      receive({ type }) {
        if (type !== "start") throw new Error(`no ${type}.`);
      },
    };
    const away = sinks.mlflow({ uri: "http://127.0.0.1:9" });
    const { history } = await train(new SmallNet(), {
      ...SHORT,
      progress,
      sinks: [
        broken,
        away,
        { receive: (event) => void seen.push(event) },
        sinks.tensorBoard(file("fit-board")),
      ],
      runFolder: file("fit"),
    });
    expect(lines).toEqual([
      expect.stringMatching(
        /^MLflow at http:\/\/127\.0\.0\.1:9 cannot be reached .*each epoch\. Training goes on\.$/,
      ),
      "no epochStart. Training goes on.",
    ]);
    const epoch = ["epochStart", ...Array<string>(6).fill("step"), "epochEnd"];
    expect(seen.map(({ type }) => type)).toEqual(["start", ...epoch, ...epoch, "end"]);
    expect(seen[0]).toMatchObject({ run: { name: "fit", settings: { loss: "cross entropy", seed: 5 } } });
    expect(seen.at(-2)).toMatchObject({ epoch: history.epochs[1] });
    expect(seen.at(-1)).toMatchObject({ status: "stopped", history });
    expect(readdirSync(file("fit-board"))).toHaveLength(1);
  });

  it("refuses a tracker that has another run, before anything is computed", async () => {
    mkdirSync(file("taken"));
    appendFileSync(file("taken/run.jsonl"), '{"_step":0}\n');
    const seen: TrainingEvent[] = [];
    const other: Sink = { receive: (event) => void seen.push(event) };
    const options = { ...SHORT, sinks: [other, sinks.jsonLines(file("taken/run.jsonl"))] };
    await expect(train(new SmallNet(), options)).rejects.toThrow("already holds a run");
    expect(seen.map(({ type }) => type)).toEqual(["start", "end"]);
    expect(seen[1]).toMatchObject({ status: "failed" });
  });
});
