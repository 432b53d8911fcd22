// The knobs of the growth schedule: what each one means, its default, and the check of what a user wrote.

import { z } from "zod";
import { ArborizeError, didYouMean } from "../base/errors.ts";

/**
 * A number that may change as dendrites are added: one for the whole run, or a list whose entry `d` holds
 * while the network has `d` dendrites and whose last entry holds from there on.
 */
export type PerDendrite = number | readonly number[];

/** What ends a cycle; see `GrowthSettings.switchMode`. */
export type SwitchMode = "history" | "fixed" | "every" | "never";

/**
 * When to grow, how often to try, when to stop. A *cycle* is the epochs between two additions of dendrites.
 * Settings are no part of the tracker's state: a resumed run may go on with others.
 */
export interface GrowthSettings {
  /**
   * What ends a cycle: `"history"`, `patience` epochs without improvement; `"fixed"`, `fixedEpochs` epochs;
   * `"every"`, each epoch; `"never"`, nothing but the caller's `forceSwitch`. Default `"history"`.
   */
  readonly switchMode: SwitchMode;
  /** Whether higher scores are better, as for an accuracy; false for a loss. Default true. */
  readonly maximize: boolean;
  /** History mode: how many epochs without improvement end a cycle. Whole, at least 1; default 10. */
  readonly patience: PerDendrite;
  /** Fixed mode: how many epochs a cycle has; `[20, 5]`: the first has 20. Whole, at least 1; default 250. */
  readonly fixedEpochs: PerDendrite;
  /**
   * The margin by which a score must beat the best to count as an improvement, as a fraction of the score's
   * own magnitude: 0.001 is 0.1 %. From 0 to below 1; default `[0.001, 0.0001, 0]`.
   */
  readonly improvementThreshold: PerDendrite;
  /** The margin by which it must beat the best as well, in the score's unit. At least 0; default 1e-5. */
  readonly rawThreshold: PerDendrite;
  /**
   * How far back the running score looks, in epochs. It is what is compared instead of the scores themselves:
   * each epoch moves it by 1/lookback of the way to the new score. At least 1: no smoothing; default 1.
   */
  readonly lookback: PerDendrite;
  /**
   * How many epochs each cycle settles before its scores count (in mode `"every"` they count at once).
   * Meanwhile the running score is a plain mean. Whole, at least 0; default 0.
   */
  readonly initialHistory: PerDendrite;
  /**
   * Whether each cycle starts a new running score, instead of going on from that of the model which it
   * started from. Matters only when `lookback` is above 1 or `initialHistory` above 0. Default false.
   */
  readonly resetRunningScore: boolean;
  /** How many dendrites a neuron may get; 0 is plain early stopping. Whole, at least 0; default 100. */
  readonly maxDendrites: number;
  /**
   * How often a dendrite is tried in all, each time with fresh random weights, before the run completes
   * without it. Whole, at least 1; default 2.
   */
  readonly maxTries: PerDendrite;
  /**
   * Whether a dendrite stays even if it did not help. The next one is then added to the best model of the
   * cycle, only `maxDendrites` ends the run, and the final model is the last cycle's best. Default false.
   */
  readonly retainAll: boolean;
  /**
   * Whether each dendrite is trained from several learning rates, if there is a scheduler: from the schedule's
   * first one, then from each that it changes to, as long as lower starts do no worse. Default true.
   */
  readonly findBestRate: boolean;
  /**
   * History mode: whether a cycle whose learning rate is still searched goes on without improvement until the
   * schedule has changed the rate. It waits no longer than any change took so far. Default true.
   */
  readonly holdUntilLowered: boolean;
}

/** What a user writes: some of the settings; the others take their defaults. */
export type GrowthOptions = Partial<GrowthSettings>;

const flag = (standard: boolean) => z.boolean().default(standard).describe("true or false");

function perDendrite(item: z.ZodType<number>, wanted: string, standard: PerDendrite) {
  return z
    .union([item, z.array(item).min(1).readonly()])
    .default(standard)
    .describe(`${wanted}, or a list of such numbers, one for each count of dendrites`);
}

const whole = (min: number, standard: number) =>
  perDendrite(z.int().min(min), `a whole number of at least ${min}`, standard);

// Each description ends the sentence "found …, wanted …".
const schema = z.strictObject({
  switchMode: z
    .enum(["history", "fixed", "every", "never"])
    .default("history")
    .describe('"history", "fixed", "every" or "never"'),
  maximize: flag(true),
  patience: whole(1, 10),
  fixedEpochs: whole(1, 250),
  improvementThreshold: perDendrite(
    z.number().min(0).lt(1),
    "a number from 0 to below 1",
    [0.001, 0.0001, 0],
  ),
  rawThreshold: perDendrite(z.number().min(0), "a number of at least 0", 1e-5),
  lookback: perDendrite(z.number().min(1), "a number of at least 1", 1),
  initialHistory: whole(0, 0),
  resetRunningScore: flag(false),
  maxDendrites: z.int().min(0).default(100).describe("a whole number of at least 0"),
  maxTries: whole(1, 2),
  retainAll: flag(false),
  findBestRate: flag(true),
  holdUntilLowered: flag(true),
}) satisfies z.ZodType<GrowthSettings>;

/** What PyTorch users of the original library call our settings, to answer them when they do. */
const ORIGINAL_NAMES: ReadonlyMap<string, keyof GrowthSettings> = new Map([
  ["switch_mode", "switchMode"],
  ["maximizing_score", "maximize"],
  ["n_epochs_to_switch", "patience"],
  ["fixed_switch_num", "fixedEpochs"],
  ["first_fixed_switch_num", "fixedEpochs"],
  ["improvement_threshold", "improvementThreshold"],
  ["improvement_threshold_raw", "rawThreshold"],
  ["history_lookback", "lookback"],
  ["initial_history_after_switches", "initialHistory"],
  ["reset_best_score_on_switch", "resetRunningScore"],
  ["max_dendrites", "maxDendrites"],
  ["max_dendrite_tries", "maxTries"],
  ["retain_all_dendrites", "retainAll"],
  ["find_best_lr", "findBestRate"],
  ["dont_give_up_unless_learning_rate_lowered", "holdUntilLowered"],
]);

/**
 * The settings that `options` ask for, with the defaults filled in.
 *
 * @throws `bad_option`, naming every problem at once: unknown settings, values out of range, and a fixed
 * cycle that would be over before its scores count.
 */
export function growthSettings(options: GrowthOptions = {}): GrowthSettings {
  const parsed = schema.safeParse(options);
  const found = parsed.success
    ? contradictions(parsed.data)
    : parsed.error.issues.flatMap((issue) => describeIssue(issue, options));
  const problems = [...new Set(found)]; // two bad entries of one list are one problem
  if (!parsed.success || problems.length > 0) {
    const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
    throw new ArborizeError("bad_option", [`The growth settings have ${count}:`, ...problems].join("\n- "));
  }
  return parsed.data;
}

/** What `setting` is for a network with `dendrites` dendrites. */
export function forDendrites(setting: PerDendrite, dendrites: number): number {
  return typeof setting === "number" ? setting : setting[Math.min(dendrites, setting.length - 1)]!;
}

function describeIssue(issue: z.core.$ZodIssue, options: GrowthOptions): string[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map(describeUnknown);
  const name = issue.path[0] as keyof GrowthSettings | undefined;
  if (name === undefined) return [`found ${show(options)}, wanted an object of settings.`];
  return [`${name}: found ${show(options[name])}, wanted ${schema.shape[name].description}.`];
}

function describeUnknown(name: string): string {
  const ours = ORIGINAL_NAMES.get(name);
  const hint = ours === undefined ? didYouMean(name, Object.keys(schema.shape)) : ` Here it is "${ours}".`;
  return `${name}: there is no such setting.${hint}`;
}

/** A fixed cycle that ends while it settles could never succeed: say so before hours are spent on it. */
function contradictions({ switchMode, fixedEpochs, initialHistory }: GrowthSettings): string[] {
  if (switchMode !== "fixed") return [];
  const counts = Math.max(
    ...[fixedEpochs, initialHistory].map((s) => (typeof s === "number" ? 1 : s.length)),
  );
  for (let d = 0; d < counts; d++) {
    const [epochs, settling] = [forDendrites(fixedEpochs, d), forDendrites(initialHistory, d)];
    if (epochs > settling) continue;
    const found = `fixedEpochs: found ${show(fixedEpochs)}, wanted more than initialHistory.`;
    const lengths = `a cycle has ${epochs} epochs and settles for ${settling}`;
    return [`${found} At dendrite count ${d} ${lengths}, so no score would count.`];
  }
  return [];
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  return typeof value === "string" || typeof value === "object" ? JSON.stringify(value) : String(value);
}
