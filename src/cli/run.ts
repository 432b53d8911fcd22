// What the command line asks for, and the text that answers it.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { didYouMean } from "../base/errors.ts";
import { inspect } from "../dendrites/inspect.ts";
import { readOnnx } from "../train/open.ts";
import { modelText } from "./model-text.ts";

/** What is wrong with a command line: exit code 2. */
export class UsageError extends Error {}

const OPTIONS = {
  json: { type: "boolean" },
  types: { type: "string" },
  axes: { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

const COMMANDS = ["inspect"];

const HELP = `Usage: arborize inspect FILE.onnx [options]

Prints the modules of a network with their shapes and parameters, and of each whether it learns and can take dendrites,
and why not; which operators no gradient passes, and what they keep from learning.

  --json               the same as JSON
  --types A,B          the classes of modules that dendrites may grow on (default: Linear,Conv1d,Conv2d,Conv3d)
  --axes NAME=N,...    lengths for axes that the file leaves open, such as batch=1
  -h, --help           this text
  -v, --version        the version of Arborize

Exit codes: 0 done, 1 the file cannot be read as a network, 2 the command line is wrong.
`;

/**
 * Answers a command line.
 *
 * @throws `UsageError` for a wrong one, `ArborizeError` where the file is wrong.
 */
export async function run(args: readonly string[], color: boolean): Promise<string> {
  const { values, positionals } = readArguments(args);
  if (values.help) return HELP;
  if (values.version) return `${version()}\n`;
  const [command, file, ...rest] = positionals;
  if (command === undefined) throw new UsageError(`there is nothing to do.\n\n${HELP.trimEnd()}`);
  if (!COMMANDS.includes(command)) {
    throw new UsageError(
      `there is no command "${command}".${didYouMean(command, COMMANDS)} See arborize --help.`,
    );
  }
  if (file === undefined) throw new UsageError("inspect needs a file: arborize inspect model.onnx.");
  if (rest.length > 0) throw new UsageError(`inspect takes one file, "${rest.join('", "')}" is too much.`);
  const axes = values.axes === undefined ? undefined : readAxes(values.axes);
  const model = await readOnnx(file, axes ? { axes } : {});
  const types = values.types?.split(",").map((type) => type.trim());
  const report = inspect(model, types ? { types } : {});
  return values.json ? `${JSON.stringify(report, null, 2)}\n` : `${modelText(report, color)}\n`;
}

interface Arguments {
  readonly values: {
    readonly json?: boolean;
    readonly types?: string;
    readonly axes?: string;
    readonly help?: boolean;
    readonly version?: boolean;
  };
  readonly positionals: readonly string[];
}

function readArguments(args: readonly string[]): Arguments {
  // Strictness is ours: Node's messages don't say what was meant.
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    const option = OPTIONS[name as keyof typeof OPTIONS];
    if (!option) {
      const hint = didYouMean(name, Object.keys(OPTIONS)).replace('"', '"--');
      throw new UsageError(`there is no option "${rawName}".${hint} See arborize --help.`);
    }
    if (option.type === "string" && !value) throw new UsageError(`${rawName} needs a value.`);
    if (option.type === "boolean" && value !== undefined) throw new UsageError(`${rawName} takes no value.`);
  }
  return { values, positionals } as Arguments;
}

function readAxes(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split(",").map((part) => {
      const [, name, length] = /^\s*(.+?)\s*=\s*(\d+)\s*$/.exec(part) ?? [];
      if (name === undefined || Number(length) < 1) {
        throw new UsageError(`--axes takes lengths such as batch=1,time=16, not "${part}".`);
      }
      return [name, Number(length)];
    }),
  );
}

/** The version of the package that this file is in. */
function version(): string {
  const path = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
