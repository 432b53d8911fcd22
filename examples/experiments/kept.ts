// What each training of an experiment came to, kept in its folder, so that an experiment that was stopped goes on.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ArborizeError, data } from "../../src/index.ts";
import type { Arm, ArmRun, Outcome } from "./experiment.ts";

const FILE = "outcome.json";

interface Kept {
  /** The experiment, its scale and its data: outcomes of anything else are not comparable. */
  readonly of: string;
  readonly outcome: Outcome;
}

/** What a folder's training is called: its arm and its seed. */
export function folderName({ name }: Arm, seed: number): string {
  return `${name.replaceAll(/\W+/g, "-")}-${seed}`;
}

/**
 * Trains, and keeps what came of it in the run folder; a training that has ended there is not run again.
 *
 * @param of the experiment, its scale and its data.
 * @throws `bad_option` when the folder holds a training of something else, or one that has ended and `resume` is not set.
 */
export async function trainOnce(arm: Arm, seed: number, how: ArmRun, of: string): Promise<Outcome> {
  if (how.runFolder === undefined) return arm.train(seed, how);
  const path = join(how.runFolder, FILE);
  if (existsSync(path)) {
    const kept = JSON.parse(await readFile(path, "utf8")) as Kept;
    if (kept.of !== of) {
      throw new ArborizeError(
        "bad_option",
        `"${how.runFolder}" holds a training of "${kept.of}", this one is of "${of}": name another folder.`,
      );
    }
    if (how.resume) return kept.outcome;
    throw new ArborizeError(
      "bad_option",
      `"${how.runFolder}" already holds a training. Set --resume to go on, or name another folder.`,
    );
  }
  const outcome = await arm.train(seed, how);
  await data.writeFileAtomic(path, `${JSON.stringify({ of, outcome } satisfies Kept, null, 2)}\n`);
  return outcome;
}
