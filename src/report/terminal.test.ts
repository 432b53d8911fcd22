import { expect, test } from "vitest";
import { displayWidth, isInteractive, oneLine, truncate, wantsColor } from "./terminal.ts";

const terminal = { isTTY: true };

test("colours: FORCE_COLOR, then NO_COLOR, then whether it is a terminal", () => {
  expect(wantsColor(terminal, {})).toBe(true);
  expect(wantsColor({}, {})).toBe(false);
  expect(wantsColor(terminal, { NO_COLOR: "1" })).toBe(false);
  expect(wantsColor(terminal, { NO_COLOR: "" })).toBe(true);
  expect(wantsColor({}, { FORCE_COLOR: "1" })).toBe(true);
  expect(wantsColor({}, { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(true);
  expect(wantsColor(terminal, { FORCE_COLOR: "0" })).toBe(false);
  expect(wantsColor(terminal, { TERM: "dumb" })).toBe(false);
});

test("lines are redrawn on terminals only, and not under CI or NO_COLOR", () => {
  expect(isInteractive(terminal, {})).toBe(true);
  expect(isInteractive({}, { FORCE_COLOR: "1" })).toBe(false);
  for (const env of [{ CI: "true" }, { CI: "1" }, { NO_COLOR: "1" }, { TERM: "dumb" }]) {
    expect(isInteractive(terminal, env)).toBe(false);
  }
  expect(isInteractive(terminal, { CI: "false" })).toBe(true);
  expect(isInteractive(terminal, { NO_COLOR: "1", FORCE_COLOR: "1" })).toBe(true);
});

test("width as a terminal counts it", () => {
  expect(displayWidth("abc")).toBe(3);
  expect(displayWidth("\u001b[1mabc\u001b[22m")).toBe(3);
  expect(displayWidth("e\u0301")).toBe(1);
  expect(displayWidth("红🌱")).toBe(4);
  expect(truncate("红红红", 5)).toBe("红红…");
  expect(truncate("abc", 3)).toBe("abc");
  expect(truncate("abc", 0)).toBe("");
  expect(oneLine("\u001b[2Ja\r\n\tb\u0007 ")).toBe("a b");
});
