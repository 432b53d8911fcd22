// Progress of something long: one redrawn line on a terminal, a plain line now and then elsewhere.

import { formatCount, formatDuration, formatNumber } from "./format.ts";
import { SafeOutput, type WritableLike } from "./output.ts";
import {
  displayWidth,
  type Environment,
  isInteractive,
  oneLine,
  type Styles,
  styles,
  type TerminalLike,
  truncate,
  wantsColor,
} from "./terminal.ts";

/** What stands behind the bar, e.g. `{ loss: 0.31 }`; numbers are written with four digits. */
export type ProgressValues = Record<string, number | string | undefined>;

/** All of them have defaults. */
export interface ProgressOptions {
  /** Where the lines go. Default `process.stderr`. */
  stream?: WritableLike & TerminalLike;
  /** Redraw one line. Default: the stream is a terminal, and neither `CI`, `NO_COLOR` nor `TERM=dumb` is set. */
  interactive?: boolean;
  /** Write colours. Default: as `FORCE_COLOR` and `NO_COLOR` say, else when the stream is a terminal. */
  color?: boolean;
  /** The environment that the defaults are read from. Default `process.env`. */
  env?: Environment;
  /** Milliseconds on a clock that never goes back. Default `performance.now`. */
  now?: () => number;
}

/** Shows how far a run is. No method throws, whatever becomes of the stream. */
export interface Progress {
  /** Begins a phase of `total` steps; 0 or less where the number isn't known. Ends the phase before silently. */
  start(label: string, total: number): void;
  /** `done` steps of the phase are done. Cheap: draws at most 10 times a second (a plain line every 10 s). */
  update(done: number, values?: ProgressValues): void;
  /** Ends the phase and leaves one line: `summaryLine`, or the label with count, time and last values. */
  finish(summaryLine?: string): void;
  /** Writes a line above the bar. */
  log(line: string): void;
  /** Removes the bar and gives the cursor back. Whatever is called afterwards writes nothing. */
  close(): void;
}

interface Phase {
  label: string;
  total: number;
  done: number;
  values: ProgressValues;
  startedAt: number;
  updatedAt: number;
  drawnAt: number;
  /** Steps and milliseconds, both fading with age: their quotient is the rate of late. */
  recentSteps: number;
  recentTime: number;
}

const redrawEvery = 100;
const plainLineEvery = 10_000;
/** Milliseconds after which a step weighs 1/e in the rate: slow first steps are soon forgotten. */
const rateMemory = 5_000;

/** A progress display; see `Progress`. Draws only when it is called: there is no timer to keep a process alive. */
export function createProgress(options: ProgressOptions = {}): Progress {
  const env = options.env ?? process.env;
  const stream = options.stream ?? process.stderr;
  const interactive = options.interactive ?? isInteractive(stream, env);
  const style = styles(options.color ?? wantsColor(stream, env));
  const now = options.now ?? (() => performance.now());
  const output = new SafeOutput(stream);
  let phase: Phase | undefined;
  let closed = false;

  const draw = (current: Phase) => {
    current.drawnAt = now();
    // One column less than there are: a full line makes some terminals wrap.
    const width = Math.max(1, (stream.columns || 80) - 1);
    if (interactive) output.redraw(barLine(current, width, style));
    else output.line(statusParts(current).join("  "));
  };

  return {
    start(label, total) {
      if (closed) return;
      const time = now();
      phase = {
        label: oneLine(label),
        total: total > 0 && Number.isFinite(total) ? total : 0,
        done: 0,
        values: {},
        startedAt: time,
        updatedAt: time,
        drawnAt: time,
        recentSteps: 0,
        recentTime: 0,
      };
      if (interactive) draw(phase);
    },
    update(done, values) {
      if (closed || !phase) return;
      const time = now();
      const elapsed = Math.max(0, time - phase.updatedAt);
      const fade = Math.exp(-elapsed / rateMemory);
      phase.recentSteps = phase.recentSteps * fade + Math.max(0, done - phase.done);
      phase.recentTime = phase.recentTime * fade + elapsed;
      phase.updatedAt = time;
      phase.done = done;
      if (values) phase.values = values;
      if (time - phase.drawnAt >= (interactive ? redrawEvery : plainLineEvery)) draw(phase);
    },
    finish(summaryLine) {
      if (closed) return;
      const line = summaryLine === undefined ? phase && finishLine(phase, now(), style) : summaryLine;
      phase = undefined;
      output.clear();
      if (line !== undefined) output.line(line);
      output.restoreCursor();
    },
    log(line) {
      if (closed) return;
      output.clear();
      output.line(line);
      if (phase && interactive) draw(phase);
    },
    close() {
      if (closed) return;
      closed = true;
      phase = undefined;
      output.close();
    },
  };
}

function valueParts(values: ProgressValues): string[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => oneLine(`${name} ${typeof value === "number" ? formatNumber(value) : value}`));
}

function counts(phase: Phase): string {
  return phase.total > 0 ? `${formatCount(phase.done)}/${formatCount(phase.total)}` : formatCount(phase.done);
}

/** Rate and time left, as soon as a step was timed. */
function pace(phase: Phase): string[] {
  const rate = phase.recentTime > 0 ? (phase.recentSteps / phase.recentTime) * 1000 : 0;
  if (!(rate > 0)) return [];
  const speed = rate >= 0.95 ? `${shortRate(rate)} it/s` : `${shortRate(1 / rate)} s/it`;
  const left = phase.total - phase.done;
  return left > 0 ? [speed, `ETA ${clock(left / rate)}`] : [speed];
}

const shortRate = (rate: number) => (rate >= 100 ? formatCount(rate) : rate.toFixed(1));

/** "0:07", "12:30", "1:05:09": fixed in width, which a redrawn line needs. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  if (!Number.isFinite(whole) || whole >= 360_000) return "–";
  const two = (n: number) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

function percent(phase: Phase): string {
  return `${Math.floor(Math.min(1, Math.max(0, phase.done / phase.total)) * 100)}%`;
}

function statusParts(phase: Phase): string[] {
  const share = phase.total > 0 ? [percent(phase)] : [];
  return [phase.label, ...share, counts(phase), ...pace(phase), ...valueParts(phase.values)];
}

function finishLine(phase: Phase, time: number, style: Styles): string {
  const took = formatDuration((time - phase.startedAt) / 1000);
  return [style.bold(phase.label), counts(phase), style.dim(took), ...valueParts(phase.values)].join("  ");
}

/**
 * The bar in at most `width` columns. When they are few, first the bar shrinks, then the parts to the right go,
 * the last ones first, then the bar, and at last the label is cut.
 */
function barLine(phase: Phase, width: number, style: Styles): string {
  const share = phase.total > 0 ? percent(phase).padStart(4) : "";
  const count = counts(phase).padStart(phase.total > 0 ? counts({ ...phase, done: phase.total }).length : 0);
  const speed = pace(phase);
  if (speed.length === 0 && share) speed.push("– it/s", "ETA –");
  const parts = [count, ...speed.map((part) => part.padEnd(9)), ...valueParts(phase.values)];
  const space = (kept: string[]) =>
    width - displayWidth([phase.label, share, ...kept].filter((part) => part !== "").join("  "));
  while (parts.length > 0 && space(parts) < (share ? shortestBar + 2 : 0)) parts.pop();
  // In steps, and beside padded numbers, so that it doesn't change its length from one redraw to the next.
  const length = Math.min(longestBar, Math.floor((space(parts) - 2) / shortestBar) * shortestBar);
  const bar = share && length > 0 ? drawBar(phase.done / phase.total, length, style) : "";
  const room = width - (share ? displayWidth(share) + 2 : 0);
  if (room < shortestBar) return truncate(phase.label, width);
  const label = style.bold(truncate(phase.label, room));
  return [label, bar, share, ...parts.map((part, i) => (i === 0 ? part : style.dim(part)))]
    .filter((part) => part !== "")
    .join("  ");
}

const shortestBar = 8;
const longestBar = 24;

/** Thick where it is done, thin where it isn't, in half steps: it reads without colours too. */
function drawBar(share: number, length: number, style: Styles): string {
  const halves = Math.round(Math.min(1, Math.max(0, share)) * length * 2);
  const done = "━".repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? "╸" : "");
  return style.cyan(done) + style.dim("─".repeat(length - Math.ceil(halves / 2)));
}

/** What a function calls as it goes on, `(done, total)`, shown as a phase of `progress`. */
export function countingProgress(progress: Progress | null, label: string) {
  let begun = false;
  return (done: number, total: number): void => {
    if (!begun) progress?.start(label, total);
    begun = true;
    progress?.update(done);
  };
}
