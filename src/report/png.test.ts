import { expect, test } from "vitest";
import { scoreChart } from "./chart.ts";
import { grownRun } from "./histories.fixture.ts";
import { svgToPng } from "./png.ts";

const size = (png: Uint8Array) => {
  const view = new DataView(png.buffer, png.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
};

test("a chart as PNG, twice its size, the same every time", async () => {
  const svg = scoreChart(grownRun());
  const png = await svgToPng(svg);
  expect([...png.slice(1, 4)]).toEqual([..."PNG"].map((c) => c.charCodeAt(0)));
  const height = Number(/viewBox="0 0 960 (\d+)"/.exec(svg)?.[1]);
  expect(size(png)).toEqual([1920, 2 * height]);
  expect(Buffer.compare(png, await svgToPng(svg))).toBe(0);
  expect(size(await svgToPng(svg, { scale: 0.5 }))).toEqual([480, height / 2]);
});

test("letters are drawn without the fonts of the machine, and others with them", async () => {
  const svg = (text: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="99" height="20" font-family="system-ui, sans-serif"><text y="15">${text}</text></svg>`;
  const empty = await svgToPng(svg(""));
  for (const text of ["a", "9", "→", "⁻", "★", "é", "λ"]) {
    expect(Buffer.compare(await svgToPng(svg(text)), empty), text).not.toBe(0);
  }
  await svgToPng(svg("红"));
});
