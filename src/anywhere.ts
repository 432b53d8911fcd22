// The public names that need neither files nor Node.js.

// Fundamentals
export { ArborizeError, type ErrorCode } from "./base/errors.ts";
export { Random } from "./base/random.ts";
export { type DType, Tensor, type TensorData } from "./base/tensor.ts";
export type { Batch, Dataset } from "./data/dataset.ts";
export { readSafetensors, writeSafetensors } from "./data/safetensors.ts";
// Growing
export { attachDendrites, type DendriteActivation, type DendritePlan } from "./dendrites/attach.ts";
export { attachCandidates, type CandidateSite, type WithCandidates } from "./dendrites/candidates.ts";
export {
  type Correlation,
  type CorrelationStatistics,
  type CorrelationTerms,
  correlation,
} from "./dendrites/correlation.ts";
export {
  inspect,
  type ModelReport,
  type ModuleReport,
  type ObstacleReport,
  type ValueReport,
  type WeightReport,
} from "./dendrites/inspect.ts";
export {
  fromPerforatedAI,
  type PerforatedOptions,
  type PerforatedState,
  toPerforatedAI,
} from "./dendrites/interchange.ts";
export type { BlockBetween, Selection } from "./dendrites/selection.ts";
export type { Combination, Combine, Site, SiteRule } from "./dendrites/site.ts";
export { findSites, inspectModules, type Verdict } from "./dendrites/sites.ts";
// Running
export type { Engine, Program, Resident } from "./engine/engine.ts";
// Graphs
export { Graph, type Node, type Value } from "./graph/graph.ts";
export { printGraph } from "./graph/print.ts";
export type { Dim, Shape } from "./graph/shape.ts";
export type { CorrelationSettings } from "./growth/correlation-settings.ts";
export { type GrowthOptions, type GrowthSettings, growthSettings } from "./growth/settings.ts";
export {
  addScore,
  type Decision,
  type Effect,
  type Epoch,
  type Outcome,
  startTracking,
  type TrackerState,
} from "./growth/tracker.ts";
// Networks
export * as nn from "./nn/index.ts";
export type { CrossEntropyOptions, Loss } from "./nn/losses.ts";
export * as losses from "./nn/losses.ts";
export type { AccuracyOptions, Metric } from "./nn/metrics.ts";
export * as metrics from "./nn/metrics.ts";
export type { OnnxModel } from "./onnx/read.ts";
export { type WriteOptions, writeOnnx } from "./onnx/write.ts";
export * as ops from "./ops/index.ts";
// Training
export * as optim from "./optim/index.ts";
export type {
  DendriteExplanation,
  Effect as DendriteEffect,
  Explanation,
  ModuleExplanation,
  NeuronKernels,
} from "./report/explanation.ts";
export { type EpochRecord, type RunHistory, type SummaryRow, summarize } from "./report/history.ts";
// Showing
export { gainLine, summaryTable } from "./report/table.ts";
export {
  type ArborizeOptions,
  arborize,
  type CorrelationOptions,
  type DendriteOptions,
} from "./train/arborize.ts";
export type { CapacityRow } from "./train/capacity.ts";
export type { RunFacts, Sink, TrainingEvent } from "./train/events.ts";
export type { ExplainOptions } from "./train/explain.ts";
export type { ExportOptions } from "./train/export.ts";
export { type FitOptions, type FitResult, fit } from "./train/fit.ts";
export type { BatchSource } from "./train/inference.ts";
export { type OpenOptions, readOnnx, readStateDict } from "./train/open.ts";
export type { ScoreOutcome } from "./train/parts.ts";
export type { Pruned, PrunedSide, PruneOptions } from "./train/prune.ts";
export type { Training } from "./train/training.ts";
export { gradients } from "./transform/gradient.ts";
export { rewrite } from "./transform/rewrite.ts";
