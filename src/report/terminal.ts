// What a terminal can show, from its stream and the environment. No escape sequence is written elsewhere.

/** The part of `process.env` that is read. */
export type Environment = Record<string, string | undefined>;

/** The part of a writable stream that decides what may be written to it. */
export interface TerminalLike {
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

const set = (value: string | undefined) => value !== undefined && value !== "";
const on = (value: string | undefined) => set(value) && value !== "0" && value !== "false";

/**
 * Whether to write colours: `FORCE_COLOR` decides when it is set ("0" and "false" mean no), then `NO_COLOR`
 * (any value that isn't empty means no), then whether the stream is a terminal that knows escape sequences.
 */
export function wantsColor(stream: TerminalLike, env: Environment = process.env): boolean {
  if (set(env.FORCE_COLOR)) return on(env.FORCE_COLOR);
  if (set(env.NO_COLOR)) return false;
  return stream.isTTY === true && env.TERM !== "dumb";
}

/** Whether lines may be redrawn: a terminal, not `TERM=dumb`, not under `CI`, not `NO_COLOR` (unless forced). */
export function isInteractive(stream: TerminalLike, env: Environment = process.env): boolean {
  if (stream.isTTY !== true || env.TERM === "dumb" || on(env.CI)) return false;
  return !set(env.NO_COLOR) || on(env.FORCE_COLOR);
}

/** Wraps text in a style, or returns it as it is. */
export interface Styles {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
}

/** The styles, or their absence. */
export function styles(color: boolean): Styles {
  const style = (start: number, end: number) => (text: string) =>
    color && text !== "" ? `\u001b[${start}m${text}\u001b[${end}m` : text;
  return { bold: style(1, 22), dim: style(2, 22), green: style(32, 39), cyan: style(36, 39) };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const sequence = /\u001b\[[0-9;?]*[A-Za-z]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is for
const control = /[\u0000-\u001f\u007f-\u009f]+/g;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const mark = /\p{Mark}|\u200b|\u200d/u;

/** Columns that `text` takes on a terminal: no columns for escape sequences and accents, two for CJK and emoji. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text.replace(sequence, "")) {
    width += mark.test(character) ? 0 : wide.test(character) ? 2 : 1;
  }
  return width;
}

/** `text` on one line, without escape sequences and control characters: labels come from users. */
export function oneLine(text: string): string {
  return text.replace(sequence, "").replace(control, " ").trim();
}

/** `text` (without escape sequences) cut to at most `width` columns, with an ellipsis where something was cut. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = "";
  for (const character of text) {
    if (displayWidth(cut + character) > width - 1) break;
    cut += character;
  }
  return width < 1 ? "" : `${cut}…`;
}
