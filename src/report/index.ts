// What the rest of the library and its users need of this folder.

export { type ChartOptions, scoreChart } from "./chart.ts";
export { scoresCsv, summaryCsv } from "./csv.ts";
export {
  bestEpoch,
  type EpochRecord,
  isBetter,
  type RunHistory,
  type SummaryRow,
  type SwitchRecord,
  summarize,
} from "./history.ts";
export { createProgress, type Progress, type ProgressOptions, type ProgressValues } from "./progress.ts";
export { gainLine, summaryTable, type TableColumn, type TableOptions, textTable } from "./table.ts";
export { isInteractive, type TerminalLike, wantsColor } from "./terminal.ts";
