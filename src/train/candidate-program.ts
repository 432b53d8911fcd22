// Runs the steps of a dendrite phase. As long as it can, it computes what candidates need of the network once for each example,
// and keeps it: the network is frozen, so the next epoch would find the same.

import type { Tensor } from "../base/tensor.ts";
import type { Batch } from "../data/dataset.ts";
import type { Engine, Program } from "../engine/engine.ts";
import type { Knobs } from "../optim/optimizer.ts";
import { matchBatch } from "./batch.ts";
import {
  candidateState,
  computedOf,
  type FrozenNetwork,
  type StepApart,
  stepApart,
  stepTogether,
  type Tap,
  withCandidates,
} from "./candidate-step.ts";
import { CroppedState } from "./cropped.ts";
import { ExampleMemory, exampleKeys, examplesOf } from "./example-memory.ts";
import type { CorrelationParts, NetworkParts } from "./network.ts";
import { expectFinite, StepProgram, type StepResult } from "./program.ts";

/** How what is kept of examples is computed, from a phase's first batch on. Plain JSON. */
export interface MemoryStanding {
  /**
   * Examples that the network is run for at once, always as many: an example's values must not depend on what it is met with,
   * or a run that resumes would not find the same bits. 0: not known yet.
   */
  readonly examples: number;
  /** The sum of the losses of so many examples, of the first epoch. */
  readonly lossSum: number;
  readonly counted: number;
  /** Whether the first epoch is over. The network's loss is its mean from then on. */
  readonly settled: boolean;
}

/** A phase that keeps what it can. */
export const FRESH_MEMORY: MemoryStanding = { examples: 0, lossSum: 0, counted: 0, settled: false };

/** By how much of their largest values examples may differ that are met with others. */
const TOLERANCE = 1e-4;

/** Tensors of a batch, or what a network tells of one. */
type Tensors = ReadonlyMap<string, Tensor>;

/** What is kept, and of this epoch how many examples were met and were not known. */
interface Kept {
  readonly taps: readonly Tap[];
  readonly memory: ExampleMemory;
  readonly standing: MemoryStanding;
  readonly met: number;
  readonly unknown: number;
  /** Whether the epoch is the first of this process, in which nothing is known yet. */
  readonly first: boolean;
}

/** The network and candidates as two programs. */
interface Apart {
  readonly step: StepApart;
  readonly network: Program;
  readonly candidates: StepProgram;
}

/** The step of a phase with its state. */
export class CandidateProgram {
  /** Candidates as they started: what learning leaves as it is, too. */
  readonly initial: Tensors;
  readonly #cropped: CroppedState;
  readonly #engine: Engine;
  /** Compiles network and candidates as one program that goes on from a state. */
  readonly #join: (state: Tensors) => Promise<StepProgram>;
  /** One of these two. */
  #apart: Apart | null;
  #together: StepProgram | null = null;
  /** Null where nothing is kept any more. */
  #kept: Kept | null;

  private constructor(
    initial: Tensors,
    cropped: CroppedState,
    engine: Engine,
    join: (state: Tensors) => Promise<StepProgram>,
    apart: Apart | null,
    kept: Kept | null,
  ) {
    this.initial = initial;
    this.#cropped = cropped;
    this.#engine = engine;
    this.#join = join;
    this.#apart = apart;
    this.#kept = kept;
  }

  /** Compiles it. `saved`: state to go on from. `standing`: null to keep nothing. */
  static async compile(
    parts: NetworkParts,
    frozen: FrozenNetwork,
    settings: CorrelationParts,
    saved: Tensors,
    standing: MemoryStanding | null,
  ): Promise<CandidateProgram> {
    const { engine } = parts;
    const grown = withCandidates(parts, frozen, settings);
    const initial = candidateState(grown);
    const whole = (state: Tensors) => new Map([...initial, ...state]);
    const cropped = new CroppedState(grown.graph, settings.optimizer, whole(saved), computedOf(grown));
    const { crops } = cropped;
    const join = (state: Tensors) =>
      StepProgram.compile(stepTogether(grown, parts, settings, crops), engine, cropped.partsOf(whole(state)));
    const step = standing && stepApart(grown, parts, settings, crops);
    const program = new CandidateProgram(
      initial,
      cropped,
      engine,
      join,
      step && {
        step,
        network: await engine.compile(step.network.model, { name: "frozen network" }),
        candidates: await StepProgram.compile(step.candidates, engine, cropped.partsOf(whole(saved))),
      },
      step && {
        taps: step.taps,
        memory: new ExampleMemory(step.taps, settings.cacheMegabytes * 2 ** 20),
        standing,
        met: 0,
        unknown: 0,
        first: true,
      },
    );
    if (!step) program.#together = await join(saved);
    return program;
  }

  /** Where keeping stands; null where nothing is kept. */
  get memory(): MemoryStanding | null {
    return this.#kept?.standing ?? null;
  }

  /**
   * One step on a batch and what else is fed, or with `learns` false only what it tells.
   *
   * @throws `not_a_number` where the network's loss is none; nothing has changed then.
   */
  async run(
    batch: Batch,
    fed: Iterable<readonly [string, Tensor]>,
    knobs: Knobs,
    learns: boolean,
  ): Promise<StepResult> {
    const does = learns ? "run" : "measure";
    const apart = this.#apart;
    if (apart && this.#kept) {
      const { tensors } = matchBatch(batch, apart.step.network.feeds);
      const known = await this.#recall(apart, this.#kept, tensors);
      if (known) {
        const own = apart.candidates.step.feeds.map(({ name }) => [name, tensors.get(name)!] as const);
        const { measures } = await apart.candidates[does]([...own, ...known.taps, ...fed], knobs);
        return { loss: known.loss, measures };
      }
    }
    const together = this.#together ?? (await this.#putTogether());
    const { tensors } = matchBatch(batch, together.step.feeds);
    return together[does]([...tensors, ...fed], knobs);
  }

  /** Goes on with the network in each step, nothing being kept. */
  async #putTogether(): Promise<StepProgram> {
    const state = await this.snapshot();
    await this.release();
    this.#apart = null;
    this.#kept = null;
    this.#together = await this.#join(state);
    return this.#together;
  }

  /** Ends an epoch. Where most of its examples were new, as those that are changed at random, the next one's will be. */
  endEpoch(): void {
    const kept = this.#kept;
    if (!kept || kept.met === 0) return;
    const { standing, met, unknown, first } = kept;
    if (!first && unknown > met / 2) this.#kept = null;
    else this.#kept = { ...kept, standing: { ...standing, settled: true }, met: 0, unknown: 0, first: false };
  }

  /** Copies of the candidates and what the optimizer keeps of them. */
  async snapshot(): Promise<Map<string, Tensor>> {
    return this.#cropped.wholeOf(await (this.#together ?? this.#apart!.candidates).snapshot());
  }

  async release(): Promise<void> {
    await (this.#together ?? this.#apart!.candidates).release();
    await this.#apart?.network.release();
  }

  /** What the network tells of a batch. */
  async #observe({ network, step }: Apart, batch: Tensors): Promise<{ loss: number; taps: Tensors }> {
    const inputs = new Map([...batch].map(([name, tensor]) => [name, this.#engine.upload(tensor)]));
    const names = ["loss", ...step.taps.map(({ name }) => name)];
    const results = await network.run(inputs, new Map(names.map((name) => [name, null])));
    const taps = new Map<string, Tensor>();
    for (const [name, resident] of results) taps.set(name, await this.#engine.download(resident));
    const loss = taps.get("loss")!.item();
    taps.delete("loss");
    expectFinite(loss);
    return { loss, taps };
  }

  /** What the network tells of these examples of a batch, repeated up to the number that it is always run for. */
  #observeSome(apart: Apart, { standing: { examples } }: Kept, batch: Tensors, rows: readonly number[]) {
    const filled = Array.from({ length: examples }, (_, i) => rows[i % rows.length]!);
    return this.#observe(apart, examplesOf(batch, filled));
  }

  /** What is kept of a batch, with what had to be found out for it; null where it cannot be kept. */
  async #recall(apart: Apart, before: Kept, batch: Tensors): Promise<{ loss: number; taps: Tensors } | null> {
    const { memory } = before;
    const keys = exampleKeys(batch);
    const unknown = [...keys.keys()].filter((row) => !memory.has(keys[row]!));
    const starts = before.standing.examples === 0;
    const examples = before.standing.examples || keys.length;
    let { lossSum, counted, settled } = before.standing;
    const kept: Kept = {
      ...before,
      standing: { ...before.standing, examples },
      met: before.met + keys.length,
      unknown: before.unknown + unknown.length,
    };
    for (let start = 0; start < unknown.length; start += examples) {
      const rows = unknown.slice(start, start + examples);
      const { loss, taps } = await this.#observeSome(apart, kept, batch, rows);
      if (starts && !(await this.#standAlone(apart, kept, batch, rows, taps))) return null;
      const fits = memory.keep(
        rows.map((row) => keys[row]!),
        taps,
      );
      if (!fits) return null;
      if (!settled) [lossSum, counted] = [lossSum + loss * rows.length, counted + rows.length];
    }
    this.#kept = { ...kept, standing: { examples, lossSum, counted, settled } };
    return { loss: lossSum / counted, taps: memory.gather(keys) };
  }

  /** Whether examples come to the same among others: losses that weigh, or networks that mix, let them depend on the batch. */
  async #standAlone(
    apart: Apart,
    kept: Kept,
    batch: Tensors,
    rows: readonly number[],
    computed: Tensors,
  ): Promise<boolean> {
    const half = rows.slice(0, Math.ceil(rows.length / 2));
    const again = (await this.#observeSome(apart, kept, batch, half)).taps;
    return kept.taps.every((tap) => {
      const valuesIn = (found: Tensors) => {
        const memory = new ExampleMemory([tap], Number.POSITIVE_INFINITY);
        const keys = half.map(String);
        memory.keep(keys, found);
        return Array.from(memory.gather(keys).get(tap.name)!.toNumbers());
      };
      const [one, other] = [valuesIn(computed), valuesIn(again)];
      const largest = one.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return one.every((value, i) => Math.abs(value - other[i]!) <= TOLERANCE * largest);
    });
  }
}
