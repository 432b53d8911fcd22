// For tests: the recorded runs of the original's tracker, and their settings in our words.

import { cosineSchedule, plateauSchedule, type Schedule, stepSchedule } from "./rehearsal.fixture.ts";
import type { GrowthOptions } from "./settings.ts";

/** A recorded run. */
export interface Trace {
  name: string;
  configOverrides: Record<string, unknown>;
  maximizingScore: boolean;
  addDendrites: boolean;
  optimizer: { lr: number };
  scheduler: { type: string; args: Record<string, number | string> } | null;
  forceSwitchAtCalls: number[];
  resumeFromLatestBeforeCalls: number[];
  scores: (number | "NaN")[];
  steps: { lrDuringEpoch: number; expect: Expected }[];
}

/** What the original did in one call. */
export interface Expected {
  restructured: boolean;
  trainingComplete: boolean;
  decisions: string[];
  /** Null after the run's end. */
  lrAfter: number | null;
  state: {
    totalEpochs: number;
    overwrittenEpochs: number;
    recordedScores: number;
    cycleBest: number;
    globalBest: number;
    dendriteSets: number;
    tries: number;
    switchEpochs: number[];
    lrStepCount: number;
    lrSkipSteps: number;
    lrLastMaxSteps: number;
    lrCycleScores: number[];
    lrTestEpochCount: number;
    lrCommitted: boolean;
  };
}

const NAMES: Record<string, keyof GrowthOptions> = {
  n_epochs_to_switch: "patience",
  history_lookback: "lookback",
  initial_history_after_switches: "initialHistory",
  improvement_threshold: "improvementThreshold",
  improvement_threshold_raw: "rawThreshold",
  reset_best_score_on_switch: "resetRunningScore",
  retain_all_dendrites: "retainAll",
  max_dendrites: "maxDendrites",
  find_best_lr: "findBestRate",
  dont_give_up_unless_learning_rate_lowered: "holdUntilLowered",
};
const MODES: Record<string, string> = {
  DOING_HISTORY: "history",
  DOING_FIXED_SWITCH: "fixed",
  DOING_SWITCH_EVERY_TIME: "every",
  DOING_NO_SWITCH: "never",
};

/** The settings of a recorded run in our words. */
export function settingsOf({ configOverrides, maximizingScore, addDendrites }: Trace): GrowthOptions {
  const { testing_dendrite_capacity, switch_mode, max_dendrite_tries, ...others } = configOverrides;
  const { fixed_switch_num, first_fixed_switch_num, ...rest } = others;
  const { param_vals_setting: _byCycle, test_saves: _always, ...plain } = rest; // ours leaves no choice
  if (testing_dendrite_capacity) return { switchMode: "every", retainAll: true, maxDendrites: 3 };
  const options: Record<string, unknown> = { maximize: maximizingScore };
  if (!addDendrites) options.maxDendrites = 0;
  if (switch_mode) options.switchMode = MODES[String(switch_mode)];
  options.maxTries = Number(max_dendrite_tries ?? 2) + 1; // it counts the retries, we the tries
  if (fixed_switch_num) {
    // It switches at multiples of the period only: the first cycle ends with the first multiple that is late
    // enough.
    const period = Number(fixed_switch_num);
    options.fixedEpochs = [Math.ceil(Number(first_fixed_switch_num ?? 1) / period) * period, period];
  }
  for (const [name, value] of Object.entries(plain)) options[NAMES[name] ?? name] = value;
  return options;
}

/** The scheduler of a recorded run; null where the original knew of none. */
export function scheduleOf({ scheduler, optimizer }: Trace): Schedule | null {
  if (scheduler === null) return null;
  const { type, args } = scheduler;
  const number = (name: string) => Number(args[name]);
  switch (type) {
    case "StepLR":
      return stepSchedule(optimizer.lr, number("step_size"), number("gamma"));
    case "CosineAnnealingLR":
      return cosineSchedule(optimizer.lr, number("T_max"));
    case "ReduceLROnPlateau":
      return plateauSchedule(optimizer.lr, {
        maximize: args.mode === "max",
        patience: number("patience"),
        factor: number("factor"),
        min: Number(args.min_lr ?? 0),
      });
    default:
      throw new Error(`no recorded run has the scheduler ${type}`);
  }
}
