// What a run will cost: measured on a copy, said before it starts.

import { describe, expect, it } from "vitest";
import { costLine, costText, estimateRun, type RunCost, fit as train } from "../src/index.ts";
import { digits, OPTIONS, SmallNet } from "./support/journey.ts";

const PLANNED = {
  ...OPTIONS,
  growth: { ...OPTIONS.growth, retainAll: true, findBestRate: false },
} as const;

/** The seconds by hand: compiling and epochs of each number of dendrites. */
const seconds = ({ measured }: RunCost, epochs: readonly number[]) =>
  epochs.reduce((sum, n, i) => sum + measured[i]!.compileSeconds + n * measured[i]!.epochSeconds, 0);

describe("an estimate", () => {
  it("is of the run that comes, which it leaves as it would have been", async () => {
    const cost = await estimateRun(new SmallNet(), PLANNED, { more: 2 });
    const said: string[] = [];
    const show = () => undefined;
    const progress = {
      start: show,
      update: show,
      finish: show,
      close: show,
      log: (l: string) => said.push(l),
    };
    const told = await train(new SmallNet(), { ...PLANNED, progress, estimate: true });
    const untold = await train(new SmallNet(), PLANNED);
    expect(said[0]).toMatch(/^an epoch takes about .* \(.* with 1 dendrite\); 9 epochs take .* memory$/);
    const facts = ({ history }: typeof told) =>
      history.epochs.map(({ trainLoss, validation, parameters }) => [trainLoss, validation, parameters]);
    expect(facts(told)).toEqual(facts(untold));

    expect(cost.epochs).toBe(untold.history.epochs.length);
    const grown = [...new Set(untold.history.epochs.map(({ parameters }) => parameters))];
    expect(cost.measured.map(({ parameters }) => parameters)).toEqual(grown);
    expect(cost.dendrites).toBe(2);
    expect(cost.seconds!.growing).toBeCloseTo(seconds(cost, [3, 3, 3]), 9);
    for (const row of cost.measured) {
      const evaluated = row.exampleSeconds * (digits.validation.length + digits.test.length);
      expect(row.epochSeconds).toBeCloseTo(6 * row.stepSeconds + evaluated, 9);
      expect(row.bytes).toBeGreaterThan(2 ** 24);
    }
    // By hand: 1,050 (k + 1) + 14 k + 14 k (k - 1) / 2.
    const lines = costText(cost).split("\n");
    expect(lines.slice(2, 5).map((line) => line.trim().split(/\s+/)[1])).toEqual(["1,050", "2,114", "3,192"]);
    expect(lines.at(-1)).toBe("assumed: writing the run folder takes no time");
    for (const { training } of [told, untold]) await training.release();
  });

  it("says how far it goes where scores decide", async () => {
    const growth = { patience: 1 };
    const net = () => new SmallNet();
    const open = await estimateRun(net(), { ...OPTIONS, growth });
    expect([open.epochs, open.seconds]).toEqual([null, null]);
    expect(costLine(open)).toContain("growth says when it is over");
    const bounded = await estimateRun(net(), { ...OPTIONS, growth, maxEpochs: 7 });
    // Cycles of two epochs: 0, 1 and 2 dendrites, and one epoch with 3. The last two as far from 1 as 1 is from 0.
    expect(bounded).toMatchObject({ epochs: 7, dendrites: 3 });
    expect(bounded.assumptions).toContain(
      "each further dendrite costs as much as the last that was measured",
    );
    expect(bounded.seconds!.still).toBeLessThanOrEqual(bounded.seconds!.growing);
    const never = await estimateRun(net(), { ...OPTIONS, growth: { switchMode: "never" }, maxEpochs: 2 });
    expect(never.measured).toHaveLength(1);
    expect(never.seconds!.growing).toBeCloseTo(seconds(never, [2]), 9);
  });

  it("measures dendrites that learn apart", async () => {
    const dendrites = { learning: "correlation" } as const;
    const growth = { ...PLANNED.growth, maxDendrites: 1 };
    const cost = await estimateRun(new SmallNet(), { ...PLANNED, growth, dendrites });
    const { history, training } = await train(new SmallNet(), { ...PLANNED, growth, dendrites });
    await training.release();
    // Three epochs with the network, one that measures, three of learning, three with the dendrite.
    expect(cost.epochs).toBe(10);
    expect(history.epochs.length).toBe(10);
    const [now, next] = cost.measured;
    expect(now!.apartStepSeconds).toBeGreaterThan(0);
    const evaluated = now!.exampleSeconds * (digits.validation.length + digits.test.length);
    const apart = 4 * (6 * now!.apartStepSeconds! + evaluated) + next!.compileSeconds;
    expect(cost.seconds!.growing).toBeCloseTo(seconds(cost, [3, 3]) + apart, 9);
  });
});
