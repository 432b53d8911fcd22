// That the bench of epochs runs, and what it makes of its numbers. What they are is for a quiet machine.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { type EpochRecord, epochSection } from "../bench/records.ts";

const root = join(import.meta.dirname, "..");

test("a few steps with loading, kept as numbers", { timeout: 240_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "arborize-bench-"));
  try {
    const path = join(folder, "epochs.json");
    const args = [
      "--import",
      "tsx",
      "bench/epoch.ts",
      "--smoke",
      "--alone",
      "--threads",
      "1",
      "--json",
      path,
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    expect(stdout).toMatch(/PyTorch: skipped, not asked for/);
    const record = JSON.parse(await readFile(path, "utf8")) as EpochRecord;
    expect(record.rows).toMatchObject([
      { row: "mnist-cnn", dendrites: 0, examples: 256, epochSteps: 4, peer: null, ratio: null },
    ]);
    const { median, least } = record.rows[0]!.ours;
    expect(least).toBeGreaterThan(0);
    expect(median).toBeGreaterThanOrEqual(least);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("the section of the page: what share was timed, and no verdict without a ratio", () => {
  const row = { dendrites: 1, examples: 60_000, epochSteps: 938, ours: { median: 50, least: 49 } };
  const peer = { median: 100, least: 90.04 };
  const text = epochSection({
    ...{ date: "2026-01-02", machine: "a machine", threads: 2, about: [], rounds: 7, steps: 30 },
    rows: [
      { ...row, row: "one", peer, ratio: 0.5 },
      { ...row, row: "two", peer, ratio: 1.04 },
      { ...row, row: "busy", peer, ratio: null },
    ],
  });
  expect(
    text
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .slice(2),
  ).toEqual([
    "| one | 1 | 60000 | 22 % | 50.0 | 49.0 | 100.0 | 90.0 | 0.50 | yes |",
    "| two | 1 | 60000 | 22 % | 50.0 | 49.0 | 100.0 | 90.0 | 1.04 | no |",
    "| busy | 1 | 60000 | 22 % | 50.0 | 49.0 | 100.0 | 90.0 | - | - |",
  ]);
});
