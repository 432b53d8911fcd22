#!/usr/bin/env node
// The command `arborize`.

import { ArborizeError } from "../base/errors.ts";
import { wantsColor } from "../report/terminal.ts";
import { run, UsageError } from "./run.ts";

// A reader such as `head` may close the pipe before all is written.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  process.stdout.write(await run(process.argv.slice(2), wantsColor(process.stdout)));
} catch (error) {
  if (!(error instanceof ArborizeError || error instanceof UsageError)) throw error;
  process.stderr.write(`arborize: ${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
