// Where a schedule starts after growing: at its first rate, or some changes further down it.

import type { Scheduler, SchedulerState } from "../optim/scheduler.ts";

/** Steps after which a schedule that has not changed its rate is taken not to change it any more. */
const PATIENCE = 10_000;

/**
 * The state of a schedule that starts after `skip` changes of its rate. The steps up to there are taken with one constant
 * score, which makes a schedule that watches scores change as soon as it can; what it learned from them is forgotten.
 * A schedule that has fewer changes starts after its last.
 */
export function startSchedule(scheduler: Scheduler, learningRate: number, skip = 0): SchedulerState {
  let state = scheduler.start(learningRate);
  let changes = 0;
  for (let idle = 0; changes < skip && idle < PATIENCE; idle++) {
    const next = scheduler.step(state, 0);
    if (next.learningRate !== state.learningRate) {
      changes += 1;
      idle = 0;
    }
    state = next;
  }
  return skip === 0 ? state : (scheduler.forget?.(state) ?? state);
}
