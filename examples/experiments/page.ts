// The page of all results, made from the JSON of each experiment's last run.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { data } from "../../src/index.ts";
import { chart } from "./chart.ts";
import type { Experiment, Outcome, Results } from "./experiment.ts";
import { type Interval, interval } from "./statistics.ts";

/** Writes what came of one experiment, its picture, and the page of all whose results the folder holds. */
export async function writeResults(
  folder: string,
  experiments: readonly Experiment[],
  results: Results,
): Promise<void> {
  const experiment = experiments.find(({ name }) => name === results.experiment)!;
  const at = (ending: string) => join(folder, "results", `${fileName(results)}.${ending}`);
  await data.writeFileAtomic(at("json"), `${JSON.stringify(results, null, 2)}\n`);
  await data.writeFileAtomic(at("svg"), chart(experiment, results));
  await data.writeFileAtomic(join(folder, "results.md"), resultsPage(experiments, readResults(folder)));
}

/** What the files of an experiment's results are called: a full run has its own, beside those of a shorter one. */
function fileName({ experiment, scale }: Results): string {
  return scale === "full" ? `${experiment}-full` : experiment;
}

/** The results that a folder holds. */
export function readResults(folder: string): Results[] {
  const inside = join(folder, "results");
  if (!existsSync(inside)) return [];
  const names = readdirSync(inside).filter((name) => name.endsWith(".json"));
  return names.map((name) => JSON.parse(readFileSync(join(inside, name), "utf8")) as Results);
}

const HEAD = `# Results

What dendrites gain, against the same network without them and against two controls: the same network for as many epochs
with the same restarts of the learning rate (_longer_), and a wider one with as many parameters (_wider_). Each number is the
test score of the network that was best on the validation part, as mean and 95 % interval over the seeds (Student's t): where
that is the one from before its dendrites, it is tested without them. All arms of a seed share their data and initial weights, so
the comparisons are of differences seed by seed. Seconds are of machines that may have been busy with other work, or halted.

\`npm run experiments -- --results docs\` writes this page; each section names the command that made it.
`;

/** The page as Markdown, the experiments in their order. */
export function resultsPage(experiments: readonly Experiment[], all: readonly Results[]): string {
  const sections = experiments.flatMap((experiment) => {
    const found = all.filter(({ experiment: name }) => name === experiment.name);
    return found
      .sort((a, b) => fileName(a).length - fileName(b).length)
      .map((results) => section(experiment, results));
  });
  const missing = experiments.filter(({ name }) => !all.some(({ experiment }) => experiment === name));
  const open = missing.map(({ title }) => title).join("; ");
  const note = missing.length > 0 ? `\nNot run yet: ${open}.\n` : "";
  return `${HEAD}${note}\n${sections.join("\n")}`;
}

function section(experiment: Experiment, results: Results): string {
  const { scale, command, date, machine } = results;
  const seeds = Math.max(...results.arms.map(({ outcomes }) => outcomes.length));
  const rows = results.arms.map(({ name, outcomes }) => {
    const mean = (of: (outcome: Outcome) => number) => interval(outcomes.map(of)).mean;
    const cells = [
      name,
      String(Math.round(mean(({ parameters }) => parameters))),
      format(interval(outcomes.map(({ test }) => test)), experiment.percent),
      mean(({ dendrites }) => dendrites).toFixed(1),
      String(Math.round(mean(({ epochs }) => epochs))),
      mean(({ seconds }) => seconds).toFixed(1),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    `## ${experiment.title}${scale === "full" ? ", at full length" : ""}`,
    "",
    `Published: ${experiment.published}`,
    "",
    `Here, scale \`${scale}\`: ${experiment.setup[scale]}`,
    "",
    `![${experiment.title}](results/${fileName(results)}.svg)`,
    "",
    `| arm | parameters | ${experiment.score} | ${experiment.grows ?? "dendrites"} | epochs | seconds |`,
    "| --- | --: | --: | --: | --: | --: |",
    ...rows,
    "",
    ...(experiment.findings?.(results) ?? []),
    ...experiment.comparisons.flatMap(([arm, against]) => compare(experiment, results, arm, against)),
    "",
    `\`${command}\`, ${seeds === 1 ? "seed 1" : `seeds 1 to ${seeds}`}, ${date}; ${results.data}; ${machine}.`,
    "",
  ].join("\n");
}

/** One line of what the differences seed by seed say. */
function compare(experiment: Experiment, { arms }: Results, arm: string, against: string): string[] {
  const [own, other] = [arm, against].map((name) => arms.find((found) => found.name === name)?.outcomes);
  if (!own || !other) return [];
  const differences = own.flatMap(({ seed, test }) => {
    const rival = other.find((outcome) => outcome.seed === seed);
    return rival ? [test - rival.test] : [];
  });
  const found = interval(differences);
  const { mean, margin } = found;
  let verdict = "no difference shown";
  if (Number.isNaN(margin)) verdict = "one seed alone shows nothing";
  else if (mean - margin > 0) verdict = "ahead";
  else if (mean + margin < 0) verdict = "behind";
  return [`- ${arm} less ${against}: ${format(found, experiment.percent, true)}: **${verdict}**`];
}

/** A mean with its margin, in percent where it is a share. */
export function format({ mean, margin }: Interval, percent: boolean, signed = false): string {
  const [factor, digits] = percent ? [100, 2] : [1, 4];
  const sign = signed && mean > 0 ? "+" : "";
  const around = Number.isNaN(margin) ? "" : ` ± ${(margin * factor).toFixed(digits)}`;
  return `${sign}${(mean * factor).toFixed(digits)}${around}${percent ? " %" : ""}`;
}
