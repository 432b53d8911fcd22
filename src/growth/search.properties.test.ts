import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cosineSchedule,
  listedSchedule,
  plateauSchedule,
  Rehearsal,
  type Schedule,
  stepSchedule,
} from "./rehearsal.fixture.ts";
import { type GrowthOptions, growthSettings } from "./settings.ts";
import { readTrackerState, totalEpochs } from "./state.ts";

const aRate = fc.constantFrom(0.1, 0.05, 0.01);
const anySchedule: fc.Arbitrary<Schedule> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(0.1, 0.5))
    .map(([n, by]) => stepSchedule(0.1, n, by)),
  fc.integer({ min: 1, max: 20 }).map((period) => cosineSchedule(0.1, period)),
  fc
    .tuple(aRate, fc.array(aRate, { maxLength: 12 }))
    .map(([first, rest]) => listedSchedule([first, ...rest])),
  fc
    .record({
      maximize: fc.boolean(),
      patience: fc.integer({ min: 0, max: 8 }),
      factor: fc.constant(0.1),
      min: fc.constantFrom(0, 0.01),
    })
    .map((options) => plateauSchedule(0.1, options)),
);
const anyOptions = fc.record({
  switchMode: fc.constantFrom("history" as const, "fixed" as const, "every" as const, "never" as const),
  maximize: fc.boolean(),
  patience: fc.integer({ min: 1, max: 5 }),
  fixedEpochs: fc.integer({ min: 3, max: 9 }),
  improvementThreshold: fc.constantFrom(0, 0.01),
  rawThreshold: fc.constantFrom(0.5, 1),
  lookback: fc.integer({ min: 1, max: 2 }),
  initialHistory: fc.integer({ min: 0, max: 2 }),
  resetRunningScore: fc.boolean(),
  maxDendrites: fc.integer({ min: 0, max: 3 }),
  maxTries: fc.integer({ min: 1, max: 3 }),
  retainAll: fc.boolean(),
  findBestRate: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  holdUntilLowered: fc.boolean(),
});
const anyScores = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 120 });
const PLENTY = 20_000;

/** A rehearsal on `scores` over and over, to its end; fails when there is none. */
function toTheEnd(options: GrowthOptions, schedule: Schedule, scores: readonly number[]) {
  const run = new Rehearsal(growthSettings(options), schedule);
  for (let epoch = 0; epoch < PLENTY; epoch++) {
    const outcome = run.addScore(scores[epoch % scores.length]!);
    if (outcome.complete) return { run, outcome, epochs: epoch + 1 };
  }
  throw new Error(`no end in ${PLENTY} epochs`);
}

describe("whatever the settings, the schedule and the scores", () => {
  it("weights and state belong together, the counts fit, and JSON changes nothing", () => {
    const forced = fc.array(fc.nat({ max: 119 }), { maxLength: 3 });
    fc.assert(
      fc.property(anyOptions, anySchedule, anyScores, forced, (options, schedule, scores, forcedAt) => {
        const settings = growthSettings(options);
        const run = new Rehearsal(settings, schedule);
        for (const [call, score] of scores.entries()) {
          const { state, decisions, complete } = run.addScore(score, forcedAt.includes(call));
          expect(run.model.scores).toEqual(state.history.map((epoch) => epoch.score));
          expect(run.model.dendrites).toBe(state.dendrites);
          expect(state.dendrites).toBeLessThanOrEqual(settings.maxDendrites);
          expect(state.switchEpochs).toHaveLength(state.dendrites);
          expect(totalEpochs(state)).toBe(call + 1);
          for (const { text } of decisions) expect(text).not.toMatch(/undefined|NaN|null/);

          const attempts = state.ratesTried.map(({ dendrite, attempt }) => `${dendrite} ${attempt}`);
          const kept = state.ratesTried.filter((tried) => tried.kept);
          expect(kept).toHaveLength(new Set(attempts).size);

          const reread = readTrackerState(JSON.parse(JSON.stringify(state)));
          expect(reread).toEqual(state);
          run.state = reread;
          if (complete) return;
        }
      }),
    );
  });

  it("history mode ends if the scores are bounded", () => {
    fc.assert(
      fc.property(anyOptions, anySchedule, anyScores, (options, schedule, scores) => {
        const { run } = toTheEnd({ ...options, switchMode: "history" }, schedule, scores);
        expect(run.state.search).toBeNull();
      }),
    );
  });

  it("the final model is the best one that ever scored, in any run of the search", () => {
    const exact = {
      lookback: 1,
      initialHistory: 0,
      improvementThreshold: 0,
      rawThreshold: 0,
      retainAll: false,
    };
    fc.assert(
      fc.property(anyOptions, anySchedule, anyScores, (options, schedule, scores) => {
        const settings: GrowthOptions = { ...options, ...exact, switchMode: "history" };
        const { run, outcome, epochs } = toTheEnd(settings, schedule, scores);
        expect(outcome.effects).toEqual([{ type: "restore", checkpoint: "best" }, { type: "complete" }]);
        const seen = Array.from({ length: epochs }, (_, i) => scores[i % scores.length]!);
        const best = settings.maximize ? Math.max(...seen) : Math.min(...seen);
        expect(run.model.scores.at(-1)).toBe(best);
        expect(run.state.globalBest).toEqual({ score: best, epoch: run.model.scores.length - 1 });
      }),
    );
  });

  it("under retainAll the final model is the best of the last cycle, in any run of its search", () => {
    const exact = {
      lookback: 1,
      initialHistory: 0,
      improvementThreshold: 0,
      rawThreshold: 0,
      retainAll: true,
    };
    fc.assert(
      fc.property(anyOptions, anySchedule, anyScores, (options, schedule, scores) => {
        const settings: GrowthOptions = { ...options, ...exact, switchMode: "history" };
        const run = new Rehearsal(growthSettings(settings), schedule);
        let cycle: number[] = [];
        for (let epoch = 0, complete = false; !complete; epoch++) {
          const score = scores[epoch % scores.length]!;
          const outcome = run.addScore(score);
          complete = outcome.complete;
          cycle = outcome.effects.some(({ type }) => type === "grow") ? [] : [...cycle, score];
          expect(epoch).toBeLessThan(PLENTY);
        }
        const best = settings.maximize ? Math.max(...cycle) : Math.min(...cycle);
        expect(run.model.scores.at(-1)).toBe(best);
      }),
    );
  });

  it("a schedule that keeps its rate is never searched", () => {
    fc.assert(
      fc.property(anyOptions, anyScores, (options, scores) => {
        const flat = new Rehearsal(growthSettings(options), listedSchedule([0.1]));
        const none = new Rehearsal(growthSettings({ ...options, findBestRate: false }), null);
        for (const score of scores) {
          const [ours, plain] = [flat, none].map((run) => run.addScore(score));
          expect(ours!.decisions).toEqual(plain!.decisions);
          if (ours!.complete) return;
        }
      }),
    );
  });
});
