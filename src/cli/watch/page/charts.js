// Charts of the live page: uPlot draws; what is zoomed, hidden and pointed at is the same in all of them.

import { byId, element } from "./dom.js";
import uPlot from "./uplot.js";

const FONT = "12px Inter, system-ui, sans-serif";
/** Points are drawn where there are fewer epochs than this in view. */
const FEW = 50;

/** Charts by the id of their element. */
const charts = new Map();
/** Keys of curves that are switched off. */
const hidden = new Set();
/** The epochs in view, or null for all. */
let zoom = null;
/** Set while charts are brought into line, which must not bring others into line. */
let aligning = false;

/**
 * Draws a chart, or gives new data to the one that is there.
 *
 * @param {string} id
 * @param {{ x: number[], series: { label: string, values: (number | null)[], color: string, keys: string[], dash?: number[],
 *   thin?: boolean, pale?: boolean, strong?: boolean, breaks?: boolean[] }[], percent?: boolean, log?: boolean, zero?: boolean,
 *   range?: [number, number],
 *   lines: { epoch: number, dendrites: number, kept: boolean, color: string, keys?: string[] }[],
 *   marks?: { x: number, y: number, color: string, keys?: string[] }[] }} content
 */
export function drawChart(id, content) {
  const holder = byId(id);
  const known = charts.get(id);
  const { series, log = false } = content;
  const there = series.some(({ values }) => values.some((value) => value !== null));
  const shape = JSON.stringify([
    there,
    log,
    series.map(({ label, color, strong }) => [label, color, strong]),
  ]);
  const values = series.map((each) => (log ? each.values.map((v) => (v > 0 ? v : null)) : each.values));
  const data = [content.x, ...values];
  if (known?.shape === shape) {
    known.content = content;
    if (there) setData(known, data);
  } else {
    known?.plot?.destroy();
    const chart = { shape, content, plot: null, readout: byId(`${id}-readout`) };
    charts.set(id, chart);
    holder.replaceChildren();
    if (there) chart.plot = plotOf(chart, data, holder);
    else holder.append(element("p", { class: "empty" }, "Comes with the first epoch."));
    watchSize(holder, chart);
  }
  makeReachable(holder, charts.get(id), there);
  tell(charts.get(id));
}

/** Switches curves on or off, by key. */
export function toggleCurves(key) {
  if (!hidden.delete(key)) hidden.add(key);
  for (const chart of charts.values()) if (chart.plot) applyHidden(chart);
}

export const isHidden = (key) => hidden.has(key);

/** Draws everything again, with the colours of the day. */
export function redrawCharts() {
  resolvedColors.clear();
  for (const { plot } of charts.values()) plot?.redraw(false);
}

/** Zooms all charts by a factor around what is pointed at; 0 shows all. */
export function zoomCharts(factor) {
  const chart = [...charts.values()].find(({ plot }) => plot);
  if (!chart) return;
  const { x } = chart.content;
  const [first, last] = [x[0], x.at(-1)];
  const { min, max } = chart.plot.scales.x;
  const at = chart.plot.cursor.idx;
  const center = at === null || at === undefined ? (min + max) / 2 : x[at];
  const half = Math.max(1, ((max - min) * factor) / 2);
  if (factor === 0 || 2 * half >= last - first) align(null);
  else {
    const start = Math.min(Math.max(first, center - half), last - 2 * half);
    align([start, start + 2 * half]);
  }
}

function setData({ plot }, data) {
  aligning = true;
  plot.setData(data, zoom === null);
  if (zoom) plot.setScale("x", { min: zoom[0], max: zoom[1] });
  aligning = false;
}

function align(range) {
  zoom = range;
  aligning = true;
  for (const { plot, content } of charts.values()) {
    const [min, max] = range ?? [content.x[0], content.x.at(-1)];
    plot?.setScale("x", { min, max });
  }
  aligning = false;
}

function plotOf(chart, data, holder) {
  const { series, log = false } = chart.content;
  const axis = { stroke: () => resolved("--muted"), font: FONT, ticks: { show: false } };
  const plot = new uPlot(
    {
      width: Math.max(200, holder.clientWidth),
      height: holder.clientHeight,
      padding: [18, 12, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "epochs", setSeries: false }, y: false, points: { size: 7 } },
      scales: { x: { time: false }, y: log ? { distr: 3 } : { range: rangeOf(chart) } },
      axes: [
        { ...axis, size: 26, gap: 6, grid: { show: false }, incrs: STEPS },
        {
          ...axis,
          size: (_, labels) => 14 + 7 * Math.max(3, ...(labels ?? []).map((label) => label?.length ?? 0)),
          gap: 6,
          space: 34,
          grid: { stroke: () => resolved("--grid"), width: 1 },
          values: (_, splits, __, ___, step) => splits.map((value) => tickText(value, step, chart.content)),
        },
      ],
      series: [{}, ...series.map(seriesOf)],
      hooks: {
        draw: [(u) => drawLines(u, chart), (u) => drawMarks(u, chart)],
        setCursor: [() => tell(chart)],
        setScale: [
          (u, key) => {
            if (key !== "x" || aligning || !u.data[0].length) return;
            const { min, max } = u.scales.x;
            const all = min <= u.data[0][0] && max >= u.data[0].at(-1);
            align(all ? null : [min, max]);
          },
        ],
      },
    },
    data,
    holder,
  );
  if (zoom) setData({ plot }, data);
  chart.plot = plot;
  applyHidden(chart);
  return plot;
}

const STEPS = [1, 2, 5]
  .flatMap((digit) => [0, 1, 2, 3, 4, 5, 6].map((zeros) => digit * 10 ** zeros))
  .sort((a, b) => a - b);

function seriesOf({ label, color, dash, thin, pale, strong, breaks }) {
  const stroke = () => (pale ? `color-mix(in srgb, ${resolved(color)} 45%, transparent)` : resolved(color));
  return {
    label,
    stroke,
    width: thin ? 1.25 : strong ? 2.5 : 1.75,
    ...(dash ? { dash } : {}),
    gaps: (u, _, first, last, gaps) => (breaks ? withBreaks(u, breaks, first, last, gaps) : gaps),
    points: {
      show: (_, __, first, last) => !thin && last - first < FEW,
      size: 4.5,
      fill: stroke,
    },
  };
}

/** Where no line is drawn, in pixels: what has no values, and what does not follow from the point before. */
function withBreaks(plot, breaks, first, last, gaps) {
  const all = [...gaps];
  for (let i = first; i < last; i++) {
    if (!breaks[i]) continue;
    all.push([0, 1].map((next) => Math.round(plot.valToPos(plot.data[0][i + next], "x", true))));
  }
  all.sort((a, b) => a[0] - b[0]);
  const merged = [];
  for (const [from, to] of all) {
    const before = merged.at(-1);
    if (before && from <= before[1]) before[1] = Math.max(before[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** All values with a margin; the interesting ones while all epochs are in view; from zero where that is asked for. */
function rangeOf(chart) {
  return (_, min, max) => {
    const { zero = false, range } = chart.content;
    if (min === null) return [0, 1];
    const [low, high] = range && zoom === null ? range : [zero ? 0 : min, max];
    const room = { pad: 0.08, soft: 0, mode: 0 };
    return uPlot.rangeNum(low, high, { min: zero ? { ...room, pad: 0 } : room, max: room });
  };
}

function tickText(value, step, { percent, log }) {
  if (value === null) return "";
  if (log)
    return value >= 0.001 && value < 1000 ? String(Number(value.toPrecision(2))) : value.toExponential(0);
  const [shown, unit] = percent ? [100 * value, 100 * step] : [value, step];
  const digits = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9));
  return digits > 6 ? shown.toExponential(1) : `${shown.toFixed(digits)}${percent ? "%" : ""}`;
}

function valueText(value, { percent }) {
  if (percent) return `${(100 * value).toFixed(2)}%`;
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(4)));
}

const isShown = ({ keys = [] }) => !keys.some((key) => hidden.has(key));

function applyHidden({ plot, content }) {
  plot.batch(() => {
    for (const [i, each] of content.series.entries()) plot.setSeries(i + 1, { show: isShown(each) });
  });
  plot.redraw(false);
}

/** Additions of dendrites: a line each, with how many there are then. Those that were taken back are pale. */
function drawLines(plot, { content: { lines } }) {
  const { ctx, bbox, pxRatio } = surface(plot);
  ctx.save();
  ctx.font = `600 ${11 * pxRatio}px Inter, system-ui, sans-serif`;
  ctx.textAlign = "center";
  let free = Number.NEGATIVE_INFINITY;
  for (const line of lines.filter(isShown)) {
    const x = Math.round(plot.valToPos(line.epoch + 0.5, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.globalAlpha = line.kept ? 0.9 : 0.4;
    ctx.strokeStyle = ctx.fillStyle = resolved(line.color);
    ctx.lineWidth = pxRatio;
    ctx.setLineDash([3 * pxRatio, 3 * pxRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    if (x < free) continue;
    ctx.fillText(`+${line.dendrites}`, x, bbox.top - 5 * pxRatio);
    free = x + 22 * pxRatio;
  }
  ctx.restore();
}

/** Rings around the best epochs. */
function drawMarks(plot, { content: { marks = [] } }) {
  const { ctx, bbox, pxRatio } = surface(plot);
  ctx.save();
  for (const mark of marks.filter(isShown)) {
    const [x, y] = [plot.valToPos(mark.x, "x", true), plot.valToPos(mark.y, "y", true)];
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = resolved(mark.color);
    ctx.fillStyle = resolved("--paper");
    ctx.lineWidth = 2 * pxRatio;
    ctx.beginPath();
    ctx.arc(x, y, 5 * pxRatio, 0, 2 * Math.PI);
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}

const surface = ({ ctx, bbox }) => ({ ctx, bbox, pxRatio: devicePixelRatio });

const resolvedColors = new Map();

/** A colour of the style sheet as a canvas takes it. */
function resolved(name) {
  const known = resolvedColors.get(name);
  if (known) return known;
  const probe = element("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  resolvedColors.set(name, found);
  return found;
}

/** Says what the values are where the pointer is, or in the last epoch. */
function tell({ plot, content, readout }) {
  const { x, series } = content;
  const at = plot?.cursor.idx ?? x.length - 1;
  if (at < 0) return readout.replaceChildren();
  const known = series.filter((each) => isShown(each) && (each.values[at] ?? null) !== null);
  readout.replaceChildren(
    element("span", {}, `epoch ${x[at]}`),
    ...known.map(({ label, values, color }) => {
      const dot = element("i");
      dot.style.background = `var(${color})`;
      return element("span", {}, dot, `${label} `, element("b", {}, valueText(values[at], content)));
    }),
  );
}

/** Charts take the focus, and keys. */
function makeReachable(holder, chart, there) {
  if (!there) {
    for (const name of ["tabindex", "role", "aria-label", "aria-roledescription"])
      holder.removeAttribute(name);
    return;
  }
  const title = holder.closest("section").querySelector("h2").textContent;
  const epochs = chart.content.x.length;
  holder.tabIndex = 0;
  holder.setAttribute("role", "application");
  holder.setAttribute("aria-roledescription", "chart");
  holder.setAttribute("aria-label", `${title}, ${epochs} epochs. Arrow keys tell of each.`);
  holder.setAttribute("aria-describedby", chart.readout.id);
  if (holder.dataset.keys) return;
  holder.dataset.keys = "true";
  holder.addEventListener("keydown", (event) => onKey(event, charts.get(holder.id)));
  holder.addEventListener("focus", () => charts.get(holder.id).readout.setAttribute("aria-live", "polite"));
  holder.addEventListener("blur", () => {
    const { plot, readout } = charts.get(holder.id);
    readout.removeAttribute("aria-live");
    plot?.setCursor({ left: -10, top: -10 }, true, true);
  });
}

const MOVES = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
const ZOOMS = { "+": 0.5, "=": 0.5, "-": 2, 0: 0, Escape: 0 };

function onKey(event, { plot, content }) {
  if (!plot || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in ZOOMS) zoomCharts(ZOOMS[event.key]);
  else if (event.key in MOVES) {
    const { x } = content;
    const from = plot.cursor.idx ?? (MOVES[event.key] < 0 ? x.length : -1);
    const at = Math.min(x.length - 1, Math.max(0, from + MOVES[event.key] * (event.shiftKey ? 10 : 1)));
    show(x[at], plot.scales.x);
    plot.setCursor({ left: plot.valToPos(x[at], "x"), top: 0 }, true, true);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Moves what is in view so that an epoch is. */
function show(epoch, { min, max }) {
  if (zoom === null || (epoch >= min && epoch <= max)) return;
  const start = epoch < min ? epoch : epoch - (max - min);
  align([start, start + max - min]);
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const plot = charts.get(target.id)?.plot;
    if (plot && target.clientWidth > 0 && plot.width !== target.clientWidth) {
      plot.setSize({ width: target.clientWidth, height: target.clientHeight });
    }
  }
});

function watchSize(holder) {
  sizes.observe(holder);
}
