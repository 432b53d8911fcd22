// A measured process: one that runs blocks of steps when asked and is idle otherwise.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Steps that a side makes before it is the other's turn, unless said otherwise. */
export const BLOCK = 5;
const WARM_UP = 6;

/** Debian's own Python is the one that has Debian's PyTorch. */
const PYTHONS = ["/usr/bin/python3", "python3"];

/**
 * Lets glibc keep what is freed, in both sides alike. PyTorch asks for the memory of each operator's output anew; where page
 * faults are dear, as in some virtual machines with two threads, returning it to the system made a convolution take 68 instead
 * of 5 ms, which would be no fair peer.
 */
const KEEPING_MEMORY = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: String(2 ** 34),
  MALLOC_TOP_PAD_: String(2 ** 26),
};

/** An OpenBLAS with threads of its own, beside those of PyTorch: they wait for each other's cores. */
const TWO_POOLS = /openblas-pthread/;

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
    const env = { ...process.env, ...KEEPING_MEMORY };
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"], env });
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

/** How far apart the middle half of measured times is: the upper quartile by the lower. */
export function spread(times: readonly number[]): number {
  return quantile(times, 0.75) / quantile(times, 0.25);
}

/** What was measured of a side: the milliseconds of its steps, and its peak memory in MB. */
export interface Side {
  readonly times: number[];
  peak: number;
}

/** Our step and PyTorch's, started with the same arguments. */
export interface Measured {
  readonly ours: Side;
  /** Null where there is no PyTorch. */
  readonly peer: Side | null;
  /** What each side says of itself. */
  readonly about: readonly string[];
}

/** How `inTurns` measures. */
export interface TurnOptions {
  /** Steps of each side. */
  readonly steps: number;
  /** Steps in a turn. Default: `BLOCK`. */
  readonly block?: number;
  /** Whether PyTorch is measured too. Default: where it is there. */
  readonly peer?: boolean;
  /** Seconds after which fewer steps will do, at least two turns. Default: no limit. */
  readonly seconds?: number;
}

/** Measures both sides in turns. */
export async function inTurns(
  args: readonly string[],
  { steps, block = BLOCK, peer: wanted = true, seconds = Number.POSITIVE_INFINITY }: TurnOptions,
): Promise<Measured> {
  const script = join(import.meta.dirname, "step.ts");
  const own = await StepServer.start(process.execPath, [...process.execArgv, script, ...args]);
  if (!own) throw new Error("our own side of the measurement does not start");
  const other = wanted ? await startPeer(args) : null;
  const ours: Side = { times: [], peak: 0 };
  const peer: Side = { times: [], peak: 0 };
  const start = performance.now();
  await own.run(WARM_UP);
  await other?.run(WARM_UP);
  const late = () => ours.times.length >= 2 * block && performance.now() - start > seconds * 1000;
  while (ours.times.length < steps && !late()) {
    ours.times.push(...(await own.run(block)));
    if (other) peer.times.push(...(await other.run(block)));
  }
  ours.peak = await own.end();
  if (other) peer.peak = await other.end();
  const skipped = `PyTorch: skipped, ${wanted ? "no Python with torch here" : "not asked for"}`;
  const about = [own.about, other?.about ?? skipped];
  if (other && TWO_POOLS.test(other.about)) {
    about.push(
      "PyTorch has two pools of threads on the same cores, no fair peer: install libopenblas0-openmp",
    );
  }
  return { ours, peer: other && peer, about };
}

async function startPeer(args: readonly string[]): Promise<StepServer | null> {
  for (const python of PYTHONS) {
    const peer = await StepServer.start(python, [join(import.meta.dirname, "peer", "step.py"), ...args]);
    if (peer) return peer;
  }
  return null;
}
