// The file that says what to train: its schema, and reading it from JSON or from a module.

import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { ArborizeError, didYouMean } from "../../base/errors.ts";
import { readFileBytes } from "../../data/files.ts";
import { LEARNING, LOSSES, METRICS, MODELS, OPTIMIZERS, SCHEDULERS } from "./names.ts";

const share = z.number().min(0).lt(1);
const names = z.array(z.string());

/** One of several things by its name, or with options of its own beside `name`. */
function named(options: readonly string[], what: string) {
  return z
    .union([z.enum(options), z.looseObject({ name: z.enum(options) })])
    .describe(`${what} by name, or an object of its name and options under the library's names`);
}

const dataSchema = z
  .strictObject({
    path: z
      .string()
      .describe("a folder of class folders with pictures, one of idx files, or a table as text or Parquet"),
    kind: z.enum(["images", "idx", "table", "text"]).optional().describe("default: by the path"),
    test: z.string().optional().describe("where the test examples are"),
    validationShare: share.optional().describe("share that decides growth; default 0.1"),
    testShare: share.optional().describe("share that is tested on where there is no test path; default 0.1"),
    seed: z.int().min(0).optional().describe("decides the parts; default 0"),
    target: z.string().optional().describe("the column to predict; default: the last"),
    task: z.enum(["classes", "number"]).optional().describe("what the target is; default: by its cells"),
    ignore: names.optional().describe("columns to leave out"),
    categories: z.enum(["one-hot", "embedded"]).optional().describe("how categories become numbers"),
    missing: names.optional().describe("cells that mean a missing value"),
    delimiter: z.string().min(1).optional(),
    header: z.boolean().optional().describe("whether the first row has the columns' names"),
    columns: names.optional().describe("the columns' names, for files without"),
    size: z
      .tuple([z.int().min(1), z.int().min(1)])
      .optional()
      .describe("height and width of pictures"),
    textColumn: z.string().optional().describe("the column of a text; default: text, or beside the label"),
    labelColumn: z.string().optional().describe("the column of a text's class; default: label, or the first"),
    length: z.int().min(1).optional().describe("words of a text; default 256"),
    vocabulary: z.int().min(3).optional().describe("words that are told apart; default 20,000"),
  })
  .describe("the examples");

const dendritesSchema = z
  .strictObject({
    types: names.optional().describe("classes of modules that grow; default Linear, Conv1d, Conv2d, Conv3d"),
    modules: names.optional().describe("paths of modules that grow besides, * for any text"),
    blocks: z
      .array(
        z.union([
          z.string(),
          z.strictObject({ from: z.string(), to: z.string(), id: z.string().optional() }),
        ]),
      )
      .optional()
      .describe("paths or classes that grow as one, or what lies between two values"),
    track: names.optional().describe("paths or classes that deliberately have no dendrites"),
    skip: names.optional().describe("paths or classes that are left out"),
    withNormalization: z
      .boolean()
      .optional()
      .describe("whether layers take along the normalization that follows; default true"),
    rules: z
      .record(
        z.string(),
        z.strictObject({ output: z.int().min(0).optional(), channelAxis: z.int().optional() }),
      )
      .optional()
      .describe("by path or class: which of several outputs dendrites feed, which axis enumerates neurons"),
    learning: z
      .enum(LEARNING)
      .optional()
      .describe(
        "gradient: with the network; correlation: apart from it, to follow its errors; default gradient",
      ),
    correlation: z
      .looseObject({
        optimizer: named(OPTIMIZERS, "what dendrites learn by; default: the network's").optional(),
      })
      .optional()
      .describe("how dendrites learn by correlation: the library's CorrelationSettings"),
    activation: z.enum(["sigmoid", "tanh", "relu", "sin"]).optional(),
    initialScale: z.number().min(0).optional(),
  })
  .describe("where dendrites grow, and of what kind");

const sinksSchema = z
  .strictObject({
    tensorBoard: z
      .string()
      .optional()
      .describe("a folder; the run's event file goes into one of its name there"),
    jsonLines: z.string().optional().describe("a file: a line of JSON for each epoch"),
    mlflow: z
      .union([
        z.string(),
        z.strictObject({
          uri: z.string().optional().describe("default: MLFLOW_TRACKING_URI"),
          experiment: z.string().optional().describe('default: MLFLOW_EXPERIMENT_NAME, or "Default"'),
          runName: z.string().optional().describe("default: the run folder's name"),
          tags: z.record(z.string(), z.string()).optional(),
        }),
      ])
      .optional()
      .describe("the address of a tracking server; credentials come from the environment"),
  })
  .describe("trackers that are told of the run");

/** What a configuration says. Paths in a file start at its folder. */
export const configSchema = z.strictObject({
  $schema: z.string().optional(),
  extends: z.string().optional().describe("another configuration that this one is laid over"),
  model: z
    .union([z.string(), z.looseObject({ name: z.enum(MODELS) })])
    .optional()
    .describe(`a file (.onnx), one of ${MODELS.join(", ")}, or an object of such a name and its options`),
  inputs: z
    .record(z.string(), z.array(z.union([z.int().min(1), z.string()])))
    .optional()
    .describe("axes of a module's inputs; default: those of the data"),
  data: dataSchema.optional(),
  loss: named(LOSSES, "what training minimises").optional(),
  optimizer: named(OPTIMIZERS, "the optimizer").optional(),
  scheduler: named(SCHEDULERS, "changes the learning rate").optional(),
  metric: z.enum(METRICS).optional().describe("what decides growth"),
  growth: z.record(z.string(), z.unknown()).optional().describe("when to grow: the library's GrowthOptions"),
  dendrites: dendritesSchema.optional(),
  batchSize: z.int().min(1).optional().describe("default 64"),
  maxEpochs: z.int().min(1).optional().describe("default: until growth ends"),
  seed: z.int().min(0).optional().describe("decides everything random; default 0"),
  threads: z.int().min(1).optional().describe("default: all processors"),
  runFolder: z.string().optional().describe("default: a new one under runs/"),
  sinks: sinksSchema.optional(),
});
export type Config = z.infer<typeof configSchema>;

/** What a module's configuration may hold as live objects instead of names. */
const LIVE = ["model", "data", "loss", "optimizer", "scheduler", "metric"] as const;
export type Live = Partial<Record<(typeof LIVE)[number], object>>;

/** A configuration as it was read: plain data, with absolute paths, and live objects by key. */
export interface ReadConfig {
  readonly config: Config;
  readonly live: Live;
}

/** The schema of configuration files, as JSON Schema. */
export function jsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: "input" });
}

/**
 * Reads a configuration: JSON, in which comments may stand, or a module whose default export is one, or a function that gives one.
 *
 * @throws `bad_file` for a file that cannot be read, `bad_option` for what it says, all problems at once.
 */
export async function readConfig(path: string): Promise<ReadConfig> {
  const folder = dirname(resolve(path));
  const module = /^\.[cm]?[jt]s$/.test(extname(path));
  const given = module ? await importDefault(path) : parseJson(await readFileBytes(path), path);
  const { plain, live } = separate(given, module);
  const config = withAbsolutePaths(checkConfig(plain, path), folder);
  if (config.extends === undefined) {
    return { config: module ? { extends: resolve(path), ...config } : config, live };
  }
  // A module below is named in what it gives, files are part of it.
  const { extends: file, ...own } = config;
  const below = await readConfig(file);
  return { config: layOver(below.config, own), live: { ...without(below.live, own), ...live } };
}

/** `over` laid over `below`: what both say, `over` decides; objects of both are merged. */
export function layOver(below: Config, over: Config): Config {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(over)) {
    const both = isObject(merged[key]) && isObject(value) && !("name" in value);
    if (value !== undefined) merged[key] = both ? { ...(merged[key] as object), ...value } : value;
  }
  return merged;
}

/** Live objects that a configuration laid over them does not replace. */
function without(live: Live, config: Config): Live {
  return Object.fromEntries(Object.entries(live).filter(([key]) => !(key in config)));
}

/** What the objects of a configuration may hold. */
const SHAPES: Readonly<Record<string, object>> = {
  data: dataSchema.shape,
  dendrites: dendritesSchema.shape,
  sinks: sinksSchema.shape,
};

/** @throws `bad_option` naming every problem. */
function checkConfig(given: unknown, path: string): Config {
  const parsed = configSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const where = issue.path.join(".");
    if (issue.code !== "unrecognized_keys") return `${where || "it"}: ${issue.message}`;
    const shape = SHAPES[where] ?? configSchema.shape;
    return issue.keys
      .map(
        (key) =>
          `${where ? `${where}.` : ""}${key}: there is no such setting.${didYouMean(key, Object.keys(shape))}`,
      )
      .join("\n  ");
  });
  throw new ArborizeError("bad_option", `"${path}" is not a configuration:\n  ${problems.join("\n  ")}`);
}

/** Takes live objects, which only modules can hold, out of what was given. */
function separate(given: unknown, module: boolean): { plain: unknown; live: Live } {
  if (!module || !isObject(given)) return { plain: given, live: {} };
  const plain: Record<string, unknown> = { ...given };
  const live: Live = {};
  for (const key of LIVE) {
    const value = plain[key];
    if (!isObject(value)) continue;
    const prototype = Object.getPrototypeOf(value);
    const hasFunctions = Object.values(value).some((member) => typeof member === "function");
    if (prototype === Object.prototype && !hasFunctions && !("train" in value) && !("graph" in value))
      continue;
    live[key] = value;
    delete plain[key];
  }
  return { plain, live };
}

function withAbsolutePaths(config: Config, folder: string): Config {
  const absolute = (path: string) => resolve(folder, path);
  const { data, model, runFolder, sinks } = config;
  return {
    ...config,
    ...(config.extends === undefined ? {} : { extends: absolute(config.extends) }),
    ...(typeof model === "string" && isModelFile(model) ? { model: absolute(model) } : {}),
    ...(runFolder === undefined ? {} : { runFolder: absolute(runFolder) }),
    ...(data === undefined ? {} : { data: absoluteData(data, absolute) }),
    ...(sinks === undefined ? {} : { sinks: absoluteSinks(sinks, absolute) }),
  };
}

function absoluteData(data: NonNullable<Config["data"]>, absolute: (path: string) => string) {
  return {
    ...data,
    path: absolute(data.path),
    ...(data.test === undefined ? {} : { test: absolute(data.test) }),
  };
}

function absoluteSinks(sinks: NonNullable<Config["sinks"]>, absolute: (path: string) => string) {
  const { tensorBoard, jsonLines } = sinks;
  return {
    ...sinks,
    ...(tensorBoard === undefined ? {} : { tensorBoard: absolute(tensorBoard) }),
    ...(jsonLines === undefined ? {} : { jsonLines: absolute(jsonLines) }),
  };
}

/** Whether a model is meant as a file. */
export function isModelFile(model: string): boolean {
  return /\.onnx$/i.test(model);
}

async function importDefault(path: string): Promise<unknown> {
  await readFileBytes(path);
  let loaded: { default?: unknown };
  try {
    loaded = await import(pathToFileURL(resolve(path)).href);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const wayOut =
      code === "ERR_UNKNOWN_FILE_EXTENSION"
        ? `this version of Node.js (${process.version}) does not read TypeScript. Use Node.js 22.18 or later, or tsx (npm install tsx, NODE_OPTIONS="--import tsx"), or write the module in JavaScript (.mjs).`
        : message;
    throw new ArborizeError("bad_file", `"${path}" cannot be loaded: ${wayOut}`, { cause: error });
  }
  const { default: found } = loaded;
  if (found === undefined) {
    throw new ArborizeError(
      "bad_file",
      `"${path}" has no default export: export default { model, data, ... }.`,
    );
  }
  return typeof found === "function" ? await (found as () => unknown)() : found;
}

function parseJson(bytes: Uint8Array, path: string): unknown {
  const text = new TextDecoder().decode(bytes);
  // Strings are matched first, so that no comment begins inside of one.
  const bare = text.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, string) => string ?? " ");
  try {
    return JSON.parse(bare);
  } catch (error) {
    throw new ArborizeError("bad_file", `"${path}" is not JSON: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
