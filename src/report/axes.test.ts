import { expect, test } from "vitest";
import { epochAxis, interestingRange, linearAxis, positiveAxis, sizeAxis } from "./axes.ts";

test("epochs are whole numbers, and one epoch has room", () => {
  expect(epochAxis(0, 2, 12).ticks).toEqual([0, 1, 2]);
  expect(epochAxis(0, 39, 12).ticks).toEqual([0, 5, 10, 15, 20, 25, 30, 35]);
  expect(epochAxis(0, 0, 12)).toMatchObject({ domain: [-0.5, 0.5], ticks: [0] });
});

test("tick labels have the digits that the step needs", () => {
  const labels = (low: number, high: number, percent = false) => {
    const axis = linearAxis(low, high, { below: 0, above: 0, percent });
    return axis.ticks.map(axis.format);
  };
  expect(labels(0.97, 0.99, true)).toEqual(["97.0%", "97.5%", "98.0%", "98.5%", "99.0%"]);
  expect(labels(0, 1, true)).toEqual(["0%", "20%", "40%", "60%", "80%", "100%"]);
  expect(labels(0, 5)).toEqual(["0", "1", "2", "3", "4", "5"]);
  expect(labels(-0.2, 0.2)).toEqual(["-0.2", "-0.1", "0", "0.1", "0.2"]);
  expect(labels(0, 4e6)).toEqual(["0", "1M", "2M", "3M", "4M"]);
  expect(labels(0, 4e-5)).toEqual(["0", "0.00001", "0.00002", "0.00003", "0.00004"]);
});

test("constant values get a span, percentages no ticks beyond 0 and 100", () => {
  for (const value of [0, 1, -3, 0.9, 1e20, 1e-20]) {
    const { domain, ticks } = linearAxis(value, value);
    expect(domain[0]).toBeLessThan(value);
    expect(domain[1]).toBeGreaterThan(value);
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThan(10);
  }
  expect(Math.max(...linearAxis(1, 1, { percent: true }).ticks)).toBeLessThanOrEqual(1.000001);
});

test("decades make a logarithmic axis, in plain numbers or powers of ten", () => {
  expect(positiveAxis([1, 29]).type).toBe("linear");
  const plain = positiveAxis([0.01, 5]);
  expect([plain.type, ...plain.ticks.map(plain.format)]).toEqual(["log", "0.01", "0.1", "1"]);
  const powers = positiveAxis([1e-7, 1e-3]);
  expect(powers.ticks.map(powers.format)).toEqual(["10⁻⁷", "10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³"]);
  expect(positiveAxis([1e-12, 1e14]).ticks.length).toBeLessThan(8);
  expect(positiveAxis([0, 1e6]).type).toBe("linear");
  expect(positiveAxis([-1, 1e6]).type).toBe("linear");
});

test("a linear axis of positive values doesn't show negative ones", () => {
  expect(positiveAxis([0, 0, 0]).domain[0]).toBe(0);
  expect(positiveAxis([0.001], { zero: true }).domain[0]).toBe(0);
  expect(positiveAxis([]).ticks.length).toBeGreaterThan(1);
  expect(positiveAxis([Number.NaN, Number.POSITIVE_INFINITY, 3, 4]).domain[1]).toBeLessThan(5);
});

test("sizes are their own ticks", () => {
  expect(sizeAxis([200, 100, 100, 0]).ticks).toEqual([100, 200]);
  expect(sizeAxis([]).domain[0]).toBeGreaterThan(0);
});

test("the first epochs don't squash the interesting part", () => {
  const scores = [0.1, 0.7, 0.94, 0.95, 0.955, 0.96, 0.96, 0.962, 0.964, 0.965];
  expect(interestingRange(scores, [], true)).toEqual([0.95, 0.965]);
  expect(interestingRange(scores, [0.7], true)).toEqual([0.7, 0.965]);
  const losses = scores.map((s) => 1 - s);
  expect(interestingRange(losses, [], false)[1]).toBeCloseTo(0.05);
  expect(interestingRange([0.1, 0.9, 0.95], [], true)).toEqual([0.1, 0.95]);
  expect(interestingRange(Array(9).fill(0.5), [], true)).toEqual([0.5, 0.5]);
  expect(interestingRange([], [Number.NaN], true)).toEqual([0, 1]);
});
