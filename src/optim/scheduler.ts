// What a learning-rate scheduler is: a pure function on a state that can be saved.

import { ArborizeError } from "../base/errors.ts";

/** Where a scheduler stands. Plain JSON. */
export interface SchedulerState {
  readonly learningRate: number;
  /** Scheduler steps so far. */
  readonly steps: number;
  /** What else the scheduler remembers. */
  readonly memory: Readonly<Record<string, number | null>>;
}

/** What a scheduler was made with. Plain JSON. */
export type SchedulerOption =
  | number
  | string
  | boolean
  | readonly SchedulerOption[]
  | { readonly [name: string]: SchedulerOption };

/**
 * A learning-rate schedule. A training takes one step an epoch, with the epoch's validation score, and starts the
 * schedule afresh when it starts a fresh optimizer: after growing. So all counts in options are epochs.
 */
export interface Scheduler {
  readonly name: string;
  /** Everything it was made with, for reports. */
  readonly options: Readonly<Record<string, SchedulerOption>>;
  /** The state before the first epoch, from the optimizer's learning rate. */
  start(learningRate: number): SchedulerState;
  /** The state after one more epoch, which had the given score. */
  step(state: SchedulerState, score: number): SchedulerState;
  /** The same rate and place in the schedule, without what it has learned from scores; absent where it learns nothing. */
  forget?(state: SchedulerState): SchedulerState;
}

/** The optimizer's learning rate throughout: what a training without a scheduler has. */
export function fixedLR(): Scheduler {
  return chained("fixedLR", {}, (learningRate) => learningRate);
}

/**
 * A schedule that computes each rate from the last one: a change of the rate by hand lasts.
 *
 * @param next the rate of an epoch (the first is 0) from that of the epoch before; in epoch 0 from the optimizer's.
 */
export function chained(
  name: string,
  options: Scheduler["options"],
  next: (learningRate: number, epoch: number) => number,
): Scheduler {
  return {
    name,
    options,
    start: (learningRate) => ({ learningRate: next(learningRate, 0), steps: 0, memory: {} }),
    step: ({ learningRate, steps, memory }) => ({
      learningRate: next(learningRate, steps + 1),
      steps: steps + 1,
      memory,
    }),
  };
}

/**
 * A number that a scheduler has put into its state's memory.
 *
 * @throws `bad_data` where the state is another scheduler's.
 */
export function recall(owner: string, { memory }: SchedulerState, key: string): number {
  const value = memory[key];
  if (typeof value === "number") return value;
  throw new ArborizeError(
    "bad_data",
    `${owner}: the state has no "${key}", so it is another scheduler's. Use the scheduler that it was made with, or start afresh.`,
  );
}

/** Checks options by a condition. @throws `bad_option` naming the first that is not as wanted. */
export function check(
  owner: string,
  options: Readonly<Record<string, unknown>>,
  wanted: string,
  fits: (value: unknown) => boolean,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (fits(value)) continue;
    throw new ArborizeError("bad_option", `${owner}: ${name} is ${spell(value)}, it must be ${wanted}.`);
  }
}

function spell(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return `[${value.map(spell).join(", ")}]`;
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

export function isWhole(value: unknown, least: number): boolean {
  return Number.isInteger(value) && (value as number) >= least;
}

export function checkWhole(owner: string, options: Readonly<Record<string, number>>, least: number): void {
  check(owner, options, `a whole number of epochs from ${least}`, (value) => isWhole(value, least));
}

export function checkWord(
  owner: string,
  options: Readonly<Record<string, string>>,
  words: readonly string[],
): void {
  const wanted = words.map((word) => `"${word}"`).join(" or ");
  check(owner, options, wanted, (value) => words.includes(value as string));
}

/** Checks factors that are divided by: above 0, and at most `most`. */
export function checkFactor(
  owner: string,
  options: Readonly<Record<string, number>>,
  most = Number.MAX_VALUE,
): void {
  const wanted = most === Number.MAX_VALUE ? "a number above 0" : `above 0 and at most ${most}`;
  check(owner, options, wanted, (value) => typeof value === "number" && value > 0 && value <= most);
}

/** Checks a list of epochs, each at least 1; `ascending`: and above the one before. */
export function checkMilestones(owner: string, milestones: readonly number[], ascending: boolean): void {
  const wanted = `a list of whole numbers of epochs from 1${ascending ? ", each above the one before" : ""}`;
  check(owner, { milestones }, wanted, (value) => {
    if (!Array.isArray(value)) return false;
    return value.every((epoch, i) => isWhole(epoch, 1) && !(ascending && epoch <= value[i - 1]));
  });
}
