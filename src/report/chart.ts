// A run as one picture: scores, training loss, learning rate, and accuracy per parameter.

import { dendriteCount, formatCompact, formatDuration, scoreFormat } from "./format.ts";
import { bestEpoch, type RunHistory, summarize } from "./history.ts";
import { colors, dendriteColor, shorten, textWidth } from "./look.ts";
import { parametersPanel, valuePanel } from "./panels.ts";
import type { Panel } from "./plotting.ts";
import { scorePanel } from "./score-panel.ts";
import { Canvas } from "./svg.ts";

/** All of them have defaults. */
export interface ChartOptions {
  /** What the run is called; stands in the line under the heading. Default: nothing. */
  name?: string;
}

const width = 960;
const edge = 28;
const inner = width - 2 * edge;
const gap = 22;
const headingHeight = 24;
const scoreHeight = 340;
const smallHeight = 215;
const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/**
 * A run as a self-contained SVG, 960 pixels wide, without scripts and on paper of its own, so that it reads well
 * on pages of any colour. Four panels: validation and test score by epoch, with the additions of dendrites
 * and the best epoch; training loss; learning rate; best score against parameters. The kept branch is coloured by
 * dendrite count, abandoned branches are pale. Epochs are counted as the tracker does, from 0, so that a branch
 * leaves the line at the epoch that was restored. The same history gives the same text.
 */
export function scoreChart(history: RunHistory, options: ChartOptions = {}): string {
  const legend = layoutLegend(legendItems(history));
  const top = 84 + legend.rows * 20 + 10;
  const bottom = top + headingHeight + scoreHeight + gap;
  const height = bottom + headingHeight + smallHeight + edge - 8;
  const canvas = new Canvas({
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    fill: colors.ink,
    color: colors.ink,
    "font-family": font,
    style: "max-width: 100%; height: auto",
  });
  const heading = headingText(history);
  canvas.add("title").textContent = heading;
  const paper = { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 10 };
  canvas.add("rect", { ...paper, fill: colors.paper, stroke: colors.border });
  canvas.text(edge, 42, shorten(heading, 21, inner, "bold"), { "font-size": 21, "font-weight": 650 });
  const details = shorten(detailText(history, options.name), 13, inner);
  canvas.text(edge, 64, details, { "font-size": 13, fill: colors.muted });
  for (const item of legend.items) drawLegendItem(canvas, item, 88 + item.row * 20);

  const full = { width: inner, height: scoreHeight, document: canvas.document };
  place(canvas, scorePanel(history, full), edge, top, inner, `Validation ${history.metric} by epoch`);
  const small = { width: Math.floor((inner - 2 * gap) / 3), height: smallHeight, document: canvas.document };
  const left = (i: number) => edge + i * (small.width + gap);
  place(
    canvas,
    valuePanel(history, small, "trainLoss"),
    left(0),
    bottom,
    small.width,
    "Training loss by epoch",
  );
  place(
    canvas,
    valuePanel(history, small, "learningRate"),
    left(1),
    bottom,
    small.width,
    "Learning rate by epoch",
  );
  place(
    canvas,
    parametersPanel(history, small),
    left(2),
    bottom,
    small.width,
    `Best ${history.metric} by parameters`,
  );
  return canvas.toString();
}

function headingText(history: RunHistory): string {
  const best = bestEpoch(history);
  if (!best) return "No epochs yet";
  const score = scoreFormat(history).format(best.validation);
  const dendrites = best.dendrites === 0 ? "without dendrites" : `with ${dendriteCount(best.dendrites)}`;
  return `Validation ${history.metric} ${score} ${dendrites}`;
}

function detailText(history: RunHistory, name: string | undefined): string {
  const rows = summarize(history);
  const [base, best] = [rows.find((row) => row.dendrites === 0), rows.find((row) => row.best)];
  const parts = name ? [name] : [];
  if (base && best && best !== base) {
    const gained = scoreFormat(history).difference(base.validation, best.validation);
    parts.push(`${gained} over no dendrites`);
    parts.push(`${formatCompact(base.parameters)} → ${formatCompact(best.parameters)} parameters`);
  } else if (best) parts.push(`${formatCompact(best.parameters)} parameters`);
  const [run, kept] = [history.epochs.length, history.epochs.filter((e) => !e.abandoned).length];
  const epochs = run === 1 ? "1 epoch" : `${run} epochs`;
  if (run > 0) parts.push(kept === run ? epochs : `${epochs}, ${kept} of them kept`);
  if (run > 0) parts.push(formatDuration(rows.reduce((sum, row) => sum + row.seconds, 0)));
  return parts.join("  ·  ");
}

interface LegendItem {
  text: string;
  color: string;
  kind: "count" | "line" | "dashed";
}

interface PlacedItem extends LegendItem {
  x: number;
  row: number;
}

function legendItems(history: RunHistory): LegendItem[] {
  const counts = [...new Set(history.epochs.map((e) => e.dendrites))].sort((a, b) => a - b);
  const items: LegendItem[] = counts.map((count) => ({
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

function layoutLegend(items: LegendItem[]): { items: PlacedItem[]; rows: number } {
  let [x, row] = [edge, 0];
  const placed = items.map((item): PlacedItem => {
    const size = swatch(item) + 6 + textWidth(item.text, 12);
    if (x > edge && x + size > width - edge) [x, row] = [edge, row + 1];
    const at = { ...item, x, row };
    x += size + 16;
    return at;
  });
  return { items: placed, rows: items.length > 0 ? row + 1 : 0 };
}

const swatch = (item: LegendItem) => (item.kind === "count" ? 10 : 22);

function drawLegendItem(canvas: Canvas, item: PlacedItem, y: number): void {
  if (item.kind === "count") canvas.add("circle", { cx: item.x + 5, cy: y, r: 5, fill: item.color });
  else {
    const stroke = { stroke: item.color, "stroke-width": item.kind === "line" ? 2.25 : 1.5 };
    const dash = item.kind === "dashed" ? { "stroke-dasharray": "5 3" } : {};
    canvas.add("line", { x1: item.x, x2: item.x + 22, y1: y, y2: y, ...stroke, ...dash });
  }
  canvas.text(item.x + swatch(item) + 6, y + 4, item.text, { "font-size": 12, fill: colors.muted });
}

/** A panel under its heading, which is cut where it would run into the next panel's; a note without room goes. */
function place(canvas: Canvas, panel: Panel, x: number, y: number, room: number, title: string): void {
  const heading = shorten(title, 13, room, "bold");
  const text = canvas.text(x, y + 12, heading, { "font-size": 13, "font-weight": 600 });
  const used = textWidth(heading, 13, "bold") + 10;
  if (panel.note && used + textWidth(panel.note, 11) <= room) {
    const style = { dx: 10, "font-size": 11, "font-weight": 400, fill: colors.muted };
    canvas.add("tspan", style, text).textContent = panel.note;
  }
  canvas.embed(panel.svg, x, y + headingHeight);
}
