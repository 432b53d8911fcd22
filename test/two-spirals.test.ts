// The experiment of the 1990 paper: 100 trials solved, 1,700 epochs on average, 12 to 19 units.

import { describe, expect, it } from "vitest";
import { type Solved, twoSpirals } from "../examples/two-spirals.ts";

describe("cascade-correlation on two spirals", () => {
  it("solves them in as many epochs and with as many units as the paper says", {
    timeout: 240_000,
  }, async () => {
    const { solve } = await twoSpirals();
    const results: Solved[] = [];
    for (let seed = 0; seed < 20; seed++) results.push(await solve(seed));
    const solved = results.filter((result) => result.solved);
    const epochs = solved.reduce((sum, result) => sum + result.epochs, 0) / solved.length;
    const told = results.map((r) => `${r.epochs} epochs, ${r.units} units`).join("; ");
    expect(solved.length, told).toBeGreaterThanOrEqual(19);
    expect(epochs, told).toBeGreaterThan(1400);
    expect(epochs, told).toBeLessThan(2000);
    expect(Math.max(...solved.map(({ units }) => units)), told).toBeLessThanOrEqual(19);
    // Points between those that were learned: chance is a half.
    expect(Math.min(...solved.map(({ generalization }) => generalization)), told).toBeGreaterThan(0.85);
  });
});
