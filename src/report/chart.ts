// A run as one picture: scores, training loss, learning rate, times, dendrite scores, and accuracy per parameter.

import { dendritePanel, hasDendriteScores } from "./dendrite-panel.ts";
import { dendriteCount, formatCompact, formatDuration, scoreFormat } from "./format.ts";
import { bestEpoch, type RunHistory, summarize } from "./history.ts";
import { drawLegendItem, layoutLegend } from "./legend.ts";
import { colors, shorten, textWidth } from "./look.ts";
import { parametersPanel, valuePanel } from "./panels.ts";
import { paper } from "./paper.ts";
import type { Panel, PanelFrame } from "./plotting.ts";
import { scorePanel } from "./score-panel.ts";
import type { Canvas } from "./svg.ts";
import { timePanel } from "./time-panel.ts";

/** All of them have defaults. */
export interface ChartOptions {
  /** What the run is called; stands in the line under the heading. Default: nothing. */
  name?: string;
  /** Pixels, at least 320. From 720 on the small panels stand side by side. Default 960. */
  width?: number;
  /** Whether the picture says by itself what came out. Default true. */
  heading?: boolean;
}

const gap = 22;
const titleHeight = 24;
/**
 * A run as a self-contained SVG, 960 pixels wide, without scripts and on paper of its own, so that it reads well
 * on pages of any colour. The panels: validation, test and extra scores by epoch, with the additions of dendrites
 * and the best epoch; training loss; learning rate; times of training and validation; what dendrites learned by, where
 * that was recorded; best score against parameters. The kept branch is coloured by dendrite count, abandoned branches
 * are pale. Epochs are counted as the tracker does, from 0, so that a branch leaves the line at the epoch that was
 * restored. The same history gives the same text.
 */
export function scoreChart(history: RunHistory, options: ChartOptions = {}): string {
  const { name, heading = true } = options;
  const width = Math.max(320, options.width ?? 960);
  const edge = width < 720 ? 16 : 28;
  const inner = width - 2 * edge;
  const legend = layoutLegend(history, edge, width - edge);
  const legendTop = heading ? 88 : 30;
  const top = legendTop - 4 + legend.rows * 20 + 10;
  const rows = layoutPanels(history, inner);
  const height = rows.reduce((y, row) => y + titleHeight + row.height + gap, top) - gap + edge - 8;
  const title = headingText(history);
  const canvas = paper(width, height, title);
  if (heading) {
    canvas.text(edge, 42, shorten(title, 21, inner, "bold"), { "font-size": 21, "font-weight": 600 });
    const details = shorten(detailText(history, name), 13, inner);
    canvas.text(edge, 64, details, { "font-size": 13, fill: colors.muted });
  }
  for (const item of legend.items) drawLegendItem(canvas, item, legendTop + item.row * 20);
  let y = top;
  for (const { height, panels } of rows) {
    for (const { x, width, draw } of panels) {
      place(canvas, draw({ width, height, document: canvas.document }), edge + x, y, width);
    }
    y += titleHeight + height + gap;
  }
  return canvas.toString();
}

interface PanelRow {
  height: number;
  /** `x` is the distance from the first panel's left edge. */
  panels: { x: number; width: number; draw: (frame: PanelFrame) => Panel }[];
}

type Draw = (history: RunHistory, frame: PanelFrame) => Panel;
const lossPanel: Draw = (history, frame) => valuePanel(history, frame, "trainLoss");
const ratePanel: Draw = (history, frame) => valuePanel(history, frame, "learningRate");

/** The score on its own, then the others: in pairs, or with the wide one of dendrite scores in threes, or in a column. */
function layoutPanels(history: RunHistory, inner: number): PanelRow[] {
  const dendrites = hasDendriteScores(history);
  const row = (height: number, ...panels: [columns: number, draw: Draw][]): PanelRow => {
    const columns = panels.reduce((sum, [count]) => sum + count, 0);
    const step = (inner + gap) / columns;
    let before = 0;
    const placed = panels.map(([count, draw]) => {
      const x = Math.round(before * step);
      before += count;
      return {
        x,
        width: Math.round(before * step) - gap - x,
        draw: (frame: PanelFrame) => draw(history, frame),
      };
    });
    return { height, panels: placed };
  };
  if (inner < 660) {
    const all = [lossPanel, ratePanel, timePanel, ...(dendrites ? [dendritePanel] : []), parametersPanel];
    return [row(300, [1, scorePanel]), ...all.map((draw) => row(180, [1, draw]))];
  }
  if (!dendrites) {
    return [
      row(340, [1, scorePanel]),
      row(190, [1, lossPanel], [1, ratePanel]),
      row(190, [1, timePanel], [1, parametersPanel]),
    ];
  }
  return [
    row(340, [1, scorePanel]),
    row(190, [1, lossPanel], [1, ratePanel], [1, timePanel]),
    row(200, [2, dendritePanel], [1, parametersPanel]),
  ];
}

/** The result in a few words: the best validation score and the dendrites that it took. */
export function headingText(history: RunHistory): string {
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
  return [...parts, ...effortTexts(history)].join("  ·  ");
}

/** What a run took: epochs and time. */
export function effortTexts(history: RunHistory): string[] {
  const [run, kept] = [history.epochs.length, history.epochs.filter((e) => !e.abandoned).length];
  if (run === 0) return [];
  const epochs = run === 1 ? "1 epoch" : `${run} epochs`;
  const seconds = summarize(history).reduce((sum, row) => sum + row.seconds, 0);
  return [kept === run ? epochs : `${epochs}, ${kept} of them kept`, formatDuration(seconds)];
}

/** A panel under its heading, which is cut where it would run into the next panel's; a note without room goes. */
function place(canvas: Canvas, panel: Panel, x: number, y: number, room: number): void {
  const heading = shorten(panel.title, 13, room, "bold");
  const text = canvas.text(x, y + 12, heading, { "font-size": 13, "font-weight": 600 });
  const used = textWidth(heading, 13, "bold") + 10;
  if (panel.note && used + textWidth(panel.note, 11) <= room) {
    const style = { dx: 10, "font-size": 11, "font-weight": 400, fill: colors.muted };
    canvas.add("tspan", style, text).textContent = panel.note;
  }
  canvas.embed(panel.svg, x, y + titleHeight);
}
