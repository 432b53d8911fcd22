#!/usr/bin/env node
// The command `arborize`.

import { ArborizeError } from "../base/errors.ts";
import { wantsColor } from "../report/terminal.ts";
import { UsageError } from "./command.ts";
import { run } from "./run.ts";

// A reader such as `head` may close the pipe before all is written.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const controller = new AbortController();
let listens = false;

try {
  const text = await run(process.argv.slice(2), {
    color: wantsColor(process.stdout),
    errors: process.stderr,
    interrupted() {
      // Once: the second Ctrl-C ends the process, whatever it is at.
      if (!listens) for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => controller.abort());
      listens = true;
      return controller.signal;
    },
  });
  process.stdout.write(text);
  if (controller.signal.aborted) process.exitCode = 130;
} catch (error) {
  if (!(error instanceof ArborizeError || error instanceof UsageError)) throw error;
  process.stderr.write(`arborize: ${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
