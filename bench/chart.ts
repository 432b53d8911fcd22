// The chart of docs/performance.md: step time and memory against dendrites, batch and width.

import * as Plot from "@observablehq/plot";
import { colors, dendriteColor } from "../src/report/look.ts";
import { paper } from "../src/report/paper.ts";
import type { Canvas, SvgElement } from "../src/report/svg.ts";
import type { Scale } from "./floor.ts";

/** What was measured of a side: milliseconds, and MB at the peak. */
export interface Figures {
  readonly least: number;
  readonly median: number;
  readonly peak: number;
}

/** A point that was measured. */
export interface Point extends Scale {
  readonly ours: Figures;
  readonly peer: Figures | null;
}

const PANEL = { width: 310, height: 240 };
const EDGE = 20;
const TOP = 64;
const TITLE = 26;
const STYLES = [
  { name: "Arborize", dash: "none" },
  { name: "PyTorch", dash: "5 4" },
  { name: "floor", dash: "1 3" },
] as const;

interface Dot {
  readonly x: number;
  readonly y: number;
  readonly line: string;
  readonly color: string;
  readonly dash: string;
}

/** What a column of panels is over. */
interface Column {
  readonly title: string;
  readonly key: keyof Scale;
  readonly holds: (point: Scale) => boolean;
  readonly log: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: "dendrites", key: "dendrites", holds: (p) => p.images === 64 && p.width === 1, log: false },
  { title: "images in a batch", key: "images", holds: (p) => p.dendrites < 2 && p.width === 1, log: true },
  { title: "width", key: "width", holds: (p) => p.dendrites < 2 && p.images === 64, log: true },
];

/** The chart as an SVG. @param floor milliseconds that a step is at least said to take. */
export function performanceChart(points: readonly Point[], floor: (scale: Scale) => number): string {
  const width = 2 * EDGE + 3 * PANEL.width;
  const height = TOP + 2 * (TITLE + PANEL.height) + EDGE;
  const canvas = paper(
    width,
    height,
    "Step time and memory of the MNIST CNN against dendrites, batch and width",
  );
  legend(canvas);
  COLUMNS.forEach((column, i) => {
    const own = points.filter(column.holds).sort((a, b) => a[column.key] - b[column.key]);
    const rows = [
      { title: `ms a step, by ${column.title}`, dots: timeDots(own, column, floor) },
      { title: `MB at the peak, by ${column.title}`, dots: memoryDots(own, column) },
    ];
    rows.forEach(({ title, dots }, j) => {
      const [left, top] = [EDGE + i * PANEL.width, TOP + j * (TITLE + PANEL.height)];
      canvas.text(left + 8, top + 14, title, { "font-size": 13, "font-weight": 600 });
      if (dots.length > 0) canvas.embed(panel(canvas, dots, column), left, top + TITLE);
    });
  });
  return canvas.toString();
}

/** A line of points for each number of dendrites; one line where that is what they are over. */
function dotsOf(
  points: readonly Point[],
  { key }: Column,
  style: (typeof STYLES)[number],
  value: (point: Point) => number | undefined,
): Dot[] {
  return points.flatMap((point) => {
    const y = value(point);
    if (y === undefined) return [];
    const series = key === "dendrites" ? 0 : point.dendrites;
    const look = { color: dendriteColor(series), dash: style.dash };
    return [{ x: point[key], y, line: `${style.name} ${series}`, ...look }];
  });
}

function timeDots(points: readonly Point[], column: Column, floor: (scale: Scale) => number): Dot[] {
  return [
    ...dotsOf(points, column, STYLES[0], ({ ours }) => ours.least),
    ...dotsOf(points, column, STYLES[1], ({ peer }) => peer?.least),
    ...dotsOf(points, column, STYLES[2], floor),
  ];
}

function memoryDots(points: readonly Point[], column: Column): Dot[] {
  return [
    ...dotsOf(points, column, STYLES[0], ({ ours }) => ours.peak),
    ...dotsOf(points, column, STYLES[1], ({ peer }) => peer?.peak),
  ];
}

function panel({ document }: Canvas, dots: readonly Dot[], { log }: Column): SvgElement {
  const ticks = [...new Set(dots.map(({ x }) => x))].sort((a, b) => a - b);
  const axis = { tickSize: 0, label: null, fill: colors.muted, fontSize: 11 };
  const options: Plot.PlotOptions = {
    ...PANEL,
    document: document as never,
    marginLeft: 48,
    marginBottom: 24,
    // What is measured at doublings is as far apart as its logarithms.
    x: { type: "point", domain: ticks, padding: 0.2 },
    y: log ? { type: "log" } : { zero: true, nice: true },
    marks: [
      Plot.gridY({ stroke: colors.grid, strokeOpacity: 1, ticks: 5 }),
      Plot.axisY({ ...axis, ticks: 5, tickFormat: (value: number) => String(value) }),
      Plot.axisX(ticks, { ...axis, tickFormat: (value: number) => String(value) }),
      ...[...new Set(dots.map(({ line }) => line))].map((name) => {
        const line = dots.filter((dot) => dot.line === name);
        return Plot.line(line, { x: "x", y: "y", stroke: line[0]!.color, strokeDasharray: line[0]!.dash });
      }),
      Plot.dot(
        dots.filter(({ dash }) => dash === "none"),
        { x: "x", y: "y", r: 2.5, fill: "color" },
      ),
    ],
    color: { type: "identity" },
  };
  return Plot.plot(options) as unknown as SvgElement;
}

function legend(canvas: Canvas): void {
  let x = EDGE + 8;
  const entry = (text: string, color: string, dash: string) => {
    canvas.add("line", {
      x1: x,
      x2: x + 26,
      y1: 30,
      y2: 30,
      stroke: color,
      "stroke-width": 2,
      "stroke-dasharray": dash,
    });
    canvas.text(x + 32, 34, text, { "font-size": 12 });
    x += 50 + 7 * text.length;
  };
  for (const { name, dash } of STYLES) entry(name, colors.ink, dash);
  entry("no dendrites", dendriteColor(0), "none");
  entry("1 dendrite", dendriteColor(1), "none");
}
