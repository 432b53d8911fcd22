// `arborize watch`: runs as they go, on a page.

import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ArborizeError } from "../../base/errors.ts";
import { exists } from "../../data/files.ts";
import { RUN_FILES, RunFolder } from "../../train/run-folder.ts";
import { type Command, numberOf, UsageError } from "../command.ts";
import { readHistory } from "../run-history.ts";
import { serveRuns } from "../watch/server.ts";

export const watchCommand: Command = {
  name: "watch",
  operands: "RUN...",
  summary: "a live page of one run or several",
  about: `Serves a page for the browser on this machine alone (127.0.0.1): scores as they come, dendrites, modules, log, settings, how
fast it goes and what is left; several runs side by side. A folder that holds runs stands for all of them. It reads the
run folders and nothing else, so finished and copied runs look the same. Ctrl-C ends it.`,
  options: {
    port: { value: "N", help: "the port to serve on (default: 4477, or one of the next that is free)" },
  },
  async run(given, { errors, interrupted }) {
    if (given.positionals.length === 0) throw new UsageError("watch needs a run: arborize watch RUN...");
    const port = numberOf(given, "port", 0);
    const runs = (await Promise.all(given.positionals.map(runsIn))).flat();
    // What is no run is said here, not on the page.
    for (const path of runs) if (await new RunFolder(path).holdsRun()) await readHistory(path);
    const signal = interrupted();
    const watch = await serveRuns(runs, port);
    errors.write(`${runs.join(", ")}: ${watch.url} (Ctrl-C ends it)\n`);
    await new Promise<void>((done) => {
      if (signal.aborted) done();
      else signal.addEventListener("abort", () => done(), { once: true });
    });
    await watch.close();
    return "";
  },
};

/** A run, or those in a folder of runs. A run that has just begun has no state yet. @throws `bad_file` for what is neither. */
async function runsIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    const problem = error.code === "ENOENT" ? "there is no such folder" : "it is no folder";
    throw new ArborizeError("bad_file", `"${resolve(path)}" is no run: ${problem}.`, { cause: error });
  });
  const own = new RunFolder(path);
  if (entries.length === 0 || (await own.holdsRun()) || (await exists(own.file("config")))) return [path];
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
  const runs: string[] = [];
  for (const folder of folders.sort()) if (await new RunFolder(folder).holdsRun()) runs.push(folder);
  if (runs.length > 0) return runs;
  throw new ArborizeError(
    "bad_file",
    `"${resolve(path)}" holds no run: neither it nor a folder in it has a ${RUN_FILES.latest}.`,
  );
}
