// The panel of what dendrites learn by, where they learn apart from the network.

import * as Plot from "@observablehq/plot";
import { epochAxis, linearAxis, plottable } from "./axes.ts";
import { formatNumber } from "./format.ts";
import { type EpochRecord, keptEpochs, type RunHistory } from "./history.ts";
import { moduleColor } from "./look.ts";
import {
  cutEndLabels,
  draw,
  endLabels,
  epochRange,
  type Panel,
  type PanelFrame,
  plotArea,
} from "./plotting.ts";

/** Whether there is anything to show. */
export function hasDendriteScores(history: RunHistory): boolean {
  return history.epochs.some((e) => e.dendriteScores && Object.keys(e.dendriteScores).length > 0);
}

/** Dendrite scores by epoch, a line for each module, of the kept branch. */
export function dendritePanel(history: RunHistory, frame: PanelFrame): Panel {
  const kept = keptEpochs(history);
  const modules = [...new Set(history.epochs.flatMap((e) => Object.keys(e.dendriteScores ?? {})))];
  const lines = modules.map((module, i) => ({
    module,
    color: moduleColor(i, modules.length),
    points: kept.flatMap((e) => scorePoints(e, module)),
  }));
  const values = lines.flatMap((l) => l.points.map((p) => p.y)).filter(plottable);
  const [low, high] = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const x = epochAxis(...epochRange(history), 8);
  const y = linearAxis(Math.min(0, low), high, { below: low < 0 ? 0.06 : 0, above: 0.12, count: 4 });
  const ends = lines.flatMap(({ module, color, points }) => {
    const last = points.findLast((p) => plottable(p.y));
    return last ? [{ text: module, x: last.x, y: last.y, color }] : [];
  });
  const { labels, right } = cutEndLabels(ends, Math.min(140, frame.width / 3));
  const margins = { top: 10, right };
  const svg = draw(frame, x, y, margins, [
    ...lines.flatMap(({ module, color, points }) => [
      Plot.line(points, { x: "x", y: "y", z: "cycle", stroke: color, strokeWidth: 1.5 }),
      Plot.dot(
        points.filter((p) => plottable(p.y)),
        {
          x: "x",
          y: "y",
          r: 2,
          fill: color,
          title: (p: ScorePoint) => `epoch ${p.x}, ${module}: ${formatNumber(p.y)}`,
        },
      ),
    ]),
    ...endLabels(labels, x, plotArea(frame, x, y, margins)),
  ]);
  return { svg, title: "Dendrite scores by epoch", note: "" };
}

interface ScorePoint {
  x: number;
  y: number;
  /** Lines aren't drawn from one cycle's dendrites to the next one's. */
  cycle: number;
}

function scorePoints({ branchEpoch, cycle, dendriteScores }: EpochRecord, module: string): ScorePoint[] {
  const y = dendriteScores?.[module];
  return y === undefined ? [] : [{ x: branchEpoch, y: plottable(y) ? y : Number.NaN, cycle }];
}
