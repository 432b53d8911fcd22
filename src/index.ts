// The public names, and nothing else. Everything exported here is covered by semantic versioning.

export * from "./anywhere.ts";
export * as data from "./data/index.ts";
export { type NodeEngineOptions, nodeEngine } from "./engine/node.ts";
export { costLine, costText, type DendriteCost, formatBytes, type RunCost } from "./report/cost.ts";
export { createProgress, type Progress, type ProgressOptions } from "./report/progress.ts";
export { type EstimateOptions, estimateRun } from "./train/estimate.ts";
export { RUN_FILES } from "./train/run-folder.ts";
export * as sinks from "./train/sinks/index.ts";
