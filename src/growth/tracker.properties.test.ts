import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type GrowthOptions, growthSettings } from "./settings.ts";
import { readTrackerState, totalEpochs } from "./state.ts";
import { addScore, type Epoch, type Outcome, startTracking, type TrackerState } from "./tracker.ts";

/** The outcome of each of `scores`, up to the end of the run. */
function run(options: GrowthOptions, scores: Iterable<number | Epoch>): Outcome[] {
  const settings = growthSettings(options);
  const outcomes: Outcome[] = [];
  let state = startTracking();
  for (const epoch of scores) {
    const outcome = addScore(state, settings, typeof epoch === "number" ? { score: epoch } : epoch);
    outcomes.push(outcome);
    state = outcome.state;
    if (outcome.complete) break;
  }
  return outcomes;
}

const perDendrite = (item: fc.Arbitrary<number>) =>
  fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 3 }));
const anyOptions = fc.record({
  switchMode: fc.constantFrom("history" as const, "fixed" as const, "every" as const, "never" as const),
  maximize: fc.boolean(),
  patience: perDendrite(fc.integer({ min: 1, max: 4 })),
  fixedEpochs: perDendrite(fc.integer({ min: 3, max: 5 })),
  improvementThreshold: perDendrite(fc.constantFrom(0, 0.01, 0.2)),
  rawThreshold: perDendrite(fc.constantFrom(0.5, 1, 2)),
  lookback: perDendrite(fc.integer({ min: 1, max: 3 })),
  initialHistory: perDendrite(fc.integer({ min: 0, max: 2 })),
  resetRunningScore: fc.boolean(),
  maxDendrites: fc.integer({ min: 0, max: 4 }),
  maxTries: perDendrite(fc.integer({ min: 1, max: 3 })),
  retainAll: fc.boolean(),
});
const boundedScores = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 200 });
const anyEpochs = fc.array(
  fc.record({
    score: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
    learningRate: fc.constantFrom(0.1, 0.01),
    forceSwitch: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  }),
  { maxLength: 60 },
);

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

describe("whatever the settings and the scores", () => {
  it("there are never more dendrites than allowed, and the counts fit together", () => {
    fc.assert(
      fc.property(anyOptions, anyEpochs, (options, epochs) => {
        for (const [call, { state, effects }] of run(options, epochs).entries()) {
          expect(state.dendrites).toBeLessThanOrEqual(options.maxDendrites);
          expect(state.switchEpochs).toHaveLength(state.dendrites);
          expect(totalEpochs(state)).toBe(call + 1);
          for (const effect of effects)
            if (effect.type === "grow") expect(effect.dendrite).toBe(state.dendrites);
        }
      }),
    );
  });

  it("a checkpoint is saved before it is restored, and no two dendrites share their random stream", () => {
    fc.assert(
      fc.property(anyOptions, anyEpochs, (options, epochs) => {
        const saved = new Set<string>();
        const grown = new Set<string>();
        for (const effect of run(options, epochs).flatMap(({ effects }) => effects)) {
          if (effect.type === "save") saved.add(effect.checkpoint);
          if (effect.type === "restore") expect(saved).toContain(effect.checkpoint);
          if (effect.type !== "grow") continue;
          const stream = `${effect.dendrite} ${effect.attempt}`;
          expect(grown).not.toContain(stream);
          grown.add(stream);
        }
      }),
    );
  });

  it("the state survives JSON at every step, and the state handed in is not touched", () => {
    fc.assert(
      fc.property(anyOptions, anyEpochs, (options, epochs) => {
        const settings = deepFreeze(growthSettings(options));
        let state = startTracking();
        for (const epoch of epochs) {
          const outcome = addScore(deepFreeze(state), settings, deepFreeze(epoch));
          const reread: TrackerState = readTrackerState(JSON.parse(JSON.stringify(state)));
          expect(reread).toEqual(state);
          expect(addScore(reread, settings, epoch)).toEqual(outcome);
          if (outcome.complete) return;
          state = outcome.state;
        }
      }),
    );
  });

  it("history mode ends if the scores are bounded", () => {
    fc.assert(
      fc.property(anyOptions, boundedScores, (options, scores) => {
        // A cycle settles for 2 epochs at most, and improves by at least 0.5 within 40, each time within 4
        // epochs.
        const cycles = 1 + options.maxDendrites * 3;
        const enough = cycles * (2 + (1 + 80) * 4);
        const endless = Array.from({ length: enough }, (_, i) => scores[i % scores.length]!);
        expect(run({ ...options, switchMode: "history" }, endless).at(-1)!.complete).toBe(true);
      }),
    );
  });

  it("the final model is the best one that ever scored", () => {
    fc.assert(
      fc.property(anyOptions, boundedScores, (options, scores) => {
        const plain = {
          lookback: 1,
          initialHistory: 0,
          improvementThreshold: 0,
          rawThreshold: 0,
          retainAll: false,
        };
        const settings: GrowthOptions = { ...options, ...plain, maxDendrites: 2, switchMode: "history" };
        const endless = Array.from({ length: 10_000 }, (_, i) => scores[i % scores.length]!);
        const outcomes = run(settings, endless);
        const { complete, effects, state } = outcomes.at(-1)!;
        expect(complete).toBe(true);
        expect(effects).toEqual([{ type: "restore", checkpoint: "best" }, { type: "complete" }]);
        const seen = endless.slice(0, outcomes.length);
        const best = settings.maximize ? Math.max(...seen) : Math.min(...seen);
        expect(state.history.at(-1)!.score).toBe(best);
        expect(state.globalBest).toEqual({ score: best, epoch: state.history.length - 1 });
      }),
    );
  });
});
