// One call of the tracker while it is being worked out. A checkpoint has two halves, the weights with the
// caller and the branch in the state: whatever happens to the one is issued where it happens to the other.

import { invariant } from "../base/errors.ts";
import { type Decision, decide, type Verdict } from "./decisions.ts";
import type { Branch, Checkpoint, TrackerState } from "./state.ts";

/** Something the caller does to the model, in the order given. */
export type Effect =
  /** Keep a copy of the weights under this name, over an earlier one. */
  | { readonly type: "save"; readonly checkpoint: Checkpoint }
  /** Put the weights and the structure kept under this name back. */
  | { readonly type: "restore"; readonly checkpoint: Checkpoint }
  /**
   * Add a dendrite to every neuron module. It is number `dendrite`, from 1, and this is its `attempt`-th try,
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
  const { history, dendrites, switchEpochs, cycleBest } = turn.state;
  const branch: Branch = { history, dendrites, switchEpochs, cycleBest };
  const snapshots = { ...turn.state.snapshots, [checkpoint]: branch };
  return issue(change(turn, { snapshots }), { type: "save", checkpoint });
}

/** Brings back the model and the branch saved under `checkpoint`; what is no part of a branch stays. */
export function restore(turn: Turn, checkpoint: Checkpoint): Turn {
  const branch = turn.state.snapshots[checkpoint];
  invariant(branch, `there is no checkpoint "${checkpoint}" to restore`);
  const lost = turn.state.history.length - branch.history.length;
  const overwrittenEpochs = turn.state.overwrittenEpochs + lost;
  return issue(change(turn, { ...branch, overwrittenEpochs }), { type: "restore", checkpoint });
}
