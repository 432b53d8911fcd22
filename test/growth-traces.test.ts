// Replays recorded runs of the original's tracker. Each is either equal to ours call by call to its end, or
// listed in `DEVIATIONS` with the reason and, literally, what ours decides instead; docs/differences.md tells
// the same as a table.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ArborizeError } from "../src/base/errors.ts";
import { DEVIATIONS } from "../src/growth/deviations.fixture.ts";
import { type Expected, scheduleOf, settingsOf, type Trace } from "../src/growth/recorded.fixture.ts";
import { Rehearsal } from "../src/growth/rehearsal.fixture.ts";
import { growthSettings } from "../src/growth/settings.ts";
import { totalEpochs } from "../src/growth/state.ts";
import type { Decision, Outcome } from "../src/growth/tracker.ts";

/** Calls where the original counts a failed attempt though the model it goes on with has the dendrite. */
const MISCOUNTED_TRIES: Record<string, number> = { "lr_guard_holds_switch 26": 0 };

/** Our outcome of each call and the learning rate after it, to the end of the script or of our run. */
function replay(trace: Trace): ((Outcome & { rate: number }) | "rejected")[] {
  const run = new Rehearsal(growthSettings(settingsOf(trace)), scheduleOf(trace));
  const outcomes: ReturnType<typeof replay> = [];
  for (const [call, score] of trace.scores.entries()) {
    if (trace.resumeFromLatestBeforeCalls.includes(call)) run.state = JSON.parse(JSON.stringify(run.state));
    try {
      const outcome = run.addScore(Number(score), trace.forceSwitchAtCalls.includes(call));
      outcomes.push({ ...outcome, rate: run.rate });
      if (outcome.complete) break;
    } catch (error) {
      if (!(error instanceof ArborizeError && error.code === "not_a_number")) throw error;
      outcomes.push("rejected");
    }
  }
  return outcomes;
}

/** What both must agree on in every call. */
function decided(ours: Outcome & { rate: number }) {
  const { restructured, complete, state, rate } = ours;
  const learningRate = complete ? null : Number(rate.toPrecision(6));
  return { restructured, complete, dendrites: state.dendrites, epochs: state.history.length, learningRate };
}
function theyDecided({ restructured, trainingComplete, state, lrAfter, decisions }: Expected) {
  return {
    // It says so as well where it keeps the model in hand and only rebuilds the optimizer around it.
    restructured: restructured && !decisions.some((d) => d.includes("not_worse_at_last_count")),
    complete: trainingComplete,
    dendrites: state.dendriteSets,
    epochs: state.recordedScores,
    learningRate: lrAfter === null ? null : Number(lrAfter.toPrecision(6)),
  };
}

/** Where the search stands. The original's book-keeping of it is about nothing once it is over. */
function sought({ state: { rateChanges, search } }: Outcome) {
  if (search === null) return { rateChanges };
  const { skip, bound, toBeat, comparisonEpochs } = search;
  return { rateChanges, skip, bound, toBeat: toBeat?.score, comparisonEpochs: comparisonEpochs ?? -1 };
}
function theySought({ state }: Expected) {
  const rateChanges = state.lrStepCount;
  if (state.lrCommitted) return { rateChanges };
  const { lrSkipSteps, lrLastMaxSteps, lrCycleScores, lrTestEpochCount } = state;
  const [toBeat] = lrCycleScores;
  return {
    rateChanges,
    skip: lrSkipSteps,
    bound: lrLastMaxSteps,
    toBeat,
    comparisonEpochs: lrTestEpochCount,
  };
}

/** The decisions in one vocabulary. Under `retainAll` the original's best of the run is that of the cycle. */
function verdicts(trace: Trace, decisions: readonly string[]): string[] {
  const words = decisions.map((decision) => decision.split(/:(?!store|lower)|_and|_keep| /)[0] ?? "");
  const kept = words.filter((word, i) => !SAID_ONCE.has(word) && words[i + 1] !== "new_global_best");
  const translated = kept.map((word) => THEIR_WORDS[word] ?? word);
  return trace.configOverrides.retain_all_dendrites
    ? translated.map((word) => word.replace("run_best", "cycle_best"))
    : translated;
}
/** What only one of both says: theirs is in the learning rates and the effects, ours in theirs' state. */
const SAID_ONCE = new Set(["restore_best_model", "scheduler_lowered_lr", "held"]);
const THEIR_WORDS: Record<string, string> = {
  "lr_search:store_score": "next_rate",
  "lr_search:lower_rate_not_worse": "not_worse",
  "lr_search:lower_rate_was_worse_restore_previous": "worse",
  "lr_search:lower_rate_not_worse_at_last_count_commit_skip_1": "chosen",
  "lr_search:lower_rate_not_worse_at_last_count_commit_skip_2": "chosen",
  first_epoch_saved_but_not_counted_as_best: "no_improvement",
  settling: "no_improvement",
  new_cycle_best: "cycle_best",
  new_global_best: "run_best",
  no_improvement_this_epoch: "no_improvement",
  switch: "grow",
  retry: "grow",
};

/** What happened to the model in a call, the decision that keeps a second run included. */
function event(outcome: Outcome | "rejected"): string | undefined {
  if (outcome === "rejected") return outcome;
  const decision: Decision | undefined = outcome.decisions.at(-1);
  switch (decision?.type) {
    case "grow":
      return `grow ${decision.dendrite}.${decision.attempt} on ${decision.from}`;
    case "next_rate":
      return `${decision.score}, skip ${decision.skip}`;
    case "rates_compared":
      return `${decision.score} ${decision.result}`;
    case "complete":
      return `complete, ${decision.dendrites} dendrites, epoch ${decision.from}`;
    default:
      return undefined;
  }
}

const file = new URL("../../shared/spec/growth-traces.json", import.meta.url);
const traces: Trace[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).scenarios : [];
const isDeviating = ({ name }: Trace) => name in DEVIATIONS;
const isEqual = (trace: Trace) => !isDeviating(trace);
const titled = (list: Trace[]) => list.map((trace) => [trace.name, trace] as const);

describe("the recorded runs of the original", () => {
  it("are here", ({ skip }) => {
    const missing = `no recorded runs at ${file.pathname}: nothing to replay`;
    if (traces.length === 0) console.warn(missing);
    skip(traces.length === 0, missing);
    expect(traces).toHaveLength(50);
    expect(traces.filter(isDeviating)).toHaveLength(Object.keys(DEVIATIONS).length);
    expect(traces.filter(isEqual)).toHaveLength(30);
  });

  it.each(titled(traces.filter(isEqual)))("%s: equal to the end", (_, trace) => {
    const outcomes = replay(trace);
    expect(outcomes).toHaveLength(trace.steps.length);
    const settling = Number(trace.configOverrides.initial_history_after_switches ?? 0);
    let uncounted = 0;
    for (const [call, { expect: theirs }] of trace.steps.entries()) {
      const ours = outcomes[call];
      if (ours === undefined || ours === "rejected") throw new Error(`call ${call} was rejected`);
      expect({ call, ...decided(ours) }).toEqual({ call, ...theyDecided(theirs) });

      // The first score that may count does with ours, and with the original does not.
      const types = ours.decisions.map((d) => (d.type === "rates_compared" ? d.result : d.type));
      const skipped = call === settling ? 1 : 0;
      const [said, theySaid] = [types, theirs.decisions].map((list) => verdicts(trace, list).slice(skipped));
      expect({ call, said }).toEqual({ call, said: theySaid });

      // It does not count the epochs that a restore of the search throws away; ours does.
      const before = trace.steps[call - 1]?.expect.state.recordedScores ?? 0;
      if (theirs.decisions.some((d) => /^lr_search:(store|lower_rate_was_worse)/.test(d)))
        uncounted += before + 1 - theirs.state.recordedScores;

      // At the end the original's counters go back with the model; ours go on counting what was run.
      if (theirs.trainingComplete) continue;
      const { overwrittenEpochs, failedTries, switchEpochs, ...state } = ours.state;
      const total = totalEpochs(ours.state);
      expect({ call, total, overwrittenEpochs, failedTries, switchEpochs }).toEqual({
        call,
        total: theirs.state.totalEpochs + uncounted,
        overwrittenEpochs: theirs.state.overwrittenEpochs + uncounted,
        failedTries: MISCOUNTED_TRIES[`${trace.name} ${call}`] ?? theirs.state.tries,
        // It lists each switch twice, as the last epoch before it; ours once, as the first one after it.
        switchEpochs: theirs.state.switchEpochs.filter((_, i) => i % 2 === 0).map((epoch) => epoch + 1),
      });
      if (trace.scheduler !== null)
        expect({ call, ...sought(ours) }).toEqual({ call, ...theySought(theirs) });
      if (call <= settling) continue;
      expect(state.cycleBest?.score ?? 0).toBeCloseTo(theirs.state.cycleBest, 6);
      if (!trace.configOverrides.retain_all_dendrites) {
        expect(state.globalBest?.score).toBeCloseTo(theirs.state.globalBest, 6);
      }
    }
  });

  it.each(titled(traces.filter(isDeviating)))("%s: deviates as intended", (name, trace) => {
    const deviation = DEVIATIONS[name]!;
    const outcomes = replay(trace);
    const same = trace.steps.map(({ expect: theirs }, call) => {
      const ours = outcomes[call];
      if (ours === undefined || ours === "rejected") return false;
      return JSON.stringify(decided(ours)) === JSON.stringify(theyDecided(theirs));
    });
    expect(same.indexOf(false)).toBe(deviation.from);
    const events = outcomes.flatMap((outcome, call) => (event(outcome) ? [`${call} ${event(outcome)}`] : []));
    expect(events.join("; ")).toBe(deviation.ours);
    const there = outcomes[deviation.from];
    if (deviation.rate !== undefined && there !== undefined && there !== "rejected")
      expect(there.rate).toBeCloseTo(deviation.rate, 9);
    const last = outcomes.findLast((outcome) => outcome !== "rejected")!;
    expect(last.state.globalBest?.score).toBeCloseTo(deviation.best[0], 6);
    expect(last.state.globalBest?.epoch).toBe(deviation.best[1]);
  });
});

it.each(Object.keys(DEVIATIONS))("docs/differences.md explains %s", (name) => {
  const docs = readFileSync(new URL("../docs/differences.md", import.meta.url), "utf8");
  expect(docs).toMatch(new RegExp(`\`${name}\` +\\| ${DEVIATIONS[name]!.from} +\\|`));
});
