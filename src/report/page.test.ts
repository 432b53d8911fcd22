import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { epoch, fullRun, history } from "./histories.fixture.ts";
import { html } from "./markup.ts";
import { reportPage } from "./page.ts";
import { settingRows } from "./settings-rows.ts";

const settings = {
  growth: { patience: 4, maxDendrites: 100 },
  optimizer: { name: "adam", betas: [0.9, 0.999] },
};
const defaults = { growth: { patience: 10, maxDendrites: 100 } };
const environment = { engine: "onnxruntime-node 1.30.0", threads: 2, seeds: { weights: 7 } };

interface Page {
  querySelector(selector: string): { textContent: string } | null;
  querySelectorAll(selector: string): Iterable<{ textContent: string }>;
}

const parse = (page: string) => (parseHTML(page) as unknown as { document: Page }).document;
const texts = (page: Page, selector: string) =>
  [...page.querySelectorAll(selector)].map((element) => element.textContent.replace(/\s+/g, " ").trim());

test("is one page that needs nothing else", () => {
  const page = reportPage(fullRun(), { name: "digits", settings, defaults, environment });
  expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(page).toMatch(/<\/html>\n$/);
  expect(page).not.toMatch(/<script|<link|<img|@import|src=|href=|url\((?!#)|undefined|\[object/);
  expect(page).toBe(reportPage(fullRun(), { name: "digits", settings, defaults, environment }));
});

test("says result, decisions in order, rates tried, settings, epochs and environment", () => {
  const run = fullRun();
  const page = parse(reportPage(run, { name: "digits", settings, defaults, environment }));
  expect(page.querySelector("h1")?.textContent).toMatch(/^Validation accuracy 98\.\d\d% with 2 dendrites$/);
  expect(texts(page, "h2")).toEqual([
    "Result by number of dendrites",
    "Decisions",
    "Learning rates tried",
    "Settings",
    "Epochs",
    "Environment",
  ]);
  const decisions = texts(page, ".decisions li");
  expect(decisions).toHaveLength(run.switches.length + 1);
  expect(decisions[0]).toBe(`1 dendrite kept after epoch 13, from the model of 9${run.switches[0]?.reason}`);
  expect(decisions[2]).toMatch(/^2 dendrites, attempt 2 ?kept/);
  expect(decisions[3]).toMatch(/^3 dendrites ?taken back/);
  expect(decisions[5]).toContain(run.ended);
  expect(texts(page, ".settings tr")).toContain("growth.patience410");
  expect(texts(page, ".settings .tag")).toEqual(["4"]);
  expect(texts(page, ".settings tr")).toContain("optimizer.betas[0.9, 0.999]");
  expect(texts(page, ".settings tr")).toContain("seeds.weights7");
  expect(texts(page, "details tbody tr")).toHaveLength(run.epochs.length);
  expect(texts(page, "details tbody tr.lost")).toHaveLength(run.epochs.filter((e) => e.abandoned).length);
});

test("leaves out what a run has nothing for", () => {
  const page = reportPage(history([]), { name: "new" });
  expect(page).toContain("No epochs yet");
  expect(page).not.toMatch(/<h2>|<table/);
  const one = reportPage(history([epoch({ epoch: 0, validation: Number.NaN })]), { name: "one" });
  expect(texts(parse(one), "h2")).toEqual(["Result by number of dendrites", "Epochs"]);
});

test("escapes everything that it is given", () => {
  const evil = `"><script>alert('&')</script>\u0000`;
  const run = fullRun();
  const page = reportPage(
    {
      ...run,
      metric: evil,
      ended: evil,
      switches: run.switches.map((s) => ({ ...s, reason: evil })),
      epochs: run.epochs.map((e) => ({ ...e, scores: { [evil]: 0.98 }, dendriteScores: { [evil]: 1 } })),
    },
    {
      name: evil,
      settings: { [evil]: evil },
      defaults: { [evil]: 1 },
      environment: { a: { [evil]: [evil] } },
    },
  );
  expect(page).not.toContain("<script");
  expect(page).not.toContain("\u0000");
  expect(page.split("&lt;script&gt;").length).toBeGreaterThan(10);
});

test("templates escape values, and take markup, lists and nothing", () => {
  const item = (text: string) => html`<li class="${text}">${text}</li>`;
  expect(html`<ul>${[item("a<b"), item(`"'`)]}${false}${undefined}${0}</ul>`.text).toBe(
    `<ul><li class="a&lt;b">a&lt;b</li><li class="&quot;&#39;">&quot;&#39;</li>0</ul>`,
  );
});

test("settings become rows, and those that differ from the defaults say so", () => {
  const given = { a: 1, b: { c: [1, [2]], d: null, e: undefined, f: {} }, g: [{ h: "x" }], when: new Map() };
  expect(settingRows(given, { a: 2, b: { c: [1, [2]] } })).toEqual([
    { path: "a", value: "1", standard: "2" },
    { path: "b.c", value: "[1, [2]]" },
    { path: "b.d", value: "null" },
    { path: "b.f", value: "{}" },
    { path: "g", value: "[{ h: x }]" },
    { path: "when", value: "[object Map]" },
  ]);
});
