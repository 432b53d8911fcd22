// The live page: gets runs as JSON when the server says that they have changed. Whatever comes from a run is put in as text.

import { barsOf, colorOf, drawChart, resizeCharts } from "./charts.js";

const byId = (id) => document.getElementById(id);
const views = [];
/** Which run the tables show; charts show all. */
let shown = 0;

const stored = localStorage.getItem("theme");
if (stored) document.documentElement.dataset.theme = stored;

async function begin() {
  const runs = await (await fetch("api/runs")).json();
  if (runs.length > 1) {
    byId("runs").replaceChildren(
      ...runs.map(({ name }, index) => {
        const button = element("button", name);
        button.type = "button";
        button.title = `Show this run (${index + 1})`;
        button.addEventListener("click", () => show(index));
        return button;
      }),
    );
  }
  byId("title").textContent = runs.length === 1 ? runs[0].name : "Arborize";
  document.title = runs.map(({ name }) => name).join(", ");
  const events = new EventSource("events");
  events.addEventListener("change", async ({ data }) => {
    const answer = await fetch(`api/runs/${data}`);
    const view = await answer.json();
    if (!answer.ok) {
      byId("status").textContent = view.error;
      return;
    }
    views[Number(data)] = view;
    draw();
  });
  events.addEventListener("open", () => {
    byId("connection").hidden = true;
  });
  events.addEventListener("error", () => {
    byId("connection").hidden = false;
  });
}

function show(index) {
  if (!views[index]) return;
  shown = index;
  draw();
}

function draw() {
  const view = views[shown] ?? views.find(Boolean);
  if (!view) return;
  for (const [index, button] of [...byId("runs").children].entries()) {
    button.setAttribute("aria-pressed", String(index === shown));
  }
  byId("status").textContent = view.status;
  drawCurves(view);
  table("summary", ["dendrites", "parameters", "validation", "test", "epochs", "time"], view.summary);
  byId("facts").replaceChildren(
    ...view.facts.flatMap(([what, value]) => [element("dt", what), element("dd", value)]),
  );
  table(
    "modules",
    ["module", "parameters", "of dendrites", "dendrites' output weights"],
    view.modules.map(({ path, parameters, dendriteParameters, outputs }) => [
      "\u2003".repeat(Math.max(0, path.split(".").length - 1)) + (path || "(top)"),
      parameters.toLocaleString("en"),
      dendriteParameters > 0 ? dendriteParameters.toLocaleString("en") : "",
      outputs.map(barsOf),
    ]),
  );
  byId("log").replaceChildren(...view.log.toReversed().map((line) => element("li", line)));
  table(
    "settings",
    ["setting", "value", "by default"],
    view.settings.map(({ path, value, standard }) => [path, value, standard ?? ""]),
  );
  const links = [
    ["report.html", "Report"],
    ["chart.svg", "Chart"],
  ].map(([file, text]) => {
    const link = element("a", text);
    link.href = `runs/${shown}/${file}`;
    return link;
  });
  byId("links").replaceChildren(links[0], " · ", links[1]);
}

/** One run in full, or the validation scores and losses of several. */
function drawCurves(view) {
  const present = views.filter(Boolean);
  const longest = present.reduce(
    (most, each) => (each.epochs.epoch.length > most.length ? each.epochs.epoch : most),
    [],
  );
  const several = (column) =>
    present.map((each, index) => ({
      label: each.name,
      color: colorOf(index),
      values: longest.map((_, i) => each.epochs[column][i] ?? null),
    }));
  const { epochs, abandoned, switches } = view;
  const one = (label, column, index) => ({ label, color: colorOf(index), values: epochs[column] });
  const alone = present.length === 1;
  const lines = alone ? switches.map(({ epoch }) => epoch + 0.5) : [];
  const x = alone ? epochs.epoch : longest;
  const kept = epochs.validation.map((value, i) => (abandoned[i] ? null : value));
  const lost = epochs.validation.map((value, i) => (abandoned[i] ? value : null));
  const score = [
    { label: `validation ${view.metric}`, color: colorOf(0), values: kept },
    ...(abandoned.includes(true)
      ? [{ label: "abandoned", color: colorOf(1), values: lost, pale: true }]
      : []),
    ...(epochs.test.some((value) => value !== null) ? [{ ...one("test", "test", 2), dash: [6, 4] }] : []),
  ];
  drawChart("score", { x, series: alone ? score : several("validation"), lines });
  drawChart("loss", { x, series: alone ? [one("loss", "trainLoss", 0)] : several("trainLoss"), lines });
  drawChart("rate", {
    x,
    series: alone ? [one("rate", "learningRate", 0)] : several("learningRate"),
    lines,
    log: true,
  });
  drawChart("time", { x, series: alone ? [one("seconds", "seconds", 0)] : several("seconds"), lines });
  const apart = Object.entries(view.dendriteScores);
  byId("dendrite-section").hidden = apart.length === 0;
  if (apart.length > 0) {
    const series = apart.map(([label, values], index) => ({ label, values, color: colorOf(index) }));
    drawChart("dendrite", { x: epochs.epoch, series, lines });
  }
}

function table(id, headers, rows) {
  const head = document.createElement("thead");
  head.append(rowOf(headers, "th"));
  const body = document.createElement("tbody");
  body.append(...rows.map((cells) => rowOf(cells, "td")));
  byId(id).replaceChildren(head, body);
}

function rowOf(cells, kind) {
  const row = document.createElement("tr");
  for (const cell of cells) {
    const made = document.createElement(kind);
    made.append(...[cell].flat());
    if (kind === "th") made.scope = "col";
    row.append(made);
  }
  return row;
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function changeTheme() {
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", dataset.theme);
  draw();
}

byId("theme").addEventListener("click", changeTheme);
addEventListener("resize", resizeCharts);
addEventListener("keydown", ({ key, ctrlKey, metaKey, altKey }) => {
  if (ctrlKey || metaKey || altKey) return;
  if (key === "t") changeTheme();
  else if (/^[1-9]$/.test(key)) show(Number(key) - 1);
});

begin();
