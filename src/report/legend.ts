// What the colours and lines of the chart mean.

import { dendriteCount } from "./format.ts";
import type { RunHistory } from "./history.ts";
import { colors, dendriteColor, textWidth } from "./look.ts";
import type { Canvas } from "./svg.ts";

/** A swatch and its meaning, in its row. */
export interface LegendItem {
  text: string;
  color: string;
  kind: "count" | "line" | "dashed";
  x: number;
  row: number;
}

/** The legend in as many rows as it takes between `left` and `right`, in pixels. */
export function layoutLegend(
  history: RunHistory,
  left: number,
  right: number,
): { items: LegendItem[]; rows: number } {
  let [x, row] = [left, 0];
  const placed = legendItems(history).map((item): LegendItem => {
    const size = swatch(item) + 6 + textWidth(item.text, 12);
    if (x > left && x + size > right) [x, row] = [left, row + 1];
    const at = { ...item, x, row };
    x += size + 16;
    return at;
  });
  return { items: placed, rows: placed.length > 0 ? row + 1 : 0 };
}

function legendItems(history: RunHistory): Omit<LegendItem, "x" | "row">[] {
  const counts = [...new Set(history.epochs.map((e) => e.dendrites))].sort((a, b) => a - b);
  const items: Omit<LegendItem, "x" | "row">[] = counts.map((count) => ({
    text: dendriteCount(count),
    color: dendriteColor(count),
    kind: "count",
  }));
  if (history.epochs.some((e) => e.test !== undefined && !e.abandoned)) {
    items.push({ text: "validation", color: colors.muted, kind: "line" });
    items.push({ text: "test", color: colors.muted, kind: "dashed" });
  }
  if (history.epochs.some((e) => e.abandoned)) {
    items.push({ text: "abandoned", color: colors.abandoned, kind: "line" });
  }
  return items;
}

const swatch = ({ kind }: { kind: LegendItem["kind"] }) => (kind === "count" ? 10 : 22);

/** Draws an item whose middle stands at `y`. */
export function drawLegendItem(canvas: Canvas, item: LegendItem, y: number): void {
  if (item.kind === "count") canvas.add("circle", { cx: item.x + 5, cy: y, r: 5, fill: item.color });
  else {
    const stroke = { stroke: item.color, "stroke-width": item.kind === "line" ? 2.25 : 1.5 };
    const dash = item.kind === "dashed" ? { "stroke-dasharray": "5 3" } : {};
    canvas.add("line", { x1: item.x, x2: item.x + 22, y1: y, y2: y, ...stroke, ...dash });
  }
  canvas.text(item.x + swatch(item) + 6, y + 4, item.text, { "font-size": 12, fill: colors.muted });
}
