import { describe, expect, it } from "vitest";
import { type GrowthOptions, growthSettings } from "./settings.ts";
import { readTrackerState, totalEpochs } from "./state.ts";
import { addScore, type Epoch, type Outcome, startTracking } from "./tracker.ts";

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

const last = (outcomes: Outcome[]) => outcomes.at(-1)!;
const texts = (outcome: Outcome) => outcome.decisions.map(({ text }) => text);
const dendrites = (outcomes: Outcome[]) => outcomes.map(({ state }) => state.dendrites);

describe("a score", () => {
  it("is the best of the run if it is the first", () => {
    const [first] = run({}, [0]);
    expect(first!.effects).toEqual([{ type: "save", checkpoint: "best" }]);
    expect(first!.state).toMatchObject({
      globalBest: { score: 0, epoch: 0 },
      cycleBest: { score: 0, epoch: 0 },
    });
    expect(texts(first!)).toEqual(["0 is the run's best (the first that counts)"]);
  });

  it("must beat the best by more than both margins", () => {
    const saved = (options: GrowthOptions, ...scores: number[]) =>
      last(run(options, scores)).effects.length === 1;
    const relative = { improvementThreshold: 0.1, rawThreshold: 0 };
    expect(saved(relative, 90, 100)).toBe(false);
    expect(saved(relative, 90, 100.1)).toBe(true);
    expect(saved({ ...relative, maximize: false }, 110, 100)).toBe(false);
    expect(saved({ ...relative, maximize: false }, 110.1, 100)).toBe(true);
    const raw = { improvementThreshold: 0, rawThreshold: 0.5 };
    expect(saved(raw, 60, 60.5)).toBe(false);
    expect(saved(raw, 60, 60.75)).toBe(true);
    expect(saved({ ...raw, maximize: false }, 60, 59.5)).toBe(false);
    expect(saved({ ...raw, maximize: false }, 60, 59.25)).toBe(true);
  });

  it("pays the relative margin whatever its sign", () => {
    const saved = (maximize: boolean, ...scores: number[]) =>
      last(run({ maximize, improvementThreshold: 0.1, rawThreshold: 0 }, scores)).effects.length === 1;
    expect(saved(true, -110, -100)).toBe(false);
    expect(saved(true, -110.1, -100)).toBe(true);
    expect(saved(false, -90, -100)).toBe(false);
    expect(saved(false, -90, -100.1)).toBe(true);
    expect(saved(true, -1, 0)).toBe(true);
    expect(saved(false, 1, 0)).toBe(true);
  });

  it("moves the running score 1/lookback of the way, from the first score on", () => {
    const running = run({ lookback: 4, maximize: false }, [2, 1, 1]).map(({ runningScore }) => runningScore);
    expect(running).toEqual([2, 1.75, 1.5625]);
  });

  it("does not count while the cycle settles, and the running score is a mean meanwhile", () => {
    const outcomes = run({ initialHistory: 2, lookback: 2, patience: 1 }, [1, 3, 4, 0]);
    expect(outcomes.map(({ runningScore }) => runningScore)).toEqual([1, 2, 3, 1.5]);
    expect(outcomes.map(({ decisions }) => decisions[0]!.type)).toEqual([
      "settling",
      "settling",
      "run_best",
      "no_improvement",
    ]);
    expect(texts(outcomes[1]!)).toEqual(["2 does not count: settling, epoch 2 of 2"]);
    expect(last(outcomes).effects.at(-1)).toEqual({ type: "grow", dendrite: 1, attempt: 1 });
  });

  it.each([[-0], [-Number.MIN_VALUE, -Number.MIN_VALUE]])(
    "leaves no -0, which JSON has not: %d",
    (...scores) => {
      const { state } = last(run({ lookback: 2 }, scores));
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    },
  );

  it("goes on from the restored model's running score, or starts it anew", () => {
    const scores = [10, { score: 10, forceSwitch: true }, 20];
    expect(last(run({ lookback: 2 }, scores)).runningScore).toBe(15);
    expect(last(run({ lookback: 2, resetRunningScore: true }, scores)).runningScore).toBe(20);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "is refused if it is %d",
    (score) => {
      const { state } = last(run({}, [50, 60]));
      const before = structuredClone(state);
      expect(() => addScore(state, growthSettings(), { score })).toThrow(
        `The validation score of epoch 2 is ${score}`,
      );
      expect(() => addScore(state, growthSettings(), { score: 1, learningRate: score })).toThrow(
        "learning rate",
      );
      expect(state).toEqual(before);
    },
  );

  it("is refused once the run is complete", () => {
    const { state } = last(run({ maxDendrites: 0, patience: 1 }, [2, 1]));
    expect(() => addScore(state, growthSettings(), { score: 3 })).toThrow("complete after 2 epochs");
  });
});

describe("a switch", () => {
  const helps = [50, 60, 60, 60];
  it("restores the best model and adds a dendrite to it", () => {
    const outcome = last(run({ patience: 2 }, helps));
    expect(outcome).toMatchObject({ restructured: true, complete: false, runningScore: 60 });
    expect(outcome.effects).toEqual([
      { type: "restore", checkpoint: "best" },
      { type: "grow", dendrite: 1, attempt: 1 },
    ]);
    const { history, snapshots, ...rest } = outcome.state;
    expect(history.map(({ score }) => score)).toEqual([50, 60]);
    expect(Object.keys(snapshots)).toEqual(["best"]);
    expect(rest).toEqual({
      dendrites: 1,
      switchEpochs: [2],
      cycleBest: null,
      globalBest: { score: 60, epoch: 1 },
      rateChanges: 0,
      patienceFrom: null,
      failedTries: 0,
      overwrittenEpochs: 2,
      search: null,
      ratesTried: [],
      longestWait: 0,
      complete: false,
    });
    expect(texts(outcome)).toEqual([
      "60 does not improve on the cycle's best (60 at epoch 1): 2 epochs without improvement",
      "no improvement for 2 epochs (best 60 at epoch 1): dendrite 1 is added to the model of epoch 1",
    ]);
  });

  it("tries a dendrite that did not help again, maxTries times in all", () => {
    const outcomes = run({ patience: 2, maxTries: 2 }, [...helps, 55, 55, 55, 58, 57, 57]);
    expect(dendrites(outcomes)).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1, 0]);
    expect(outcomes[6]!.effects.at(-1)).toEqual({ type: "grow", dendrite: 1, attempt: 2 });
    expect(texts(outcomes[6]!)[1]).toBe(
      "no improvement for 2 epochs (best 55 at epoch 2): dendrite 1, attempt 2 of 2, is added to the model of epoch 1",
    );
    const { effects, complete, restructured, state } = last(outcomes);
    expect({ complete, restructured }).toEqual({ complete: true, restructured: true });
    expect(effects).toEqual([{ type: "restore", checkpoint: "best" }, { type: "complete" }]);
    expect(state.history.map(({ score }) => score)).toEqual([50, 60]);
    expect(totalEpochs(state)).toBe(10);
    expect(texts(last(outcomes))[1]).toBe(
      "no improvement for 2 epochs (best 58 at epoch 2), and dendrite 1 failed 2 times: " +
        "the final model, with 0 dendrites, is that of epoch 1",
    );
  });

  it("gives each dendrite all its tries after a success", () => {
    const scores = [60, 60, 50, 50, 70, 70, 65, 65, 65, 65];
    const grown = run({ patience: 1 }, scores).flatMap(({ effects }) =>
      effects.filter(({ type }) => type === "grow"),
    );
    expect(grown.map((effect) => effect.type === "grow" && [effect.dendrite, effect.attempt])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ]);
  });

  it("completes after the last dendrite that is allowed", () => {
    const outcomes = run({ patience: 1, maxDendrites: 1 }, [60, 60, 70, 69]);
    expect(last(outcomes)).toMatchObject({ complete: true, state: { dendrites: 1 } });
    expect(texts(last(outcomes))[1]).toBe(
      "no improvement for 1 epoch (best 70 at epoch 1), and the network may have no more than 1 dendrite: " +
        "the final model, with 1 dendrite, is that of epoch 1",
    );
  });

  it("adds nothing when a resumed run may have fewer dendrites than it has", () => {
    const { state } = last(run({ patience: 1 }, [60, 60, 70, 69]));
    expect(state.dendrites).toBe(2);
    const stricter = growthSettings({ patience: 1, maxDendrites: 0 });
    const settled = addScore(state, stricter, { score: 60 }).state;
    expect(addScore(settled, stricter, { score: 60 })).toMatchObject({
      complete: true,
      state: { dendrites: 1 },
    });
  });

  it("happens when the caller says so, and without any score that counts", () => {
    const forced = { score: 1, forceSwitch: true };
    const [first] = run({ switchMode: "never", initialHistory: 3 }, [forced]);
    expect(first!.effects.map(({ type }) => type)).toEqual(["save", "restore", "grow"]);
    expect(texts(first!)[1]).toBe("the caller forced a switch: dendrite 1 is added to the model of epoch 0");
  });

  it("never happens by itself in mode never", () => {
    const outcomes = run({ switchMode: "never", patience: 1 }, new Array<number>(50).fill(1));
    expect(last(outcomes)).toMatchObject({ complete: false, state: { dendrites: 0 } });
  });

  it("happens in each epoch in mode every, settling or not", () => {
    const outcomes = run({ switchMode: "every", initialHistory: 5 }, [1, 2, 3]);
    expect(dendrites(outcomes)).toEqual([1, 2, 3]);
  });

  it("counts the epochs of the cycle in mode fixed", () => {
    const outcomes = run({ switchMode: "fixed", fixedEpochs: [3, 2] }, [1, 2, 3, 4, 5, 6, 7]);
    expect(dendrites(outcomes)).toEqual([0, 0, 1, 1, 2, 2, 3]);
    expect(texts(outcomes[2]!)[1]).toBe(
      "the cycle's 3 epochs are over: dendrite 1 is added to the model of epoch 2",
    );
  });

  it("keeps every dendrite under retainAll, and ends with the best model of the last cycle", () => {
    const outcomes = run({ patience: 1, retainAll: true, maxDendrites: 1 }, [60, 60, 30, 31, 31]);
    expect(
      outcomes[1]!.effects.map((e) => ("checkpoint" in e ? `${e.type} ${e.checkpoint}` : e.type)),
    ).toEqual(["restore cycle", "grow", "save cycle"]);
    expect(last(outcomes).effects).toEqual([{ type: "restore", checkpoint: "cycle" }, { type: "complete" }]);
    expect(last(outcomes).state).toMatchObject({ dendrites: 1, globalBest: { score: 60, epoch: 0 } });
    expect(texts(last(outcomes))[1]).toMatch(/is that of epoch 2; the run's best was 60 at epoch 0$/);
  });

  it("forgets the best of a past cycle when a resumed run no longer retains all", () => {
    const { state } = last(run({ patience: 1, retainAll: true }, [60, 60]));
    expect(Object.keys(state.snapshots)).toEqual(["best", "cycle"]);
    const settings = growthSettings({ patience: 1 });
    const improved = addScore(state, settings, { score: 70 }).state;
    expect(Object.keys(addScore(improved, settings, { score: 70 }).state.snapshots)).toEqual(["best"]);
  });
});

it("a file that holds no tracker state is refused, with what is wrong", () => {
  const { failedTries: _, ...incomplete } = startTracking();
  expect(() => readTrackerState({ ...incomplete, dendrites: -1 })).toThrow(
    /dendrites: [^\n]*\n- failedTries: /,
  );
  expect(() => readTrackerState("nonsense")).toThrow("This is no tracker state:\n- state: ");
});
