// The options that say on the command line what a configuration file says.

import { resolve } from "node:path";
import { didYouMean } from "../../base/errors.ts";
import { type Given, numberOf, type Option, textOf, UsageError } from "../command.ts";
import { namesOf, SELECTION_FLAGS, selectionOf } from "../selection.ts";
import { type Config, isModelFile } from "./config.ts";
import { defined } from "./defined.ts";
import { LEARNING, METRICS, MODELS, OPTIMIZERS } from "./names.ts";

/** What may change when a run goes on. */
export const LENGTH_FLAGS: Readonly<Record<string, Option>> = {
  epochs: { value: "N", help: "stop after this many epochs in any case" },
  patience: { value: "N", help: "epochs without improvement before a dendrite is added (default: 10)" },
  dendrites: { value: "N", help: "dendrites to grow at most on each module; 0 for none" },
  threads: { value: "N", help: "threads to compute with (default: all processors)" },
};

/** Trackers, which may come later too: they are told of what was before. */
export const SINK_FLAGS: Readonly<Record<string, Option>> = {
  tensorboard: { value: "DIR", help: "write event files into a folder of DIR with the run's name" },
  "json-lines": { value: "FILE", help: "write a line of JSON for each epoch, in the style of W&B" },
  mlflow: { value: "URI", help: "track the run on this server, such as http://127.0.0.1:5000" },
};

export const DATA_FLAGS: Readonly<Record<string, Option>> = {
  data: {
    value: "PATH",
    help: "a folder of class folders with pictures, one of idx files, a .csv, .tsv, .parquet",
  },
  test: { value: "PATH", help: "the test examples (default: the folder's own, or a tenth of all)" },
  target: { value: "COLUMN", help: "the column of a table to predict (default: the last)" },
  ignore: { value: "A,B", help: "columns of a table to leave out" },
  categories: { value: "HOW", help: "one-hot or embedded (default: one-hot)" },
  "text-column": { value: "COLUMN", help: "the column of texts to tell apart (default: text)" },
  "label-column": { value: "COLUMN", help: "the column of a text's class (default: label, or the first)" },
  size: { value: "HxW", help: "height and width that pictures are brought to (default: their own)" },
};

export const TRAIN_FLAGS: Readonly<Record<string, Option>> = {
  model: { value: "MODEL", help: `a file (.onnx), or one of ${MODELS.join(", ")} (default: by the data)` },
  ...DATA_FLAGS,
  out: { value: "FOLDER", help: "the run's folder (default: a new one under runs/)" },
  ...LENGTH_FLAGS,
  ...SELECTION_FLAGS,
  learning: {
    value: "RULE",
    help: "how dendrites learn: gradient, with the network, or correlation, apart from it (default: gradient)",
  },
  "batch-size": { value: "N", help: "examples in a batch (default: 64)" },
  optimizer: { value: "NAME", help: `${OPTIMIZERS.join(", ")} (default: adam)` },
  lr: { value: "X", help: "the optimizer's learning rate" },
  metric: { value: "NAME", help: `what decides growth: ${METRICS.join(", ")}` },
  seed: { value: "N", help: "decides everything random (default: 0)" },
  ...SINK_FLAGS,
};

/** What the options say, as a configuration to lay over that of a file, `below`. */
export function configOf(given: Given, below: Config): Config {
  const growth = defined({
    patience: numberOf(given, "patience", 1),
    maxDendrites: numberOf(given, "dendrites", 0),
  });
  const dendrites = defined({
    ...selectionOf(given),
    learning: oneOf(given, "learning", LEARNING),
  }) as NonNullable<Config["dendrites"]>;
  const data = dataOf(given);
  const sinks = sinksOf(given);
  const path = data.path ?? below.data?.path;
  if (path === undefined && Object.keys(data).length > 0) {
    throw new UsageError("options of the data need data: --data PATH.");
  }
  const model = textOf(given, "model");
  return defined({
    model: model !== undefined && isModelFile(model) ? resolve(model) : model,
    ...(path !== undefined && Object.keys(data).length > 0 ? { data: { ...data, path } } : {}),
    runFolder: textOf(given, "out") && resolve(textOf(given, "out")!),
    maxEpochs: numberOf(given, "epochs", 1),
    ...(Object.keys(growth).length > 0 ? { growth } : {}),
    ...(Object.keys(dendrites).length > 0 ? { dendrites } : {}),
    ...(Object.keys(sinks).length > 0 ? { sinks } : {}),
    threads: numberOf(given, "threads", 1),
    batchSize: numberOf(given, "batch-size", 1),
    optimizer: optimizerOf(given, below),
    metric: oneOf(given, "metric", METRICS),
    seed: numberOf(given, "seed", 0),
  });
}

function dataOf(given: Given): Partial<NonNullable<Config["data"]>> {
  const [path, test] = [textOf(given, "data"), textOf(given, "test")];
  return defined({
    path: path && resolve(path),
    test: test && resolve(test),
    target: textOf(given, "target"),
    ignore: namesOf(given, "ignore"),
    categories: oneOf(given, "categories", ["one-hot", "embedded"] as const),
    textColumn: textOf(given, "text-column"),
    labelColumn: textOf(given, "label-column"),
    size: sizeOf(textOf(given, "size")),
  });
}

function sinksOf(given: Given): NonNullable<Config["sinks"]> {
  const [tensorBoard, jsonLines] = [textOf(given, "tensorboard"), textOf(given, "json-lines")];
  return defined({
    tensorBoard: tensorBoard && resolve(tensorBoard),
    jsonLines: jsonLines && resolve(jsonLines),
    mlflow: textOf(given, "mlflow"),
  });
}

function sizeOf(text: string | undefined): [number, number] | undefined {
  if (text === undefined) return undefined;
  const [, height, width] = /^(\d+)(?:x(\d+))?$/.exec(text) ?? [];
  if (Number(height) > 0 && Number(width ?? height) > 0) return [Number(height), Number(width ?? height)];
  throw new UsageError(`--size is "${text}", wanted height and width such as 28x28.`);
}

function optimizerOf(given: Given, below: Config): Config["optimizer"] {
  const name = oneOf(given, "optimizer", OPTIMIZERS);
  const learningRate = numberOf(given, "lr", 0, false);
  if (learningRate === undefined) return name;
  const base = name ?? below.optimizer ?? "adam";
  return { ...(typeof base === "string" ? { name: base } : base), learningRate };
}

function oneOf<T extends string>(given: Given, name: string, choices: readonly T[]): T | undefined {
  const text = textOf(given, name);
  if (text === undefined || choices.includes(text as T)) return text as T | undefined;
  throw new UsageError(
    `--${name} is "${text}", wanted one of ${choices.join(", ")}.${didYouMean(text, choices)}`,
  );
}
