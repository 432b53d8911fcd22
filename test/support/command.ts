// The command `arborize`, in a process of its own or, sooner, in this one.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { ArborizeError } from "../../src/base/errors.ts";
import { type Context, UsageError } from "../../src/cli/command.ts";
import { run } from "../../src/cli/run.ts";
import { compiled } from "./compiled.ts";

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

/** A process that runs, and its end. */
export interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Ended>;
}

/** Where and with what a process runs. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `arborize` with arguments. */
export function startCommand(args: readonly string[], { cwd, env }: CommandOptions = {}): Running {
  const { FORCE_COLOR: _, ...rest } = process.env;
  const child = spawn(process.execPath, [compiled("src/cli/main.ts"), ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...rest, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    let [out, errors] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, errors }));
  });
  return { child, ended };
}

/** Runs `arborize` to its end. */
export function runCommand(args: readonly string[], options?: CommandOptions): Promise<Ended> {
  return startCommand(args, options).ended;
}

/** Where a command runs in this process. */
export function contextOf(write: (text: string) => void): Context {
  return { color: false, errors: { write }, interrupted: () => new AbortController().signal };
}

/** What `runCommand` answers, without a process. */
export async function runHere(args: readonly string[]): Promise<Ended> {
  let errors = "";
  const context = contextOf((text) => {
    errors += text;
  });
  try {
    const out = await run(args, context);
    return { code: 0, out, errors };
  } catch (error) {
    if (!(error instanceof ArborizeError || error instanceof UsageError)) throw error;
    return { code: error instanceof UsageError ? 2 : 1, out: "", errors: `${errors}${error.message}` };
  }
}
