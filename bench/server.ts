// A measured process: one that runs blocks of steps when asked and is idle otherwise.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A process that answers each line with a line. */
export class StepServer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  /** What it said of itself at its start. */
  readonly about: string;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, about: string) {
    this.#child = child;
    this.#lines = lines;
    this.about = about;
  }

  /** Starts a process and waits until it is ready; null when it cannot run here. */
  static async start(command: string, args: readonly string[]): Promise<StepServer | null> {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
    const failed = new Promise<null>((resolve) => child.once("error", () => resolve(null)));
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const first = await Promise.race([failed, lines.next()]);
    return first === null || first.done ? null : new StepServer(child, lines, first.value);
  }

  /** Runs `steps` steps and returns how long each took, in milliseconds. */
  async run(steps: number): Promise<number[]> {
    return (await this.#ask(String(steps))).split(" ").map(Number);
  }

  /** Ends the process and returns its peak memory in MB. */
  async end(): Promise<number> {
    const peak = Number(await this.#ask("end"));
    this.#child.stdin!.end();
    return peak;
  }

  async #ask(line: string): Promise<string> {
    this.#child.stdin!.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the measured process ended");
    return value;
  }
}

/** The value that `share` of the sorted values are below. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
