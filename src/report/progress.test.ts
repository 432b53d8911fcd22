import { EventEmitter } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { createProgress, type Progress, type ProgressOptions } from "./progress.ts";
import { displayWidth } from "./terminal.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP", "exit"] as const;
const listeners = () => signals.map((signal) => process.listenerCount(signal));

class Screen extends EventEmitter {
  isTTY = true;
  columns = 80;
  text = "";
  write(text: string): boolean {
    this.text += text;
    return true;
  }
  /** What was written since the last call. */
  take(): string {
    const text = this.text;
    this.text = "";
    return text;
  }
}

const started: Progress[] = [];
afterEach(() => {
  for (const progress of started.splice(0)) progress.close();
});

function setUp(options: ProgressOptions = {}) {
  const screen = new Screen();
  const clock = { time: 0 };
  const progress = createProgress({
    stream: screen,
    env: {},
    color: false,
    now: () => clock.time,
    ...options,
  });
  started.push(progress);
  return { screen, clock, progress };
}

test("a bar with share, count, rate, time left and values", () => {
  const { screen, clock, progress } = setUp();
  progress.start("epoch 3", 938);
  expect(screen.take()).toBe(
    `\u001b[?25l\r\u001b[Kepoch 3  ${"─".repeat(24)}    0%    0/938  – it/s     ETA –    `,
  );
  for (let i = 1; i <= 469; i++) {
    clock.time += 10;
    progress.update(i, { loss: 0.12345, lr: 1e-4 });
  }
  clock.time += 100;
  progress.update(470, { loss: 0.12345, lr: 1e-4 });
  const last = screen.take().split("\r\u001b[K").at(-1);
  expect(last).toBe(
    `epoch 3  ${"━".repeat(4)}${"─".repeat(4)}   50%  470/938  97.1 it/s  ETA 0:05   loss 0.1235  lr 1e-4`,
  );
  progress.finish();
  expect(screen.take()).toBe("\r\u001b[Kepoch 3  470/938  4.79 s  loss 0.1235  lr 1e-4\n\u001b[?25h");
});

test("draws at most ten times a second", () => {
  const { screen, clock, progress } = setUp();
  progress.start("x", 1000);
  screen.take();
  for (let i = 1; i <= 1000; i++) {
    clock.time += 1;
    progress.update(i);
  }
  expect(screen.take().split("\r").length - 1).toBe(10);
});

test.each([1, 5, 12, 20, 30, 40, 60, 79, 80, 200])("a bar fits into %i columns", (columns) => {
  const { screen, clock, progress } = setUp();
  screen.columns = columns;
  progress.start("training 红 epoch 12", 100_000);
  clock.time += 500;
  progress.update(50_000, { loss: 0.5, accuracy: "98.2%", "learning rate": 0.001 });
  const line = screen.take().split("\r\u001b[K").at(-1) ?? "";
  expect(displayWidth(line)).toBeLessThan(Math.max(2, columns));
  if (columns >= 30) expect(line).toContain(" 50%");
  if (columns >= 60) expect(line).toContain("━");
});

test("an unknown total has no share and no bar", () => {
  const { screen, clock, progress } = setUp();
  progress.start("reading", 0);
  clock.time += 4000;
  progress.update(2);
  expect(screen.take().split("\r\u001b[K").at(-1)).toBe("reading  2  2.0 s/it ");
});

test("the rate forgets a slow beginning", () => {
  const { screen, clock, progress } = setUp();
  progress.start("x", 10_000);
  clock.time += 20_000;
  progress.update(1);
  for (let i = 2; i < 2000; i++) {
    clock.time += 10;
    progress.update(i);
  }
  const rate = Number(/([\d.]+) it\/s/.exec(screen.text.split("\r").at(-1) ?? "")?.[1]);
  expect(rate).toBeGreaterThan(80);
});

test("colours are written when asked for", () => {
  const { screen, progress } = setUp({ color: true });
  progress.start("x", 2);
  expect(screen.text).toContain("\u001b[1mx");
  progress.close();
});

test("a line above the bar", () => {
  const { screen, progress } = setUp();
  progress.start("x", 2);
  screen.take();
  progress.log("added a dendrite");
  expect(screen.take().startsWith("\r\u001b[Kadded a dendrite\n\r\u001b[Kx ")).toBe(true);
});

test("without a terminal: a line every ten seconds and one at the end", () => {
  const { screen, clock, progress } = setUp({ env: { CI: "true" } });
  progress.start("epoch 0", 100);
  for (let i = 1; i <= 25; i++) {
    clock.time += 1000;
    progress.update(i, { loss: 1 });
  }
  progress.log("note");
  progress.finish("epoch 0: 98.2%");
  progress.start("epoch 1", 1);
  progress.update(1);
  progress.finish();
  progress.close();
  expect(screen.text.split("\n")).toEqual([
    "epoch 0  10%  10/100  1.0 it/s  ETA 1:30  loss 1.000",
    "epoch 0  20%  20/100  1.0 it/s  ETA 1:20  loss 1.000",
    "note",
    "epoch 0: 98.2%",
    "epoch 1  1/1  0.00 s",
    "",
  ]);
  expect(screen.text).not.toContain("\u001b");
});

test("listens to the process only while the cursor is hidden", () => {
  const before = listeners();
  const { screen, progress } = setUp();
  expect(listeners()).toEqual(before);
  progress.start("x", 2);
  expect(listeners()).toEqual(before.map((n) => n + 1));
  progress.finish();
  expect(listeners()).toEqual(before);
  progress.start("y", 2);
  screen.take();
  progress.close();
  expect(listeners()).toEqual(before);
  expect(screen.take()).toBe("\r\u001b[K\u001b[?25h");
});

test("an interrupted process gets its cursor back and then the signal", () => {
  const kill = vi.spyOn(process, "kill").mockReturnValue(true);
  const others = process.listeners("SIGINT");
  process.removeAllListeners("SIGINT");
  const { screen, progress } = setUp();
  progress.start("x", 2);
  process.emit("SIGINT", "SIGINT");
  for (const other of others) process.on("SIGINT", other);
  expect(screen.text.endsWith("\u001b[?25h")).toBe(true);
  expect(kill).toHaveBeenCalledExactlyOnceWith(process.pid, "SIGINT");
  kill.mockRestore();
  progress.close();
});

test.each(["on", "once"] as const)("where others listen to the signal (%s), they decide", (listen) => {
  const kill = vi.spyOn(process, "kill").mockReturnValue(true);
  const other = vi.fn();
  process[listen]("SIGTERM", other);
  const { progress } = setUp();
  progress.start("x", 2);
  process.emit("SIGTERM", "SIGTERM");
  process.off("SIGTERM", other);
  expect(other).toHaveBeenCalledOnce();
  expect(kill).not.toHaveBeenCalled();
  kill.mockRestore();
  progress.close();
});

test("a stream that closes is no error", async () => {
  const { screen, progress } = setUp();
  progress.start("x", 2);
  screen.emit("error", new Error("EPIPE"));
  screen.take();
  progress.log("lost");
  progress.finish("lost");
  expect(screen.take()).toBe("");
  progress.close();
  screen.emit("error", new Error("EPIPE, a little later"));
  await new Promise((resolve) => setImmediate(resolve));
  expect(screen.listenerCount("error")).toBe(0);

  const throwing = {
    isTTY: true,
    write: () => {
      throw new Error("closed");
    },
  };
  const other = createProgress({ stream: throwing, env: {} });
  other.start("x", 2);
  other.update(1);
  other.finish();
  other.close();
});

test("after closing nothing is written, and odd numbers do no harm", () => {
  const { screen, clock, progress } = setUp();
  progress.update(3);
  progress.finish();
  progress.start("x", Number.NaN);
  progress.start("y\n\u001b[2J", -1);
  progress.start("z", 10);
  for (const done of [20, -5, Number.NaN]) {
    clock.time += 200;
    progress.update(done, { loss: Number.NaN, missing: undefined });
  }
  expect(screen.text).not.toMatch(/\n|undefined|2J/);
  progress.close();
  screen.take();
  progress.start("x", 1);
  progress.update(1);
  progress.log("x");
  progress.finish("x");
  progress.close();
  expect(screen.take()).toBe("");
});
