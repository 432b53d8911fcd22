// What the panels share: one plot with axes, and a run's branches as lines and dots.

import * as Plot from "@observablehq/plot";
import { type Axis, plottable } from "./axes.ts";
import type { Branch } from "./branches.ts";
import { dendriteCount } from "./format.ts";
import type { EpochRecord, RunHistory } from "./history.ts";
import { layoutColumn } from "./labels.ts";
import { colors, dendriteColor, shorten, textWidth } from "./look.ts";
import type { SvgDocument, SvgElement } from "./svg.ts";

/** A size in pixels, and the document that the elements are made with. */
export interface PanelFrame {
  width: number;
  height: number;
  document: SvgDocument;
}

/** A drawn panel; `note` says what the axis leaves out, if anything. */
export interface Panel {
  svg: SvgElement;
  title: string;
  note: string;
}

/** Room around a plot that isn't for its ticks, in pixels. */
export interface Margins {
  top: number;
  /** Default: room for half a tick label. */
  right?: number;
}

/** Size of the letters at ticks and marks, in pixels. */
export const tickSize = 11;

const tickGap = 12;
const narrowRight = 14;
const marginBottom = 24;
/** Pixels between the ends of the x axis and its first and last values: room for a dot. */
const inset = 7;

/** The widest tick label of an axis, in pixels. */
const widestTick = (y: Axis) => Math.max(...y.ticks.map((tick) => textWidth(y.format(tick), tickSize)), 12);

/** The area within a plot's margins, and where values stand in it, in pixels. */
export interface Area {
  width: number;
  height: number;
  /** From the left edge. */
  left(x: number): number;
  /** From the top edge. */
  top(y: number): number;
}

/** The area of a plot that `draw` would make. */
export function plotArea(frame: PanelFrame, x: Axis, y: Axis, margins: Margins): Area {
  const width = frame.width - widestTick(y) - tickGap - (margins.right ?? narrowRight);
  const height = frame.height - margins.top - marginBottom;
  const share = ({ type, domain }: Axis, value: number) => {
    const [from, to, at] = type === "log" ? [...domain, value].map(Math.log) : [...domain, value];
    return (at! - from!) / (to! - from!);
  };
  return {
    width,
    height,
    left: (v) => inset + share(x, v) * (width - 2 * inset),
    top: (v) => (1 - share(y, v)) * height,
  };
}

/** One plot: grid, axes and `marks`. */
export function draw(
  frame: PanelFrame,
  x: Axis,
  y: Axis,
  margins: Margins,
  marks: Plot.Markish[],
): SvgElement {
  const axis = { tickSize: 0, label: null, fill: colors.muted, fontSize: tickSize };
  const options: Plot.PlotOptions = {
    width: frame.width,
    height: frame.height,
    document: frame.document as never,
    marginTop: margins.top,
    marginLeft: widestTick(y) + tickGap,
    marginRight: margins.right ?? narrowRight,
    marginBottom,
    x: { type: x.type, domain: x.domain, inset },
    y: { type: y.type, domain: y.domain },
    color: { type: "identity" },
    marks: [
      Plot.gridY(y.ticks, { stroke: colors.grid, strokeOpacity: 1 }),
      Plot.axisY(y.ticks, { ...axis, tickFormat: y.format, tickPadding: 8 }),
      Plot.ruleY([y.domain[0]], { stroke: colors.axis }),
      Plot.axisX(x.ticks, { ...axis, tickFormat: x.format, tickPadding: 8 }),
      ...marks,
    ],
  };
  return Plot.plot(options) as unknown as SvgElement;
}

/** A row for Plot; `own` is false at the epoch that a branch is grafted onto. */
export interface LinePoint {
  line: number;
  x: number;
  y: number;
  color: string;
  own: boolean;
  title: string;
}

/**
 * The branches as rows for Plot. An epoch without the value is passed over; one whose value can't be drawn (it is
 * not a number) leaves a gap.
 */
export function points(
  branches: Branch[],
  value: (e: EpochRecord) => number | undefined,
  text: (v: number) => string,
): LinePoint[] {
  const point = (branch: Branch, line: number, e: EpochRecord, y: number): LinePoint => ({
    line,
    x: e.branchEpoch,
    y: plottable(y) ? y : Number.NaN,
    color: branch.abandoned ? colors.abandoned : dendriteColor(branch.dendrites),
    own: !(branch.grafted && e === branch.epochs[0]),
    title: `epoch ${e.branchEpoch}, ${dendriteCount(e.dendrites)}: ${text(y)}`,
  });
  return branches.flatMap((branch, i) =>
    branch.epochs.flatMap((e) => {
      const y = value(e);
      return y === undefined ? [] : [point(branch, i, e, y)];
    }),
  );
}

/** How a line looks; widths in pixels. */
export interface LineStyle {
  width: number;
  dash?: string;
  opacity?: number;
  curve?: "linear" | "step";
  clip?: boolean;
}

/** Lines through points, one per branch. */
export function line(
  data: LinePoint[],
  { width, dash, opacity = 1, curve = "linear", clip = false }: LineStyle,
) {
  return Plot.line(data, {
    x: "x",
    y: "y",
    z: "line",
    stroke: "color",
    strokeWidth: width,
    strokeOpacity: opacity,
    curve,
    clip,
    ...(dash === undefined ? {} : { strokeDasharray: dash }),
  });
}

/** Dots on a line: all of them while there is room, else the ones that no line leads to. */
export function dots(data: LinePoint[], radius: number, [low, high]: [number, number], most = 60) {
  const joined = (p: LinePoint, q: LinePoint | undefined) => q?.line === p.line && !Number.isNaN(q.y);
  const own = data.filter((p) => p.own).length;
  const shown = data.filter((p, i) => {
    const alone = !joined(p, data[i - 1]) && !joined(p, data[i + 1]);
    return p.own && p.y >= low && p.y <= high && (own <= most || alone);
  });
  return Plot.dot(shown, { x: "x", y: "y", r: radius, fill: "color", title: "title" });
}

/** A label to stand beside the end of a line. */
export interface EndLabel {
  text: string;
  /** Where the line ends. */
  x: number;
  y: number;
  color: string;
}

const endGap = 8;

/** The labels, cut to `most` pixels, and the right margin that they need. */
export function cutEndLabels(labels: EndLabel[], most: number): { labels: EndLabel[]; right: number } {
  const cut = labels.map((label) => ({ ...label, text: shorten(label.text, tickSize, most) }));
  const widest = Math.max(0, ...cut.map(({ text }) => textWidth(text, tickSize)));
  return { labels: cut, right: cut.length === 0 ? narrowRight : endGap + widest };
}

/** Labels at the right edge of a plot, moved apart, with dots that lead there; the first ones are served first. */
export function endLabels(labels: EndLabel[], x: Axis, area: Area): Plot.Markish[] {
  const tops = labels.map(({ y }) => area.top(y));
  const places = layoutColumn(tops, tickSize, area.height);
  return labels.flatMap(({ text, x: from, y, color }, i) => {
    const top = places[i];
    if (top === undefined) return [];
    const end = x.domain[1];
    const lead = { x1: from, x2: end, y1: y, y2: y };
    const far = area.left(end) - area.left(from) > 12;
    const dotted = { stroke: color, strokeOpacity: 0.6, strokeDasharray: "1 4" };
    return [
      ...(far ? [Plot.link([lead], { x1: "x1", x2: "x2", y1: "y1", y2: "y2", ...dotted })] : []),
      Plot.text([lead], {
        x: "x2",
        y: "y2",
        text: () => text,
        dx: endGap,
        dy: top - tops[i]!,
        textAnchor: "start",
        fontSize: tickSize,
        fill: color,
      }),
    ];
  });
}

/** The first and the last epoch to show; those of an empty run are made up. */
export function epochRange(history: RunHistory): [first: number, last: number] {
  const all = history.epochs.map((e) => e.branchEpoch);
  return all.length === 0 ? [0, 1] : [Math.min(...all), Math.max(...all)];
}
