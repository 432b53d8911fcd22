// For tests: a caller of the tracker without a network. Its model is the list of scores it was trained
// through, so that a test can tell whether the weights and the state still belong together; its schedules are
// PyTorch's, written anew.

import { invariant } from "../base/errors.ts";
import type { GrowthSettings } from "./settings.ts";
import type { Checkpoint } from "./state.ts";
import { addScore, type Effect, type Outcome, startTracking } from "./tracker.ts";

interface Standing {
  readonly rate: number;
  readonly steps: number;
  /** What a schedule that listens to scores remembers. */
  readonly best: number | null;
  readonly bad: number;
}

/** A learning-rate schedule: the rate it starts with and one step of it. */
export interface Schedule {
  readonly rate: number;
  step(at: Standing, score: number): Partial<Standing>;
}

/** The rate times `gamma` every `size` steps. */
export const stepSchedule = (rate: number, size: number, gamma: number): Schedule => ({
  rate,
  step: (at) => ({ rate: (at.steps + 1) % size === 0 ? at.rate * gamma : at.rate }),
});

/** Half a cosine wave in `period` steps. */
export const cosineSchedule = (rate: number, period: number): Schedule => ({
  rate,
  step: ({ steps }) => ({ rate: (rate * (1 + Math.cos((Math.PI * (steps + 1)) / period))) / 2 }),
});

/** The given rates, one a step, the last for ever. */
export const listedSchedule = (rates: readonly [number, ...number[]]): Schedule => ({
  rate: rates[0],
  step: ({ steps }) => ({ rate: rates[Math.min(steps + 1, rates.length - 1)]! }),
});

/** The rate times `factor` when more than `patience` steps brought no better score, by 0.01 % of the best. */
export const plateauSchedule = (
  rate: number,
  options: { maximize: boolean; patience: number; factor: number; min?: number },
): Schedule => ({
  rate,
  step(at, score) {
    const { maximize, patience, factor, min = 0 } = options;
    const better = (best: number) => (maximize ? score > best * 1.0001 : score < best * 0.9999);
    if (at.best === null || better(at.best)) return { best: score, bad: 0 };
    if (at.bad < patience) return { bad: at.bad + 1 };
    const lowered = Math.max(at.rate * factor, min);
    return { rate: at.rate - lowered > 1e-8 ? lowered : at.rate, bad: 0 };
  },
});

interface Model {
  readonly scores: readonly number[];
  readonly dendrites: number;
}

/** A run of the tracker whose effects are carried out on a model and a schedule. */
export class Rehearsal {
  state = startTracking();
  model: Model = { scores: [], dendrites: 0 };
  readonly #settings: GrowthSettings;
  readonly #schedule: Schedule | null;
  readonly #checkpoints = new Map<Checkpoint, { model: Model; at: Standing }>();
  #at: Standing;

  constructor(settings: GrowthSettings, schedule: Schedule | null) {
    this.#settings = settings;
    this.#schedule = schedule;
    this.#at = this.#start(0);
  }

  /** The learning rate of the next epoch. */
  get rate(): number {
    return this.#at.rate;
  }

  /** Ends an epoch with `score`. */
  addScore(score: number, forceSwitch = false): Outcome {
    const { rate } = this.#at;
    const next = this.#schedule && this.#step(this.#at, score);
    const schedule = next === null ? {} : { nextLearningRate: next.rate };
    const outcome = addScore(this.state, this.#settings, {
      score,
      learningRate: rate,
      forceSwitch,
      ...schedule,
    });
    this.model = { ...this.model, scores: [...this.model.scores, score] };
    this.state = outcome.state;
    if (outcome.stepScheduler && next !== null) this.#at = next;
    for (const effect of outcome.effects) this.#carryOut(effect);
    return outcome;
  }

  #carryOut(effect: Effect): void {
    if (effect.type === "save") {
      this.#checkpoints.set(effect.checkpoint, { model: this.model, at: this.#at });
    } else if (effect.type === "restore") {
      const kept = this.#checkpoints.get(effect.checkpoint);
      invariant(kept, `nothing was saved as "${effect.checkpoint}"`);
      this.model = kept.model;
      if (effect.checkpoint === "run") this.#at = kept.at;
      if (effect.checkpoint === "switch") this.#at = this.#start(effect.skip);
    } else if (effect.type === "grow") {
      this.model = { ...this.model, dendrites: effect.dendrite };
      this.#at = this.#start(0);
    }
  }

  /** The schedule after `skip` changes of its rate, brought about by scores that never get better. */
  #start(skip: number): Standing {
    let at: Standing = { rate: this.#schedule?.rate ?? 0.1, steps: 0, best: null, bad: 0 };
    for (let changes = 0, idle = 0; changes < skip; ) {
      const next = this.#step(at, 0);
      idle = next.rate === at.rate ? idle + 1 : 0;
      if (idle === 0) changes++;
      invariant(idle < 1000, `the schedule has no change number ${skip} to skip`);
      at = next;
    }
    return { ...at, best: null, bad: 0 };
  }

  #step(at: Standing, score: number): Standing {
    return { ...at, ...this.#schedule?.step(at, score), steps: at.steps + 1 };
  }
}
