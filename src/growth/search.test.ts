import { describe, expect, it } from "vitest";
import { Rehearsal, stepSchedule } from "./rehearsal.fixture.ts";
import { type GrowthOptions, growthSettings } from "./settings.ts";
import { addScore, type Outcome, startTracking } from "./tracker.ts";

/** Cycle 0 of every case: two rate changes by the best, at epoch 6; dendrite 1 grows in call 9. */
const CYCLE_0 = [10, 50, 55, 60, 62, 64, 66, 66, 66, 66];

function rehearse(scores: number[], options: GrowthOptions = {}): { run: Rehearsal; outcomes: Outcome[] } {
  const run = new Rehearsal(growthSettings({ patience: 3, ...options }), stepSchedule(0.1, 2, 0.1));
  return { run, outcomes: [...CYCLE_0, ...scores].map((score) => run.addScore(score)) };
}
const last = (outcomes: Outcome[]) => outcomes.at(-1)!;
const said = (outcome: Outcome) => outcome.decisions.at(-1)!.text;

describe("the search for a learning rate", () => {
  it("saves the model that has just grown", () => {
    const { outcomes } = rehearse([]);
    expect(last(outcomes).effects.at(-1)).toEqual({ type: "save", checkpoint: "switch" });
    expect(last(outcomes)).toMatchObject({ stepScheduler: false, state: { search: { skip: 0, bound: 2 } } });
  });

  it("sets the first run aside after two changes, with its scheduler's step taken", () => {
    const { run, outcomes } = rehearse([70, 72, 74, 80]);
    expect(last(outcomes)).toMatchObject({ stepScheduler: true, restructured: true });
    expect(last(outcomes).effects).toEqual([
      { type: "save", checkpoint: "best" },
      { type: "save", checkpoint: "run" },
      { type: "restore", checkpoint: "switch", skip: 1 },
    ]);
    expect(said(last(outcomes))).toBe(
      "starting at 0.1 reached 80: dendrite 1 starts again at epoch 7, past the schedule's first change, to compare",
    );
    expect(run.rate).toBeCloseTo(0.01);
  });

  it("goes back to the first run if the second is worse at the same rate", () => {
    const { run, outcomes } = rehearse([70, 72, 74, 80, 70, 72]);
    expect(last(outcomes).effects).toEqual([{ type: "restore", checkpoint: "run" }]);
    expect(said(last(outcomes))).toBe(
      "starting at 0.01 reached 72, starting at 0.1 reached 80 at the same rate: going back to the latter",
    );
    expect(run.rate).toBeCloseTo(0.001);
    const { search, snapshots, ratesTried, patienceFrom } = run.state;
    expect({ search, patienceFrom }).toEqual({ search: null, patienceFrom: 11 });
    expect(Object.keys(snapshots)).toEqual(["best"]);
    const tried = { dendrite: 1, attempt: 1 };
    expect(ratesTried).toEqual([
      { ...tried, skip: 0, startRate: 0.1, score: 80, kept: true },
      { ...tried, skip: 1, startRate: expect.closeTo(0.01), score: 72, kept: false },
    ]);
  });

  it("goes on with the second run if it is not worse, until the lowest start", () => {
    const { outcomes } = rehearse([70, 72, 74, 75, 70, 76, 78, 80, 82, 83]);
    expect(outcomes[15]).toMatchObject({
      effects: [{ type: "save", checkpoint: "best" }],
      restructured: false,
    });
    expect(said(outcomes[15]!)).toMatch(/: going on with the former, to try a lower start next$/);
    expect(last(outcomes)).toMatchObject({
      restructured: false,
      stepScheduler: true,
      state: { search: null },
    });
    expect(said(last(outcomes))).toBe(
      "starting at 0.001 reached 83, starting at 0.01 reached 80 at the same rate: going on with the former, the lowest start to try",
    );
    expect(last(outcomes).state.ratesTried.map(({ kept }) => kept)).toEqual([false, false, true]);
  });

  it("notes the run that a switch cuts short", () => {
    const { run } = rehearse([70, 72, 74, 80, 70]);
    run.addScore(85, true);
    expect(run.state.ratesTried.map(({ score, kept }) => [score, kept])).toEqual([
      [80, false],
      [85, true],
    ]);
    expect(run.state).toMatchObject({ dendrites: 2, failedTries: 0, search: { skip: 0 } });
  });

  it("never happens without findBestRate, and without a scheduler", () => {
    const { outcomes } = rehearse([70, 72, 74, 80, 80, 80, 80], { findBestRate: false });
    expect(last(outcomes).state).toMatchObject({ dendrites: 2, ratesTried: [] });
    const alone = new Rehearsal(growthSettings({ patience: 3 }), null);
    for (const score of CYCLE_0) expect(alone.addScore(score).stepScheduler).toBe(false);
    expect(alone.state).toMatchObject({ dendrites: 1, search: null });
  });

  it("needs the epoch's own rate as well", () => {
    const epoch = { score: 1, nextLearningRate: 0.1 };
    expect(() => addScore(startTracking(), growthSettings(), epoch)).toThrow("pass `learningRate` as well");
    expect(() =>
      addScore(startTracking(), growthSettings(), {
        ...epoch,
        learningRate: 0.1,
        nextLearningRate: Number.NaN,
      }),
    ).toThrow("The learning rate after epoch 0 is NaN");
  });
});

describe("holding a cycle back", () => {
  const settings = growthSettings({ patience: 1 });
  it("lasts until the rate changes, but no longer than a change ever took", () => {
    const { state } = last(rehearse([]).outcomes); // where the longest took three epochs
    let outcome = addScore(state, settings, { score: 60, learningRate: 0.1, nextLearningRate: 0.1 });
    const held: string[] = [];
    while (outcome.state.dendrites === 1 && outcome.state.failedTries === 0) {
      outcome = addScore(outcome.state, settings, { score: 60, learningRate: 0.1, nextLearningRate: 0.1 });
      held.push(said(outcome));
    }
    expect(held).toEqual([
      "the cycle goes on until the learning rate changes: 0.1 for 2 epochs",
      "the cycle goes on until the learning rate changes: 0.1 for 3 epochs",
      expect.stringContaining("attempt 2 of 2"),
    ]);
  });

  it("does not happen without holdUntilLowered, and a forced switch overrides it", () => {
    const flat = { score: 60, learningRate: 0.1, nextLearningRate: 0.1 };
    const { state } = addScore(last(rehearse([]).outcomes).state, settings, flat);
    expect(addScore(state, settings, flat).restructured).toBe(false);
    expect(addScore(state, { ...settings, holdUntilLowered: false }, flat).restructured).toBe(true);
    expect(addScore(state, settings, { ...flat, forceSwitch: true }).restructured).toBe(true);
  });
});
