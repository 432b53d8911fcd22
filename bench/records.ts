// Measured rows as a table of text, and those of epochs as a section of docs/performance.md.

import { textTable } from "../src/report/table.ts";

/** Rows of cells under the same headers, the first of them a name. */
export function recordTable(rows: readonly Readonly<Record<string, string>>[]): string {
  const columns = Object.keys(rows[0]!).map((header, i) => ({
    header,
    value: (row: Readonly<Record<string, string>>) => row[header]!,
    align: i === 0 ? ("left" as const) : ("right" as const),
  }));
  return textTable(rows, columns);
}

/** Seconds of an epoch. */
export interface EpochSeconds {
  readonly median: number;
  readonly least: number;
}

/** What bench/epoch.ts measured, as `--json` keeps it. */
export interface EpochRecord {
  readonly date: string;
  readonly machine: string;
  readonly threads: number;
  /** What each side says of itself. */
  readonly about: readonly string[];
  /** Turns of each side, and timed steps in a turn. */
  readonly rounds: number;
  readonly steps: number;
  readonly rows: readonly EpochRow[];
}

/** A network with some dendrites. */
export interface EpochRow {
  readonly row: string;
  readonly dendrites: number;
  /** Examples of an epoch, and its steps. */
  readonly examples: number;
  readonly epochSteps: number;
  readonly ours: EpochSeconds;
  /** Null where there is no PyTorch. */
  readonly peer: EpochSeconds | null;
  /** Our median by PyTorch's; null without it, with too few turns, or where the machine was too busy. */
  readonly ratio: number | null;
}

/** At most this share of PyTorch's time is aimed at. */
export const EPOCH_AIM = 1;

/** The rows as cells. */
export function epochCells({ rows, rounds, steps }: EpochRecord): Record<string, string>[] {
  const seconds = (value: number | undefined) => value?.toFixed(1) ?? "-";
  return rows.map(({ row, dendrites, examples, epochSteps, ours, peer, ratio }) => ({
    network: row,
    dendrites: String(dendrites),
    examples: String(examples),
    timed: `${Math.min(100, (100 * rounds * steps) / epochSteps).toFixed(0)} %`,
    "s/epoch": seconds(ours.median),
    least: seconds(ours.least),
    "PyTorch s/epoch": seconds(peer?.median),
    "PyTorch least": seconds(peer?.least),
    ratio: ratio?.toFixed(2) ?? "-",
    [`at most ${EPOCH_AIM.toFixed(1)}`]: ratio === null ? "-" : ratio <= EPOCH_AIM ? "yes" : "no",
  }));
}

/** A section of docs/performance.md. */
export function epochSection(record: EpochRecord): string {
  const cells = epochCells(record);
  const headers = Object.keys(cells[0]!);
  const line = (values: readonly string[]) => `| ${values.join(" | ")} |`;
  return `## Seconds per epoch, with loading

Whole steps with what comes before them: our loader and, of ResNet-18's images, turning and shearing on a thread; PyTorch's
DataLoader with torchvision's transforms, in the training process or by workers, whichever was faster. The same dendrites, in
PyTorch as plain modules. ${record.machine}, ${record.threads} threads each, ${record.rounds} turns of ${record.steps} timed steps,
scaled to an epoch; ${record.date}; \`npx tsx bench/epoch.ts\`.

${line(headers)}
${line(headers.map((_, i) => (i === 0 ? "---" : "---:")))}
${cells.map((row) => line(Object.values(row))).join("\n")}
`;
}
