// What the experiments report of several seeds.

/** A mean and how far its 95 % interval goes to either side; NaN for a single number. */
export interface Interval {
  readonly mean: number;
  readonly margin: number;
}

/** Student's t for 95 % on both sides, by degrees of freedom from 1. */
const QUANTILES = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** The mean of numbers with its 95 % interval by Student's t. From 32 numbers on it takes the normal one, 1.96. */
export function interval(values: readonly number[]): Interval {
  const n = values.length;
  const mean = values.reduce((sum, v) => sum + v, 0) / n;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1);
  const margin = (QUANTILES[n - 2] ?? (n < 2 ? Number.NaN : 1.96)) * Math.sqrt(variance / n);
  return { mean, margin };
}
