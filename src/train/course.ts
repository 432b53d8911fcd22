// The course of a training: the network with its optimizer, schedule and random streams, the points it can go back to, and what
// growth asks for, carried out.

import { Random } from "../base/random.ts";
import type { Batch } from "../data/dataset.ts";
import type { Effect } from "../growth/tracker.ts";
import { fixedLR, type Scheduler } from "../optim/scheduler.ts";
import type { CourseState, Progress, Savepoint } from "./checkpoint.ts";
import { DendritePhase, type PhaseEpoch, type PhaseState } from "./dendrite-phase.ts";
import { GrowingNetwork } from "./network.ts";
import type { TrainingParts } from "./parts.ts";
import { startSchedule } from "./schedule.ts";

/** The present of a training: its network as it learns, and what growth has in store for it. */
export class Course {
  readonly network: GrowingNetwork;
  readonly savepoints = new Map<string, Savepoint>();
  readonly #parts: TrainingParts;
  readonly #scheduler: Scheduler;
  #progress: Progress;
  #phase: DendritePhase | null = null;
  /** What is to be saved once the dendrites that learn have joined. */
  #pending: readonly Effect[] = [];

  constructor(parts: TrainingParts) {
    this.#parts = parts;
    this.network = new GrowingNetwork(parts);
    this.#scheduler = parts.scheduler ?? fixedLR();
    const masks = Random.stream(parts.seed, "masks").state;
    this.#progress = { steps: 0, scheduler: this.#scheduler.start(parts.optimizer.learningRate), masks };
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** The phase in which dendrites learn apart from the network; null while neurons learn. */
  get phase(): DendritePhase | null {
    return this.#phase;
  }

  /** What waits for the end of the phase. */
  get pending(): readonly Effect[] {
    return this.#pending;
  }

  advance(changes: Partial<Progress>): void {
    this.#progress = { ...this.#progress, ...changes };
  }

  /** One training step. Returns the loss before it. */
  async step(batch: Batch): Promise<number> {
    const { learningRate } = this.#progress.scheduler;
    if (this.#phase) return this.#phase.step(batch, learningRate);
    const steps = this.#progress.steps + 1;
    const masks = Random.from(this.#progress.masks);
    const loss = await this.network.step(batch, masks, this.#parts.optimizer.knobs(steps, learningRate));
    // Only now: a step that fails must not use up random numbers.
    this.advance({ steps, masks: masks.state });
    return loss;
  }

  /** Carries out what the tracker asks for. `epochs`: how many the neurons had in the cycle that has ended. */
  async carryOut(effects: readonly Effect[], epochs: number): Promise<void> {
    for (const [i, effect] of effects.entries()) {
      await this.#carryOut(effect, epochs);
      if (!this.#phase) continue;
      this.#pending = effects.slice(i + 1);
      return;
    }
  }

  /** Ends an epoch of the dendrite phase, and with the last one the phase: the dendrites then take part. */
  async endDendriteEpoch(phase: DendritePhase, score: number, force: boolean): Promise<PhaseEpoch> {
    const epoch = await phase.endEpoch(score, force);
    if (!epoch.end) return epoch;
    const { dendrite } = phase.standing;
    const values = phase.join();
    const pending = this.#pending;
    await this.#leavePhase();
    await this.network.rebuild(dendrite, values, NOTHING_NEW);
    this.#restartOptimizer();
    await this.carryOut(pending, 0);
    return epoch;
  }

  /** The schedule's next step, by a score of this epoch. */
  nextSchedule(score: number) {
    return this.#parts.scheduler?.step(this.#progress.scheduler, score);
  }

  /** Where training stands: all of it, or the parameters without what the optimizer keeps of them. */
  async savepoint(whole: boolean): Promise<Savepoint> {
    const { network } = this;
    const values = whole ? await network.state() : (await network.snapshot()).values;
    return { dendrites: network.dendrites, values, progress: this.#progress };
  }

  /** Everything that `load` goes on from. */
  async save(): Promise<CourseState> {
    const phase = this.#phase && { ...(await this.#phase.state()), pending: this.#pending };
    return { now: await this.savepoint(true), savepoints: this.savepoints, phase };
  }

  /** Goes on from a saved state. */
  async load({ now, savepoints, phase }: CourseState): Promise<void> {
    await this.#goBack(now);
    this.#progress = now.progress;
    this.savepoints.clear();
    for (const [name, savepoint] of savepoints) this.savepoints.set(name, savepoint);
    if (!phase) return;
    await this.#enterPhase(phase);
    this.#pending = phase.pending;
  }

  /** Forgets savepoints that the tracker has no use for any more. */
  keep(snapshots: object): void {
    for (const name of this.savepoints.keys()) if (!(name in snapshots)) this.savepoints.delete(name);
  }

  async release(): Promise<void> {
    await this.#leavePhase();
    await this.network.release();
  }

  async #carryOut(effect: Effect, epochs: number): Promise<void> {
    switch (effect.type) {
      case "save":
        this.savepoints.set(effect.checkpoint, await this.savepoint(effect.checkpoint === "run"));
        return;
      case "restore": {
        const savepoint = this.savepoints.get(effect.checkpoint)!;
        await this.#goBack(savepoint);
        if (effect.checkpoint === "run") this.#progress = savepoint.progress;
        else if (effect.checkpoint === "switch")
          this.#restartOptimizer(effect.skip, savepoint.progress.masks);
        else this.#restartOptimizer();
        return;
      }
      case "grow": {
        const { dendrite, attempt } = effect;
        if (this.#parts.correlation) {
          await this.#enterPhase(DendritePhase.begin(dendrite, attempt, epochs, this.#parts.correlation));
        } else {
          const { values } = await this.network.snapshot();
          await this.network.rebuild(dendrite, values, this.#drawing(dendrite, attempt));
        }
        this.#restartOptimizer();
        return;
      }
      case "complete":
        return;
    }
  }

  #drawing(dendrite: number, attempt: number) {
    return (name: string) =>
      Random.stream(this.#parts.seed, `dendrite/${dendrite}/attempt/${attempt}/${name}`);
  }

  async #enterPhase(state: PhaseState): Promise<void> {
    const { dendrite, attempt } = state.standing;
    const { dendrites, values } = await this.network.snapshot();
    const frozen = {
      dendrites,
      values: new Map([...values, ...state.tensors]),
      draw: this.#drawing(dendrite, attempt),
    };
    this.#phase = await DendritePhase.start(this.#parts, this.#parts.correlation!, frozen, state);
  }

  async #leavePhase(): Promise<void> {
    const phase = this.#phase;
    this.#phase = null;
    this.#pending = [];
    await phase?.release();
  }

  async #goBack({ dendrites, values }: Savepoint): Promise<void> {
    await this.#leavePhase();
    await this.network.rebuild(dendrites, values, NOTHING_NEW);
  }

  /** A fresh optimizer, and the schedule from its start or from after `skip` changes of its rate. */
  #restartOptimizer(skip = 0, masks = this.#progress.masks): void {
    const { optimizer } = this.#phase && this.#parts.correlation ? this.#parts.correlation : this.#parts;
    const scheduler = startSchedule(this.#scheduler, optimizer.learningRate, skip);
    this.#progress = { steps: 0, scheduler, masks };
  }
}

/** What new weights are drawn from where all are known. */
const NOTHING_NEW = () => Random.stream(0, "");
