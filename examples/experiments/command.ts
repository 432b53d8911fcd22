// The command line that all experiments share.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ArborizeError } from "../../src/index.ts";
import { main, newRunFolder, readFlags, stopOnInterrupt } from "../shared.ts";
import {
  type Context,
  type Experiment,
  estimateExperiment,
  runExperiment,
  type Scale,
} from "./experiment.ts";
import { writeResults } from "./page.ts";

const SCALES: readonly string[] = ["smoke", "quick", "full"] satisfies Scale[];

/** Runs the experiments that the flags name, and writes their results and the page of all. */
export async function runExperiments(about: string, experiments: readonly Experiment[]): Promise<void> {
  const flags = readFlags(about, {
    scale: { standard: "quick", help: "smoke (seconds), quick (minutes), full (as published)" },
    data: { standard: "", help: "folder of the data sets; by default they are downloaded where possible" },
    seeds: { standard: 0, help: "seeds 1 to this one; by default the experiment's own number" },
    only: { standard: "", help: "names of experiments, with commas; by default all" },
    weights: { standard: "", help: "safetensors file to start from, or hf:OWNER/NAME, for imdb-dsn-bert" },
    estimate: { standard: false, help: "only say what it would cost in time and memory" },
    out: { standard: "", help: "folder of the runs; by default a new one under runs/" },
    resume: { standard: false, help: "go on with what --out holds: what has ended there is not run again" },
    results: {
      standard: "",
      help: "folder of results.md and its pictures; by default results/ in that of the runs",
    },
  });
  if (!SCALES.includes(flags.scale)) {
    throw new ArborizeError("bad_option", `--scale is "${flags.scale}", wanted ${SCALES.join(", ")}.`);
  }
  const names = flags.only === "" ? experiments.map(({ name }) => name) : flags.only.split(",");
  const chosen = names.map((name) => {
    const found = experiments.find((experiment) => experiment.name === name);
    if (found) return found;
    const known = experiments.map((experiment) => experiment.name).join(", ");
    throw new ArborizeError("bad_option", `--only names "${name}", there are ${known}.`);
  });
  if (flags.resume && flags.out === "") {
    throw new ArborizeError("bad_option", "--resume needs the folder of the runs: --out FOLDER.");
  }
  const runs = flags.out || newRunFolder("experiments");
  const folder = flags.results || join(runs, "results");
  const signal = stopOnInterrupt();
  for (const experiment of chosen) {
    const context: Context = {
      scale: flags.scale as Scale,
      data: flags.data || undefined,
      runs,
      ...(flags.seeds > 0 ? { seeds: flags.seeds } : {}),
      ...(flags.weights === "" ? {} : { weights: flags.weights }),
      resume: flags.resume,
      signal,
      log: (line) => console.log(line),
      onOutcome: (soFar) => writeResults(folder, experiments, soFar),
    };
    const prepared = await experiment.prepare(context);
    if (flags.estimate || flags.scale !== "smoke") await estimateExperiment(experiment, context, prepared);
    if (flags.estimate) continue;
    try {
      await runExperiment(experiment, context, prepared);
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
      console.log(`\nStopped. Go on with the same command and: --out ${runs} --resume`);
      return;
    }
  }
  if (flags.estimate) return;
  console.log(`\nresults ${join(folder, "results.md")}`);
}

/** Runs the experiments of a file when it is what was started. */
export async function runIfMain(
  url: string,
  about: string,
  experiments: readonly Experiment[],
): Promise<void> {
  if (process.argv[1] === undefined || url !== pathToFileURL(process.argv[1]).href) return;
  await main(() => runExperiments(about, experiments));
}
