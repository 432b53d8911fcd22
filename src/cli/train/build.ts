// From a configuration to what `fit` takes.

import { ArborizeError } from "../../base/errors.ts";
import type { Dataset } from "../../data/dataset.ts";
import { type Prepared, prepare, type Recipe } from "../../data/prepare.ts";
import { nodeEngine } from "../../engine/node.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Loss } from "../../nn/losses.ts";
import type { Metric } from "../../nn/metrics.ts";
import { Module } from "../../nn/module.ts";
import type { OnnxModel } from "../../onnx/read.ts";
import type { Optimizer } from "../../optim/optimizer.ts";
import type { Scheduler } from "../../optim/scheduler.ts";
import type { ArborizeOptions, DendriteOptions } from "../../train/arborize.ts";
import { readOnnx } from "../../train/open.ts";
import { type Config, isModelFile, type ReadConfig } from "./config.ts";
import { defined } from "./defined.ts";
import { builtIn, classesOf } from "./model.ts";
import { lossOf, metricOf, optimizerOf, schedulerOf } from "./names.ts";

/** Data sets, and what is known of their fields where they come from files. */
export interface Parts extends Omit<Prepared, "recipe"> {
  readonly recipe: Recipe | null;
}

/** Everything that a run is made of. */
export interface Job {
  readonly model: Module | OnnxModel | Graph;
  readonly options: ArborizeOptions;
  readonly parts: Parts;
}

/** @throws `bad_option` for what is missing or does not fit together; what reading files throws. */
export async function build({ config, live }: ReadConfig): Promise<Job> {
  const parts = await partsOf(config, live.data);
  const model = await modelOf(config, live.model, parts.recipe);
  const classes = parts.recipe && classesOf(parts.recipe);
  const number = parts.recipe !== null && classes === null;
  const metric = config.metric ?? (number ? "squaredError" : "accuracy");
  if (metric === "auc" && classes && classes.length !== 2) {
    throw new ArborizeError(
      "bad_option",
      `AUC is of two classes, the data has ${classes.length}. Choose another metric.`,
    );
  }
  const inputs = config.inputs ?? inputsOf(parts.train);
  return {
    model,
    parts: model instanceof Module ? parts : renamed(parts, model),
    options: {
      ...(model instanceof Module ? { inputs } : {}),
      loss: (live.loss as Loss | undefined) ?? lossOf(config.loss ?? (number ? "mse" : "crossEntropy")),
      optimizer: (live.optimizer as Optimizer | undefined) ?? optimizerOf(config.optimizer ?? "adam"),
      metric: (live.metric as Metric | undefined) ?? metricOf(metric),
      ...schedulerIn(config, live.scheduler as Scheduler | undefined),
      growth: config.growth ?? {},
      ...(config.dendrites ? { dendrites: dendritesOf(config.dendrites) } : {}),
      seed: config.seed ?? 0,
      ...(config.threads ? { engine: nodeEngine({ threads: config.threads }) } : {}),
    },
  };
}

function schedulerIn({ scheduler }: Config, live: Scheduler | undefined): { scheduler?: Scheduler } {
  if (live) return { scheduler: live };
  return scheduler === undefined ? {} : { scheduler: schedulerOf(scheduler) };
}

function dendritesOf({ correlation, ...options }: NonNullable<Config["dendrites"]>): DendriteOptions {
  const optimizer = correlation?.optimizer;
  const learning = optimizer ? { ...correlation, optimizer: optimizerOf(optimizer) } : correlation;
  return defined({ ...options, correlation: learning }) as DendriteOptions;
}

async function partsOf({ data }: Config, live: object | undefined): Promise<Parts> {
  if (live) {
    const { train, validation, test = null } = live as Partial<Parts>;
    if (train && validation) return { train, validation, test, recipe: null };
    throw new ArborizeError(
      "bad_option",
      "data needs data sets as train and validation, or the path of files.",
    );
  }
  if (!data) {
    throw new ArborizeError(
      "bad_option",
      "There is no data to learn from: name it with --data, or in the configuration.",
    );
  }
  const { path, ...options } = data;
  return prepare(path, defined(options));
}

async function modelOf({ model }: Config, live: object | undefined, recipe: Recipe | null) {
  if (live) return live as Job["model"];
  if (typeof model === "string" && isModelFile(model)) return readOnnx(model);
  if (recipe) return builtIn(model, recipe);
  throw new ArborizeError("bad_option", "Data sets of a module need a model: a module, or a file (.onnx).");
}

/** An input for each field but the target, any number of examples at once. */
function inputsOf({ fields }: Dataset): NonNullable<ArborizeOptions["inputs"]> {
  const inputs = Object.entries(fields).filter(([name]) => name !== "target");
  return Object.fromEntries(
    inputs.map(([name, { dtype, shape }]) => [
      name,
      { dtype: dtype === "int32" ? "int64" : dtype, shape: ["batch", ...shape] },
    ]),
  );
}

/** A file's only input takes the data's only field, whatever it is called. */
function renamed(parts: Parts, model: OnnxModel | Graph): Parts {
  const inputs = ("graph" in model ? model.graph : model).inputs;
  const fields = Object.keys(parts.train.fields).filter((name) => name !== "target");
  const [input, field] = [inputs[0]?.name, fields[0]];
  if (inputs.length !== 1 || fields.length !== 1 || input === undefined || field === undefined) return parts;
  if (input === field) return parts;
  const { train, validation, test } = parts;
  const as = (dataset: Dataset) => withField(dataset, field, input);
  return { ...parts, train: as(train), validation: as(validation), test: test && as(test) };
}

function withField(dataset: Dataset, from: string, to: string): Dataset {
  const swap = <T>(record: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name === from ? to : name, value]));
  return {
    length: dataset.length,
    fields: swap(dataset.fields),
    batch: (indices) => swap(dataset.batch(indices)),
  };
}
