// Domains, ticks and tick labels. Chosen here, not by the plotting library, because runs come in all sizes:
// one epoch, constant scores, a first loss of a million.

import { formatCompact } from "./format.ts";

/** What a panel needs to know of an axis. */
export interface Axis {
  type: "linear" | "log";
  domain: [number, number];
  ticks: number[];
  format: (value: number) => string;
}

/** Values that span more than this factor are shown on a logarithmic axis. */
const decades = 30;

/** Ticks about every `size / count`, at multiples of 1, 2 or 5 times a power of ten. */
function roundTicks(
  low: number,
  high: number,
  count: number,
  smallest = 0,
): { ticks: number[]; step: number } {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((f) => f * power >= rough * 0.999) ?? 10;
  const step = Math.max(smallest, factor * power);
  const ticks: number[] = [];
  // A billionth of a step of tolerance, since 0.1 + 0.2 isn't 0.3; adding 0 makes 0 out of -0.
  for (let i = Math.ceil(low / step - 1e-9) + 0; i <= Math.floor(high / step + 1e-9); i++)
    ticks.push(i * step);
  return { ticks, step };
}

/** Epochs: whole numbers. One epoch gets room on both sides. */
export function epochAxis(first: number, last: number, count: number): Axis {
  const domain: [number, number] = last > first ? [first, last] : [first - 0.5, first + 0.5];
  const ticks = last > first ? roundTicks(first, last, count, 1).ticks : [first];
  return { type: "linear", domain, ticks, format: (v) => String(Math.round(v)) };
}

/**
 * A linear axis over `low` to `high` with room at both ends, given as shares of the span. Percentages have no ticks
 * below 0 or above 100.
 */
export function linearAxis(
  low: number,
  high: number,
  options: { below?: number; above?: number; percent?: boolean; count?: number } = {},
): Axis {
  const { below = 0.06, above = 0.06, percent = false, count = 5 } = options;
  // Values that (nearly) agree span nothing worth showing: half a point, or a twentieth of the value, is put around.
  const nearly = high - low <= (percent ? 0.005 : Math.abs(high) * 1e-6);
  const span = nearly ? (percent ? 0.005 : (Math.abs(high) || 1) / 20) : high - low;
  const middle = (low + high) / 2;
  const domain: [number, number] = [middle - span * (0.5 + below), middle + span * (0.5 + above)];
  const { ticks, step } = roundTicks(domain[0], domain[1], count);
  const size = Math.max(...domain.map(Math.abs));
  return {
    type: "linear",
    domain,
    ticks: percent ? ticks.filter((tick) => tick > -1e-9 && tick < 1 + 1e-9) : ticks,
    format: linearFormat(step, size, percent),
  };
}

function linearFormat(step: number, size: number, percent: boolean): (value: number) => string {
  const scale = percent ? 100 : 1;
  const digits = Math.max(0, -Math.floor(Math.log10(step * scale) + 1e-9));
  return (value) => {
    if (percent) return `${(value * 100).toFixed(digits)}%`;
    if (value === 0) return "0";
    return size >= 10_000 || size < 1e-3 ? formatCompact(value) : value.toFixed(digits);
  };
}

/**
 * Logarithmic where positive values span decades, with room at both ends as a share of the span (default 0.08);
 * else linear. `zero` lets a linear axis begin at zero.
 */
export function positiveAxis(values: number[], options: { zero?: boolean; room?: number } = {}): Axis {
  const finite = values.filter(plottable);
  if (finite.length === 0) return linearAxis(0, 1, { below: 0, above: 0 });
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  if (low > 0 && high / low >= decades) return logAxis(low, high, options.room ?? 0.08);
  if (options.zero && low >= 0) return linearAxis(0, high || 1, { below: 0, above: 0.15, count: 4 });
  const axis = linearAxis(low, high, { count: 4 });
  // Room for values that cannot be is no use.
  if (low >= 0) axis.domain[0] = Math.max(0, axis.domain[0]);
  axis.ticks = axis.ticks.filter((tick) => tick >= axis.domain[0]);
  return axis;
}

function logAxis(low: number, high: number, share: number): Axis {
  const room = (high / low) ** share;
  const domain: [number, number] = [low / room, high * room];
  const [from, to] = [Math.ceil(Math.log10(domain[0])), Math.floor(Math.log10(domain[1]))];
  const every = Math.max(1, Math.ceil((to - from + 1) / 6));
  const powers: number[] = [];
  for (let power = from; power <= to; power += every) powers.push(Number(`1e${power}`));
  const plain = low >= 1e-3 && high <= 1e5;
  return { type: "log", domain, ticks: powers, format: plain ? formatCompact : powerOfTen };
}

function powerOfTen(value: number): string {
  const digits = [...String(Math.round(Math.log10(value)))];
  return `10${digits.map((d) => (d === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(d)])).join("")}`;
}

/** A logarithmic axis for sizes, with a tick at every size. */
export function sizeAxis(sizes: number[]): Axis {
  const ticks = [...new Set(sizes.filter((size) => size > 0))].sort((a, b) => a - b);
  const [low, high] = [ticks[0] ?? 1, ticks.at(-1) ?? 1];
  const room = Math.max(1.15, (high / low) ** 0.15);
  return { type: "log", domain: [low / room, high * room], ticks, format: formatCompact };
}

/**
 * The range of scores that an axis should show. Far-off ones, as of the first epochs of a run, are left outside:
 * those that are worse than the worst quarter's mark by more than half the distance from there to the best. Fewer
 * than eight scores are all shown, and those in `always` in any case.
 */
export function interestingRange(
  scores: number[],
  always: number[],
  maximize: boolean,
): [low: number, high: number] {
  const fromBest = scores.filter(plottable).sort((a, b) => (maximize ? b - a : a - b));
  if (fromBest.length === 0) return [0, 1];
  const best = fromBest[0]!;
  const quarter = fromBest[Math.floor((fromBest.length - 1) * 0.75)]!;
  const limit = quarter + (quarter - best) / 2;
  const zoom = fromBest.length >= 8 && quarter !== best;
  const near = zoom ? fromBest.filter((s) => (maximize ? s >= limit : s <= limit)) : fromBest;
  const shown = [...near, ...always.filter(plottable)];
  return [Math.min(...shown), Math.max(...shown)];
}

/** Whether a value can be put on an axis: finite, and with room for the sums that make a domain. */
export function plottable(value: number): boolean {
  return Number.isFinite(value) && Math.abs(value) < 1e300;
}
