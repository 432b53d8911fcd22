// `arborize watch`: runs as they go, on a page.

import { type Command, numberOf, UsageError } from "../command.ts";
import { readHistory } from "../run-history.ts";
import { serveRuns } from "../watch/server.ts";
import { versionOf } from "../watch/view.ts";

export const watchCommand: Command = {
  name: "watch",
  operands: "RUN...",
  summary: "a live page of one run or several",
  about: `Serves a page for the browser on this machine alone (127.0.0.1): scores as they come, dendrites, modules, log, settings, how
fast it goes and what is left. It reads the run folders and nothing else, so finished and copied runs look the same. Ctrl-C ends it.`,
  options: { port: { value: "N", help: "the port to serve on (default: any that is free)" } },
  async run(given, { errors, interrupted }) {
    if (given.positionals.length === 0) throw new UsageError("watch needs a run: arborize watch RUN...");
    const port = numberOf(given, "port", 0) ?? 0;
    for (const path of given.positionals) {
      // A run that has just begun has no state yet; what is no run at all is said here, not on the page.
      if ((await versionOf(path)) !== "" || given.positionals.length > 1) await readHistory(path);
    }
    const signal = interrupted();
    const watch = await serveRuns(given.positionals, port);
    errors.write(`${given.positionals.join(", ")}: ${watch.url} (Ctrl-C ends it)\n`);
    await new Promise<void>((done) => {
      if (signal.aborted) done();
      else signal.addEventListener("abort", () => done(), { once: true });
    });
    await watch.close();
    return "";
  },
};
