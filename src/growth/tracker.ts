// When to grow: a pure state machine. A validation score comes in; the next state comes out, with what the
// caller must do to the model and what was decided and why. No clock, no files, no randomness: equal calls
// have equal results.

import { ArborizeError, invariant } from "../base/errors.ts";
import type { Decision, Trigger } from "./decisions.ts";
import type { Epoch } from "./epoch.ts";
import { improves, isBetter, nextRunningScore } from "./score.ts";
import { endSearch, epochsHeld, followSchedule, startSearch, stepsSchedule } from "./search.ts";
import { forDendrites, type GrowthSettings } from "./settings.ts";
import { type Best, type Branch, epochsInCycle, type TrackerState, totalEpochs } from "./state.ts";
import { change, type Effect, issue, restore, save, type Turn, tell } from "./turn.ts";

export type { Decision, Trigger } from "./decisions.ts";
export type { Epoch } from "./epoch.ts";
export { type RateSearch, type RateTried, startTracking, type TrackerState } from "./state.ts";
export type { Effect } from "./turn.ts";

/** What a score led to. */
export interface Outcome {
  /** The state to hand to the next call. */
  readonly state: TrackerState;
  /** What to do to the model now, in this order, and after the scheduler's step if there is one. */
  readonly effects: readonly Effect[];
  /** What was decided, and why: on the score first, then on the network. */
  readonly decisions: readonly Decision[];
  /** The epoch's running score; after a restore `state.history` no longer has it. */
  readonly runningScore: number;
  /**
   * Whether the caller must commit the scheduler step that gives `nextLearningRate`, before it carries out the
   * effects: a run that is set aside by them is to have taken it. False when the call ends a cycle, without a
   * scheduler, while a cycle settles, and, so that learning rates come out as the original's do, after one
   * epoch more in the first cycle: without settling, the very first score of a run takes no step.
   */
  readonly stepScheduler: boolean;
  /**
   * Whether the model is another one than before, by growth or by a restore. The effects say what becomes of
   * the optimizer: it starts afresh, except after the restore of `"run"`, which brings its own back.
   */
  readonly restructured: boolean;
  /** Whether the run is over; the model is then the final one. */
  readonly complete: boolean;
}

/**
 * Takes in the validation score of the epoch that has just ended, and decides what becomes of the network.
 *
 * The score updates the running score, which may be a new best of the cycle and of the run. Then, if it is
 * time for a switch, the best model comes back and a dendrite is added to it: the next one if the last one
 * helped, otherwise the same with fresh random weights. When no dendrite or try is left, the best model comes
 * back and the run is complete. If it is no time for a switch, the scheduler may take a step, and the search for
 * the learning rate to start the dendrite with goes on: see `search.ts`.
 *
 * The caller carries out the effects, and keeps the state with the weights if it wants to resume from here.
 *
 * @throws `not_a_number` when the score or a learning rate is NaN or infinite, and `bad_data` when the run is
 * complete already or the next learning rate comes without the present one. Nothing has changed then: the same state takes the next score.
 */
export function addScore(state: TrackerState, settings: GrowthSettings, epoch: Epoch): Outcome {
  check(state, epoch);
  let turn = judge(record(state, settings, epoch), settings);
  const runningScore = turn.state.history.at(-1)!.runningScore;
  const due = switchTrigger(turn.state, settings);
  const held = due?.type === "patience" ? epochsHeld(turn.state, settings, epoch) : null;
  const trigger = (held === null ? due : null) ?? (epoch.forceSwitch ? FORCED : null);
  let stepScheduler = false;
  if (trigger !== null) turn = restructure(turn, settings, epoch, trigger);
  else {
    if (held !== null) turn = tell(turn, { type: "held", rate: epoch.learningRate ?? null, epochs: held });
    stepScheduler = stepsSchedule(turn.state, settings, epoch);
    turn = followSchedule(turn, settings, epoch, stepScheduler);
  }
  const restructured = turn.effects.some(({ type }) => type === "restore" || type === "grow");
  return { ...turn, runningScore, stepScheduler, restructured, complete: turn.state.complete };
}

const FORCED: Trigger = { type: "forced" };

function check(state: TrackerState, { score, learningRate, nextLearningRate }: Epoch): void {
  const epoch = `epoch ${state.history.length}`;
  if (state.complete) {
    throw new ArborizeError(
      "bad_data",
      `Growth is complete after ${totalEpochs(state)} epochs and takes no more scores: stop training when ` +
        "`complete` says so, or start a new run.",
    );
  }
  if (!Number.isFinite(score)) {
    throw new ArborizeError(
      "not_a_number",
      `The validation score of ${epoch} is ${score}, not a finite number, and was not recorded. Training ` +
        "has most likely diverged: try a lower learning rate, or look for a division by zero in the loss.",
    );
  }
  for (const [name, rate] of [
    [`The learning rate of ${epoch}`, learningRate],
    [`The learning rate after ${epoch}`, nextLearningRate],
  ] as const) {
    if (rate === undefined || Number.isFinite(rate)) continue;
    throw new ArborizeError(
      "not_a_number",
      `${name} is ${rate}, not a finite number: look at the scheduler.`,
    );
  }
  if (nextLearningRate !== undefined && learningRate === undefined) {
    throw new ArborizeError(
      "bad_data",
      `The epoch after ${epoch} has a learning rate, ${nextLearningRate}, but ${epoch} itself has none, so ` +
        "nothing tells whether the scheduler changes it: pass `learningRate` as well.",
    );
  }
}

/** Appends the score to the branch. */
function record(state: TrackerState, settings: GrowthSettings, epoch: Epoch): Turn {
  const score = epoch.score + 0; // JSON has no -0
  const runningScore = nextRunningScore(state, settings, score) + 0;
  const history = [...state.history, { score, runningScore, learningRate: epoch.learningRate ?? null }];
  return { state: { ...state, history }, effects: [], decisions: [] };
}

/** Decides whether the newest running score is the best of the cycle, of the run, or neither. */
function judge(turn: Turn, settings: GrowthSettings): Turn {
  const { state } = turn;
  const { dendrites, cycleBest, globalBest } = state;
  const epoch = state.history.length - 1;
  const score = state.history[epoch]!.runningScore;

  const settling = forDendrites(settings.initialHistory, dendrites);
  if (epochsInCycle(state) <= settling && settings.switchMode !== "every") {
    const told = tell(turn, { type: "settling", score, epoch: epochsInCycle(state), of: settling });
    // There must always be a model to go back to: until a score counts, the newest stands in for the best.
    return globalBest === null ? save(told, "best") : told;
  }

  if (cycleBest !== null && !improves(score, cycleBest.score, settings, dendrites)) {
    const close = isBetter(score, cycleBest.score, settings);
    return tell(turn, {
      type: "no_improvement",
      score,
      best: cycleBest,
      epochs: epoch - cycleBest.epoch,
      close,
    });
  }

  const best: Best = { score, epoch };
  // The runs of a search share the cycle: its best may be of another run than that in hand.
  const cycleKept = state.snapshots.cycle?.cycleBest ?? null;
  const beatsCycle =
    settings.retainAll && (cycleKept === null || improves(score, cycleKept.score, settings, dendrites));
  if (globalBest !== null && !improves(score, globalBest.score, settings, dendrites)) {
    const told = tell(change(turn, { cycleBest: best }), { type: "cycle_best", best, globalBest });
    return beatsCycle ? save(told, "cycle") : told;
  }
  const told = tell(change(turn, { cycleBest: best, globalBest: best }), {
    type: "run_best",
    best,
    previous: globalBest,
  });
  return beatsCycle ? save(save(told, "best"), "cycle") : save(told, "best");
}

/** Why the present cycle is over; null if it is not. */
function switchTrigger(state: TrackerState, settings: GrowthSettings): Trigger | null {
  switch (settings.switchMode) {
    case "never":
      return null;
    case "every":
      return { type: "every" };
    case "fixed": {
      const epochs = epochsInCycle(state);
      return epochs >= forDendrites(settings.fixedEpochs, state.dendrites) ? { type: "fixed", epochs } : null;
    }
    case "history": {
      const best = state.cycleBest;
      if (best === null) return null; // still settling
      const epoch = state.history.length - 1;
      const waited = epoch - Math.max(best.epoch, state.patienceFrom ?? 0);
      return waited >= forDendrites(settings.patience, state.dendrites)
        ? { type: "patience", epochs: epoch - best.epoch, best }
        : null;
    }
  }
}

/** Ends a cycle: back to the best model, and on with the next dendrite, with another try, or not at all. */
function restructure(ended: Turn, settings: GrowthSettings, epoch: Epoch, trigger: Trigger): Turn {
  const turn = endSearch(ended, settings);
  const { state } = turn;
  const checkpoint = settings.retainAll && state.snapshots.cycle ? "cycle" : "best";
  const base = state.snapshots[checkpoint];
  invariant(base, `a switch without a checkpoint "${checkpoint}" to grow from`);

  // The cycle succeeded if the model to go on with has its dendrite: cycle 0 always does.
  const succeeded = base.dendrites === state.dendrites;
  const failedTries = succeeded ? 0 : state.failedTries + 1;
  const maxTries = forDendrites(settings.maxTries, state.dendrites);
  const from = base.history.length - 1;
  const restored = change(restore(turn, checkpoint), { failedTries });

  if (base.dendrites >= settings.maxDendrites || failedTries >= maxTries) {
    const outOfTries = failedTries >= maxTries;
    const done = tell(change(restored, { complete: true }), {
      type: "complete",
      trigger,
      reason: outOfTries ? "max_tries" : "max_dendrites",
      limit: outOfTries ? failedTries : settings.maxDendrites,
      dendrites: base.dendrites,
      from,
      better: isSame(state.globalBest, base.cycleBest) ? null : state.globalBest,
    });
    return issue(done, { type: "complete" });
  }

  const dendrite = base.dendrites + 1;
  const attempt = failedTries + 1;
  const grown = tell(grow(restored, dendrite, attempt), {
    type: "grow",
    trigger,
    dendrite,
    attempt,
    of: forDendrites(settings.maxTries, dendrite),
    from,
  });
  // Under retainAll the new dendrite stays even if its cycle sets no best at all.
  const kept = settings.retainAll ? save(grown, "cycle") : grown;
  return startSearch(kept, settings, epoch, base.rateChanges);
}

/** Adds a dendrite to the model in memory and begins its cycle. */
function grow(turn: Turn, dendrite: number, attempt: number): Turn {
  const { history, switchEpochs, snapshots } = turn.state;
  const { best } = snapshots; // the others are of the past cycle
  const grown = change(turn, {
    dendrites: dendrite,
    switchEpochs: [...switchEpochs, history.length],
    cycleBest: null,
    rateChanges: 0,
    patienceFrom: null,
    snapshots: best === undefined ? {} : { best },
  });
  return issue(grown, { type: "grow", dendrite, attempt });
}

/**
 * Takes in an epoch in which dendrites learned and the network did not. It has a place on the branch and decides nothing: the
 * cycle that the last growth began starts after it, also for the checkpoints of the network as it had just grown.
 */
export function addDendriteEpoch(state: TrackerState, epoch: Epoch): TrackerState {
  check(state, epoch);
  const { snapshots } = state;
  const kept = Object.entries(snapshots).map(([name, branch]) => {
    const grown = branch.switchEpochs.length === state.switchEpochs.length;
    return [name, grown ? { ...branch, ...later(branch, epoch) } : branch] as const;
  });
  return { ...state, ...later(state, epoch), snapshots: Object.fromEntries(kept) };
}

function later({ history, switchEpochs }: Branch, { score, learningRate }: Epoch) {
  const runningScore = history.at(-1)?.runningScore ?? score;
  return {
    history: [...history, { score, runningScore, learningRate: learningRate ?? null }],
    switchEpochs: [...switchEpochs.slice(0, -1), history.length + 1],
  };
}

function isSame(a: Best | null, b: Best | null): boolean {
  return a?.epoch === b?.epoch && a?.score === b?.score;
}
