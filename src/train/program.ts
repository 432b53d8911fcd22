// A compiled training step with its state: everything learned stays where the engine wants it, from step to step.

import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import type { Engine, Program, Resident } from "../engine/engine.ts";
import type { Knobs } from "../optim/optimizer.ts";
import { InPlaceUpdate } from "./in-place.ts";
import { nextOf, type TrainStep } from "./step.ts";

/** What a step tells. */
export interface StepResult {
  readonly loss: number;
  /** By name: see `TrainStep.measures`. */
  readonly measures: ReadonlyMap<string, Tensor>;
}

/**
 * Runs training steps. What the model computes the next value of is kept twice: a step reads one copy and writes the other.
 * Only a step that ended well makes the new copy the current one, and updates the rest in place.
 */
export class StepProgram {
  readonly step: TrainStep;
  readonly #engine: Engine;
  readonly #program: Program;
  readonly #loss: Resident;
  readonly #inPlace: InPlaceUpdate | null;
  #current = new Map<string, Resident>();
  #next = new Map<string, Resident>();
  /** What was measured on a batch of `#lengths`: on another such batch it has the same shapes. */
  readonly #measured = new Map<string, Resident>();
  #lengths = "";

  private constructor(
    step: TrainStep,
    engine: Engine,
    program: Program,
    initial: ReadonlyMap<string, Tensor>,
  ) {
    this.step = step;
    this.#engine = engine;
    this.#program = program;
    this.#loss = engine.upload(Tensor.zeros([]));
    this.#inPlace = step.update && new InPlaceUpdate(step.update, engine, initial);
    for (const { name, shape, dtype, initial: filling } of step.state) {
      const start = initial.get(name)?.clone() ?? Tensor.full(shape, filling ?? 0, dtype);
      this.#current.set(name, engine.upload(start));
      this.#next.set(name, engine.upload(Tensor.zeros(shape, dtype)));
    }
  }

  /** Compiles a step. `initial` holds the parameters and, to go on from a checkpoint, the optimizer's state. */
  static async compile(
    step: TrainStep,
    engine: Engine,
    initial: ReadonlyMap<string, Tensor>,
  ): Promise<StepProgram> {
    return new StepProgram(
      step,
      engine,
      await engine.compile(step.model, { name: "training step", givesOutputs: true }),
      initial,
    );
  }

  /**
   * Runs one step.
   *
   * @param feeds batch data, target and masks by name.
   * @returns the loss before the update, and what the step measures.
   * @throws `not_a_number` when the loss is not finite; parameters and optimizer are then as before the step.
   */
  async run(feeds: Iterable<readonly [string, Tensor]>, knobs: Knobs): Promise<StepResult> {
    const results = await this.#compute(feeds, knobs);
    const told = await this.#resultOf(results);
    await this.#inPlace?.run(results, knobs);
    [this.#current, this.#next] = [this.#next, this.#current];
    return told;
  }

  /** What `run` tells, without an update. @throws `not_a_number` as `run`. */
  async measure(feeds: Iterable<readonly [string, Tensor]>, knobs: Knobs): Promise<StepResult> {
    return this.#resultOf(await this.#compute(feeds, knobs));
  }

  async #compute(feeds: Iterable<readonly [string, Tensor]>, knobs: Knobs) {
    const inputs = new Map<string, Resident>();
    const lengths: string[] = [];
    for (const [name, tensor] of feeds) {
      inputs.set(name, this.#engine.upload(tensor));
      lengths.push(`${name} ${tensor}`);
    }
    for (const [name, resident] of this.residents) inputs.set(name, resident);
    if (!this.#inPlace) {
      for (const [name, value] of Object.entries(knobs)) {
        inputs.set(`knob.${name}`, this.#engine.upload(Tensor.of([], [value])));
      }
    }
    const results = await this.#program.run(inputs, this.#outputsFor(lengths.join()));
    for (const name of this.step.measures) this.#measured.set(name, results.get(name)!);
    return results;
  }

  async #resultOf(results: ReadonlyMap<string, Resident>): Promise<StepResult> {
    const loss = (await this.#engine.download(results.get("loss")!)).item();
    expectFinite(loss);
    const measures = new Map<string, Tensor>();
    for (const name of this.step.measures) {
      measures.set(name, await this.#engine.download(results.get(name)!));
    }
    return { loss, measures };
  }

  /** Where a run on a batch of these lengths writes to: what it measures always to new tensors. */
  #outputsFor(lengths: string): Map<string, Resident | null> {
    const fresh = lengths !== this.#lengths;
    this.#lengths = lengths;
    if (fresh) this.#measured.clear();
    const outputs = new Map([["loss", this.#loss], ...(this.#inPlace?.outputs(fresh) ?? [])]);
    for (const name of this.step.measures) {
      const before = this.#measured.get(name);
      outputs.set(name, before ? this.#engine.upload(Tensor.zeros(before.shape, before.dtype)) : null);
    }
    for (const [name, resident] of this.#next) outputs.set(nextOf(name), resident);
    return outputs;
  }

  /** What the model reads of the current state, as the engine has it: parameters and buffers among it. */
  get residents(): ReadonlyMap<string, Resident> {
    return this.#inPlace ? new Map([...this.#inPlace.parameters, ...this.#current]) : this.#current;
  }

  /** Copies of state entries by name. Default: all of them, parameters and what the optimizer keeps. */
  async snapshot(names?: Iterable<string>): Promise<Map<string, Tensor>> {
    const tensors = new Map<string, Tensor>();
    const all = new Map([...this.residents, ...(this.#inPlace?.kept ?? [])]);
    for (const name of names ?? all.keys()) {
      const resident = all.get(name);
      if (resident) tensors.set(name, (await this.#engine.download(resident)).clone());
    }
    return tensors;
  }

  async release(): Promise<void> {
    await this.#program.release();
  }
}

/** @throws `not_a_number` for a loss that is none. */
export function expectFinite(loss: number): void {
  if (Number.isFinite(loss)) return;
  throw new ArborizeError(
    "not_a_number",
    `The training loss is ${loss}. Parameters and optimizer are as before this step. Lower the learning rate, or look for bad values in this batch.`,
  );
}
