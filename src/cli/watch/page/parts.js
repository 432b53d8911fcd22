// The parts of the page that are no charts: what is told of the run that is shown, and the table of several.

import { runColor } from "./curves.js";
import { byId, element, fill } from "./dom.js";

/** Headline, facts, tables, log and settings of one run. */
export function drawRun(view, index) {
  byId("title").textContent = view.name;
  byId("status").textContent = view.status;
  byId("ended").textContent = view.ended;
  fill("facts", view.facts, () => view.facts.map(tile));
  fillTable("summary", view.summary, "Comes with the first epoch.");
  byId("rates-section").hidden = view.rates.rows.length === 0;
  fillTable("rates", view.rates, "");
  drawLog(view.log);
  drawSettings(view);
  fill("links", [index, view.written === null], () =>
    view.written === null
      ? []
      : [
          element("a", { href: `runs/${index}/report.html` }, "Report"),
          " · ",
          element("a", { href: `runs/${index}/chart.svg` }, "Chart"),
        ],
  );
}

/** Where a run stands, in a word or two. `now` is in milliseconds since 1970. */
export function stateOf({ over, written, epochs }, now) {
  if (over) return { text: "finished", kind: "over" };
  if (written === null) return { text: "first epoch", kind: "live" };
  const quiet = (now - written) / 1000;
  const usual = Math.max(...epochs.seconds.slice(-5), 0);
  if (quiet < Math.max(60, 5 * usual)) return { text: "training", kind: "live" };
  return { text: `quiet for ${timeText(quiet)}`, kind: "quiet" };
}

function timeText(seconds) {
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** The table of several runs, in which one is picked. */
export function drawRuns(names, views, shown, pick) {
  const rows = names.map((name, index) => ({
    name,
    state: views[index] ? stateOf(views[index], Date.now()) : null,
    facts: views[index]?.facts ?? [],
  }));
  fill("runs", [rows, shown], () => {
    const labels = rows.find(({ facts }) => facts.length > 0)?.facts.map(({ label }) => label) ?? [];
    const alike = rows.every(({ facts }) => facts.length === 0 || facts[0].label === labels[0]);
    const headers = ["Run", "State", ...labels.map((label, i) => (i === 0 && !alike ? "Best" : label))];
    return [
      element("thead", {}, headerRow(headers, 2)),
      element(
        "tbody",
        {},
        ...rows.map(({ name, state, facts }, index) => {
          const dot = element("i", { class: "dot" });
          dot.style.background = `var(${runColor(index)})`;
          const button = element(
            "button",
            {
              type: "button",
              class: "pick",
              "aria-pressed": index === shown,
              "data-key": String(index),
              onclick: () => pick(index),
            },
            dot,
            name,
          );
          const best = alike || facts.length === 0 ? [] : [element("small", {}, ` ${facts[0].label}`)];
          return element(
            "tr",
            { class: index === shown ? "picked" : null },
            element("th", { scope: "row" }, button),
            element("td", {}, state ? element("span", { class: `pill ${state.kind}` }, state.text) : null),
            ...labels.map((_, i) =>
              element("td", { class: "number" }, facts[i]?.value ?? "", ...(i === 0 ? best : [])),
            ),
          );
        }),
      ),
    ];
  });
}

/** Buttons that switch curves on and off. */
export function drawLegend(entries, isHidden, toggle) {
  fill(
    "legend",
    entries.map((entry) => [entry, isHidden(entry.key)]),
    () =>
      entries.map(({ key, label, color, dash, thin, line }) => {
        const swatch = element("i", { class: dash ? "dashed" : line ? "upright" : thin ? "thin" : null });
        swatch.style.setProperty("--swatch", `var(${color})`);
        return element(
          "button",
          { type: "button", "aria-pressed": !isHidden(key), "data-key": key, onclick: () => toggle(key) },
          swatch,
          label,
        );
      }),
  );
}

function tile({ label, value, note, share }) {
  const bar = element("span", { class: "bar" });
  if (share !== undefined) bar.style.setProperty("--share", `${100 * share}%`);
  return element(
    "div",
    { class: "card" },
    element("dt", {}, label),
    element("dd", { class: "value" }, value),
    element("dd", { class: "note" }, note, share === undefined ? null : bar),
  );
}

function fillTable(id, { headers, rows }, empty) {
  fill(id, [headers, rows], () => {
    if (rows.length === 0) return [element("caption", { class: "empty" }, empty)];
    return [element("thead", {}, headerRow(headers)), element("tbody", {}, ...rows.map(tableRow))];
  });
}

/** Headers; from the place `numbers` on, of columns of numbers. */
function headerRow(headers, numbers = 1) {
  return element(
    "tr",
    {},
    ...headers.map((text, i) => element("th", { scope: "col", class: i >= numbers ? "number" : null }, text)),
  );
}

function tableRow({ cells, mark }) {
  const [first, ...others] = cells;
  const tag = mark === "lost" ? element("span", { class: "tag" }, "not kept") : null;
  return element(
    "tr",
    { class: mark || null },
    element("th", { scope: "row" }, first, tag),
    ...others.map((text) => element("td", { class: "number" }, text)),
  );
}

/** The log, the newest line first. */
export function drawLog(log) {
  const only = byId("events-only").checked;
  const lines = log.filter(({ event }) => event || !only).toReversed();
  fill("log", lines, () => {
    if (lines.length === 0) return [element("li", { class: "empty" }, "Nothing yet.")];
    return lines.map(({ epoch, text, event, abandoned }) =>
      element(
        "li",
        { class: event ? "event" : abandoned ? "lost" : null },
        element("span", { class: "at" }, `epoch ${epoch}`),
        element("span", {}, text, abandoned ? element("span", { class: "tag" }, "abandoned") : null),
      ),
    );
  });
}

/** Settings: first those that are not as by default, then all others, then what the run is made on. */
function drawSettings({ settings, environment }) {
  fill("settings", [settings, environment], () => {
    if (settings.length === 0) {
      return [
        element("div", { class: "card" }, element("p", { class: "empty" }, "Come with the first epoch.")),
      ];
    }
    const changed = settings.filter(({ standard }) => standard !== undefined);
    const others = settings.filter(({ standard }) => standard === undefined);
    return [
      ...(changed.length > 0
        ? [settingsCard("Differs from the default", changed, ["setting", "value", "by default"])]
        : []),
      settingsCard("All others", others, ["setting", "value"], changed.length === 0),
      ...(environment.length > 0 ? [settingsCard("Environment", environment, ["", ""])] : []),
    ];
  });
}

function settingsCard(title, rows, headers, open = headers.length === 3) {
  const texts = ({ path, value, standard }) => [path, value, ...(standard === undefined ? [] : [standard])];
  const body = rows.map((row) =>
    element(
      "tr",
      {},
      ...texts(row).map((text, i) =>
        i === 0
          ? element("th", { scope: "row" }, text)
          : element("td", { class: i === 2 ? "lost" : null }, text),
      ),
    ),
  );
  const head =
    headers[0] === ""
      ? []
      : [
          element(
            "thead",
            {},
            element("tr", {}, ...headers.map((text) => element("th", { scope: "col" }, text))),
          ),
        ];
  return element(
    "details",
    { class: "card", open },
    element("summary", {}, `${title} (${rows.length})`),
    element(
      "div",
      { class: "wide" },
      element("table", { class: "settings" }, ...head, element("tbody", {}, ...body)),
    ),
  );
}
