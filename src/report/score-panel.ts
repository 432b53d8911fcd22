// The panel of the scores: the run at a glance.

import * as Plot from "@observablehq/plot";
import { type Axis, epochAxis, interestingRange, linearAxis, plottable, positiveAxis } from "./axes.ts";
import { type Addition, abandonedBranches, additions, keptBranches } from "./branches.ts";
import { chooseExtraScores, type ExtraScore, type ExtraScores } from "./extra-scores.ts";
import { scoreFormat } from "./format.ts";
import { bestEpoch, type EpochRecord, keptEpochs, type RunHistory, summarize } from "./history.ts";
import { layoutRows, type RowLabel } from "./labels.ts";
import { colors, dendriteColor, textWidth } from "./look.ts";
import {
  type Area,
  cutEndLabels,
  dots,
  draw,
  type EndLabel,
  endLabels,
  epochRange,
  line,
  type Panel,
  type PanelFrame,
  plotArea,
  points,
  tickSize,
} from "./plotting.ts";

const labelHeight = 15;
const mostRows = 3;
const bestSize = 12.5;

/** Validation, test and extra scores by epoch, the additions, and the best epoch. */
export function scorePanel(history: RunHistory, frame: PanelFrame): Panel {
  const score = scoreFormat(history);
  const kept = keptBranches(history);
  const validation = points(kept, (e) => e.validation, score.format);
  const test = points(kept, (e) => e.test, score.format);
  const abandoned = points(abandonedBranches(history), (e) => e.validation, score.format);
  const scores = [...validation, ...test, ...abandoned].filter((p) => p.own).map((p) => p.y);
  const { y, extra } = scoreAxis(history, scores, score.percent);
  const x = epochAxis(...epochRange(history), frame.width < 600 ? 6 : 12);
  const outside = (value: number) => value < y.domain[0] || value > y.domain[1];
  const clip = [...scores, ...extra.shown.flatMap((e) => e.points.map((p) => p.value))].some(outside);
  const added = additions(history);
  const { labels: ends, right } = cutEndLabels(extraLabels(extra, y), Math.min(150, frame.width / 4));
  const labels = additionLabels(added, plotArea(frame, x, y, { top: 0, right }));
  const margins = { top: 10 + labels.rows * labelHeight, right };
  const area = plotArea(frame, x, y, margins);
  const svg = draw(frame, x, y, margins, [
    ...added.map((addition, i) => additionRule(addition, labels.labels[i])),
    ...labels.labels.map((label, i) => additionLabel(added[i]!, label, y.domain[1])),
    line(abandoned, { width: 1.5, clip }),
    dots(abandoned, 1.5, y.domain),
    ...extra.shown.map(({ points }) => extraLine(points, clip)),
    line(test, { width: 1.25, dash: "5 3", opacity: 0.85, clip }),
    dots(test, 2, y.domain, 0),
    line(validation, { width: validation.length > 120 ? 1.5 : 2.25, clip }),
    dots(validation, 2.5, y.domain),
    ...endLabels(ends, x, area),
    ...bestMarks(history, score.format, area, extra.shown),
  ]);
  const beyond = keptEpochs(history).filter((e) => outside(e.validation)).length;
  const notes = [
    y.type === "log" ? "log scale" : outsideNote(beyond, history),
    extra.others.length > 0 ? `on other scales, not shown: ${extra.others.join(", ")}` : "",
  ];
  return {
    svg,
    title: `Validation ${history.metric} by epoch`,
    note: notes.filter((note) => note !== "").join("; "),
  };
}

/** The axis that shows what matters of `scores`, and the extra scores that it has room for. */
function scoreAxis(history: RunHistory, scores: number[], percent: boolean): { y: Axis; extra: ExtraScores } {
  const { maximize } = history;
  const logarithmic = () => {
    const finite = scores.filter(plottable);
    const range: [number, number] = [Math.min(...finite), Math.max(...finite)];
    const extra = chooseExtraScores(history, range, { percent, log: true });
    return { y: positiveAxis([...scores, ...extra.range], { room: 0.12 }), extra };
  };
  if (!percent && !maximize && positiveAxis(scores).type === "log") return logarithmic();
  // The best of every dendrite count is what the panel is about: it stays in view, however bad.
  const bests = summarize(history).map((row) => row.validation);
  const range = interestingRange(scores, bests, maximize);
  const extra = chooseExtraScores(history, range, { percent, log: false });
  // Room for the label of the best epoch, which stands on the side of the better scores.
  const room = maximize ? { below: 0.06, above: 0.16 } : { below: 0.16, above: 0.06 };
  return { y: linearAxis(...extra.range, { ...room, percent, count: 8 }), extra };
}

function extraLine(points: ExtraScore["points"], clip: boolean): Plot.Markish {
  return Plot.line(points, {
    x: (p: ExtraScore["points"][number]) => p.epoch.branchEpoch,
    y: (p: ExtraScore["points"][number]) => (plottable(p.value) ? p.value : Number.NaN),
    stroke: colors.extra,
    strokeWidth: 1.25,
    clip,
  });
}

/** Names beside the ends of the lines, for lines that end in view. */
function extraLabels({ shown }: ExtraScores, { domain: [low, high] }: Axis): EndLabel[] {
  return shown.flatMap(({ name, points }) => {
    const last = points.findLast((p) => plottable(p.value));
    if (!last) return [];
    const y = Math.min(high, Math.max(low, last.value));
    return [{ text: name, x: last.epoch.branchEpoch, y, color: colors.muted }];
  });
}

function outsideNote(count: number, { maximize }: RunHistory): string {
  if (count === 0) return "";
  return `${count} ${count === 1 ? "epoch lies" : "epochs lie"} ${maximize ? "below" : "above"} the axis`;
}

function bestMarks(
  history: RunHistory,
  format: (score: number) => string,
  area: Area,
  extra: ExtraScore[],
): Plot.Markish[] {
  const best = bestEpoch(history);
  if (!best || !plottable(best.validation)) return [];
  const at = { x: (e: EpochRecord) => e.branchEpoch, y: (e: EpochRecord) => e.validation };
  const text = `${format(best.validation)} at epoch ${best.branchEpoch}`;
  const half = textWidth(text, bestSize, "bold") / 2;
  const left = area.left(best.branchEpoch);
  const [anchor, dx] =
    left + half > area.width + 8
      ? (["end", 8] as const)
      : left < half
        ? (["start", -7] as const)
        : (["middle", 0] as const);
  const color = dendriteColor(best.dendrites);
  return [
    Plot.dot([best], { ...at, r: 6, fill: colors.paper, stroke: color, strokeWidth: 2.5 }),
    Plot.text([best], {
      ...at,
      text: () => text,
      dy: bestRise(history, best, half, area, extra),
      dx,
      textAnchor: anchor,
      fontSize: bestSize,
      fontWeight: 600,
      fill: color,
      stroke: colors.paper,
      strokeWidth: 5,
    }),
  ];
}

/** How far from its dot the best epoch's label stands: near, or past the extra scores that it would hide. */
function bestRise(
  { maximize }: RunHistory,
  best: EpochRecord,
  half: number,
  area: Area,
  extra: ExtraScore[],
): number {
  const [left, top] = [area.left(best.branchEpoch), area.top(best.validation)];
  const near = extra
    .flatMap(({ points }) => points)
    .filter(
      ({ epoch, value }) => plottable(value) && Math.abs(area.left(epoch.branchEpoch) - left) <= half * 2,
    )
    .map(({ value }) => area.top(value));
  const sign = maximize ? -1 : 1;
  const free = [17, 29, 41, 53].find((rise) => {
    const middle = top + sign * rise;
    const inside = middle > 4 && middle < area.height - 8;
    return inside && near.every((y) => Math.abs(y - middle) > 11);
  });
  return sign * (free ?? 17);
}

/** Labels in few rows: whole ones if they fit, else short ones, else none (the lines still say where). */
function additionLabels(added: Addition[], area: Area) {
  const attempt = (text: (a: Addition) => string) => {
    const items = added.map((a) => ({ text: text(a), place: area.left(a.branchEpoch) }));
    return layoutRows(items, tickSize, area.width, mostRows);
  };
  return attempt(additionText) ?? attempt(() => "+1") ?? { labels: [], rows: 0 };
}

function additionText({ tries, kept }: Addition): string {
  if (kept) return tries === 1 ? "+1 dendrite" : `+1 dendrite, kept at try ${tries}`;
  return tries === 1 ? "+1 dendrite, not kept" : `+1 dendrite, ${tries} tries, not kept`;
}

const additionColor = (a: Addition) => (a.kept ? dendriteColor(a.dendrites) : colors.muted);
const labelRise = (label: RowLabel) => label.row * labelHeight;

function additionRule(addition: Addition, label: RowLabel | undefined): Plot.Markish {
  return Plot.ruleX([addition], {
    x: (a: Addition) => a.branchEpoch,
    stroke: additionColor(addition),
    strokeOpacity: 0.7,
    strokeDasharray: addition.kept ? "none" : "2 3",
    insetTop: label ? -4 - labelRise(label) : 0,
    title: (a: Addition) => a.reason,
  });
}

function additionLabel(addition: Addition, label: RowLabel, top: number): Plot.Markish {
  return Plot.text([addition], {
    x: (a: Addition) => a.branchEpoch,
    y: () => top,
    text: () => label.text,
    dy: -8 - labelRise(label),
    lineAnchor: "bottom",
    textAnchor: label.anchor,
    fontSize: tickSize,
    fill: additionColor(addition),
    // The line of a neighbour on its way to a higher row passes behind.
    stroke: colors.paper,
    strokeWidth: 4,
  });
}
