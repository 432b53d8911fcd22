// What the command line asks for, and the text that answers it.

import { didYouMean } from "../base/errors.ts";
import { version } from "../train/version.ts";
import { type Command, type Context, helpOf, readArguments, UsageError } from "./command.ts";
import { evaluateCommand } from "./commands/evaluate.ts";
import { explainCommand } from "./commands/explain.ts";
import { exportCommand } from "./commands/export.ts";
import { initCommand } from "./commands/init.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { pruneCommand } from "./commands/prune.ts";
import { compareCommand, reportCommand } from "./commands/report.ts";
import { resumeCommand, trainCommand } from "./commands/train.ts";
import { watchCommand } from "./commands/watch.ts";

const COMMANDS: readonly Command[] = [
  trainCommand,
  resumeCommand,
  watchCommand,
  evaluateCommand,
  reportCommand,
  compareCommand,
  explainCommand,
  pruneCommand,
  inspectCommand,
  exportCommand,
  initCommand,
];

/** @throws `UsageError` for a wrong command line, `ArborizeError` where what it names is wrong. */
export async function run(args: readonly string[], context: Context): Promise<string> {
  const [first, ...rest] = args;
  if (first === undefined) throw new UsageError(`there is nothing to do.\n\n${help().trimEnd()}`);
  if (first === "-h" || first === "--help") return help();
  if (first === "-v" || first === "--version") return `${version()}\n`;
  if (first === "help") return rest[0] === undefined ? help() : helpOf(find(rest[0]));
  const command = find(first);
  const given = readArguments(command, rest);
  return given.values.help ? helpOf(command) : command.run(given, context);
}

function find(name: string): Command {
  const command = COMMANDS.find((each) => each.name === name);
  if (command) return command;
  if (name.startsWith("-")) {
    throw new UsageError(`a command comes first, not "${name}". See arborize --help.`);
  }
  const names = COMMANDS.map((each) => each.name);
  throw new UsageError(`there is no command "${name}".${didYouMean(name, names)} See arborize --help.`);
}

function help(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`);
  return `Usage: arborize COMMAND [options]

${lines.join("\n")}

  -h, --help      this text; arborize COMMAND --help says more of one
  -v, --version   the version of Arborize

Exit codes: 0 done, 1 something named on the command line is wrong, 2 the command line itself is, 130 stopped by Ctrl-C.
`;
}
