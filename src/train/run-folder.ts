// The folder of a run: what it holds, written so that it can be read at any instant.

import { join } from "node:path";
import type { Tensor } from "../base/tensor.ts";
import { exists, writeFileAtomic } from "../data/files.ts";
import { writeSafetensors } from "../data/safetensors.ts";
import { bestScoresCsv, scoresCsv, summaryCsv, switchesCsv } from "../report/csv.ts";
import type { RunHistory } from "../report/history.ts";

/** The files of a run, by what they hold. */
export const RUN_FILES = {
  /** Everything needed to go on: `Training.load` reads it. */
  latest: "latest.safetensors",
  /** The parameters of the best epoch under their state dict names. */
  best: "best.safetensors",
  /** The best network, at the end of the run. */
  model: "model.onnx",
  /** One row an epoch. */
  scores: "scores.csv",
  /** One row a number of dendrites. */
  summary: "summary.csv",
  chart: "chart.svg",
} as const;

/** A folder that a run is written into. */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The path of one of the run's files. */
  file(kind: keyof typeof RUN_FILES): string {
    return join(this.path, RUN_FILES[kind]);
  }

  /** Whether a run has left a state here to go on from. */
  holdsRun(): Promise<boolean> {
    return exists(this.file("latest"));
  }

  /** Writes the parameters of the best epoch. */
  async writeBest(
    values: ReadonlyMap<string, Tensor>,
    facts: Readonly<Record<string, string>>,
  ): Promise<void> {
    await writeFileAtomic(this.file("best"), writeSafetensors(values, facts));
  }

  /** Writes tables and chart. */
  async writeReport(history: RunHistory): Promise<void> {
    // The chart's libraries take a while to load, and only runs with a folder need them.
    const { scoreChart } = await import("../report/chart.ts");
    await writeFileAtomic(this.file("scores"), scoresCsv(history));
    await writeFileAtomic(this.file("summary"), summaryCsv(history));
    await writeFileAtomic(this.file("chart"), scoreChart(history));
  }
}
