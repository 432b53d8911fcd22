// Charts of the live page: uPlot for curves, SVG for the bars of dendrites.

import uPlot from "./uplot.js";

/** Colours that tell runs and numbers of dendrites apart, on light and on dark. */
const COLORS = ["#5b7cfa", "#e8833a", "#21a179", "#d6498f", "#9a6ee0", "#b8912a", "#2a9db8"];
export const colorOf = (index) => COLORS[index % COLORS.length];

const charts = new Map();

/**
 * Draws series over epochs into the element called `id`, or gives new data to the chart that is there.
 *
 * @param {string} id
 * @param {{ x: number[], series: { label: string, values: (number | null)[], color: string, dash?: number[], pale?: boolean }[],
 *   lines?: number[], log?: boolean }} content
 */
export function drawChart(id, content) {
  const element = document.getElementById(id);
  const { x, series, log = false } = content;
  const shape = JSON.stringify([series.map(({ label, color }) => [label, color]), log, themeOf()]);
  const known = charts.get(id);
  const data = [x, ...series.map(({ values }) => values)];
  element.setAttribute("aria-label", describe(series));
  if (known?.shape === shape) {
    known.content = content;
    known.plot.setData(data);
    return;
  }
  known?.plot.destroy();
  const style = getComputedStyle(document.documentElement);
  const [ink, grid] = [style.getPropertyValue("--muted"), style.getPropertyValue("--border")];
  const holder = { shape, content, plot: null };
  const axis = {
    stroke: () => resolved(ink),
    grid: { stroke: () => resolved(grid), width: 1 },
    ticks: { show: false },
  };
  holder.plot = new uPlot(
    {
      width: Math.max(200, element.clientWidth - 16),
      height: id === "score" ? 320 : 200,
      scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
      axes: [axis, { ...axis, size: 60 }],
      series: [
        { label: "epoch" },
        ...series.map(({ label, color, dash, pale }) => ({
          label,
          stroke: pale ? `${color}66` : color,
          width: pale ? 1 : 1.8,
          ...(dash ? { dash } : {}),
          spanGaps: true,
          points: { show: series[0].values.length < 60 },
        })),
      ],
      hooks: { draw: [(plot) => drawLines(plot, holder.content.lines ?? [])] },
    },
    data,
    element,
  );
  charts.set(id, holder);
}

/** Fits all charts to their places, after the window has changed. */
export function resizeCharts() {
  for (const [id, { plot }] of charts) {
    const width = Math.max(200, document.getElementById(id).clientWidth - 16);
    plot.setSize({ width, height: plot.height });
  }
}

/** Bars for the output weights of one dendrite. */
export function barsOf(weights) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${weights.length} 2`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "bars");
  svg.setAttribute("role", "img");
  const most = Math.max(...weights.map(Math.abs), 1e-12);
  const mean = weights.reduce((sum, weight) => sum + Math.abs(weight), 0) / Math.max(1, weights.length);
  svg.setAttribute("aria-label", `${weights.length} output weights, mean size ${mean.toPrecision(3)}`);
  for (const [i, weight] of weights.entries()) {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const height = Math.abs(weight) / most;
    bar.setAttribute("x", String(i));
    bar.setAttribute("width", "0.9");
    bar.setAttribute("y", String(weight > 0 ? 1 - height : 1));
    bar.setAttribute("height", String(height));
    svg.append(bar);
  }
  return svg;
}

function drawLines(plot, lines) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = "#888888";
  ctx.setLineDash([4, 4]);
  for (const at of lines) {
    const x = plot.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** A colour of the style sheet as a canvas takes it. */
function resolved(color) {
  const probe = document.createElement("span");
  probe.style.color = color;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function themeOf() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
}

function describe(series) {
  return series
    .map(({ label, values }) => {
      const last = values.findLast((value) => value !== null);
      return `${label}: ${last === undefined ? "nothing yet" : `now ${last.toPrecision(4)}`}`;
    })
    .join("; ");
}
