// What a run will cost, in words.

import { dendriteCount, formatCount, formatDuration } from "./format.ts";
import { textTable } from "./table.ts";

/** What a network with so many dendrites costs, as it was measured. */
export interface DendriteCost {
  readonly dendrites: number;
  /** How many numbers are learned. */
  readonly parameters: number;
  /** Seconds to compile the training step and run it first. */
  readonly compileSeconds: number;
  /** Seconds of a training step with its batch. */
  readonly stepSeconds: number;
  /** Seconds of a step in which the next dendrite learns by correlation; null where none does. */
  readonly apartStepSeconds: number | null;
  /** Seconds to evaluate an example. */
  readonly exampleSeconds: number;
  /** Seconds of an epoch: all its steps, validation and test. */
  readonly epochSeconds: number;
  /** Bytes that the whole process then held, data included. */
  readonly bytes: number;
}

/** What a run will cost. */
export interface RunCost {
  /** By number of dendrites: those that there are, and as many more as were measured. */
  readonly measured: readonly DendriteCost[];
  /** Epochs at most; null where nothing says when training ends. */
  readonly epochs: number | null;
  /** Seconds of all of it: without any growth, and growing as fast as the settings let it. Null as `epochs`. */
  readonly seconds: { readonly still: number; readonly growing: number } | null;
  /** Dendrites at the end, growing that fast. */
  readonly dendrites: number;
  /** Bytes that the process will hold with them. */
  readonly bytes: number;
  /** What was taken for granted, in words. */
  readonly assumptions: readonly string[];
}

/** One line: an epoch, the run, memory. */
export function costLine({ measured, epochs, seconds, dendrites, bytes }: RunCost): string {
  const [now, next] = measured;
  const grown = next ? ` (${formatDuration(next.epochSeconds)} with ${dendriteCount(next.dendrites)})` : "";
  const epoch = `an epoch takes about ${formatDuration(now!.epochSeconds)}${grown}`;
  return [epoch, runText(epochs, seconds, dendrites), `about ${formatBytes(bytes)} of memory`].join("; ");
}

function runText(epochs: RunCost["epochs"], seconds: RunCost["seconds"], dendrites: number): string {
  if (!seconds || epochs === null) return "growth says when it is over";
  const { still, growing } = seconds;
  const [low, high] = [still, growing].map(formatDuration);
  const range = low === high ? low : `${low} to ${high} with up to ${dendriteCount(dendrites)}`;
  return `${formatCount(epochs)} ${epochs === 1 ? "epoch takes" : "epochs take"} ${range}`;
}

/** A line for each number of dendrites that was measured, what the run takes, and what that assumes. */
export function costText(cost: RunCost): string {
  const column = (header: string, value: (row: DendriteCost) => string) => ({
    header,
    value,
    align: "right" as const,
  });
  const table = textTable(cost.measured, [
    column("dendrites", ({ dendrites }) => String(dendrites)),
    column("parameters", ({ parameters }) => formatCount(parameters)),
    column("step", ({ stepSeconds }) => formatDuration(stepSeconds)),
    column("epoch", ({ epochSeconds }) => formatDuration(epochSeconds)),
    column("compiling", ({ compileSeconds }) => formatDuration(compileSeconds)),
    column("memory", ({ bytes }) => formatBytes(bytes)),
  ]);
  return [table, "", costLine(cost), ...cost.assumptions.map((each) => `assumed: ${each}`)].join("\n");
}

/** "1.5 GiB", "230 MiB". */
export function formatBytes(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 1000 ? `${Math.ceil(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}
