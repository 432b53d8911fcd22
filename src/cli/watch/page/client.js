// The live page: gets runs as JSON when the server says that they have changed, and looks for the server when it is gone.

import { drawChart, isHidden, redrawCharts, toggleCurves, zoomCharts } from "./charts.js";
import { curvesOf } from "./curves.js";
import { byId } from "./dom.js";
import { drawModules } from "./modules.js";
import { drawLegend, drawLog, drawRun, drawRuns, stateOf } from "./parts.js";

/** Milliseconds between words to screen readers. */
const NEWS = 10_000;

let names = [];
/** What is known of each run, by its place. */
let views = [];
/** The run that is shown in full; of several, charts have all. */
let shown = 0;
let told = 0;

const system = matchMedia("(prefers-color-scheme: dark)");

function listen() {
  const events = new EventSource("events");
  // Also after the server was started anew, perhaps for other runs.
  events.addEventListener("open", async () => {
    byId("connection").textContent = "";
    const runs = await (await fetch("api/runs")).json();
    const found = runs.map(({ name }) => name);
    if (JSON.stringify(found) !== JSON.stringify(names)) begin(found);
  });
  events.addEventListener("error", () => {
    byId("connection").textContent = "The server does not answer; this is its last word. Trying again …";
  });
  events.addEventListener("change", ({ data }) => update(Number(data)));
}

function begin(found) {
  names = found;
  views = found.map((_, index) => views[index]);
  shown = 0;
  byId("runs-section").hidden = found.length < 2;
  byId("run-keys").hidden = found.length < 2;
  byId("title").textContent = found[0];
  document.title = `${found.join(", ")} – Arborize`;
}

const latest = [];

async function update(index) {
  latest[index] = (latest[index] ?? 0) + 1;
  const mine = latest[index];
  const answer = await fetch(`api/runs/${index}`);
  const view = await answer.json();
  if (mine !== latest[index]) return;
  if (!answer.ok) {
    if (index === shown) byId("status").textContent = view.error;
    return;
  }
  views[index] = view;
  draw();
  tellNews(view);
}

function show(index) {
  if (!views[index]) return;
  shown = index;
  draw();
}

function draw() {
  const view = views[shown];
  if (names.length > 1) drawRuns(names, views, shown, show);
  if (!view) return;
  drawRun(view, shown);
  drawModules(shown, view.modules);
  drawState();
  drawCurves();
  markScrollers();
  if (names.length === 1) {
    const best = view.facts[0]?.value;
    document.title = `${best === undefined ? "" : `${best} · `}${view.name} – Arborize`;
  }
}

/** What scrolls can be scrolled by keys. */
function markScrollers() {
  for (const holder of document.querySelectorAll(".wide, .scroll")) {
    const scrolls = holder.scrollWidth > holder.clientWidth || holder.scrollHeight > holder.clientHeight;
    if (scrolls) holder.tabIndex = 0;
    else holder.removeAttribute("tabindex");
  }
}

function drawCurves() {
  const { legend, charts } = curvesOf(views.length > 1 ? views : [views[shown]], shown);
  byId("dendrite-section").hidden = charts.dendrite === null;
  for (const [id, content] of Object.entries(charts)) if (content) drawChart(id, content);
  drawLegend(legend, isHidden, (key) => {
    toggleCurves(key);
    drawCurves();
  });
}

function drawState() {
  const view = views[shown];
  if (!view) return;
  const { text, kind } = stateOf(view, Date.now());
  byId("state").textContent = text;
  byId("state").className = `pill ${kind}`;
}

/** Tells those who can't see it where the run stands, not too often. */
function tellNews(view) {
  const now = performance.now();
  if (now - told < NEWS && !view.over) return;
  told = now;
  byId("news").textContent = view.over ? `${view.name} is over. ${view.status}` : view.status;
}

const isDark = () => {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : system.matches;
};

function changeTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  applyTheme();
}

function applyTheme() {
  byId("theme").textContent = isDark() ? "Light" : "Dark";
  redrawCharts();
}

const stored = localStorage.getItem("theme");
if (stored === "light" || stored === "dark") document.documentElement.dataset.theme = stored;
applyTheme();
system.addEventListener("change", applyTheme);
byId("theme").addEventListener("click", changeTheme);
byId("zoom-in").addEventListener("click", () => zoomCharts(0.5));
byId("zoom-out").addEventListener("click", () => zoomCharts(2));
byId("zoom-all").addEventListener("click", () => zoomCharts(0));
byId("events-only").addEventListener("change", () => {
  drawLog(views[shown]?.log ?? []);
  markScrollers();
});
addEventListener("keydown", ({ key, ctrlKey, metaKey, altKey }) => {
  if (ctrlKey || metaKey || altKey) return;
  if (key === "t") changeTheme();
  else if (/^[1-9]$/.test(key)) show(Number(key) - 1);
});
addEventListener("resize", markScrollers);
addEventListener("toggle", markScrollers, true);
setInterval(drawState, 5000);
// The canvas asks for the font before it is there.
document.fonts.ready.then(redrawCharts);
listen();
