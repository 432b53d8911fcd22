// What dendrites do, as one picture: how much of a module's output varies by them, and what the score is without them.

import {
  type EffectRow,
  type Explanation,
  effectRows,
  explanationFormat,
  explanationLead,
  shareText,
  worthOf,
} from "./explanation.ts";
import { colors, moduleColor, shorten } from "./look.ts";
import { paper } from "./paper.ts";
import type { Canvas } from "./svg.ts";

/** How the picture is drawn. */
export interface ExplanationChartOptions {
  /** Pixels, at least 320. From 720 on the two panels stand side by side. Default 960. */
  width?: number;
  /** Whether the picture says by itself what it shows. Default true. */
  heading?: boolean;
}

const rowHeight = 20;
const moduleGap = 8;
const titleHeight = 30;
/** What a panel shows of each row. */
interface Panel {
  readonly title: string;
  readonly value: (row: EffectRow) => number;
  readonly text: (row: EffectRow) => string;
}

/**
 * An explanation as a self-contained SVG: for each module and each of its dendrites a bar for its share of the variance of the
 * module's output, and one for what the score loses without it; to the left where the score gets better. The same explanation
 * gives the same text.
 */
export function explanationChart(explanation: Explanation, options: ExplanationChartOptions = {}): string {
  const { heading = true } = options;
  const width = Math.max(320, options.width ?? 960);
  const edge = width < 720 ? 16 : 28;
  const rows = effectRows(explanation);
  const { difference } = explanationFormat(explanation);
  const panels: Panel[] = [
    { title: "Share of output variance", value: ({ share }) => share, text: ({ share }) => shareText(share) },
    {
      title: `Change of ${explanation.metric} without it`,
      value: (row) => worthOf(explanation, row),
      text: (row) => difference(explanation.score, row.scoreWithout),
    },
  ];
  const places = rowPlaces(rows);
  const panelHeight = titleHeight + places.height;
  const columns = width < 720 ? 1 : 2;
  const top = heading ? 84 : edge - 4;
  const height = top + (panelHeight + 14) * Math.ceil(panels.length / columns) + edge - 14;
  const canvas = paper(width, height, `What the dendrites do. ${explanationLead(explanation)}`);
  const inner = width - 2 * edge;
  if (heading) {
    canvas.text(edge, 42, "What the dendrites do", { "font-size": 21, "font-weight": 600 });
    const lead = shorten(explanationLead(explanation), 13, inner);
    canvas.text(edge, 64, lead, { "font-size": 13, fill: colors.muted });
  }
  const labels = Math.min(170, Math.round(inner * (columns === 1 ? 0.34 : 0.18)));
  const room = columns === 1 ? inner - labels : (inner - labels - 24) / 2;
  panels.forEach((panel, i) => {
    const x = edge + labels + (columns === 1 ? 0 : i * (room + 24));
    const y = top + (columns === 1 ? i * (panelHeight + 14) : 0);
    canvas.text(x, y + 12, shorten(panel.title, 13, room, "bold"), { "font-size": 13, "font-weight": 600 });
    if (columns === 1 || i === 0) drawLabels(canvas, rows, places.tops, edge, y + titleHeight, labels - 10);
    drawBars(canvas, explanation, rows, places.tops, panel, x, y + titleHeight, room);
  });
  return canvas.toString();
}

/** Where each row begins, with room between modules. */
function rowPlaces(rows: readonly EffectRow[]): { readonly tops: number[]; readonly height: number } {
  let y = 0;
  const tops = rows.map(({ module }, i) => {
    if (i > 0 && rows[i - 1]!.module !== module) y += moduleGap;
    y += rowHeight;
    return y - rowHeight;
  });
  return { tops, height: y };
}

function drawLabels(
  canvas: Canvas,
  rows: readonly EffectRow[],
  tops: readonly number[],
  x: number,
  y: number,
  room: number,
): void {
  rows.forEach(({ module, dendrite }, i) => {
    const leads = i === 0 || rows[i - 1]!.module !== module;
    const text = leads ? module : `dendrite ${dendrite}`;
    const style = leads ? { "font-weight": 600 } : { fill: colors.muted };
    const shown = shorten(text, 12, room - (leads ? 0 : 12), leads ? "bold" : "normal");
    canvas.text(x + (leads ? 0 : 12), y + tops[i]! + 14, shown, { "font-size": 12, ...style });
  });
}

function drawBars(
  canvas: Canvas,
  { modules }: Explanation,
  rows: readonly EffectRow[],
  tops: readonly number[],
  { value, text }: Panel,
  x: number,
  y: number,
  room: number,
): void {
  const values = rows.map(value).map((each) => (Number.isFinite(each) ? each : 0));
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const wide = room - 96;
  const scale = high > low ? wide / (high - low) : 0;
  const zero = x - low * scale;
  const last = (tops.at(-1) ?? 0) + rowHeight;
  rows.forEach((row, i) => {
    const index = modules.findIndex(({ id }) => id === row.module);
    const whole = i === 0 || rows[i - 1]!.module !== row.module;
    const length = Math.abs(values[i]!) * scale;
    canvas.add("rect", {
      x: round(values[i]! < 0 ? zero - length : zero),
      y: y + tops[i]! + (whole ? 3 : 5),
      width: round(Math.max(length, 0.5)),
      height: rowHeight - (whole ? 6 : 10),
      rx: 2,
      fill: moduleColor(index, modules.length),
      "fill-opacity": whole ? 1 : 0.6,
    });
    const end = { "font-size": 11, "text-anchor": "end", fill: whole ? colors.ink : colors.muted };
    canvas.text(round(x + room), y + tops[i]! + 14, text(row), end);
  });
  if (rows.length === 0) return;
  const line = { x1: round(zero), x2: round(zero), y1: y, y2: y + last, stroke: colors.axis };
  canvas.add("line", line);
}

const round = (pixels: number) => Math.round(pixels * 100) / 100;
