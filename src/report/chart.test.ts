import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { scoreChart } from "./chart.ts";
import { epoch, fullRun, grownRun, history, learning, wobble } from "./histories.fixture.ts";
import type { EpochRecord, RunHistory } from "./history.ts";
import { darkColors, textWidth } from "./look.ts";
import type { SvgElement } from "./svg.ts";

const runs: Record<string, RunHistory> = {
  "no epochs": history([]),
  "one epoch": learning(1),
  "three epochs": learning(3),
  "200 epochs": learning(200),
  "54 epochs with additions and abandoned branches": grownRun(),
  "the same, lower is better": turned(grownRun()),
  "everything that a run may record": fullRun(),
  "everything, lower is better": turned(fullRun()),
  "many modules and extra scores with long names": crowded(),
  "constant scores": history(of(12, () => ({ trainLoss: 0.5 }))),
  "only zeros": history(of(4, () => ({ trainLoss: 0, validation: 0, learningRate: 0 }))),
  "huge losses": history(
    of(20, (i) => ({ trainLoss: 1e14 * Math.exp(-3 * i), validation: 1e9 * Math.exp(-i) })),
    { metric: "mean squared error, weighted by something long", maximize: false },
  ),
  "not a number": history(of(9, (i) => (i > 5 ? { trainLoss: Number.NaN, validation: Number.NaN } : {}))),
  "infinite everything": history(
    of(5, () => ({
      trainLoss: Number.POSITIVE_INFINITY,
      validation: Number.NEGATIVE_INFINITY,
      learningRate: Number.MAX_VALUE,
    })),
  ),
  "an addition every five epochs": additionEvery(5, 60, 11),
  "additions side by side": additionEvery(1, 300, 10),
};

const cases = Object.entries(runs).flatMap(([name, run]) =>
  [960, 720, 400, 320].map((width) => ({ name, run, width })),
);

describe.each(cases)("$name, $width pixels wide", ({ run, width }) => {
  const svg = scoreChart(run, { name: "a run", width });

  test("is one self-contained picture", () => {
    expect(svg).toMatch(new RegExp(`^<svg [^>]*viewBox="0 0 ${width} \\d+"`));
    expect(svg).toContain('xmlns="http://www.w3.org/2000/svg"');
    expect(svg).toContain("system-ui");
    expect(svg).not.toMatch(/<script|<style|<image|href=|undefined|="[^"]*(NaN|Infinity)/);
    expectWellFormed(svg);
  });

  test("has no text that leaves the picture or lies on another", () => {
    const texts = textBoxes(svg);
    const height = Number(/viewBox="0 0 \d+ (\d+)"/.exec(svg)?.[1]);
    for (const box of texts) {
      expect(
        box.left >= 8 && box.right <= width - 8 && box.top >= 8 && box.bottom <= height - 8,
        box.text,
      ).toBe(true);
      const under = texts.find((other) => other !== box && overlap(box, other));
      expect(under && `${box.text} on ${under.text}`).toBeUndefined();
    }
  });
});

test("the same history gives the same text, and two charts share no names", () => {
  const [a, b] = [scoreChart(grownRun()), scoreChart(learning(200))];
  expect(scoreChart(grownRun())).toBe(a);
  const ids = (svg: string) => [...svg.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
  expect(ids(a).length).toBeGreaterThan(0);
  expect(ids(b)).not.toContain(ids(a)[0]);
  for (const id of ids(a)) expect(a).toContain(`url(#${id})`);
});

test("says what there is to see", () => {
  const svg = scoreChart(grownRun(), { name: 'digits & "friends" <3>' });
  expect(svg).toMatch(/Validation accuracy 98\.\d\d% with 2 dendrites/);
  expect(svg).toMatch(/>98\.\d\d% at epoch 25</);
  expect(svg).toMatch(/>\+1 dendrite</);
  expect(svg).toMatch(/>\+1 dendrite, kept at try 2</);
  expect(svg).toMatch(/>\+1 dendrite, 2 tries, not kept</);
  expect(svg).toMatch(/\d epochs lie below the axis/);
  expect(svg).toContain("digits &amp; ");
  expect(svg).toContain("&lt;3&gt;");
  for (const text of ["no dendrites", "3 dendrites", ">test<", ">abandoned<", "log scale", ">4.8M<"]) {
    expect(svg).toContain(text);
  }
});

test("shows what a run recorded beside its scores, and says what it leaves out", () => {
  const svg = scoreChart(fullRun());
  for (const text of [
    "Seconds per epoch",
    "Dendrite scores by epoch",
    "layer1.0.conv2",
    "training accuracy",
  ]) {
    expect(svg).toContain(`>${text}<`);
  }
  expect(svg).toContain("on other scales, not shown: top 5, loss");
  expect(scoreChart(grownRun())).not.toContain("Dendrite scores");
  const plain = scoreChart(fullRun(), { heading: false });
  expect(plain).not.toMatch(/<text[^>]*>Validation accuracy 98/);
});

test("every colour has a counterpart for dark paper", () => {
  const used = [...scoreChart(crowded()).matchAll(/="(#[0-9a-f]{6})"/g)].map((match) => match[1]!);
  expect(new Set(used).size).toBeGreaterThan(10);
  expect(used.filter((color) => !darkColors.has(color))).toEqual([]);
});

test("times are shown in the unit that suits them", () => {
  const taking = (seconds: number) =>
    scoreChart(history(of(3, () => ({ trainSeconds: seconds, validationSeconds: seconds / 10 }))));
  for (const [seconds, unit] of [
    [0.02, "Milliseconds"],
    [2, "Seconds"],
    [900, "Minutes"],
    [40_000, "Hours"],
  ] as const) {
    expect(taking(seconds)).toContain(`>${unit} per epoch<`);
  }
});

test("test scores that were measured now and then are joined", () => {
  const run = history(
    of(6, (i) => (i % 2 === 0 ? { test: 0.8, validation: 0.9 + i / 100 } : { validation: 0.9 + i / 100 })),
  );
  const dashed = /stroke-dasharray="5 3"[^>]*aria-label="line"[^>]*>\s*<path[^>]* d="([^"]+)"/;
  const path =
    dashed.exec(scoreChart(run))?.[1] ?? /d="(M[^"]+)"[^>]*stroke-dasharray/.exec(scoreChart(run))?.[1];
  expect(path?.match(/[ML]/g)).toEqual(["M", "L", "L"]);
});

function of(count: number, fields: (i: number) => Partial<EpochRecord>): EpochRecord[] {
  return Array.from({ length: count }, (_, i) => epoch({ epoch: i, ...fields(i) }));
}

function turned(run: RunHistory): RunHistory {
  const epochs = run.epochs.map((e) => ({ ...e, validation: 1 - e.validation, test: 1 - (e.test ?? 0) }));
  return { ...run, epochs, metric: "error rate", maximize: false };
}

function crowded(): RunHistory {
  const run = fullRun();
  const names = Array.from({ length: 40 }, (_, i) => `encoder.layers.${i}.attention.output.dense`);
  const epochs = run.epochs.map((e) => ({
    ...e,
    dendriteScores: Object.fromEntries(names.map((name, i) => [name, -0.2 + i / 90 + e.epoch / 200])),
    scores: Object.fromEntries(names.map((name, i) => [`accuracy of ${name}`, e.validation - i / 9000])),
  }));
  return { ...run, epochs };
}

function additionEvery(every: number, count: number, most: number): RunHistory {
  const dendrites = (i: number) => Math.min(most, Math.floor(i / every));
  const score = (i: number) => 0.7 + 0.2 * (1 - Math.exp(-i / 15)) + 0.003 * wobble(i);
  const switches = Array.from({ length: most }, (_, i) => ({
    epoch: every * (i + 1) - 1,
    dendrites: i + 1,
    reason: "as planned",
  }));
  return history(
    of(count, (i) => ({ cycle: dendrites(i), dendrites: dendrites(i), validation: score(i) })),
    { switches },
  );
}

/** Tags are balanced, and no `&` or `<` is bare: enough of XML for what is written here. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([A-Za-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g,
    (_, end, name, _a, empty) => {
      if (end) expect(open.pop()).toBe(name);
      else if (!empty) open.push(name);
      return "";
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]/);
  expect(svg).not.toMatch(/&(?!(amp|lt|gt|quot|#\d+);)/);
}

interface Box {
  text: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Where the texts of a picture are, by a font of a little less than the width that was planned for. */
function textBoxes(svg: string): Box[] {
  const { document } = parseHTML(svg) as unknown as {
    document: { querySelectorAll(q: string): Iterable<TextNode> };
  };
  return [...document.querySelectorAll("text")].map((element) => {
    const text = element.textContent ?? "";
    const size = Number(inherited(element, "font-size") ?? 10);
    const width = textWidth(text, size) * 0.97;
    const anchor = inherited(element, "text-anchor") ?? "start";
    let [x, y] = [Number(element.getAttribute("x") ?? 0), lengthOf(element.getAttribute("y"), size)];
    for (let node: TextNode | null = element; node?.getAttribute; node = node.parentElement) {
      const move = /translate\(([-\d.]+),([-\d.]+)\)/.exec(node.getAttribute("transform") ?? "");
      if (move) [x, y] = [x + Number(move[1]), y + Number(move[2])];
    }
    const left = anchor === "middle" ? x - width / 2 : anchor === "end" ? x - width : x;
    return { text, left, right: left + width, top: y - size * 0.72, bottom: y + size * 0.05 };
  });
}

interface TextNode extends SvgElement {
  parentElement: TextNode | null;
}

function inherited(element: TextNode, name: string): string | null {
  for (let node: TextNode | null = element; node?.getAttribute; node = node.parentElement) {
    const value = node.getAttribute(name);
    if (value !== null) return value;
  }
  return null;
}

const lengthOf = (text: string | null, size: number) =>
  text?.endsWith("em") ? Number.parseFloat(text) * size : Number(text ?? 0);

const overlap = (a: Box, b: Box) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
