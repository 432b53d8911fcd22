import { expect, test } from "vitest";
import { layoutColumn, layoutDotLabels, layoutRows } from "./labels.ts";
import { shorten, textWidth } from "./look.ts";

test("labels that would touch go to the next row; at the edges they turn inwards", () => {
  const at = (...places: number[]) => places.map((place) => ({ text: "+1 dendrite", place }));
  expect(layoutRows(at(0, 300, 320, 900), 11, 900, 3)).toEqual({
    rows: 2,
    labels: [
      { text: "+1 dendrite", row: 0, anchor: "start" },
      { text: "+1 dendrite", row: 0, anchor: "middle" },
      { text: "+1 dendrite", row: 1, anchor: "middle" },
      { text: "+1 dendrite", row: 0, anchor: "end" },
    ],
  });
  expect(layoutRows(at(100, 101, 102, 103), 11, 900, 3)).toBeUndefined();
  expect(layoutRows([], 11, 900, 3)).toEqual({ rows: 0, labels: [] });
});

test("dots are labelled above, else below, else not; the first come first", () => {
  const area = { width: 200, height: 100 };
  const label = (left: number, top: number) => ({ text: "98.12%", left, top });
  expect(layoutDotLabels([label(50, 50), label(150, 50)], 11, area)).toEqual(["above", "above"]);
  expect(layoutDotLabels([label(50, 50), label(80, 50)], 11, area)).toEqual(["above", "below"]);
  expect(layoutDotLabels([label(50, 50), label(80, 50), label(65, 51)], 11, area)[2]).toBeUndefined();
  expect(layoutDotLabels([label(50, 2)], 11, area)).toEqual(["below"]);
});

test("text is measured generously and cut where there is no room", () => {
  expect(textWidth("mmm", 10)).toBeGreaterThan(textWidth("iii", 10));
  expect(textWidth("abc", 10, "bold")).toBeGreaterThan(textWidth("abc", 10));
  expect(shorten("accuracy", 10, 500)).toBe("accuracy");
  const cut = shorten("a long name of a run", 10, 60);
  expect(cut).toMatch(/^a long.*…$/);
  expect(textWidth(cut, 10)).toBeLessThanOrEqual(60);
});

test("labels in a column are moved apart as little as it takes, and the last ones go first", () => {
  expect(layoutColumn([10, 50], 10, 100)).toEqual([10, 50]);
  expect(layoutColumn([50, 50, 45], 10, 100)).toEqual([57, 69, 45]);
  expect(layoutColumn([100, 100], 10, 100)).toEqual([88, 100]);
  expect(layoutColumn([-5, 3, 8, 9], 10, 36)).toEqual([0, 12, 24, undefined]);
  expect(layoutColumn([], 10, 36)).toEqual([]);
});
