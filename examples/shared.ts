// What the examples share: flags, where a run goes, and how it ends.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  ArborizeError,
  type data,
  type FitResult,
  formatBytes,
  RUN_FILES,
  summaryTable,
} from "../src/index.ts";

/** A flag of an example: its default and what `--help` says of it, where that does not say "by default" itself. Numbers stay numbers. */
export type Flags = Readonly<
  Record<string, { readonly standard: string | number | boolean; readonly help: string }>
>;

type Values<F extends Flags> = {
  readonly [K in keyof F]: F[K]["standard"] extends number
    ? number
    : F[K]["standard"] extends boolean
      ? boolean
      : string;
};

/** Reads the command line. Prints help and ends the process where `--help` is asked for; says what is wrong otherwise. */
export function readFlags<F extends Flags>(about: string, flags: F): Values<F> {
  const help = { type: "boolean", short: "h", default: false } as const;
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { standard }]) => [
      name,
      { type: typeof standard === "boolean" ? "boolean" : "string" } as const,
    ]),
  );
  const { values } = parseArgs({ options: { ...options, help }, allowNegative: true });
  if (values.help) {
    const lines = Object.entries(flags).map(([name, { standard, help: text }]) => {
      const known = standard === "" || standard === false || text.includes("by default");
      const said = known ? "" : ` (default: ${standard})`;
      return `  --${name.padEnd(12)} ${text}${said}`;
    });
    console.log(`${about}\n\n${lines.join("\n")}\n  --${"help".padEnd(12)} this text`);
    process.exit(0);
  }
  const read = Object.entries(flags).map(([name, { standard }]) => {
    const given = (values as Record<string, string | boolean | undefined>)[name];
    if (given === undefined) return [name, standard];
    if (typeof standard !== "number") return [name, given];
    const number = Number(given);
    if (Number.isFinite(number) && given !== "") return [name, number];
    throw new ArborizeError("bad_option", `--${name} is "${given}", it must be a number.`);
  });
  return Object.fromEntries(read) as Values<F>;
}

/** Where data sets come from: a folder, or else the net, once, of which a line is printed now and then. */
export function dataFrom(folder: string | undefined): data.SourceOptions {
  let shown = "";
  const onProgress = ({ file, received, total }: data.DownloadProgress) => {
    const step = total === undefined ? Math.floor(received / 2 ** 24) : Math.floor((10 * received) / total);
    if (shown === `${file} ${step}`) return;
    shown = `${file} ${step}`;
    const of = total === undefined ? "" : ` of ${formatBytes(total)}`;
    console.error(`downloading ${file}: ${formatBytes(received)}${of}`);
  };
  return { folder: folder || undefined, onProgress };
}

/** A folder for a new run: `runs/NAME`, or the first of `runs/NAME-2`, `-3`, … that is free. */
export function newRunFolder(name: string): string {
  let path = join("runs", name);
  for (let i = 2; existsSync(path); i++) path = join("runs", `${name}-${i}`);
  return path;
}

/** Ctrl-C stops after the running step; a second one stops at once. */
export function stopOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  return controller.signal;
}

/** Prints what came of a run, and where it is. */
export function showResult({ history, interrupted }: FitResult, folder: string, command: string): void {
  console.log(`\n${summaryTable(history, { color: process.stdout.isTTY && !process.env.NO_COLOR })}`);
  console.log(`\nreport  ${join(folder, RUN_FILES.report)}\nchart   ${join(folder, RUN_FILES.chart)}`);
  if (interrupted) console.log(`\nStopped. Go on with: ${command} --out ${folder} --resume`);
  else console.log(`network ${join(folder, RUN_FILES.model)}`);
}

/** Runs an example; an error of ours is a message, not a stack. */
export async function main(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof ArborizeError) && !(error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS"))
      throw error;
    console.error(`\n${(error as Error).message}`);
    process.exitCode = 1;
  }
}
