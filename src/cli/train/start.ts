// A run from the command line: the folder, the training, and what is told of it.

import { existsSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { ArborizeError } from "../../base/errors.ts";
import { costText } from "../../report/cost.ts";
import { formatCount, scoreFormat } from "../../report/format.ts";
import { bestEpoch, summarize } from "../../report/history.ts";
import { createProgress } from "../../report/progress.ts";
import { summaryTable } from "../../report/table.ts";
import { isInteractive } from "../../report/terminal.ts";
import type { AboutOptions } from "../../train/about.ts";
import { estimateRun } from "../../train/estimate.ts";
import type { Sink } from "../../train/events.ts";
import { type FitResult, fit as trainAndGrow } from "../../train/fit.ts";
import { RUN_FILES, RunFolder } from "../../train/run-folder.ts";
import * as sinks from "../../train/sinks/index.ts";
import type { Context } from "../command.ts";
import { serveRuns } from "../watch/server.ts";
import { build, type Job } from "./build.ts";
import type { Config, ReadConfig } from "./config.ts";
import { defined } from "./defined.ts";
import { classesOf } from "./model.ts";

/** How a run is started. */
export interface StartOptions {
  readonly resume: boolean;
  /** Answer with JSON instead of text. */
  readonly json: boolean;
  /** Serve the live page meanwhile. */
  readonly watch: boolean;
  /** Say what it would cost, and train nothing. */
  readonly dryRun: boolean;
}

/** Trains as configured, in the run folder that is named or in a new one, and tells what came of it. */
export async function start(
  read: ReadConfig,
  { resume, json, watch, dryRun }: StartOptions,
  context: Context,
): Promise<string> {
  if (dryRun) return costOf(read, json);
  const folder = new RunFolder(read.config.runFolder ?? newRunFolder(read.config));
  if (!resume && (await folder.holdsRun())) {
    throw new ArborizeError(
      "bad_option",
      `"${folder.path}" already holds a run. Go on with it: arborize resume ${shown(folder.path)}. Or name another folder: --out.`,
    );
  }
  const signal = context.interrupted();
  const job = await build(read);
  const { runFolder: _, ...config } = read.config;
  await folder.writeJson("config", config);
  if (job.parts.recipe) await folder.writeJson("recipe", job.parts.recipe);
  const progress = createProgress({ stream: context.errors });
  for (const line of introduction(job, folder.path)) progress.log(line);
  const page = watch ? await serveRuns([folder.path]) : null;
  if (page) progress.log(`live page: ${page.url}`);
  const result = await trainAndGrow(job.model, {
    ...whatToTrain(job, config),
    runFolder: folder.path,
    sinks: sinksIn(config, folder),
    resume,
    signal,
    progress,
    estimate: isInteractive(context.errors),
  }).finally(async () => {
    progress.close();
    await page?.close();
  });
  await result.training.release();
  return json
    ? `${JSON.stringify(resultOf(result, folder), null, 2)}\n`
    : resultText(result, folder, context);
}

/** What `fit` and its estimate take. */
export function whatToTrain(
  { options, parts }: Job,
  { batchSize = 64, maxEpochs, data }: Config,
): AboutOptions {
  const { train, validation, test } = parts;
  return {
    ...options,
    train,
    validation,
    ...(test ? { test } : {}),
    batchSize,
    ...(maxEpochs ? { maxEpochs } : {}),
    ...(data ? { dataFacts: data } : {}),
  };
}

/** What a run would cost. */
async function costOf(read: ReadConfig, json: boolean): Promise<string> {
  const job = await build(read);
  const cost = await estimateRun(job.model, whatToTrain(job, read.config), { more: 2 });
  return json ? `${JSON.stringify(cost, null, 2)}\n` : `${costText(cost)}\n`;
}

function sinksIn({ sinks: { tensorBoard, jsonLines, mlflow } = {} }: Config, folder: RunFolder): Sink[] {
  return [
    ...(tensorBoard === undefined ? [] : [sinks.tensorBoard(join(tensorBoard, folder.name))]),
    ...(jsonLines === undefined ? [] : [sinks.jsonLines(jsonLines)]),
    ...(mlflow === undefined
      ? []
      : [sinks.mlflow(typeof mlflow === "string" ? { uri: mlflow } : defined(mlflow))]),
  ];
}

function introduction({ parts, options }: Job, folder: string): string[] {
  const { train, validation, test, recipe } = parts;
  const classes = recipe && classesOf(recipe);
  const counts = [
    `${formatCount(train.length)} examples to learn from`,
    `${formatCount(validation.length)} to validate`,
    ...(test ? [`${formatCount(test.length)} to test`] : []),
    ...(classes ? [`${classes.length} classes`] : []),
  ];
  return [counts.join(", "), `growth is decided by ${options.metric?.name}; the run is in ${shown(folder)}`];
}

function resultOf({ history, interrupted }: FitResult, folder: RunFolder): object {
  return {
    runFolder: folder.path,
    interrupted,
    metric: history.metric,
    best: bestEpoch(history) ?? null,
    summary: summarize(history),
    ended: history.ended ?? null,
  };
}

function resultText({ history, interrupted }: FitResult, folder: RunFolder, { color }: Context): string {
  const best = bestEpoch(history);
  const path = shown(folder.path);
  if (!best) return `Stopped before the first epoch was over. Begin again: arborize resume ${path}\n`;
  const { format } = scoreFormat(history);
  const scores = `validation ${format(best.validation)}${best.test === undefined ? "" : `, test ${format(best.test)}`}`;
  return [
    summaryTable(history, { color }),
    "",
    `best     ${history.metric}: ${scores} (epoch ${best.epoch})`,
    `report   ${join(path, RUN_FILES.report)}`,
    ...(interrupted
      ? ["", `Stopped; the last whole epoch is saved. Go on with: arborize resume ${path}`]
      : [`network  ${join(path, RUN_FILES.model)}`]),
    "",
  ].join("\n");
}

/** As short as it can be typed. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short;
}

/** `runs/NAME` by what is learned from, or the first of `runs/NAME-2`, `-3`, … that is free. */
function newRunFolder({ data, extends: module }: Config): string {
  const name = basename(data?.path ?? module ?? "run").replace(/\..*$/, "") || "run";
  let path = join("runs", name);
  for (let i = 2; existsSync(path); i++) path = join("runs", `${name}-${i}`);
  return path;
}
