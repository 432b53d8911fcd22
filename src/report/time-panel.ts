// The panel of times: how long epochs took, training and validation apart.

import { epochAxis, linearAxis, plottable } from "./axes.ts";
import { abandonedBranches, keptBranches } from "./branches.ts";
import { formatDuration } from "./format.ts";
import { type EpochRecord, keptEpochs, type RunHistory } from "./history.ts";
import { colors } from "./look.ts";
import {
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
} from "./plotting.ts";

/** The unit that times are shown in, by the longest of them. */
const units: [from: number, name: string, seconds: number][] = [
  [4 * 3600, "Hours", 3600],
  [300, "Minutes", 60],
  [0.1, "Seconds", 1],
  [0, "Milliseconds", 0.001],
];

/** Times of training and of validation by epoch, from zero. */
export function timePanel(history: RunHistory, frame: PanelFrame): Panel {
  const times = history.epochs.flatMap((e) => [e.trainSeconds, e.validationSeconds]);
  const longest = Math.max(0, ...times.filter((t) => plottable(t) && t >= 0));
  const [, name, unit] = units.find(([from]) => longest >= from)!;
  const train = (e: EpochRecord) => e.trainSeconds / unit;
  const validation = (e: EpochRecord) => e.validationSeconds / unit;
  const text = (what: string) => (value: number) => `${formatDuration(value * unit)} ${what}`;
  const kept = keptBranches(history);
  const abandoned = points(abandonedBranches(history), train, text("training"));
  const trained = points(kept, train, text("training"));
  const validated = points(kept, validation, text("validation"));
  const x = epochAxis(...epochRange(history), 5);
  const y = linearAxis(0, longest / unit || 1, { below: 0, above: 0.15, count: 4 });
  const { labels, right } = cutEndLabels(lineLabels(history, train, validation), frame.width / 3);
  const margins = { top: 10, right };
  const svg = draw(frame, x, y, margins, [
    line(abandoned, { width: 1.25 }),
    line(validated, { width: 1.25, dash: "5 3", opacity: 0.85 }),
    dots(validated, 2, y.domain, 0),
    line(trained, { width: 1.75 }),
    dots(trained, 2, y.domain, 0),
    ...endLabels(labels, x, plotArea(frame, x, y, margins)),
  ]);
  return { svg, title: `${name} per epoch`, note: "" };
}

function lineLabels(
  history: RunHistory,
  train: (e: EpochRecord) => number,
  validation: (e: EpochRecord) => number,
): EndLabel[] {
  const last = keptEpochs(history).at(-1);
  if (!last) return [];
  const labels = [
    { text: "training", x: last.branchEpoch, y: train(last), color: colors.muted },
    { text: "validation", x: last.branchEpoch, y: validation(last), color: colors.muted },
  ];
  return labels.filter(({ y }) => plottable(y));
}
