import { expect, test } from "vitest";
import { epoch, grownRun, history, learning } from "./histories.fixture.ts";
import { gainLine, summaryTable, textTable } from "./table.ts";
import { displayWidth } from "./terminal.ts";

test("columns are aligned, whatever the letters and escape sequences", () => {
  const rows = [
    { name: "a", n: 1 },
    { name: "\u001b[31m红色é\u001b[39m", n: 1000 },
  ];
  const table = textTable(rows, [
    { header: "name", value: (row) => row.name },
    { header: "n", value: (row) => String(row.n), align: "right" },
  ]);
  expect(table.split("\n")).toEqual([
    "name       n",
    "────────────",
    "a          1",
    "\u001b[31m红色é\u001b[39m   1000",
  ]);
  expect(textTable([], [{ header: "x", value: () => "" }])).toBe("x\n─");
});

test("a run as a table", () => {
  const lines = summaryTable(grownRun()).split("\n");
  expect(lines[0]).toMatch(/^dendrites {3}parameters {3}validation accuracy {5}test {3}epochs {5}time$/);
  expect(lines[2]).toMatch(/^ {8}0 {4}1,199,882 +96\.\d\d% {3}96\.\d\d% {7}14 {3}2m 34s$/);
  expect(lines[4]).toMatch(/^ {6}★ 2 /);
  expect(lines[5]).toMatch(/not kept$/);
  expect(lines[7]).toMatch(
    /^2 dendrites: \+2\.\d\d points \(\d\d% fewer errors\) for 3\.00 times the parameters$/,
  );
  expect(new Set(lines.slice(2, 5).map(displayWidth)).size).toBe(1);
});

test("columns without content are left out, and colours only come when asked for", () => {
  const plain = summaryTable(history([epoch({ epoch: 0 })]));
  expect(plain).not.toMatch(/test|not kept/);
  expect(plain).not.toContain("\u001b");
  expect(summaryTable(learning(2), { color: true })).toContain("\u001b[32m");
});

test("percent only where scores are shares of one", () => {
  const of = (metric: string, validation: number, maximize = true) =>
    summaryTable(history([epoch({ epoch: 0, validation })], { metric, maximize }));
  expect(of("accuracy", 0.9123)).toContain("91.23%");
  expect(of("error rate", 0.0123, false)).toContain("1.23%");
  expect(of("accuracy", 91.23)).toContain("91.23");
  expect(of("perplexity", 0.9123, false)).toContain("0.9123");
  expect(of("accuracy", Number.NaN)).toContain("NaN");
});

test("what the dendrites gained", () => {
  const run = (base: number, grown: number, rest = {}) =>
    history(
      [epoch({ epoch: 0, validation: base }), epoch({ epoch: 1, dendrites: 1, validation: grown })],
      rest,
    );
  expect(gainLine(run(0.9, 0.95))).toBe(
    "1 dendrite: +5.00 points (50% fewer errors) for 2.00 times the parameters",
  );
  expect(gainLine(run(0.1, 0.05, { metric: "error rate", maximize: false }))).toMatch(
    /^1 dendrite: −5\.00 points \(50% fewer errors\)/,
  );
  expect(gainLine(run(40, 30, { metric: "perplexity", maximize: false }))).toMatch(
    /^1 dendrite: −10\.00 for/,
  );
  expect(gainLine(run(0.9, 0.8))).toMatch(/^No dendrites did better/);
  expect(gainLine(learning(3))).toBe("");
});
