// `arborize train` and `arborize resume`.

import { resolve } from "node:path";
import { type Command, type Given, onlyOperand, UsageError } from "../command.ts";
import { layOver, readConfig } from "../train/config.ts";
import { configOf, LENGTH_FLAGS, SINK_FLAGS, TRAIN_FLAGS } from "../train/flags.ts";
import { readRunConfig } from "../train/open-run.ts";
import { start } from "../train/start.ts";

const DRY_RUN = {
  "dry-run": { help: "only say what the run would cost in time and memory, after a few steps" },
};

const SHOW_FLAGS = {
  watch: { help: "serve a live page of the run on this machine meanwhile" },
  json: { help: "the result as JSON" },
};

const shownBy = ({ values }: Given) => ({
  json: values.json === true,
  watch: values.watch === true,
  dryRun: values["dry-run"] === true,
});

export const trainCommand: Command = {
  name: "train",
  operands: "[CONFIG]",
  summary: "train a network and grow dendrites on it",
  about: `Trains a network and adds dendrites to it until they no longer help. CONFIG is a file of JSON, in which comments may stand
(its schema: config.schema.json in the package; arborize init writes one), or a module (.mjs, .js, .ts) whose default
export is such an object, which may hold modules, data sets, losses and optimizers themselves. Options win over it; with
--data alone, none is needed. Ctrl-C stops after the running step; arborize resume goes on from the last whole epoch.`,
  options: { ...TRAIN_FLAGS, ...DRY_RUN, ...SHOW_FLAGS },
  async run(given, context) {
    const [file, ...rest] = given.positionals;
    if (rest.length > 0) throw new UsageError(`train takes one CONFIG, "${rest.join('", "')}" is too much.`);
    const read = file === undefined ? { config: {}, live: {} } : await readConfig(file);
    const flags = configOf(given, read.config);
    // Data that is named on the command line takes the place of a module's.
    const { data, model, ...live } = read.live;
    const kept = {
      ...live,
      ...(data && !flags.data ? { data } : {}),
      ...(model && !flags.model ? { model } : {}),
    };
    const config = layOver(read.config, flags);
    return start({ config, live: kept }, { resume: false, ...shownBy(given) }, context);
  },
};

export const resumeCommand: Command = {
  name: "resume",
  operands: "RUN",
  summary: "go on with a run that was stopped",
  about:
    "Goes on with the run in the folder RUN from its last whole epoch, as if nothing had been in between.",
  options: { ...LENGTH_FLAGS, ...SINK_FLAGS, ...SHOW_FLAGS },
  async run(given, context) {
    const folder = resolve(onlyOperand(resumeCommand, given));
    const read = await readRunConfig(folder);
    const config = { ...layOver(read.config, configOf(given, read.config)), runFolder: folder };
    return start({ ...read, config }, { resume: true, ...shownBy(given) }, context);
  },
};
