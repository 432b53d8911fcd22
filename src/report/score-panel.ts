// The panel of the scores: the run at a glance.

import * as Plot from "@observablehq/plot";
import { epochAxis, interestingRange, linearAxis, plottable, positiveAxis } from "./axes.ts";
import { type Addition, abandonedBranches, additions, keptBranches } from "./branches.ts";
import { scoreFormat } from "./format.ts";
import { bestEpoch, type EpochRecord, keptEpochs, type RunHistory, summarize } from "./history.ts";
import { layoutRows, type RowLabel } from "./labels.ts";
import { colors, dendriteColor } from "./look.ts";
import {
  type Area,
  dots,
  draw,
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

/** Validation and test scores by epoch, the additions, and the best epoch. */
export function scorePanel(history: RunHistory, frame: PanelFrame): Panel {
  const score = scoreFormat(history);
  const kept = keptBranches(history);
  const validation = points(kept, (e) => e.validation, score.format);
  const test = points(kept, (e) => e.test, score.format);
  const abandoned = points(abandonedBranches(history), (e) => e.validation, score.format);
  const scores = [...validation, ...test, ...abandoned].filter((p) => p.own).map((p) => p.y);
  // The best of every dendrite count is what the panel is about: it stays in view, however bad.
  const bests = summarize(history).map((row) => row.validation);
  const [low, high] = interestingRange(scores, bests, history.maximize);
  // Room for the label of the best epoch, which stands on the side of the better scores.
  const room = history.maximize ? { below: 0.06, above: 0.16 } : { below: 0.16, above: 0.06 };
  const decades = !score.percent && !history.maximize ? positiveAxis(scores, { room: 0.12 }) : undefined;
  const y =
    decades?.type === "log" ? decades : linearAxis(low, high, { ...room, percent: score.percent, count: 8 });
  const x = epochAxis(...epochRange(history), 12);
  const outside = (value: number) => value < y.domain[0] || value > y.domain[1];
  const clip = scores.some(outside);
  const added = additions(history);
  const labels = additionLabels(added, plotArea(frame, x, y, 0));
  const marginTop = 10 + labels.rows * labelHeight;
  const area = plotArea(frame, x, y, marginTop);
  const svg = draw(frame, x, y, marginTop, [
    ...added.map((addition, i) => additionRule(addition, labels.labels[i])),
    ...labels.labels.map((label, i) => additionLabel(added[i]!, label, y.domain[1])),
    line(abandoned, { width: 1.5, clip }),
    dots(abandoned, 1.5, y.domain),
    line(test, { width: 1.25, dash: "5 3", opacity: 0.85, clip }),
    dots(test, 2, y.domain, 0),
    line(validation, { width: validation.length > 120 ? 1.5 : 2.25, clip }),
    dots(validation, 2.5, y.domain),
    ...bestMarks(history, score.format, area),
  ]);
  const note =
    y.type === "log"
      ? "log scale"
      : outsideNote(keptEpochs(history).filter((e) => outside(e.validation)).length, history);
  return { svg, note };
}

function outsideNote(count: number, { maximize }: RunHistory): string {
  if (count === 0) return "";
  return `${count} ${count === 1 ? "epoch lies" : "epochs lie"} ${maximize ? "below" : "above"} the axis`;
}

function bestMarks(history: RunHistory, format: (score: number) => string, area: Area): Plot.Markish[] {
  const best = bestEpoch(history);
  if (!best || !plottable(best.validation)) return [];
  const at = { x: (e: EpochRecord) => e.branchEpoch, y: (e: EpochRecord) => e.validation };
  const share = area.left(best.branchEpoch) / area.width;
  const color = dendriteColor(best.dendrites);
  return [
    Plot.dot([best], { ...at, r: 6, fill: colors.paper, stroke: color, strokeWidth: 2.5 }),
    Plot.text([best], {
      ...at,
      text: (e: EpochRecord) => `${format(e.validation)} at epoch ${e.branchEpoch}`,
      dy: history.maximize ? -17 : 17,
      dx: share > 0.9 ? 8 : share < 0.1 ? -7 : 0,
      textAnchor: share > 0.9 ? "end" : share < 0.1 ? "start" : "middle",
      fontSize: 12.5,
      fontWeight: 600,
      fill: color,
      stroke: colors.paper,
      strokeWidth: 5,
    }),
  ];
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
