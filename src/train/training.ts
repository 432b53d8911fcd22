// Training: what a user holds. Steps, scores, and growth between them.

import { ArborizeError } from "../base/errors.ts";
import type { Tensor } from "../base/tensor.ts";
import type { Batches } from "../data/batches.ts";
import type { Batch, Dataset } from "../data/dataset.ts";
import { readFileBytes, writeFileAtomic } from "../data/files.ts";
import type { Graph } from "../graph/graph.ts";
import { decide } from "../growth/decisions.ts";
import { epochsInCycle } from "../growth/state.ts";
import { addDendriteEpoch, addScore, startTracking, type TrackerState } from "../growth/tracker.ts";
import type { Metric } from "../nn/metrics.ts";
import type { Explanation } from "../report/explanation.ts";
import type { RunHistory } from "../report/history.ts";
import { type CapacityRow, measureCapacity } from "./capacity.ts";
import { decodeState, encodeState, identityOf } from "./checkpoint.ts";
import { Course } from "./course.ts";
import type { DendritePhase } from "./dendrite-phase.ts";
import { type ExplainOptions, explainNetwork } from "./explain.ts";
import { type ExportOptions, encodeNetwork } from "./export.ts";
import type { BatchSource } from "./inference.ts";
import type { Snapshot } from "./network.ts";
import { type ScoreOutcome, scoringOf, type TrainingParts } from "./parts.ts";
import { type Pruned, type PruneOptions, pruneNetwork } from "./prune.ts";
import {
  type EpochFacts,
  FRESH_EPOCH,
  meanScore,
  NO_LINEAGE,
  type OpenEpoch,
  type RunRecord,
  recordEpoch,
  recordRestored,
} from "./recorder.ts";

/** A network in training, which grows dendrites when its validation score stops getting better. */
export class Training {
  readonly #parts: TrainingParts;
  readonly #course: Course;
  #tracker: TrackerState;
  #record: RunRecord;
  #open: OpenEpoch = FRESH_EPOCH;

  /** Use `arborize`. */
  constructor(parts: TrainingParts) {
    this.#parts = parts;
    this.#course = new Course(parts);
    this.#tracker = startTracking(this.dendrites);
    const scoring = { metric: parts.metric?.name ?? "score", maximize: parts.maximize ?? true };
    const origin = parts.origin === null ? {} : { origin: parts.origin };
    this.#record = { history: { ...scoring, ...origin, epochs: [], switches: [] }, lineage: NO_LINEAGE };
  }

  /** Whether training is over: no dendrite helps any more, or the limit is reached. */
  get complete(): boolean {
    return this.#tracker.complete;
  }

  /** Dendrites on each module that grows; where some were pruned, the most that a module has. */
  get dendrites(): number {
    return this.#course.network.dendrites;
  }

  /** What learns: the neurons, with dendrites that learn by gradients, or dendrites that learn by correlation. */
  get phase(): "neurons" | "dendrites" {
    return this.#course.phase ? "dendrites" : "neurons";
  }

  /** How many numbers are learned, with dendrites. */
  get parameterCount(): number {
    return this.#course.network.parameterCount;
  }

  /** The modules that grow dendrites, by path. */
  get sites(): readonly string[] {
    return this.#parts.sites.map(({ id }) => id);
  }

  /** What runs it, such as "cpu (2 threads)". */
  get engineName(): string {
    return this.#parts.engine.name;
  }

  /** Epochs (validation scores) so far, those that were overwritten by a restore included. */
  get epochs(): number {
    return this.history.epochs.length;
  }

  /** Every epoch so far: scores, losses, rates, times, parameters. */
  get history(): RunHistory {
    return this.#record.history;
  }

  /** The learning rate of the next step. Setting it overrides the scheduler until its next change. */
  get learningRate(): number {
    return this.#course.progress.scheduler.learningRate;
  }

  set learningRate(learningRate: number) {
    if (!(learningRate >= 0 && Number.isFinite(learningRate))) {
      throw new ArborizeError("bad_option", `The learning rate is ${learningRate}, wanted a number from 0.`);
    }
    this.#course.advance({ scheduler: { ...this.#course.progress.scheduler, learningRate } });
  }

  /**
   * One training step on a batch, an object of tensors by input name with the target as `target`.
   *
   * @returns the loss before the step.
   * @throws `missing_input`, `dtype_mismatch`, `shape_mismatch`, `bad_data` for a batch that does not fit, `not_a_number`
   *   for a loss that is not finite. The network is unchanged then.
   */
  async step(batch: Batch): Promise<number> {
    const start = performance.now();
    const loss = await this.#course.step(batch);
    this.#measure({
      lossSum: this.#open.lossSum + loss,
      steps: this.#open.steps + 1,
      trainSeconds: this.#open.trainSeconds + secondsSince(start),
    });
    return loss;
  }

  /**
   * The mean of a metric over batches, without dropout and without learning. Default: the training's metric, or the
   * loss where it has none (null asks for the loss).
   */
  async evaluate(batches: BatchSource, metric: Metric | null = this.#parts.metric): Promise<number> {
    const start = performance.now();
    const score = await this.#course.network.evaluate(batches, metric);
    const scoring = this.epochs === 0 ? scoringOf(this.#parts, metric) : {};
    this.#record = { ...this.#record, history: { ...this.history, ...scoring } };
    this.#measure({ validationSeconds: this.#open.validationSeconds + secondsSince(start) });
    return score;
  }

  /** The network's output for a batch, without dropout. */
  predict(batch: Batch): Promise<Tensor> {
    return this.#course.network.predict(batch);
  }

  /**
   * What each dendrite does: its share of the variance of its module's output, the score without it, and which examples move
   * it most; for images also what it looks like. Goes through the examples a few times, and once for each dendrite.
   */
  explain(data: Dataset | Batches, options: ExplainOptions = {}): Promise<Explanation> {
    return explainNetwork(this.#course.network, this.#parts, data, options);
  }

  /**
   * The network without the dendrites that don't earn their parameters, by the training's metric: `arborize(model, { state })`
   * with what it gives goes on from there. This training is left as it is.
   */
  prune(data: Dataset | Batches, options: PruneOptions = {}): Promise<Pruned> {
    return pruneNetwork(this.#course.network, this.#parts, data, options);
  }

  /** Notes the test score of this epoch, before its validation score. It decides nothing. */
  addTestScore(score: number): void {
    this.#measure({ test: score });
  }

  /** Notes another score of this epoch, before its validation score. It decides nothing. */
  addExtraScore(name: string, score: number): void {
    this.#measure({ scores: { ...this.#open.scores, [name]: score } });
  }

  /**
   * Ends an epoch with its validation score, which decides whether the network grows, goes back to its best state or is
   * done. With a scheduler, each new dendrite is tried from several of its rates (`growth.findBestRate`). The scheduler
   * takes a step after each epoch but the very first and those that end with the network exchanged.
   *
   * @param forceSwitch ends the cycle with this epoch, whatever the settings say.
   * @throws `not_a_number` for a score that is not finite; nothing changes then.
   */
  async addValidationScore(score: number, { forceSwitch = false } = {}): Promise<ScoreOutcome> {
    const { phase } = this.#course;
    if (phase) return this.#addDendriteScore(phase, score, forceSwitch);
    const settings = { ...this.#parts.growth, maximize: this.history.maximize };
    const scheduled = this.#course.nextSchedule(score);
    const outcome = addScore(this.#tracker, settings, {
      score,
      learningRate: this.learningRate,
      ...(scheduled ? { nextLearningRate: scheduled.learningRate } : {}),
      forceSwitch,
    });
    const neuronEpochs = epochsInCycle(this.#tracker) + 1;
    this.#record = recordEpoch(this.#record, this.#open, this.#facts(score), outcome);
    this.#open = FRESH_EPOCH;
    this.#tracker = outcome.state;
    if (scheduled && outcome.stepScheduler) this.#course.advance({ scheduler: scheduled });
    await this.#course.carryOut(outcome.effects, neuronEpochs);
    this.#course.keep(this.#tracker.snapshots);
    const { restructured, complete, decisions } = outcome;
    return { restructured, complete, decisions, best: decisions.some(({ type }) => type === "run_best") };
  }

  /** Copies of the parameters by state dict name. */
  async stateDict(): Promise<ReadonlyMap<string, Tensor>> {
    return (await this.#course.network.snapshot()).values;
  }

  /** The best epoch of the run, as copies of its parameters and its number of dendrites; before any, the present. */
  async best(): Promise<Snapshot> {
    return this.#course.savepoints.get("best") ?? this.#course.network.snapshot();
  }

  /** The network with its dendrites and present parameters, without dropout, as a graph. */
  graph(): Promise<Graph> {
    return this.#course.network.evaluationGraph();
  }

  /** The network with its dendrites as the bytes of an ONNX model; what it throws: see `ExportOptions`. */
  async toOnnx(options: ExportOptions = {}): Promise<Uint8Array> {
    return encodeNetwork(await this.graph(), this.#parts.engine, options);
  }

  /** Writes the network with its dendrites as an ONNX model. @throws `write_failed`; an older file stays as it was. */
  async exportOnnx(path: string, options: ExportOptions = {}): Promise<void> {
    await writeFileAtomic(path, await this.toOnnx(options));
  }

  /** Everything, as the bytes of a checkpoint: parameters, optimizer, scheduler, random streams, tracker, history. */
  async toCheckpoint(): Promise<Uint8Array> {
    return encodeState({
      ...(await this.#course.save()),
      tracker: this.#tracker,
      record: this.#record,
      open: this.#open,
      identity: identityOf(this.#parts),
    });
  }

  /** Writes a checkpoint. @throws `write_failed`; an older file stays as it was. */
  async save(path: string): Promise<void> {
    await writeFileAtomic(path, await this.toCheckpoint());
  }

  /**
   * Goes on from a checkpoint that a training of the same network and seed has saved, bit for bit.
   *
   * @param source a path, or the file's bytes.
   * @throws `bad_file` for a damaged file or one of another network; nothing changes then.
   */
  async load(source: string | Uint8Array): Promise<void> {
    const [bytes, name] =
      typeof source === "string" ? [await readFileBytes(source), source] : [source, "checkpoint"];
    const state = decodeState(bytes, name, this.#parts);
    await this.#course.load(state);
    this.#tracker = state.tracker;
    this.#record = state.record;
    this.#open = state.open;
  }

  /** Puts the network back to its best state of the run. Training can go on from there, with a fresh optimizer. */
  async restoreBest(): Promise<void> {
    if (this.#course.savepoints.has("best")) {
      await this.#course.carryOut([{ type: "restore", checkpoint: "best" }], 0);
      this.#record = recordRestored(this.#record, "best");
    }
  }

  /**
   * Tries on a copy whether up to `dendrites` dendrites (default: 3) can be grown and trained, and what each costs in
   * parameters and time: worth a minute before a long run. This training is left as it is.
   */
  testCapacity(batch: Batch, dendrites = 3): Promise<CapacityRow[]> {
    return measureCapacity(this.#parts, batch, dendrites);
  }

  /** Frees what the engine holds. */
  release(): Promise<void> {
    return this.#course.release();
  }

  /** Ends an epoch of the dendrite phase. */
  async #addDendriteScore(phase: DendritePhase, score: number, force: boolean): Promise<ScoreOutcome> {
    const { dendrite } = phase.standing;
    const tracked = addDendriteEpoch(this.#tracker, { score, learningRate: this.learningRate });
    const facts = this.#facts(score);
    const { pending } = this.#course;
    const { scores, end, idle } = await this.#course.endDendriteEpoch(phase, score, force);
    const mean = meanScore(scores);
    const decisions = [decide({ type: "dendrites_learned", dendrite, score: mean, idle })];
    if (end)
      decisions.push(decide({ type: "joined", dendrite, epochs: phase.standing.progress.epochs, end }));
    this.#tracker = tracked;
    const told = { effects: end ? pending : [], decisions, state: tracked, complete: false };
    const runningScore = tracked.history.at(-1)!.runningScore;
    this.#record = recordEpoch(
      this.#record,
      this.#open,
      { ...facts, dendriteScores: scores },
      { ...told, runningScore },
    );
    this.#open = FRESH_EPOCH;
    const next = end ? undefined : this.#course.nextSchedule(this.history.maximize ? mean : -mean);
    if (next && !idle) this.#course.advance({ scheduler: next });
    return { restructured: end !== null, complete: false, decisions, best: false };
  }

  #facts(validation: number): EpochFacts {
    return {
      branchEpoch: this.#tracker.history.length,
      cycle: this.#tracker.switchEpochs.length,
      dendrites: this.dendrites,
      parameters: this.parameterCount,
      learningRate: this.learningRate,
      validation,
    };
  }

  #measure(changes: Partial<OpenEpoch>): void {
    this.#open = { ...this.#open, ...changes };
  }
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
