// A picture of an experiment: a row an arm, each seed a dot, the mean and its interval.

import type { Experiment, Results } from "./experiment.ts";
import { interval } from "./statistics.ts";

const WIDTH = 760;
const LEFT = 190;
const RIGHT = 120;
const ROW = 34;
const TOP = 50;
/** Slate for what has no dendrites, blue for what has. */
const COLORS = { plain: "#465365", grown: "#0072b2" };

/** The picture as SVG. */
export function chart(experiment: Experiment, { arms, scale }: Results): string {
  const factor = experiment.percent ? 100 : 1;
  const rows = arms.map(({ name, outcomes }) => {
    const tests = outcomes.map(({ test }) => test * factor);
    const parameters = Math.round(interval(outcomes.map((outcome) => outcome.parameters)).mean);
    return {
      name,
      tests,
      parameters,
      grown: outcomes.some(({ dendrites }) => dendrites > 0),
      ...interval(tests),
    };
  });
  const ends = rows.flatMap(({ tests, mean, margin }) => [
    ...tests,
    mean - (margin || 0),
    mean + (margin || 0),
  ]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  const x = (v: number) =>
    (LEFT + ((v - low + room) / (high - low + 2 * room)) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const height = TOP + ROW * rows.length + 34;
  const bottom = height - 30;
  const digits = experiment.percent ? 2 : 4;
  const ticks = ticksOf(low, high).map(
    (v) =>
      `<line x1="${x(v)}" x2="${x(v)}" y1="${TOP - 8}" y2="${bottom}" stroke="#edf0f3"/>` +
      `<text x="${x(v)}" y="${bottom + 16}" text-anchor="middle" fill="#5b6775">${Number(v.toFixed(6))}</text>`,
  );
  const drawn = rows.map(({ name, tests, parameters, mean, margin, grown }, i) => {
    const y = TOP + ROW * i + ROW / 2;
    const color = grown ? COLORS.grown : COLORS.plain;
    const bar = Number.isNaN(margin)
      ? ""
      : `<line x1="${x(mean - margin)}" x2="${x(mean + margin)}" y1="${y}" y2="${y}" stroke="${color}" stroke-width="2"/>`;
    const dots = tests.map(
      (v) => `<circle cx="${x(v)}" cy="${y}" r="3" fill="${color}" fill-opacity="0.35"/>`,
    );
    return [
      `<text x="${LEFT - 12}" y="${y - 2}" text-anchor="end" fill="#1b2430">${escapeXml(name)}</text>`,
      `<text x="${LEFT - 12}" y="${y + 11}" text-anchor="end" fill="#5b6775" font-size="10">${parameters} parameters</text>`,
      bar,
      ...dots,
      `<circle cx="${x(mean)}" cy="${y}" r="5" fill="${color}"><title>${escapeXml(name)}: ${mean.toFixed(digits)}</title></circle>`,
      `<text x="${WIDTH - RIGHT + 12}" y="${y + 4}" fill="#1b2430">${mean.toFixed(digits)}</text>`,
    ].join("");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${escapeXml(experiment.title)}">`,
    `<title>${escapeXml(experiment.title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff" stroke="#dfe4ea"/>`,
    `<text x="16" y="26" font-size="14" font-weight="600" fill="#1b2430">${escapeXml(experiment.title)}</text>`,
    `<text x="${WIDTH - 16}" y="26" text-anchor="end" fill="#5b6775">${escapeXml(experiment.score)}, scale ${scale}</text>`,
    ...ticks,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

/** About five round numbers from `low` to `high`. */
function ticksOf(low: number, high: number): number[] {
  const rough = (high - low || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((times) => times * power >= rough)! * power;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
