// What the tracker decided and why: data for programs, a sentence for people and logs.

import type { PhaseEnd } from "./correlation-settings.ts";
import type { Best } from "./state.ts";

/** Why a cycle ended. */
export type Trigger =
  | { readonly type: "patience"; readonly epochs: number; readonly best: Best }
  | { readonly type: "fixed"; readonly epochs: number }
  | { readonly type: "every" }
  | { readonly type: "forced" };

/** What was decided, without the sentence. Epochs and scores are the branch's epochs and running scores. */
export type Verdict =
  /** The score does not count: it is that of epoch `epoch` (from 1) of the `of` that a cycle settles. */
  | { readonly type: "settling"; readonly score: number; readonly epoch: number; readonly of: number }
  /** The best of the run; `previous` is the one before. */
  | { readonly type: "run_best"; readonly best: Best; readonly previous: Best | null }
  /** The best of the cycle; `globalBest`, that of the run, stays what it is. */
  | { readonly type: "cycle_best"; readonly best: Best; readonly globalBest: Best }
  /** Neither, for `epochs` epochs now. `close`: better than `best`, but by less than the thresholds ask. */
  | {
      readonly type: "no_improvement";
      readonly score: number;
      readonly best: Best;
      readonly epochs: number;
      readonly close: boolean;
    }
  /** Patience is over, but the rate, `rate` for `epochs` epochs now, is to change first. */
  | { readonly type: "held"; readonly rate: number | null; readonly epochs: number }
  /** A run of the search is over; another starts from epoch `from`, `skip` changes of the rate further down. */
  | {
      readonly type: "next_rate";
      readonly dendrite: number;
      readonly startRate: number | null;
      readonly score: number;
      readonly skip: number;
      readonly from: number;
    }
  /**
   * A run of the search was compared with the one before, `previous`: it is worse, so that one goes on; or
   * not, and goes on itself, chosen for good or to be compared with a lower start again. `sameRate`: both
   * were at the same rate then.
   */
  | {
      readonly type: "rates_compared";
      readonly startRate: number | null;
      readonly score: number;
      readonly previous: { readonly startRate: number | null; readonly score: number };
      readonly sameRate: boolean;
      readonly result: "worse" | "not_worse" | "chosen";
    }
  /** Dendrite number `dendrite` is added to the model of epoch `from`, in its `attempt`-th try of `of`. */
  | {
      readonly type: "grow";
      readonly trigger: Trigger;
      readonly dendrite: number;
      readonly attempt: number;
      readonly of: number;
      readonly from: number;
    }
  /** An epoch in which dendrites learned; `score`: the mean of the modules' dendrite scores. */
  | {
      readonly type: "dendrites_learned";
      readonly dendrite: number;
      readonly score: number;
      readonly idle: boolean;
    }
  /** Dendrite number `dendrite` has learned for `epochs` epochs, and takes part from now on. */
  | { readonly type: "joined"; readonly dendrite: number; readonly epochs: number; readonly end: PhaseEnd }
  /** The end, with the model of epoch `from`; `better` is one that `retainAll` passes over for it. */
  | {
      readonly type: "complete";
      readonly trigger: Trigger;
      readonly reason: "max_dendrites" | "max_tries";
      readonly limit: number;
      readonly dendrites: number;
      readonly from: number;
      readonly better: Best | null;
    };

/** A verdict and the sentence that says it. */
export type Decision = Verdict & { readonly text: string };

/** `verdict` with its sentence. */
export function decide(verdict: Verdict): Decision {
  return { ...verdict, text: sentence(verdict) };
}

function sentence(verdict: Verdict): string {
  switch (verdict.type) {
    case "settling":
      return `${show(verdict.score)} does not count: settling, epoch ${verdict.epoch} of ${verdict.of}`;
    case "run_best": {
      const before = verdict.previous === null ? "the first that counts" : `before: ${at(verdict.previous)}`;
      return `${show(verdict.best.score)} is the run's best (${before})`;
    }
    case "cycle_best":
      return `${show(verdict.best.score)} is the cycle's best, not the run's (${at(verdict.globalBest)})`;
    case "no_improvement": {
      const relation = verdict.close ? "improves too little on" : "does not improve on";
      const since = `${count(verdict.epochs, "epoch")} without improvement`;
      return `${show(verdict.score)} ${relation} the cycle's best (${at(verdict.best)}): ${since}`;
    }
    case "held": {
      const rate = verdict.rate === null ? "the present one" : show(verdict.rate);
      return `the cycle goes on until the learning rate changes: ${rate} for ${count(verdict.epochs, "epoch")}`;
    }
    case "next_rate": {
      const { dendrite, skip, from } = verdict;
      const past = `past ${skip === 1 ? "the schedule's first change" : `${skip} changes of the schedule`}`;
      return `${reached(verdict)}: dendrite ${dendrite} starts again at epoch ${from}, ${past}, to compare`;
    }
    case "rates_compared": {
      const scores = `${reached(verdict)}, ${reached(verdict.previous)}`;
      return `${scores}${verdict.sameRate ? " at the same rate" : ""}: ${RESULTS[verdict.result]}`;
    }
    case "grow": {
      const { dendrite, attempt, of, from } = verdict;
      const nth =
        attempt === 1 ? `dendrite ${dendrite}` : `dendrite ${dendrite}, attempt ${attempt} of ${of},`;
      return `${why(verdict.trigger)}: ${nth} is added to the model of epoch ${from}`;
    }
    case "dendrites_learned":
      return verdict.idle
        ? `dendrite ${verdict.dendrite} was measured before it learns: ${show(verdict.score)}`
        : `dendrite ${verdict.dendrite} follows its neurons' errors by ${show(verdict.score)}`;
    case "joined": {
      const { dendrite, epochs, end } = verdict;
      return `${PHASE_ENDS[end]}: dendrite ${dendrite} takes part after ${count(epochs, "epoch")}`;
    }
    case "complete": {
      const { reason, limit, dendrites, from, better } = verdict;
      const end =
        reason === "max_dendrites"
          ? `the network may have no more than ${count(limit, "dendrite")}`
          : `dendrite ${dendrites + 1} failed ${count(limit, "time")}`;
      const regret = better === null ? "" : `; the run's best was ${at(better)}`;
      const final = `the final model, with ${count(dendrites, "dendrite")}, is that of epoch ${from}`;
      return `${why(verdict.trigger)}, and ${end}: ${final}${regret}`;
    }
  }
}

const PHASE_ENDS: Readonly<Record<PhaseEnd, string>> = {
  patience: "no dendrite gets better",
  cap: "dendrites have learned for as long as the neurons had",
  forced: "the caller forced a switch",
};

const RESULTS = {
  worse: "going back to the latter",
  not_worse: "going on with the former, to try a lower start next",
  chosen: "going on with the former, the lowest start to try",
};

function reached({ startRate, score }: { startRate: number | null; score: number }): string {
  return `starting at ${startRate === null ? "an unknown rate" : show(startRate)} reached ${show(score)}`;
}

function why(trigger: Trigger): string {
  switch (trigger.type) {
    case "patience":
      return `no improvement for ${count(trigger.epochs, "epoch")} (best ${at(trigger.best)})`;
    case "fixed":
      return `the cycle's ${count(trigger.epochs, "epoch")} are over`;
    case "every":
      return "every epoch ends a cycle";
    case "forced":
      return "the caller forced a switch";
  }
}

const at = ({ score, epoch }: Best) => `${show(score)} at epoch ${epoch}`;
const count = (n: number, thing: string) => `${n} ${thing}${n === 1 ? "" : "s"}`;
const show = (score: number) => String(Number(score.toPrecision(6)));
