// `arborize evaluate`: the best network of a run on examples.

import { resolve } from "node:path";
import { batches } from "../../data/batches.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { DelimitedOptions } from "../../data/delimited.ts";
import { readAs } from "../../data/prepare.ts";
import { auc, type Metric } from "../../nn/metrics.ts";
import { formatCount, formatNumber } from "../../report/format.ts";
import { textTable } from "../../report/table.ts";
import { type Command, JSON_OPTION, onlyOperand, textOf, UsageError } from "../command.ts";
import type { Parts } from "../train/build.ts";
import { defined } from "../train/defined.ts";
import { classesOf } from "../train/model.ts";
import { openRun } from "../train/open-run.ts";

export const evaluateCommand: Command = {
  name: "evaluate",
  operands: "RUN",
  summary: "scores of a run's best network on test data, or on other files",
  about: `Measures the best network of the run in the folder RUN: on the run's test part (or its validation part, where it has none), or
on other files, which are read as the training data was: with its classes, categories, means and words.`,
  options: {
    data: { value: "PATH", help: "other examples, labelled like those that were learned from" },
    json: JSON_OPTION,
  },
  async run(given, { color }) {
    const path = resolve(onlyOperand(evaluateCommand, given));
    const { read, options, parts, training } = await openRun(path);
    const { name, dataset } = await examplesOf(parts, textOf(given, "data"), defined(read.config.data ?? {}));
    const source = () => batches(dataset, { batchSize: read.config.batchSize ?? 64 });
    const scores: Record<string, number> = {};
    for (const metric of metricsFor(options.metric ?? null, parts)) {
      scores[metric?.name ?? options.loss.name] = await training.evaluate(source(), metric);
    }
    const facts = {
      examples: dataset.length,
      dendrites: training.dendrites,
      parameters: training.parameterCount,
    };
    await training.release();
    if (given.values.json) return `${JSON.stringify({ data: name, ...facts, scores }, null, 2)}\n`;
    const table = textTable(
      Object.entries(scores),
      [
        { header: "score", value: ([metric]) => metric },
        { header: name, value: ([, score]) => formatNumber(score), align: "right" },
      ],
      { color },
    );
    const counts = `${formatCount(facts.examples)} examples; ${facts.dendrites} dendrites, ${formatCount(facts.parameters)} parameters`;
    return `${table}\n\n${counts}\n`;
  },
};

async function examplesOf(
  { recipe, test, validation }: Parts,
  path: string | undefined,
  options: DelimitedOptions,
): Promise<{ name: string; dataset: Dataset }> {
  if (path === undefined)
    return test ? { name: "test", dataset: test } : { name: "validation", dataset: validation };
  if (recipe) return { name: path, dataset: await readAs(recipe, path, options) };
  throw new UsageError("--data needs a run whose data was read from files; this one's came from a module.");
}

/** The run's own metric, the loss, and of two classes the AUC. */
function metricsFor(own: Metric | null, { recipe }: Parts): (Metric | null)[] {
  const two = recipe !== null && classesOf(recipe)?.length === 2;
  return [...(own ? [own] : []), ...(two && own !== auc ? [auc] : []), null];
}
