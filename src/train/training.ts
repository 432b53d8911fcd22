// Training: what a user holds. Steps, scores, and growth between them.

import { ArborizeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { Tensor } from "../base/tensor.ts";
import type { Batch } from "../data/dataset.ts";
import { readFileBytes, writeFileAtomic } from "../data/files.ts";
import type { Graph } from "../graph/graph.ts";
import { addScore, type Effect, startTracking, type TrackerState } from "../growth/tracker.ts";
import type { Metric } from "../nn/metrics.ts";
import { fixedLR, type Scheduler } from "../optim/scheduler.ts";
import type { RunHistory } from "../report/history.ts";
import { type CapacityRow, measureCapacity } from "./capacity.ts";
import { decodeState, encodeState, identityOf, type Progress, type Savepoint } from "./checkpoint.ts";
import { type ExportOptions, encodeNetwork } from "./export.ts";
import type { BatchSource } from "./inference.ts";
import { GrowingNetwork, type Snapshot } from "./network.ts";
import { type ScoreOutcome, scoringOf, type TrainingParts } from "./parts.ts";
import { FRESH_EPOCH, NO_LINEAGE, type OpenEpoch, type RunRecord, recordEpoch } from "./recorder.ts";
import { startSchedule } from "./schedule.ts";

/** A network in training, which grows dendrites when its validation score stops getting better. */
export class Training {
  readonly #parts: TrainingParts;
  readonly #network: GrowingNetwork;
  readonly #scheduler: Scheduler;
  readonly #savepoints = new Map<string, Savepoint>();
  #progress: Progress;
  #tracker: TrackerState;
  #record: RunRecord;
  #open: OpenEpoch = FRESH_EPOCH;

  /** Use `arborize`. */
  constructor(parts: TrainingParts) {
    this.#parts = parts;
    this.#network = new GrowingNetwork(parts);
    this.#scheduler = parts.scheduler ?? fixedLR();
    const masks = Random.stream(parts.seed, "masks").state;
    this.#progress = { steps: 0, scheduler: this.#scheduler.start(parts.optimizer.learningRate), masks };
    this.#tracker = startTracking(this.dendrites);
    const scoring = { metric: parts.metric?.name ?? "score", maximize: parts.maximize ?? true };
    this.#record = { history: { ...scoring, epochs: [], switches: [] }, lineage: NO_LINEAGE };
  }

  /** Whether training is over: no dendrite helps any more, or the limit is reached. */
  get complete(): boolean {
    return this.#tracker.complete;
  }

  /** Dendrites on each module that grows. */
  get dendrites(): number {
    return this.#network.dendrites;
  }

  /** How many numbers are learned, with dendrites. */
  get parameterCount(): number {
    return this.#network.parameterCount;
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
    return this.#progress.scheduler.learningRate;
  }

  set learningRate(learningRate: number) {
    if (!(learningRate >= 0 && Number.isFinite(learningRate))) {
      throw new ArborizeError("bad_option", `The learning rate is ${learningRate}, wanted a number from 0.`);
    }
    this.#advance({ scheduler: { ...this.#progress.scheduler, learningRate } });
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
    const steps = this.#progress.steps + 1;
    const masks = Random.from(this.#progress.masks);
    const loss = await this.#network.step(
      batch,
      masks,
      this.#parts.optimizer.knobs(steps, this.learningRate),
    );
    // Only now: a step that fails must not use up random numbers.
    this.#advance({ steps, masks: masks.state });
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
    const score = await this.#network.evaluate(batches, metric);
    const scoring = this.epochs === 0 ? scoringOf(this.#parts, metric) : {};
    this.#record = { ...this.#record, history: { ...this.history, ...scoring } };
    this.#measure({ validationSeconds: this.#open.validationSeconds + secondsSince(start) });
    return score;
  }

  /** The network's output for a batch, without dropout. */
  predict(batch: Batch): Promise<Tensor> {
    return this.#network.predict(batch);
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
    const settings = { ...this.#parts.growth, maximize: this.history.maximize };
    const scheduled = this.#parts.scheduler?.step(this.#progress.scheduler, score);
    const outcome = addScore(this.#tracker, settings, {
      score,
      learningRate: this.learningRate,
      ...(scheduled ? { nextLearningRate: scheduled.learningRate } : {}),
      forceSwitch,
    });
    const facts = {
      branchEpoch: this.#tracker.history.length,
      cycle: this.#tracker.switchEpochs.length,
      dendrites: this.dendrites,
      parameters: this.parameterCount,
      learningRate: this.learningRate,
      validation: score,
    };
    this.#record = recordEpoch(this.#record, this.#open, facts, outcome);
    this.#open = FRESH_EPOCH;
    this.#tracker = outcome.state;
    if (scheduled && outcome.stepScheduler) this.#advance({ scheduler: scheduled });
    for (const effect of outcome.effects) await this.#carryOut(effect);
    for (const name of this.#savepoints.keys()) {
      if (!(name in this.#tracker.snapshots)) this.#savepoints.delete(name);
    }
    const { restructured, complete, decisions } = outcome;
    return { restructured, complete, decisions, best: decisions.some(({ type }) => type === "run_best") };
  }

  /** Copies of the parameters by state dict name. */
  async stateDict(): Promise<ReadonlyMap<string, Tensor>> {
    return (await this.#network.snapshot()).values;
  }

  /** The best epoch of the run, as copies of its parameters and its number of dendrites; before any, the present. */
  async best(): Promise<Snapshot> {
    return this.#savepoints.get("best") ?? this.#network.snapshot();
  }

  /** The network with its dendrites and present parameters, without dropout, as a graph. */
  graph(): Promise<Graph> {
    return this.#network.evaluationGraph();
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
      now: await this.#savepoint(true),
      savepoints: this.#savepoints,
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
   * @throws `bad_file` for a damaged file or one of another network; nothing changes then.
   */
  async load(path: string): Promise<void> {
    const state = decodeState(await readFileBytes(path), path, this.#parts);
    await this.#goBack(state.now);
    this.#progress = state.now.progress;
    this.#savepoints.clear();
    for (const [name, savepoint] of state.savepoints) this.#savepoints.set(name, savepoint);
    this.#tracker = state.tracker;
    this.#record = state.record;
    this.#open = state.open;
  }

  /** Puts the network back to its best state of the run. Training can go on from there, with a fresh optimizer. */
  async restoreBest(): Promise<void> {
    if (this.#savepoints.has("best")) await this.#carryOut({ type: "restore", checkpoint: "best" });
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
    return this.#network.release();
  }

  async #carryOut(effect: Effect): Promise<void> {
    switch (effect.type) {
      case "save":
        this.#savepoints.set(effect.checkpoint, await this.#savepoint(effect.checkpoint === "run"));
        return;
      case "restore": {
        const savepoint = this.#savepoints.get(effect.checkpoint)!;
        await this.#goBack(savepoint);
        if (effect.checkpoint === "run") this.#progress = savepoint.progress;
        else if (effect.checkpoint === "switch")
          this.#restartOptimizer(effect.skip, savepoint.progress.masks);
        else this.#restartOptimizer();
        return;
      }
      case "grow": {
        const { values } = await this.#network.snapshot();
        const { dendrite, attempt } = effect;
        const draw = (name: string) =>
          Random.stream(this.#parts.seed, `dendrite/${dendrite}/attempt/${attempt}/${name}`);
        await this.#network.rebuild(dendrite, values, draw);
        this.#restartOptimizer();
        return;
      }
      case "complete":
        return;
    }
  }

  /** Where training stands: all of it, or the parameters without what the optimizer keeps of them. */
  async #savepoint(whole: boolean): Promise<Savepoint> {
    const values = whole ? await this.#network.state() : (await this.#network.snapshot()).values;
    return { dendrites: this.dendrites, values, progress: this.#progress };
  }

  #goBack({ dendrites, values }: Savepoint): Promise<void> {
    return this.#network.rebuild(dendrites, values, NOTHING_NEW);
  }

  /** A fresh optimizer, and the schedule from its start or from after `skip` changes of its rate. */
  #restartOptimizer(skip = 0, masks = this.#progress.masks): void {
    const scheduler = startSchedule(this.#scheduler, this.#parts.optimizer.learningRate, skip);
    this.#progress = { steps: 0, scheduler, masks };
  }

  #advance(changes: Partial<Progress>): void {
    this.#progress = { ...this.#progress, ...changes };
  }

  #measure(changes: Partial<OpenEpoch>): void {
    this.#open = { ...this.#open, ...changes };
  }
}

/** What new weights are drawn from where all are known. */
const NOTHING_NEW = () => Random.stream(0, "");

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
