// The small panels: training loss, learning rate, time, and accuracy per parameter.

import * as Plot from "@observablehq/plot";
import { epochAxis, linearAxis, plottable, positiveAxis, sizeAxis } from "./axes.ts";
import { abandonedBranches, keptBranches } from "./branches.ts";
import { dendriteCount, formatCompact, formatNumber, scoreFormat } from "./format.ts";
import { type RunHistory, type SummaryRow, summarize } from "./history.ts";
import { dotLabelOffset, layoutDotLabels } from "./labels.ts";
import { colors, dendriteColor } from "./look.ts";
import {
  dots,
  draw,
  epochRange,
  line,
  type Margins,
  type Panel,
  type PanelFrame,
  plotArea,
  points,
  tickSize,
} from "./plotting.ts";

const margins: Margins = { top: 10 };

/** A value by epoch, logarithmic where it spans decades. */
export function valuePanel(
  history: RunHistory,
  frame: PanelFrame,
  field: "trainLoss" | "learningRate",
): Panel {
  const rate = field === "learningRate";
  const kept = points(keptBranches(history), (e) => e[field], formatNumber);
  const abandoned = points(abandonedBranches(history), (e) => e[field], formatNumber);
  const y = positiveAxis(
    [...kept, ...abandoned].map((p) => p.y),
    { zero: rate },
  );
  // One rate holds for the whole of an epoch: steps say so.
  const curve = rate ? "step" : "linear";
  const svg = draw(frame, epochAxis(...epochRange(history), 5), y, margins, [
    line(abandoned, { width: 1.25, curve }),
    line(kept, { width: 1.75, curve }),
    dots(kept, 2, y.domain, rate ? 0 : 40),
  ]);
  const title = rate ? "Learning rate by epoch" : "Training loss by epoch";
  return { svg, title, note: y.type === "log" ? "log scale" : "" };
}

/** Best score against parameters (logarithmic), one dot per dendrite count: filled where it was kept. */
export function parametersPanel(history: RunHistory, frame: PanelFrame): Panel {
  const score = scoreFormat(history);
  const rows = summarize(history).filter((row) => plottable(row.validation) && row.parameters > 0);
  const scores = rows.length > 0 ? rows.map((row) => row.validation) : [0, 1];
  const y = linearAxis(Math.min(...scores), Math.max(...scores), {
    below: 0.15,
    above: 0.25,
    percent: score.percent,
  });
  const x = sizeAxis(rows.map((row) => row.parameters));
  const area = plotArea(frame, x, y, margins);
  x.ticks = apartTicks(x.ticks, area.left, 34);
  const labels = rows
    .toSorted((a, b) => rank(a) - rank(b))
    .map((row) => ({
      row,
      text: score.format(row.validation),
      left: area.left(row.parameters),
      top: area.top(row.validation),
    }));
  const sides = layoutDotLabels(labels, tickSize, area);
  const at = { x: (row: SummaryRow) => row.parameters, y: (row: SummaryRow) => row.validation };
  const svg = draw(frame, x, y, margins, [
    Plot.line(
      rows.filter((row) => row.kept),
      { ...at, stroke: colors.axis, strokeWidth: 1.5 },
    ),
    Plot.dot(rows, {
      ...at,
      r: (row: SummaryRow) => (row.best ? 5.5 : 4),
      fill: (row: SummaryRow) => (row.kept ? dendriteColor(row.dendrites) : colors.paper),
      stroke: (row: SummaryRow) => dendriteColor(row.dendrites),
      strokeWidth: 2,
      title: (row: SummaryRow) =>
        `${dendriteCount(row.dendrites)}, ${formatCompact(row.parameters)} parameters: ${score.format(row.validation)}`,
    }),
    ...labels.map(({ row, text }, i) =>
      Plot.text(sides[i] ? [row] : [], {
        ...at,
        text: () => text,
        dy: sides[i] === "above" ? -dotLabelOffset : dotLabelOffset,
        fontSize: tickSize,
        fontWeight: row.best ? 600 : 400,
        fill: dendriteColor(row.dendrites),
        stroke: colors.paper,
        strokeWidth: 4,
      }),
    ),
  ]);
  return {
    svg,
    title: `Best ${history.metric} by parameters`,
    note: x.ticks.length > 1 ? "log scale" : "",
  };
}

/** Which labels matter most where there is no room for all: the best, the network without dendrites, kept ones. */
const rank = (row: SummaryRow) => (row.best ? 0 : row.dendrites === 0 ? 1 : row.kept ? 2 : 3);

/** The ticks that stand at least `gap` pixels from the one before. */
function apartTicks(ticks: number[], left: (value: number) => number, gap: number): number[] {
  const kept: number[] = [];
  for (const tick of ticks) {
    const before = kept.at(-1);
    if (before === undefined || left(tick) - left(before) >= gap) kept.push(tick);
  }
  return kept;
}
