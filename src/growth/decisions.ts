// What the tracker decided and why: data for programs, a sentence for people and logs.

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
  /** Dendrite number `dendrite` is added to the model of epoch `from`, in its `attempt`-th try of `of`. */
  | {
      readonly type: "grow";
      readonly trigger: Trigger;
      readonly dendrite: number;
      readonly attempt: number;
      readonly of: number;
      readonly from: number;
    }
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
    case "grow": {
      const { dendrite, attempt, of, from } = verdict;
      const nth =
        attempt === 1 ? `dendrite ${dendrite}` : `dendrite ${dendrite}, attempt ${attempt} of ${of},`;
      return `${why(verdict.trigger)}: ${nth} is added to the model of epoch ${from}`;
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
