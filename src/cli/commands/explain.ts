// `arborize explain`: what each dendrite of a run's best network does.

import { basename, resolve } from "node:path";
import { ArborizeError } from "../../base/errors.ts";
import { exists } from "../../data/files.ts";
import { type Explanation, explanationTable } from "../../report/explanation.ts";
import { countingProgress, createProgress } from "../../report/progress.ts";
import { styles } from "../../report/terminal.ts";
import { RUN_FILES, RunFolder } from "../../train/run-folder.ts";
import { type Command, type Context, type Given, JSON_OPTION, numberOf, onlyOperand } from "../command.ts";
import { readAbout, readHistory } from "../run-history.ts";
import { openRun } from "../train/open-run.ts";

export const EXAMPLES_OPTIONS = {
  examples: { value: "N", help: "validation examples to measure on, drawn by the seed (default: all)" },
  seed: { value: "N", help: "draws them (default: the run's seed)" },
} as const;

export const explainCommand: Command = {
  name: "explain",
  operands: "RUN",
  summary: "what each dendrite of a run's best network does",
  about: `Measures on the validation part, for each module and each of its dendrites, its share of the variance of the module's output, and
the score of the network that does not hear it. Writes ${RUN_FILES.explanation} and the chart into the folder RUN, and the report page again, which
shows, of images, kernels and the inputs that move each dendrite most. Dendrites are numbered as in the names of weights. Of a
run of another program, without its data, it shows what the run itself has measured.`,
  options: { ...EXAMPLES_OPTIONS, json: JSON_OPTION },
  async run(given, context) {
    const path = resolve(onlyOperand(explainCommand, given));
    const folder = new RunFolder(path);
    const history = await readHistory(path);
    const asked = given.values.examples !== undefined || given.values.seed !== undefined;
    const measures = asked || (await exists(folder.file("config")));
    const explanation = measures ? await measured(path, given, context) : await left(path);
    if (measures) await folder.writeReport(history, { ...(await readAbout(path)), explanation }, true);
    if (given.values.json) return `${JSON.stringify(explanation, null, 2)}\n`;
    return [
      styles(context.color).bold(basename(path)),
      "",
      explanationTable(explanation, context),
      "",
      `report   ${folder.file("report")}`,
      `chart    ${folder.file("explanationChart")}`,
      "",
    ].join("\n");
  },
};

async function measured(path: string, given: Given, { errors }: Context): Promise<Explanation> {
  const { training, parts, read } = await openRun(path);
  const examples = numberOf(given, "examples", 1);
  const progress = createProgress({ stream: errors });
  try {
    return await training.explain(parts.validation, {
      ...(examples === undefined ? {} : { examples }),
      seed: numberOf(given, "seed", 0) ?? read.config.seed ?? 0,
      batchSize: read.config.batchSize ?? 64,
      onProgress: countingProgress(progress, "passes over the examples"),
    });
  } finally {
    progress.close();
    await training.release();
  }
}

/** What a run has found at its end. */
async function left(path: string): Promise<Explanation> {
  const { explanation } = await readAbout(path);
  if (explanation) return explanation;
  throw new ArborizeError(
    "bad_file",
    `"${path}" has neither ${RUN_FILES.explanation} nor ${RUN_FILES.config}, so that its data is not known. In your program, training.explain(validation) measures it.`,
  );
}
