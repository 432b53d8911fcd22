import { expect, test } from "vitest";
import { abandonedBranches, additions, keptBranches } from "./branches.ts";
import { epoch, grownRun, history } from "./histories.fixture.ts";

const shape = (branches: ReturnType<typeof keptBranches>) =>
  branches.map((b) => [b.dendrites, b.grafted, b.epochs.map((e) => e.epoch)]);

const run = history(
  [
    epoch({ epoch: 0 }),
    epoch({ epoch: 1 }),
    epoch({ epoch: 2, abandoned: true }),
    epoch({ epoch: 3, abandoned: true }),
    epoch({ epoch: 4, branchEpoch: 2, cycle: 1, dendrites: 1, abandoned: true }),
    epoch({ epoch: 5, branchEpoch: 2, cycle: 2, dendrites: 1 }),
    epoch({ epoch: 6, branchEpoch: 3, cycle: 2, dendrites: 1 }),
    epoch({ epoch: 7, branchEpoch: 4, cycle: 3, dendrites: 2, abandoned: true }),
  ],
  {
    switches: [
      { epoch: 3, dendrites: 1, reason: "first" },
      { epoch: 4, dendrites: 1, reason: "again" },
      { epoch: 6, dendrites: 2, reason: "second" },
    ],
  },
);

test("the kept branch goes on from the epoch that was restored", () => {
  expect(shape(keptBranches(run))).toEqual([
    [0, false, [0, 1]],
    [1, true, [1, 5, 6]],
  ]);
});

test("abandoned branches grow from the epoch before their first", () => {
  expect(shape(abandonedBranches(run))).toEqual([
    [0, true, [1, 2, 3]],
    [1, true, [1, 4]],
    [2, true, [6, 7]],
  ]);
});

test("a run whose very first epochs were abandoned has branches that grow from nowhere", () => {
  const restarted = history([epoch({ epoch: 0, abandoned: true }), epoch({ epoch: 1, branchEpoch: 0 })]);
  expect(shape(abandonedBranches(restarted))).toEqual([[0, false, [0]]]);
});

test("additions stand where training went on; tries at one place are counted", () => {
  expect(additions(run)).toEqual([
    { branchEpoch: 1, dendrites: 1, tries: 2, kept: true, reason: "again" },
    { branchEpoch: 3, dendrites: 2, tries: 1, kept: false, reason: "second" },
  ]);
  expect(additions(grownRun()).map((a) => [a.branchEpoch, a.dendrites, a.tries, a.kept])).toEqual([
    [9, 1, 1, true],
    [18, 2, 2, true],
    [26, 3, 2, false],
  ]);
});

test("an addition that no epoch has followed yet stands at the end of the kept branch", () => {
  const fresh = history([epoch({ epoch: 0 }), epoch({ epoch: 1 })], {
    switches: [{ epoch: 1, dendrites: 1, reason: "just now" }],
  });
  expect(additions(fresh)).toEqual([
    { branchEpoch: 1, dendrites: 1, tries: 1, kept: true, reason: "just now" },
  ]);
});
