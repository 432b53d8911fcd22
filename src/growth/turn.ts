// One call of the tracker while it is being worked out. A checkpoint has two halves, the weights with the
// caller and the branch in the state: whatever happens to the one is issued where it happens to the other.

import { invariant } from "../base/errors.ts";
import { type Decision, decide, type Verdict } from "./decisions.ts";
import type { Branch, Checkpoint, TrackerState } from "./state.ts";

/** Something the caller does to the model, in the order given. */
export type Effect =
  /**
   * Keep a copy of the model under this name, over an earlier one: the weights and the structure, and for
   * `"run"` everything that training goes on from, so the optimizer, the scheduler and the random streams too.
   */
  | { readonly type: "save"; readonly checkpoint: Checkpoint }
  /**
   * Put back what is kept under this name: for `"run"` all of it, so that training goes on exactly where it
   * was, otherwise the weights and the structure.
   */
  | { readonly type: "restore"; readonly checkpoint: Exclude<Checkpoint, "switch"> }
  /**
   * Put the weights and the structure back that the model had when it had just grown. The optimizer starts
   * afresh; the schedule too, and is then advanced until the learning rate has changed `skip` times. One that
   * listens to scores gets a constant one meanwhile, and forgets it. The schedule has made as many changes in
   * this cycle before, so this ends if its changes depend on nothing but steps and scores.
   */
  | { readonly type: "restore"; readonly checkpoint: "switch"; readonly skip: number }
  /**
   * Add a dendrite to every neuron module; the optimizer and the schedule start afresh. It is number `dendrite`, from 1, and this is its `attempt`-th try,
   * from 1: no two tries of a run have the same pair, so that it names the random stream of the new weights.
   */
  | { readonly type: "grow"; readonly dendrite: number; readonly attempt: number }
  /** Training is over: the model is final. */
  | { readonly type: "complete" };

/** The state so far, and what led to it. */
export interface Turn {
  readonly state: TrackerState;
  readonly effects: readonly Effect[];
  readonly decisions: readonly Decision[];
}

/** The turn with some of its state changed. */
export function change(turn: Turn, changes: Partial<TrackerState>): Turn {
  return { ...turn, state: { ...turn.state, ...changes } };
}

/** The turn with another effect for the caller. */
export function issue(turn: Turn, effect: Effect): Turn {
  return { ...turn, effects: [...turn.effects, effect] };
}

/** The turn with another decision to tell. */
export function tell(turn: Turn, verdict: Verdict): Turn {
  return { ...turn, decisions: [...turn.decisions, decide(verdict)] };
}

/** Saves the model and its branch under `checkpoint`. */
export function save(turn: Turn, checkpoint: Checkpoint): Turn {
  const { history, dendrites, switchEpochs, cycleBest, rateChanges, patienceFrom } = turn.state;
  const branch: Branch = { history, dendrites, switchEpochs, cycleBest, rateChanges, patienceFrom };
  const snapshots = { ...turn.state.snapshots, [checkpoint]: branch };
  return issue(change(turn, { snapshots }), { type: "save", checkpoint });
}

/** Brings back the model and the branch saved under `checkpoint`; what is no part of a branch stays. */
export function restore(turn: Turn, checkpoint: Exclude<Checkpoint, "switch">): Turn {
  return issue(comeBack(turn, checkpoint), { type: "restore", checkpoint });
}

/** Brings back the model as it had just grown, for a run that skips the first `skip` changes of the rate. */
export function restart(turn: Turn, skip: number): Turn {
  const back = change(comeBack(turn, "switch"), { rateChanges: skip });
  return issue(back, { type: "restore", checkpoint: "switch", skip });
}

/** Puts the branch of `checkpoint` in. Its epochs count again if they were overwritten before. */
function comeBack(turn: Turn, checkpoint: Checkpoint): Turn {
  const branch = turn.state.snapshots[checkpoint];
  invariant(branch, `there is no checkpoint "${checkpoint}" to restore`);
  const lost = turn.state.history.length - branch.history.length;
  return change(turn, { ...branch, overwrittenEpochs: turn.state.overwrittenEpochs + lost });
}
