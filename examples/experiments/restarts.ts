// A control must not lose for want of what growing brings along: the learning rate that starts again.

import type { optim } from "../../src/index.ts";

/**
 * A schedule that starts again after each `every` epochs, as a schedule does when dendrites are added. A training takes
 * no step after its very first epoch, so the first period is a step shorter.
 */
export function withRestarts(scheduler: optim.Scheduler, every: number): optim.Scheduler {
  return {
    name: `${scheduler.name} with restarts`,
    options: { ...scheduler.options, every },
    start(first) {
      const state = scheduler.start(first);
      return { ...state, memory: { ...state.memory, first, epochs: 0 } };
    },
    step(state, score) {
      const first = state.memory.first!;
      const epochs = state.memory.epochs! + 1;
      const next = (epochs + 1) % every === 0 ? scheduler.start(first) : scheduler.step(state, score);
      return { ...next, memory: { ...next.memory, first, epochs } };
    },
  };
}
