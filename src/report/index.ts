// What the rest of the library and its users need of this folder.

export { type ChartOptions, scoreChart } from "./chart.ts";
export { bestScoresCsv, scoresCsv, summaryCsv, switchesCsv } from "./csv.ts";
export {
  bestEpoch,
  type EpochRecord,
  isBetter,
  type RateRecord,
  type RunHistory,
  type SummaryRow,
  type SwitchRecord,
  summarize,
} from "./history.ts";
export { type ReportOptions, reportPage } from "./page.ts";
export { type PngOptions, svgToPng } from "./png.ts";
export { createProgress, type Progress, type ProgressOptions, type ProgressValues } from "./progress.ts";
export { gainLine, summaryTable, type TableColumn, type TableOptions, textTable } from "./table.ts";
export { isInteractive, type TerminalLike, wantsColor } from "./terminal.ts";
