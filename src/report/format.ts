// Numbers as people read them. Independent of the locale, so that the same run gives the same text.

import type { RunHistory } from "./history.ts";

/** How the scores of a run are written. */
export interface ScoreFormat {
  /** True when scores are fractions of 1 that are shown as percentages. */
  percent: boolean;
  /** A score in full, e.g. "99.12%" or "0.4217". */
  format(score: number): string;
  /** The difference between two scores with its sign, e.g. "+0.21 points". */
  difference(from: number, to: number): string;
}

const fractionMetric = /accuracy|\bacc\b|error[ _-]?rate|precision|recall|\btop[ _-]?\d/i;

/** How a run's scores are written: as those of `scoreFormatOf`. */
export function scoreFormat({ metric, epochs }: RunHistory): ScoreFormat {
  const scores = epochs.flatMap((e) => (e.test === undefined ? [e.validation] : [e.validation, e.test]));
  return scoreFormatOf(metric, scores);
}

/** Percentages for accuracy-like metrics whose scores all lie between 0 and 1, else four digits. */
export function scoreFormatOf(metric: string, scores: readonly number[]): ScoreFormat {
  const percent = fractionMetric.test(metric) && scores.every((s) => Number.isNaN(s) || (s >= 0 && s <= 1));
  const sign = (delta: number) => (delta < 0 ? "\u2212" : "+");
  return {
    percent,
    format: (score) =>
      percent && Number.isFinite(score) ? `${(score * 100).toFixed(2)}%` : formatNumber(score),
    difference: (from, to) => {
      const size = Math.abs(to - from);
      return sign(to - from) + (percent ? `${(size * 100).toFixed(2)} points` : formatNumber(size));
    },
  };
}

/** Four significant digits: "0.4217", "1532", "1.5e-5", "2.3e+9". */
export function formatNumber(value: number): string {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2).replace(/\.?0+e/, "e");
  return size >= 1000 ? value.toFixed(0) : value.toPrecision(4);
}

/** A whole number with thousands separated by commas: "1,199,882". */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

const magnitudes = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "K"],
] as const;

/** Three significant digits and a magnitude: "850", "1.2M", "25.6M", "1e+16". */
export function formatCompact(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e15) return value.toExponential(1).replace(".0e", "e");
  for (const [unit, suffix] of magnitudes) {
    // 999.6K would be written as 1000K: the half digit decides for the next magnitude.
    if (size >= unit * 0.9995) return trim((value / unit).toPrecision(3)) + suffix;
  }
  return trim(value.toPrecision(3));
}

const trim = (digits: string) =>
  digits.includes("e") ? digits : digits.replace(/\.0+$|(\.\d*[1-9])0+$/, "$1");

/** A time span: "0.42 s", "12.3 s", "3m 02s", "1h 05m", "2d 03h"; "?" when it isn't known. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "?";
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
}

/** "no dendrites", "1 dendrite", "2 dendrites". */
export function dendriteCount(count: number): string {
  return count === 0 ? "no dendrites" : count === 1 ? "1 dendrite" : `${count} dendrites`;
}

/** Which modules have how many dendrites: "2 dendrites on each of conv1, fc1; 1 dendrite on fc2". */
export function grownText(counts: readonly (readonly [module: string, count: number])[]): string {
  const byCount = new Map<number, string[]>();
  for (const [module, count] of counts) byCount.set(count, [...(byCount.get(count) ?? []), module]);
  const parts = [...byCount]
    .filter(([count]) => count > 0)
    .sort(([a], [b]) => b - a)
    .map(([count, modules]) => {
      const each = modules.length > 1 ? "each of " : "";
      return `${dendriteCount(count)} on ${each}${modules.join(", ")}`;
    });
  return parts.join("; ") || dendriteCount(0);
}
