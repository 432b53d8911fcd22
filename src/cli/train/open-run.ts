// A run of the command, opened again.

import { ArborizeError } from "../../base/errors.ts";
import { arborize } from "../../train/arborize.ts";
import { RUN_FILES, RunFolder } from "../../train/run-folder.ts";
import type { Training } from "../../train/training.ts";
import { build, type Job } from "./build.ts";
import { type ReadConfig, readConfig } from "./config.ts";

/** A run with its data and its best network. */
export interface OpenRun extends Job {
  readonly read: ReadConfig;
  readonly training: Training;
}

/** Builds what the run in a folder was told, and loads its best network. @throws `bad_file` for a folder without. */
export async function openRun(path: string): Promise<OpenRun> {
  const read = await readRunConfig(path);
  const job = await build(read);
  const training = await arborize(job.model, job.options);
  await training.load(new RunFolder(path).file("latest"));
  await training.restoreBest();
  return { ...job, read, training };
}

/** What a run of the command was told. @throws `bad_file` for a folder without. */
export async function readRunConfig(path: string): Promise<ReadConfig> {
  try {
    return await readConfig(new RunFolder(path).file("config"));
  } catch (error) {
    const missing = (error as Error).cause as NodeJS.ErrnoException | undefined;
    if (missing?.code !== "ENOENT" && missing?.code !== "ENOTDIR") throw error;
    throw new ArborizeError(
      "bad_file",
      `"${path}" has no ${RUN_FILES.config}: it is no folder of a run that arborize train has begun.`,
      { cause: error },
    );
  }
}
