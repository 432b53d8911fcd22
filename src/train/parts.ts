// What a training is made of, and what it answers.

import type { GrowthSettings } from "../growth/settings.ts";
import type { Decision } from "../growth/tracker.ts";
import type { Metric } from "../nn/metrics.ts";
import type { Scheduler } from "../optim/scheduler.ts";
import type { RunHistory } from "../report/history.ts";
import type { NetworkParts } from "./network.ts";

/** What a training is made of; `arborize` fills it in from a user's options. */
export interface TrainingParts extends NetworkParts {
  readonly scheduler: Scheduler | null;
  readonly growth: GrowthSettings;
  readonly metric: Metric | null;
  /** Whether higher scores are better; null to follow the metric that the first score was evaluated by. */
  readonly maximize: boolean | null;
  readonly seed: number;
  /** Where the network that it starts from is from, for the report; null where it starts afresh. */
  readonly origin: string | null;
}

/** What validation scores measure: said by the options, or by what was evaluated before the first one. */
export function scoringOf(
  { metric, maximize, loss }: TrainingParts,
  evaluated: Metric | null,
): Pick<RunHistory, "metric" | "maximize"> {
  const by = metric ?? evaluated;
  return { metric: by?.name ?? loss.name, maximize: maximize ?? by?.maximize ?? false };
}

/** What a validation score led to. */
export interface ScoreOutcome {
  /** Whether the network is another one now, with a fresh optimizer: grown, or put back to an earlier state. */
  readonly restructured: boolean;
  /** Whether training is over; the network is then the best one. */
  readonly complete: boolean;
  /** Whether the epoch was the best of the run so far. */
  readonly best: boolean;
  /** What was decided, and why, in words (`text`) and as data. */
  readonly decisions: readonly Decision[];
}
