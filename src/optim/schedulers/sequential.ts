// Several schedules, one after the other.

import { checkOptions } from "../optimizer.ts";
import { check, checkMilestones, recall, type Scheduler } from "../scheduler.ts";

/** Options of `sequentialLR`. */
export interface SequentialLROptions {
  /** The schedulers, in the order of their turns. */
  readonly schedulers: readonly Scheduler[];
  /** The epochs at which the second, third, … begins: one less than there are schedulers, ascending. */
  readonly milestones: readonly number[];
}

const NAME = "sequentialLR";
/** Where the optimizer's learning rate is kept, beside what the present scheduler remembers. */
const BASE = "sequentialLR.base";

/**
 * Follows one scheduler after the other, such as a warm-up and then a cosine. PyTorch's SequentialLR.
 *
 *     sequentialLR({
 *       schedulers: [linearLR({ startFactor: 0.1, totalIters: 5 }), cosineAnnealingLR({ tMax: 95 })],
 *       milestones: [5],
 *     })
 *
 * Each begins its own epoch 0 at its milestone, and at the optimizer's learning rate, wherever the one before has ended:
 * to go on lower, give it a factor or put all changes into one scheduler. A scheduler here can be any, also
 * `reduceLROnPlateau`, which counts the scores of its turn only, and another `sequentialLR`; PyTorch's takes neither.
 *
 * @throws `bad_option` for options that are unknown or do not fit together.
 */
export function sequentialLR(options: SequentialLROptions): Scheduler {
  checkOptions(NAME, options, {}, {}, ["schedulers", "milestones"]);
  check(
    NAME,
    { schedulers: options.schedulers },
    "a list of schedulers, such as [linearLR()]",
    areSchedulers,
  );
  checkMilestones(NAME, options.milestones, true);
  const [schedulers, milestones] = [[...options.schedulers], [...options.milestones]];
  const wanted = `a list of ${schedulers.length - 1}, one less than there are schedulers`;
  check(NAME, { milestones }, wanted, () => milestones.length === schedulers.length - 1);
  /** The scheduler whose turn an epoch is, and the epoch at which that began. */
  const turnAt = (epoch: number) => {
    const turn = milestones.filter((milestone) => milestone <= epoch).length;
    return { present: schedulers[turn]!, begin: turn === 0 ? 0 : milestones[turn - 1]! };
  };
  return {
    name: NAME,
    options: { schedulers: schedulers.map(({ name, options }) => ({ name, options })), milestones },
    start(base) {
      const { learningRate, memory } = schedulers[0]!.start(base);
      return { learningRate, steps: 0, memory: { ...memory, [BASE]: base } };
    },
    step(state, score) {
      const base = recall(NAME, state, BASE);
      const steps = state.steps + 1;
      const { present, begin } = turnAt(steps);
      const { learningRate, memory } =
        steps === begin ? present.start(base) : present.step({ ...state, steps: state.steps - begin }, score);
      return { learningRate, steps, memory: { ...memory, [BASE]: base } };
    },
    forget(state) {
      const { present, begin } = turnAt(state.steps);
      const { memory } = present.forget?.({ ...state, steps: state.steps - begin }) ?? state;
      return { ...state, memory: { ...memory, [BASE]: recall(NAME, state, BASE) } };
    },
  };
}

function areSchedulers(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.every(
    (scheduler) => typeof scheduler?.start === "function" && typeof scheduler.step === "function",
  );
}
