// What a command is: its options, its help, and reading the arguments that are meant for it.

import { parseArgs } from "node:util";
import { didYouMean } from "../base/errors.ts";
import type { WritableLike } from "../report/output.ts";
import type { TerminalLike } from "../report/terminal.ts";

/** What is wrong with a command line: exit code 2. */
export class UsageError extends Error {}

/** An option of a command. */
export interface Option {
  /** What its value is called in the help; absent for a switch, which takes none. */
  readonly value?: string;
  readonly short?: string;
  readonly help: string;
}

/** What a command was given. */
export interface Given {
  /** Values of options by name; `true` for switches. */
  readonly values: Readonly<Record<string, string | true>>;
  readonly positionals: readonly string[];
}

/** Where a command runs. */
export interface Context {
  /** Whether its text may have colours. */
  readonly color: boolean;
  /** Where people are told something at once: standard error. */
  readonly errors: WritableLike & TerminalLike;
  /** Aborted by Ctrl-C; from the first call on, which is the command's promise to end then. */
  interrupted(): AbortSignal;
}

/** One word behind `arborize`. */
export interface Command {
  readonly name: string;
  /** What stands behind the name, such as `FILE.onnx`. */
  readonly operands: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What it does, above its options. */
  readonly about: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Does it, and gives the text for standard output. @throws `UsageError`, `ArborizeError`. */
  run(given: Given, context: Context): Promise<string>;
}

export const JSON_OPTION = { help: "the same as JSON" } as const;

const EVERYWHERE: Readonly<Record<string, Option>> = { help: { short: "h", help: "this text" } };

/** The help of a command. */
export function helpOf({ name, operands, about, options }: Command): string {
  return [
    `Usage: arborize ${name} ${operands} [options]`,
    about,
    optionLines({ ...options, ...EVERYWHERE }).join("\n"),
    "",
  ].join("\n\n");
}

function optionLines(options: Readonly<Record<string, Option>>): string[] {
  const rows = Object.entries(options).map(([name, { value, short, help }]) => {
    const flag = `${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}`;
    return { flag, help };
  });
  const width = Math.max(...rows.map(({ flag }) => flag.length));
  return rows.map(({ flag, help }) => `  ${flag.padEnd(width)}   ${help}`);
}

/** Reads the arguments behind a command's name. @throws `UsageError` for options that it has not, or wrong use of one. */
export function readArguments(command: Command, args: readonly string[]): Given {
  const options = { ...command.options, ...EVERYWHERE };
  // Strictness is ours: Node's messages don't say what was meant.
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { value, short }]) => [
        name,
        { type: value ? ("string" as const) : ("boolean" as const), ...(short ? { short } : {}) },
      ]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const values: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (!option) {
      const hint = didYouMean(name, Object.keys(options)).replace('"', '"--');
      throw new UsageError(`there is no option "${rawName}".${hint} See arborize ${command.name} --help.`);
    }
    if (option.value && !value) throw new UsageError(`${rawName} needs a value.`);
    if (!option.value && value !== undefined) throw new UsageError(`${rawName} takes no value.`);
    values[name] = value ?? true;
  }
  return { values, positionals };
}

/** The value of an option that takes one. */
export function textOf({ values }: Given, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** The number that an option was given. @throws `UsageError` where it is none, or less than `least`. */
export function numberOf(given: Given, name: string, least: number, whole = true): number | undefined {
  const text = textOf(given, name);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() !== "" && number >= least && (whole ? Number.isSafeInteger(number) : number < Infinity)) {
    return number;
  }
  throw new UsageError(
    `--${name} is "${text}", wanted a ${whole ? "whole " : ""}number of at least ${least}.`,
  );
}

/** The only operand. @throws `UsageError` where there is none, or more. */
export function onlyOperand({ name, operands }: Command, { positionals }: Given): string {
  const [first, ...rest] = positionals;
  if (first === undefined) throw new UsageError(`${name} needs ${operands}: arborize ${name} ${operands}.`);
  if (rest.length > 0)
    throw new UsageError(`${name} takes one ${operands}, "${rest.join('", "')}" is too much.`);
  return first;
}
