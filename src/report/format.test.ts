import { expect, test } from "vitest";
import { dendriteCount, formatCompact, formatCount, formatDuration, formatNumber } from "./format.ts";

const cases = <T>(format: (value: T) => string, table: [T, string][]) => {
  for (const [value, text] of table) expect(format(value)).toBe(text);
};

test("numbers", () => {
  cases(formatNumber, [
    [0, "0"],
    [0.42171, "0.4217"],
    [-3.21987, "-3.220"],
    [0.000015, "1.5e-5"],
    [1e-7, "1e-7"],
    [1532.4, "1532"],
    [2.345e9, "2.35e+9"],
    [Number.NaN, "NaN"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
  ]);
});

test("counts", () => {
  cases(formatCount, [
    [0, "0"],
    [999, "999"],
    [1000, "1,000"],
    [1_199_882, "1,199,882"],
  ]);
  cases(formatCompact, [
    [0, "0"],
    [0.05, "0.05"],
    [10, "10"],
    [850, "850"],
    [999.9, "1K"],
    [1_199_882, "1.2M"],
    [999_600, "1M"],
    [25_557_032, "25.6M"],
    [1e9, "1B"],
    [1e16, "1e+16"],
  ]);
  cases(dendriteCount, [
    [0, "no dendrites"],
    [1, "1 dendrite"],
    [2, "2 dendrites"],
  ]);
});

test("durations", () => {
  cases(formatDuration, [
    [0.416, "0.42 s"],
    [9.999, "10.0 s"],
    [59.99, "1m 00s"],
    [182, "3m 02s"],
    [3599.9, "1h 00m"],
    [3900, "1h 05m"],
    [183_600, "2d 03h"],
    [Number.POSITIVE_INFINITY, "?"],
  ]);
});
