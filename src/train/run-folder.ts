// The folder of a run: what it holds, written so that it can be read at any instant.

import { rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Tensor } from "../base/tensor.ts";
import { exists, writeFileAtomic } from "../data/files.ts";
import { writeSafetensors } from "../data/safetensors.ts";
import { bestScoresCsv, scoresCsv, summaryCsv, switchesCsv } from "../report/csv.ts";
import type { RunHistory } from "../report/history.ts";
import type { ReportOptions } from "../report/page.ts";
import type { Snapshot } from "./network.ts";

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
  /** One row a cycle: what its best epoch scored. */
  bestScores: "best-scores.csv",
  /** One row an addition of dendrites, with its reason. */
  switches: "switches.csv",
  chart: "chart.svg",
  picture: "chart.png",
  /** What each dendrite of the best network does. */
  explanation: "explanation.json",
  explanationChart: "explanation.svg",
  explanationPicture: "explanation.png",
  /** What the network is, from what, how good and how to load it, in Markdown. */
  card: "model-card.md",
  /** All of it on one page. */
  report: "report.html",
  /** What the run was made with and on. */
  about: "about.json",
  /** What the command `arborize` was told; only its runs have it. */
  config: "config.json",
  /** What the fields of the data mean, learned from the training part; only where the command read files. */
  recipe: "recipe.json",
} as const;

/** A folder that a run is written into. */
export class RunFolder {
  readonly path: string;
  /** When drawing may begin again, on the clock of `performance`. */
  #nextDrawing = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** What the run is called: the folder's own name. */
  get name(): string {
    return basename(resolve(this.path));
  }

  /** The path of one of the run's files. */
  file(kind: keyof typeof RUN_FILES): string {
    return join(this.path, RUN_FILES[kind]);
  }

  /** Whether a run has left a state here to go on from. */
  holdsRun(): Promise<boolean> {
    return exists(this.file("latest"));
  }

  /** Writes one of the files of plain data. */
  async writeJson(kind: "about" | "config" | "recipe" | "explanation", content: object): Promise<void> {
    await writeFileAtomic(this.file(kind), `${JSON.stringify(content, null, 2)}\n`);
  }

  /** Removes what explains a network that is the best no more. */
  async forgetExplanation(): Promise<void> {
    for (const kind of ["explanation", "explanationChart", "explanationPicture"] as const) {
      await rm(this.file(kind), { force: true });
    }
  }

  /** Writes the parameters of the best epoch. */
  async writeBest(
    values: ReadonlyMap<string, Tensor>,
    facts: Readonly<Record<string, string>>,
  ): Promise<void> {
    await writeFileAtomic(this.file("best"), writeSafetensors(values, facts));
  }

  /** Writes the best network of a number of dendrites, which the next one is added to. */
  async writeBestOf({ dendrites, values }: Snapshot): Promise<void> {
    const path = join(this.path, `best-${dendrites}-dendrites.safetensors`);
    await writeFileAtomic(path, writeSafetensors(values, { dendrites: String(dendrites) }));
  }

  /**
   * Writes tables, and what is drawn of them: chart, model card, page, picture, what explains the dendrites. Drawing can take
   * longer than an epoch of a small network: during a run it happens whenever that takes no more than a tenth of the time,
   * so it may lag behind the tables.
   *
   * @param about what the page says beside the history; it is named after the folder by default.
   * @param last whether the run is over, so that nothing may lag behind. Default: whether the history has an end.
   */
  async writeReport(
    history: RunHistory,
    about: Partial<ReportOptions> = {},
    last = history.ended !== undefined,
  ): Promise<void> {
    await writeFileAtomic(this.file("scores"), scoresCsv(history));
    await writeFileAtomic(this.file("summary"), summaryCsv(history));
    await writeFileAtomic(this.file("bestScores"), bestScoresCsv(history));
    await writeFileAtomic(this.file("switches"), switchesCsv(history));
    if (!last && performance.now() < this.#nextDrawing) return;
    const start = performance.now();
    await this.#draw(history, { ...about, name: about.name ?? this.name });
    const end = performance.now();
    this.#nextDrawing = end + 9 * (end - start);
  }

  async #draw(history: RunHistory, about: ReportOptions): Promise<void> {
    // What draws takes a while to load, and only runs with a folder need it.
    const { scoreChart } = await import("../report/chart.ts");
    const { modelCard } = await import("../report/model-card.ts");
    const { reportPage } = await import("../report/page.ts");
    const { svgToPng } = await import("../report/png.ts");
    const { settings, defaults, environment, explanation } = about;
    const chart = scoreChart(history, about);
    await writeFileAtomic(this.file("chart"), chart);
    await writeFileAtomic(this.file("card"), modelCard(history, about));
    if (settings) await this.writeJson("about", { settings, defaults, environment });
    await writeFileAtomic(this.file("report"), reportPage(history, about));
    await writeFileAtomic(this.file("picture"), await svgToPng(chart));
    if (explanation) {
      const { explanationChart } = await import("../report/explanation-chart.ts");
      const bars = explanationChart(explanation);
      await this.writeJson("explanation", explanation);
      await writeFileAtomic(this.file("explanationChart"), bars);
      await writeFileAtomic(this.file("explanationPicture"), await svgToPng(bars));
    }
  }
}
