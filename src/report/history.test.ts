import { expect, test } from "vitest";
import { epoch, grownRun, history } from "./histories.fixture.ts";
import { bestEpoch, isBetter, summarize } from "./history.ts";

test("a higher or a lower score is better, and a score that is not a number never", () => {
  expect(isBetter({ maximize: true }, 2, 1)).toBe(true);
  expect(isBetter({ maximize: false }, 2, 1)).toBe(false);
  expect(isBetter({ maximize: true }, 1, 1)).toBe(false);
  expect(isBetter({ maximize: false }, Number.NaN, 1)).toBe(false);
  expect(isBetter({ maximize: true }, 1, Number.NaN)).toBe(true);
});

test("one row per dendrite count: best score, its test score, and what it cost", () => {
  const run = history([
    epoch({ epoch: 0, validation: 0.8, test: 0.7 }),
    epoch({ epoch: 1, validation: 0.9, test: 0.85 }),
    epoch({ epoch: 2, validation: 0.9, test: 0.99 }),
    epoch({ epoch: 3, branchEpoch: 2, dendrites: 1, validation: 0.95 }),
    epoch({ epoch: 4, branchEpoch: 3, dendrites: 2, validation: 0.94, abandoned: true }),
  ]);
  expect(summarize(run)).toEqual([
    row({ dendrites: 0, validation: 0.9, test: 0.85, epoch: 1, epochs: 3, seconds: 33 }),
    row({ dendrites: 1, validation: 0.95, epoch: 3, best: true }),
    row({ dendrites: 2, validation: 0.94, epoch: 4, kept: false }),
  ]);
});

test("an abandoned epoch doesn't stand for a count that was kept, and never is the best row", () => {
  const run = history([
    epoch({ epoch: 0, validation: 0.9 }),
    epoch({ epoch: 1, validation: 0.99, abandoned: true }),
    epoch({ epoch: 2, branchEpoch: 1, dendrites: 1, validation: 0.999, abandoned: true }),
  ]);
  expect(summarize(run).map((r) => [r.validation, r.epochs, r.kept, r.best])).toEqual([
    [0.9, 2, true, true],
    [0.999, 1, false, false],
  ]);
  expect(bestEpoch(run)?.epoch).toBe(0);
});

test("fewer dendrites win a tie; lower scores win where lower is better", () => {
  const tie = [epoch({ epoch: 0, validation: 0.5 }), epoch({ epoch: 1, dendrites: 1, validation: 0.5 })];
  expect(summarize(history(tie)).map((r) => r.best)).toEqual([true, false]);
  const loss = [epoch({ epoch: 0, validation: 0.5 }), epoch({ epoch: 1, dendrites: 1, validation: 0.4 })];
  expect(summarize(history(loss, { maximize: false })).map((r) => r.best)).toEqual([false, true]);
});

test("nothing was run, or nothing came of it", () => {
  expect(summarize(history([]))).toEqual([]);
  expect(bestEpoch(history([]))).toBeUndefined();
  const diverged = history([epoch({ epoch: 0, validation: Number.NaN })]);
  expect(summarize(diverged)[0]?.validation).toBeNaN();
});

test("the invented run is one that could have been", () => {
  const run = grownRun();
  expect(run.epochs.map((e) => e.epoch)).toEqual(run.epochs.map((_, i) => i));
  const kept = run.epochs.filter((e) => !e.abandoned);
  expect(kept.map((e) => e.branchEpoch)).toEqual(kept.map((_, i) => i));
  expect(summarize(run).map((r) => r.best)).toEqual([false, false, true, false]);
});

function row(fields: Partial<ReturnType<typeof summarize>[number]> & { dendrites: number }) {
  const parameters = 1_199_882 * (1 + fields.dendrites);
  return { parameters, epochs: 1, seconds: 11, kept: true, best: false, ...fields };
}
