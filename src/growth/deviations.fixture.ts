// For tests: the recorded runs that ours decides otherwise, why, and what it does instead.

/** How a run deviates. */
export interface Deviation {
  why: string;
  /** The first call that decides otherwise. */
  from: number;
  /**
   * The calls where ours does something: "grow d.a on e" is dendrite d, attempt a, on epoch e's model; "x, skip
   * k" is a run of the search that reached x and another that starts k changes further down; "x not_worse" is
   * that other compared with it.
   */
  ours: string;
  /** The best running score of the run in ours, at its last call, and its epoch. */
  best: [score: number, epoch: number];
  /** Our learning rate after call `from`, where that is what differs. */
  rate?: number;
}

const SEED = "the running score starts from the first score, not from 1e-8";
const FIRST = "the first score that may count does";
const TIE = "a cycle whose best is the run's has succeeded, whichever of equal runs it is of";
const REPLAY =
  "a schedule that listens to scores is restored or starts afresh; it is never fed epoch numbers";
const PARAM_VALS = "each dendrite has the schedule from its start, so the search can end";
const TEST_SAVES = "the first run is always there to go back to";
const NAN = "a score that is not a number is rejected and leaves no trace";

/** By the name of the run. */
export const DEVIATIONS: Record<string, Deviation> = {
  first_epoch_is_highest: {
    why: FIRST,
    from: 3,
    ours: "3 grow 1.1 on 0; 7 complete, 0 dendrites, epoch 0",
    best: [90, 0],
  },
  zero_scores: {
    why: "a best of 0 is a best like others",
    from: 3,
    ours: "3 grow 1.1 on 0; 9 grow 2.1 on 3",
    best: [0.1, 3],
  },
  negative_scores: {
    why: "the relative margin counts against the candidate whatever its sign",
    from: 3,
    ours: "3 grow 1.1 on 0; 7 grow 2.1 on 1",
    best: [-9, 2],
  },
  nan_score: {
    why: NAN,
    from: 2,
    ours: "2 rejected; 4 rejected; 5 rejected; 6 rejected",
    best: [61, 2],
  },
  nan_score_lookback2: { why: `${NAN}; ${SEED}`, from: 2, ours: "2 rejected", best: [87.8125, 5] },
  minimising_lookback_3: {
    why: `${SEED}: the loss falls in every epoch, so nothing is added`,
    from: 4,
    ours: "",
    best: [1.274983, 12],
  },
  success_after_retry: {
    why: "a success gives the next dendrite all its tries",
    from: 20,
    ours: "4 grow 1.1 on 1; 8 grow 1.2 on 1; 12 grow 2.1 on 2; 16 grow 2.2 on 2; 20 grow 2.3 on 2",
    best: [70, 2],
  },
  history_lookback_3: {
    why: `${SEED}: constant scores are a plateau`,
    from: 3,
    ours: "3 grow 1.1 on 0; 7 grow 1.2 on 0; 11 grow 1.3 on 0; 15 complete, 0 dendrites, epoch 0",
    best: [60, 0],
  },
  initial_history_2: {
    why: `${FIRST}: the third of cycle 0, as of every other cycle, not the fourth`,
    from: 5,
    ours: "5 grow 1.1 on 2; 12 grow 2.1 on 6",
    best: [80, 6],
  },
  reset_best_score_on_switch: {
    why: `${SEED}, and after a reset from the first score of the cycle, not from 0`,
    from: 13,
    ours: "13 grow 1.1 on 10; 17 grow 2.1 on 11; 21 grow 2.2 on 11",
    best: [75.4375, 17],
  },
  testing_dendrite_capacity: {
    why: "no mode of its own, so it ends like any run: the last model is restored, and said to be",
    from: 3,
    ours: "0 grow 1.1 on 0; 1 grow 2.1 on 1; 2 grow 3.1 on 2; 3 complete, 3 dendrites, epoch 3",
    best: [10, 0],
  },
  resume_from_latest: {
    why: "a resumed run goes on where it was interrupted, the best of the cycle and the patience included",
    from: 12,
    ours: "6 grow 1.1 on 3; 12 grow 2.1 on 6; 18 grow 2.2 on 6; 23 complete, 1 dendrites, epoch 6",
    best: [76, 6],
  },
  lr_steplr_tie: {
    why: TIE,
    from: 43,
    ours: "9 grow 1.1 on 6; 13 80, skip 1; 15 80 not_worse; 17 80, skip 2; 19 71 worse; 23 grow 2.1 on 10; 27 62, skip 1; 29 61 worse; 33 grow 2.2 on 10; 37 62, skip 1; 39 61 worse; 43 grow 2.3 on 10",
    best: [80, 10],
  },
  lr_plateau_max: {
    why: REPLAY,
    from: 27,
    ours: "13 grow 1.1 on 9; 20 76, skip 1; 25 72 worse; 30 grow 2.1 on 14",
    best: [76, 14],
    rate: 1e-4,
  },
  lr_plateau_max_lower_wins: {
    why: REPLAY,
    from: 34,
    ours: "13 grow 1.1 on 9; 20 76, skip 1; 25 80 not_worse; 27 80, skip 2; 32 72 worse; 37 grow 2.1 on 12",
    best: [80, 12],
    rate: 1e-5,
  },
  lr_plateau_min_loss: {
    why: REPLAY,
    from: 25,
    ours: "13 grow 1.1 on 9; 23 0.45, skip 1; 28 0.45 not_worse; 30 0.45, skip 2",
    best: [0.45, 15],
    rate: 0.01,
  },
  lr_plateau_max_unit_scores: {
    why: REPLAY,
    from: 27,
    ours: "13 grow 1.1 on 9; 20 0.76, skip 1; 25 0.72 worse",
    best: [0.84, 24],
    rate: 0.001,
  },
  lr_param_vals_total_epoch: {
    why: PARAM_VALS,
    from: 9,
    ours: "9 grow 1.1 on 6; 15 80, skip 1; 18 80 chosen; 22 grow 2.1 on 10",
    best: [80, 10],
    rate: 0.1,
  },
  lr_param_vals_neuron_start: {
    why: PARAM_VALS,
    from: 9,
    ours: "9 grow 1.1 on 6; 15 80, skip 1",
    best: [80, 10],
    rate: 0.1,
  },
  lr_search_without_test_saves: {
    why: TEST_SAVES,
    from: 15,
    ours: "9 grow 1.1 on 6; 13 80, skip 1; 15 72 worse; 19 grow 2.1 on 10",
    best: [80, 10],
  },
};
