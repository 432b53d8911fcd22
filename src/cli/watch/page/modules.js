// The modules of a network as a tree, with what their dendrites add as small charts.

import { element, fill } from "./dom.js";

/** Paths of groups that are closed. */
const closed = new Set();
const HEADERS = ["module", "parameters", "of dendrites", "output weights of dendrites"];

const count = (number) => number.toLocaleString("en");

/** Fills the table of modules. */
export function drawModules(run, modules) {
  fill("modules", [run, modules, [...closed]], () => {
    if (modules.length === 0) {
      return [element("caption", { class: "empty" }, "Come with the first epoch that is the best.")];
    }
    const head = element("tr", {}, ...HEADERS.map((text, i) => cell("th", text, i === 1 || i === 2)));
    const root = treeOf(modules);
    const total = row({ ...root, label: "all" }, 0, null, "group");
    return [
      element("thead", {}, head),
      element("tbody", {}, ...rowsOf(root, 0, () => drawModules(run, modules))),
      element("tfoot", {}, total),
    ];
  });
}

/** Modules by the parts of their paths. A group of one is one with its member. */
function treeOf(modules) {
  const root = { label: "", path: "", members: [], own: null };
  for (const module of modules) {
    let at = root;
    for (const part of module.path === "" ? ["(top)"] : module.path.split(".")) {
      const path = at.path === "" ? part : `${at.path}.${part}`;
      const known = at.members.find((each) => each.path === path);
      const next = known ?? { label: part, path, members: [], own: null };
      if (!known) at.members.push(next);
      at = next;
    }
    at.own = module;
  }
  return summed({ ...root, members: root.members.map(merged) });
}

function merged(node) {
  const members = node.members.map(merged);
  const [only] = members;
  if (node.own || members.length !== 1) return { ...node, members };
  return { ...only, label: `${node.label}.${only.label}` };
}

function summed(node) {
  const members = node.members.map(summed);
  const total = (name) => members.reduce((sum, each) => sum + each[name], node.own?.[name] ?? 0);
  return {
    ...node,
    members,
    parameters: total("parameters"),
    dendriteParameters: total("dendriteParameters"),
  };
}

function rowsOf(node, level, again) {
  return node.members.flatMap((member) => [
    row(member, level, again),
    ...(closed.has(member.path) ? [] : rowsOf(member, level + 1, again)),
  ]);
}

function row(node, level, again, kind = null) {
  const isGroup = again !== null && node.members.length > 0;
  const name = isGroup ? toggle(node, again) : element("span", {}, node.label);
  const first = element("th", { scope: "row" }, name);
  first.style.setProperty("--level", level);
  const outputs = node.own?.outputs ?? [];
  const most = Math.max(...outputs.flat().map(Math.abs), 1e-12);
  return element(
    "tr",
    { class: isGroup ? "group" : kind },
    first,
    cell("td", count(node.parameters), true),
    cell("td", node.dendriteParameters > 0 ? count(node.dendriteParameters) : "", true),
    element(
      "td",
      { class: "outputs" },
      ...outputs.map((weights, i) =>
        element("span", {}, element("small", {}, String(i + 1)), barsOf(weights, i, most, node.path)),
      ),
    ),
  );
}

function toggle({ label, path }, again) {
  const open = !closed.has(path);
  const change = () => {
    if (!closed.delete(path)) closed.add(path);
    again();
  };
  return element(
    "button",
    { type: "button", class: "toggle", "aria-expanded": open, "data-key": path, onclick: change },
    label,
  );
}

function cell(tag, text, number) {
  return element(tag, { class: number ? "number" : null, scope: tag === "th" ? "col" : null }, text);
}

const SVG = "http://www.w3.org/2000/svg";

/** Bars for the output weights of one dendrite; all of a module have one scale. */
function barsOf(weights, index, most, path) {
  const mean = weights.reduce((sum, weight) => sum + Math.abs(weight), 0) / Math.max(1, weights.length);
  const width = Math.max(1, Math.min(8, Math.floor(120 / weights.length)));
  const svg = document.createElementNS(SVG, "svg");
  const told = `dendrite ${index + 1} of ${path || "(top)"}: ${weights.length} output weights, mean size ${mean.toPrecision(3)}`;
  const attributes = {
    viewBox: `0 0 ${weights.length * width} 28`,
    width: weights.length * width,
    height: 28,
    class: "bars",
    role: "img",
    "aria-label": told,
  };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const gap = width > 2 ? 1 : 0;
  for (const [name, sign] of [
    ["more", 1],
    ["less", -1],
  ]) {
    const shape = document.createElementNS(SVG, "path");
    const bars = weights.map((weight, i) => {
      const height = (Math.max(0, sign * weight) / most) * 13;
      return height === 0 ? "" : `M${i * width} 14v${(-sign * height).toFixed(2)}h${width - gap}V14z`;
    });
    shape.setAttribute("d", bars.join(""));
    shape.setAttribute("class", name);
    svg.append(shape);
  }
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", `M0 14h${weights.length * width}`);
  line.setAttribute("class", "zero");
  svg.append(line);
  const title = document.createElementNS(SVG, "title");
  title.textContent = told;
  svg.prepend(title);
  return svg;
}
