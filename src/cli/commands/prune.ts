// `arborize prune`: a network without the dendrites that don't earn their parameters.

import { stat } from "node:fs/promises";
import { basename, join, parse, resolve } from "node:path";
import { ArborizeError } from "../../base/errors.ts";
import { exists } from "../../data/files.ts";
import { formatCount, formatNumber, grownText, scoreFormatOf } from "../../report/format.ts";
import { countingProgress, createProgress } from "../../report/progress.ts";
import { textTable } from "../../report/table.ts";
import { oneLine } from "../../report/terminal.ts";
import { arborize } from "../../train/arborize.ts";
import type { Pruned, PrunedSide } from "../../train/prune.ts";
import { RUN_FILES, RunFolder } from "../../train/run-folder.ts";
import { writeStart } from "../../train/write-run.ts";
import {
  type Command,
  type Context,
  type Given,
  JSON_OPTION,
  numberOf,
  onlyOperand,
  textOf,
  UsageError,
} from "../command.ts";
import { build } from "../train/build.ts";
import { configOf, DATA_FLAGS, TRAIN_FLAGS } from "../train/flags.ts";
import { type OpenRun, openRun } from "../train/open-run.ts";
import { whatToTrain } from "../train/start.ts";
import { EXAMPLES_OPTIONS } from "./explain.ts";

/** What only a file needs, which knows no data. */
const FILE_OPTIONS = {
  ...DATA_FLAGS,
  metric: { ...TRAIN_FLAGS.metric!, help: "what a file is measured by (default: accuracy)" },
};

export const pruneCommand: Command = {
  name: "prune",
  operands: "RUN_OR_FILE.onnx",
  summary: "a network without the dendrites that don't earn their parameters",
  about: `Removes whole dendrites of modules from the best network of a run (a folder), or from an ONNX file, by the validation score without
them: the one that costs least first, for as long as all removals together cost no more than --max-cost. Says how score and
parameters change, and by how much any prediction on a validation example does. Of a run it writes another one, which can be
evaluated, exported and resumed, where it trains and grows on; of a file, another file. The first is left as it is.
A file needs --data, of which the validation part is taken as arborize train takes it.`,
  options: {
    output: { value: "PATH", short: "o", help: "what to write (default: beside it, its name with -pruned)" },
    "max-cost": {
      value: "X",
      help: "how much of the score it may cost in all, 0.002 for 0.2 points of accuracy (default: 0)",
    },
    ...EXAMPLES_OPTIONS,
    ...FILE_OPTIONS,
    json: JSON_OPTION,
  },
  async run(given, context) {
    const source = resolve(onlyOperand(pruneCommand, given));
    const isFolder = await stat(source).then(
      (found) => found.isDirectory(),
      () => false,
    );
    const output = resolve(textOf(given, "output") ?? prunedName(source, isFolder));
    if (output === source) throw new UsageError(`-o is what is pruned, "${output}": name another one.`);
    const open = isFolder ? await ofRun(source, output, given) : await ofFile(source, given);
    try {
      const pruned = await prunedOf(open, given, context);
      const empty = Object.keys(pruned.removed).length === 0;
      if (!empty) await (isFolder ? writeRun(source, output, open, pruned) : writeFile(output, open, pruned));
      const { state: _, ...facts } = pruned;
      const told = { ...facts, output: empty ? null : output };
      return given.values.json
        ? `${JSON.stringify(told, null, 2)}\n`
        : shownText(pruned, empty ? null : output, context);
    } finally {
      await open.training.release();
    }
  },
};

function prunedName(source: string, isFolder: boolean): string {
  const { dir, name, ext } = parse(source);
  return join(dir, isFolder ? `${basename(source)}-pruned` : `${name}-pruned${ext}`);
}

async function ofRun(source: string, output: string, given: Given): Promise<OpenRun> {
  const foreign = Object.keys(FILE_OPTIONS).find((name) => given.values[name] !== undefined);
  if (foreign) throw new UsageError(`--${foreign} is for files; a run knows its data and its metric.`);
  if (await exists(output)) {
    throw new ArborizeError("bad_option", `"${output}" is there already. Name another folder: -o.`);
  }
  const folder = new RunFolder(source);
  if ((await exists(folder.file("config"))) || !(await folder.holdsRun())) return openRun(source);
  throw new ArborizeError(
    "bad_file",
    `The run in "${source}" is that of a program, and its data is not known here. Prune its network on data that you name, arborize prune ${join(source, RUN_FILES.model)} --data PATH, or call training.prune(validation) in the program.`,
  );
}

async function ofFile(source: string, given: Given): Promise<OpenRun> {
  if (textOf(given, "data") === undefined) {
    throw new UsageError("a file needs the data that it is measured on: --data PATH.");
  }
  const read = { config: { ...configOf(given, {}), model: source }, live: {} };
  const job = await build(read);
  return { ...job, read, training: await arborize(job.model, job.options) };
}

async function prunedOf(
  { training, parts, read }: OpenRun,
  given: Given,
  { errors }: Context,
): Promise<Pruned> {
  const examples = numberOf(given, "examples", 1);
  const maxCost = numberOf(given, "max-cost", 0, false);
  const progress = createProgress({ stream: errors });
  try {
    return await training.prune(parts.validation, {
      ...(examples === undefined ? {} : { examples }),
      ...(maxCost === undefined ? {} : { maxCost }),
      seed: numberOf(given, "seed", 0) ?? read.config.seed ?? 0,
      batchSize: read.config.batchSize ?? 64,
      onProgress: countingProgress(progress, "passes over the examples"),
    });
  } finally {
    progress.close();
  }
}

/** Writes a run that begins with the pruned network. */
async function writeRun(source: string, output: string, open: OpenRun, pruned: Pruned): Promise<void> {
  const { read, model, options, parts } = open;
  const { runFolder: _, ...config } = read.config;
  const folder = new RunFolder(output);
  await folder.writeJson("config", config);
  if (parts.recipe) await folder.writeJson("recipe", parts.recipe);
  const origin = `Pruned from ${basename(source)}: ${removedText(pruned)} removed. ${changeText(pruned)}`;
  const training = await arborize(model, { ...options, state: pruned.state, origin });
  try {
    await writeStart(training, folder, { ...whatToTrain(open, config), origin });
  } finally {
    await training.release();
  }
}

async function writeFile(output: string, { model, options }: OpenRun, { state }: Pruned): Promise<void> {
  const training = await arborize(model, { ...options, state });
  await training.exportOnnx(output);
  await training.release();
}

function shownText(pruned: Pruned, output: string | null, { color }: Context): string {
  const { metric, before, after, examples } = pruned;
  if (Object.keys(before.dendrites).length === 0) return "There are no dendrites, nothing to prune.\n";
  if (output === null) {
    return `No dendrite can go at that cost: without any of them, the ${metric} on ${formatCount(examples)} validation examples is worse. Nothing is written.\n`;
  }
  const { format } = scoreFormatOf(metric, [before.score, after.score]);
  const rows: [string, (side: PrunedSide) => string][] = [
    [`validation ${metric}`, ({ score }) => format(score)],
    ["parameters", ({ parameters }) => formatCount(parameters)],
    [
      "dendrites",
      ({ dendrites }) => formatCount(Object.values(dendrites).reduce((sum, each) => sum + each, 0)),
    ],
  ];
  const table = textTable(
    rows,
    [
      { header: "", value: ([name]) => name },
      { header: "before", value: ([, value]) => value(before), align: "right" },
      { header: "after", value: ([, value]) => value(after), align: "right" },
    ],
    { color },
  );
  return [
    table,
    "",
    `removed  ${removedText(pruned)}`,
    `left     ${oneLine(grownText(Object.entries(after.dendrites)))}`,
    changeText(pruned),
    "",
    output,
    "",
  ].join("\n");
}

function removedText({ removed }: Pruned): string {
  const parts = Object.entries(removed).map(([id, numbers]) => {
    return `${numbers.length === 1 ? "dendrite" : "dendrites"} ${numbers.join(", ")} of ${oneLine(id)}`;
  });
  return parts.join("; ");
}

function changeText({ largestChange, examples }: Pruned): string {
  return `The largest change of any output for the ${formatCount(examples)} validation examples is ${formatNumber(largestChange)}.`;
}
