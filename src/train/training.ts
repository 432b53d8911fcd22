// Training: what a user holds. Steps, scores, and growth between them.

import { ArborizeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { Tensor } from "../base/tensor.ts";
import type { Batch } from "../data/dataset.ts";
import { readFileBytes, writeFileAtomic } from "../data/files.ts";
import type { Graph } from "../graph/graph.ts";
import type { GrowthSettings } from "../growth/settings.ts";
import { addScore, type Decision, type Effect, startTracking, type TrackerState } from "../growth/tracker.ts";
import type { Metric } from "../nn/metrics.ts";
import { writeOnnx } from "../onnx/write.ts";
import type { Scheduler, SchedulerState } from "../optim/schedulers.ts";
import { constantLR } from "../optim/schedulers.ts";
import type { RunHistory } from "../report/history.ts";
import { withoutDropout } from "../transform/mode.ts";
import { rewrite } from "../transform/rewrite.ts";
import { decodeState, encodeState, identityOf } from "./checkpoint.ts";
import type { BatchSource } from "./inference.ts";
import { GrowingNetwork, type NetworkParts, type Snapshot } from "./network.ts";
import { FRESH_EPOCH, type OpenEpoch, recordEpoch } from "./recorder.ts";

/** What a training is made of; `arborize` fills it in from a user's options. */
export interface TrainingParts extends NetworkParts {
  readonly scheduler: Scheduler | null;
  readonly growth: GrowthSettings;
  readonly metric: Metric | null;
  /** Whether higher scores are better; null to follow the metric that the first score was evaluated by. */
  readonly maximize: boolean | null;
  readonly seed: number;
}

/** What a validation score led to. */
export interface ScoreOutcome {
  /** Whether the network is another one now, with a fresh optimizer: grown, or put back to an earlier state. */
  readonly restructured: boolean;
  /** Whether training is over; the network is then the best one. */
  readonly complete: boolean;
  /** Whether the epoch was the best of the run so far. */
  readonly best: boolean;
  /** What was decided, and why, in words (`text`) and as data. */
  readonly decisions: readonly Decision[];
}

/** A network in training, which grows dendrites when its validation score stops getting better. */
export class Training {
  readonly #parts: TrainingParts;
  readonly #network: GrowingNetwork;
  readonly #scheduler: Scheduler;
  readonly #checkpoints = new Map<string, Snapshot>();
  #rate: SchedulerState;
  #steps = 0;
  #masks: Random;
  #tracker: TrackerState;
  #history: RunHistory;
  #open: OpenEpoch = FRESH_EPOCH;

  /** Use `arborize`. */
  constructor(parts: TrainingParts) {
    this.#parts = parts;
    this.#network = new GrowingNetwork(parts);
    this.#scheduler = parts.scheduler ?? constantLR();
    this.#rate = this.#scheduler.start(parts.optimizer.learningRate);
    this.#masks = Random.stream(parts.seed, "masks");
    this.#tracker = startTracking(this.dendrites);
    this.#history = {
      metric: parts.metric?.name ?? "score",
      maximize: parts.maximize ?? true,
      epochs: [],
      switches: [],
    };
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

  /** Epochs (validation scores) so far, those that were overwritten by a restore included. */
  get epochs(): number {
    return this.#history.epochs.length;
  }

  /** Every epoch so far: scores, losses, rates, times, parameters. */
  get history(): RunHistory {
    return this.#history;
  }

  /** The learning rate of the next step. Setting it overrides the scheduler until its next change. */
  get learningRate(): number {
    return this.#rate.learningRate;
  }

  set learningRate(learningRate: number) {
    if (!(learningRate >= 0 && Number.isFinite(learningRate))) {
      throw new ArborizeError(
        "bad_option",
        `The learning rate is ${learningRate}, it must be a number from 0.`,
      );
    }
    this.#rate = { ...this.#rate, learningRate };
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
    const knobs = this.#parts.optimizer.knobs(this.#steps + 1, this.learningRate);
    // A step that fails must not use up random numbers.
    const masks = Random.from(this.#masks.state);
    const loss = await this.#network.step(batch, masks, knobs);
    this.#masks = masks;
    this.#steps += 1;
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
    if (this.epochs === 0) this.#history = { ...this.#history, ...this.#scoring(metric) };
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
   * done. Without a restructuring the scheduler takes a step.
   *
   * @throws `not_a_number` for a score that is not finite; nothing changes then.
   */
  async addValidationScore(score: number): Promise<ScoreOutcome> {
    const settings = { ...this.#parts.growth, maximize: this.#history.maximize };
    const outcome = addScore(this.#tracker, settings, { score, learningRate: this.learningRate });
    const facts = {
      branchEpoch: this.#tracker.history.length,
      cycle: this.#tracker.switchEpochs.length,
      dendrites: this.dendrites,
      parameters: this.parameterCount,
      learningRate: this.learningRate,
      validation: score,
    };
    this.#history = recordEpoch(this.#history, this.#open, facts, outcome);
    this.#open = FRESH_EPOCH;
    this.#tracker = outcome.state;
    for (const effect of outcome.effects) await this.#carryOut(effect);
    if (outcome.restructured) this.#restartOptimizer();
    else this.#rate = this.#scheduler.step(this.#rate, score);
    const { restructured, complete, decisions } = outcome;
    return { restructured, complete, decisions, best: decisions.some(({ type }) => type === "run_best") };
  }

  /** Copies of the parameters by state dict name. */
  async stateDict(): Promise<ReadonlyMap<string, Tensor>> {
    return (await this.#network.snapshot()).values;
  }

  /** Copies of the parameters of the best epoch of the run; the present ones where none was scored yet. */
  async bestStateDict(): Promise<ReadonlyMap<string, Tensor>> {
    return this.#checkpoints.get("best")?.values ?? this.stateDict();
  }

  /** The network with its dendrites and present parameters, without dropout, as a graph. */
  async graph(): Promise<Graph> {
    return rewrite(this.#network.graph, withoutDropout, { values: await this.stateDict() }).graph;
  }

  /** The network with its dendrites as the bytes of an ONNX model. */
  async toOnnx(): Promise<Uint8Array> {
    const metadata = {
      "arborize.dendrites": String(this.dendrites),
      "arborize.sites": JSON.stringify(this.sites),
    };
    return writeOnnx(await this.graph(), { metadata });
  }

  /** Writes the network with its dendrites as an ONNX model. @throws `write_failed`; an older file stays as it was. */
  async exportOnnx(path: string): Promise<void> {
    await writeFileAtomic(path, await this.toOnnx());
  }

  /** Everything, as the bytes of a checkpoint: parameters, optimizer, scheduler, random streams, tracker, history. */
  async toCheckpoint(): Promise<Uint8Array> {
    return encodeState({
      dendrites: this.dendrites,
      tensors: await this.#network.state(),
      steps: this.#steps,
      scheduler: this.#rate,
      masks: this.#masks.state,
      tracker: this.#tracker,
      checkpoints: this.#checkpoints,
      history: this.#history,
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
    await this.#network.rebuild(state.dendrites, state.tensors, NOTHING_NEW);
    this.#checkpoints.clear();
    for (const [name, snapshot] of state.checkpoints) this.#checkpoints.set(name, snapshot);
    this.#steps = state.steps;
    this.#rate = state.scheduler;
    this.#masks = Random.from(state.masks);
    this.#tracker = state.tracker;
    this.#history = state.history;
    this.#open = state.open;
  }

  /** Puts the network back to its best state of the run. Training can go on from there, with a fresh optimizer. */
  async restoreBest(): Promise<void> {
    if (!this.#checkpoints.has("best")) return;
    await this.#carryOut({ type: "restore", checkpoint: "best" });
    this.#restartOptimizer();
  }

  /** Frees what the engine holds. */
  release(): Promise<void> {
    return this.#network.release();
  }

  async #carryOut(effect: Effect): Promise<void> {
    const network = this.#network;
    switch (effect.type) {
      case "save":
        this.#checkpoints.set(effect.checkpoint, await network.snapshot());
        return;
      case "restore": {
        const { dendrites, values } = this.#checkpoints.get(effect.checkpoint)!;
        return network.rebuild(dendrites, values, NOTHING_NEW);
      }
      case "grow": {
        const { values } = await network.snapshot();
        const { dendrite, attempt } = effect;
        const draw = (name: string) =>
          Random.stream(this.#parts.seed, `dendrite/${dendrite}/attempt/${attempt}/${name}`);
        return network.rebuild(dendrite, values, draw);
      }
      case "complete":
        return;
    }
  }

  /** What validation scores measure: said by the options, or by what was evaluated before the first one. */
  #scoring(evaluated: Metric | null): Pick<RunHistory, "metric" | "maximize"> {
    const { metric, maximize, loss } = this.#parts;
    const by = metric ?? evaluated;
    return { metric: by?.name ?? loss.name, maximize: maximize ?? by?.maximize ?? false };
  }

  #restartOptimizer(): void {
    this.#steps = 0;
    this.#rate = this.#scheduler.start(this.#parts.optimizer.learningRate);
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
