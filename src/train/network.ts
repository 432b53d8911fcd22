// A network that can grow: its graph, the values of everything learned, and the programs that run it.

import { Random } from "../base/random.ts";
import { sizeOf, Tensor } from "../base/tensor.ts";
import type { Batch } from "../data/dataset.ts";
import { attachDendrites, type DendriteActivation } from "../dendrites/attach.ts";
import { countsFor } from "../dendrites/counts.ts";
import type { Site } from "../dendrites/site.ts";
import type { Engine, Resident } from "../engine/engine.ts";
import { MaskDrawer } from "../engine/wasm/masks.ts";
import type { Graph } from "../graph/graph.ts";
import { resolveDim, staticShape } from "../graph/shape.ts";
import type { CorrelationSettings } from "../growth/correlation-settings.ts";
import type { Loss } from "../nn/losses.ts";
import type { Metric } from "../nn/metrics.ts";
import type { Knobs, Optimizer } from "../optim/optimizer.ts";
import { freezeState } from "../transform/freeze.ts";
import { evaluationForm } from "../transform/mode.ts";
import { matchBatch } from "./batch.ts";
import { CroppedNetwork } from "./cropped.ts";
import { type BatchSource, InferenceProgram } from "./inference.ts";
import { StepProgram } from "./program.ts";
import { buildTrainStep, type MaskFeed } from "./step.ts";

/** How dendrites learn by correlation. */
export interface CorrelationParts extends CorrelationSettings {
  /** What they learn by. */
  readonly optimizer: Optimizer;
}

/** What a growing network is made of. None of it changes. */
export interface NetworkParts {
  /** The network without dendrites. */
  readonly base: Graph;
  readonly sites: readonly Site[];
  readonly activation: DendriteActivation;
  readonly initialScale: number;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly engine: Engine;
  /** How dendrites learn apart from the network; null where they learn with it. */
  readonly correlation: CorrelationParts | null;
  /** What the network starts from where that is not the base's own parameters. */
  readonly start: Snapshot | null;
}

/** A network's structure and the values of its parameters and buffers. */
export interface Snapshot {
  /** The most dendrites that a module has. Those of which some were removed have fewer, as the values say. */
  readonly dendrites: number;
  readonly values: ReadonlyMap<string, Tensor>;
}

/** Draws the new parameter called `name`. */
export type NewWeights = (name: string) => Random;

/** The network as it now stands. Programs are compiled when they are first needed. */
export class GrowingNetwork {
  readonly parts: NetworkParts;
  #dendrites: number;
  #graph: Graph;
  /** Parameters, buffers and optimizer state to start the next program from; null once it runs and holds them. */
  #initial: ReadonlyMap<string, Tensor>;
  /** What programs are made of; null as long as there are none. */
  #cropped: CroppedNetwork | null = null;
  #program: StepProgram | null = null;
  #uploaded: ReadonlyMap<string, Resident> | null = null;
  /** Its memory is kept from step to step: new masks each time would keep the garbage collector busy. */
  #masks = new MaskDrawer();
  readonly #inference = new Map<Metric | "loss" | "output", InferenceProgram>();

  constructor(parts: NetworkParts) {
    this.parts = parts;
    const { base, start } = parts;
    this.#dendrites = start?.dendrites ?? 0;
    this.#graph = start ? this.#grown(start.dendrites, start.values, () => Random.stream(0, "")) : base;
    this.#initial = this.#graph.state;
  }

  /** The network with its dendrites; its parameters hold the values from when it was last rebuilt. */
  get graph(): Graph {
    return this.#graph;
  }

  /** The most dendrites that a site has. */
  get dendrites(): number {
    return this.#dendrites;
  }

  /** How many numbers are learned. */
  get parameterCount(): number {
    return this.#graph.parameters.reduce((total, parameter) => total + sizeOf(staticShape(parameter)), 0);
  }

  /**
   * Rebuilds the network with another number of dendrites, the most on a site: each gets as many more. Values that exist are kept, new ones drawn; the optimizer
   * starts afresh unless `values` hold its state.
   */
  async rebuild(
    dendrites: number,
    values: ReadonlyMap<string, Tensor>,
    newWeights: NewWeights,
  ): Promise<void> {
    const graph = this.#grown(dendrites, values, newWeights);
    await this.release();
    this.#graph = graph;
    this.#dendrites = dendrites;
    this.#initial = new Map([...values, ...graph.state]);
  }

  #grown(dendrites: number, values: ReadonlyMap<string, Tensor>, random: NewWeights): Graph {
    const { base, sites, activation, initialScale, correlation } = this.parts;
    const count = countsFor(dendrites, sites, values);
    const stopGradients = correlation?.gradients === "stopped";
    const plan = { sites, count, activation, initialScale, values, random, stopGradients };
    return attachDendrites(base, plan);
  }

  /** The network as it is trained: dendrites that learn by correlation stay as they are once they have joined. */
  #trained(): Graph {
    const { graph } = this.#asRun();
    if (!this.parts.correlation) return graph;
    const freeze = Array.from({ length: this.#dendrites }, (_, j) => `*.dendrites.${j}.*`);
    return freezeState(graph, { freeze });
  }

  /** The network and its state as programs have them. */
  #asRun(): CroppedNetwork {
    this.#cropped ??= new CroppedNetwork(this.#graph, this.parts.optimizer, this.#initial);
    return this.#cropped;
  }

  /** Runs one training step and returns the loss before it. `masks` is where dropout draws from. */
  async step(batch: Batch, masks: Random, knobs: Knobs): Promise<number> {
    const program = await this.#stepProgram();
    const { tensors, lengths } = matchBatch(batch, program.step.feeds);
    for (const [name, mask] of this.#drawMasks(program.step.masks, lengths, masks)) tensors.set(name, mask);
    return (await program.run(tensors, knobs)).loss;
  }

  #drawMasks(feeds: readonly MaskFeed[], lengths: ReadonlyMap<string, number>, random: Random) {
    const shapes = feeds.map(({ shape }) => shape.map((dim) => resolveDim(dim, lengths)));
    const requests = feeds.map(({ p }, i) => ({ length: sizeOf(shapes[i]!), p }));
    const masks = this.#masks.draw(requests, random);
    // The engine has read what shares its memory before the next step is prepared.
    const { sharesMemory } = this.parts.engine;
    return feeds.map(({ name }, i): [string, Tensor] => {
      const mask = sharesMemory ? masks[i]! : masks[i]!.slice();
      return [name, new Tensor("bool", shapes[i]!, mask)];
    });
  }

  /** A metric, or the loss where it is null, over batches. `changed`: state that is other than the network's, by name. */
  async evaluate(
    source: BatchSource,
    metric: Metric | null,
    changed: ReadonlyMap<string, Tensor> = new Map(),
  ): Promise<number> {
    const { loss, engine } = this.parts;
    const program = await this.#compiled(metric ?? "loss", () =>
      InferenceProgram.forScore(this.#asRun().graph, loss, metric, engine),
    );
    const state = new Map(this.#residents());
    for (const [name, tensor] of this.#asRun().partsOf(changed)) state.set(name, engine.upload(tensor));
    return program.score(source, state);
  }

  /** The network's output for a batch. */
  async predict(batch: Batch): Promise<Tensor> {
    const { engine } = this.parts;
    const program = await this.#compiled("output", () =>
      InferenceProgram.forOutput(this.#asRun().graph, engine),
    );
    return (await program.run(batch, this.#residents())).clone();
  }

  /** Copies of all state: parameters, buffers, and what the optimizer keeps. */
  async state(): Promise<ReadonlyMap<string, Tensor>> {
    return new Map([...this.#initial, ...(await this.#learned())]);
  }

  /** Copies of the parameters and buffers, and how many dendrites they are for. */
  async snapshot(): Promise<Snapshot> {
    const names = [...this.#graph.state.keys()];
    const learned = await this.#learned(names);
    const values = new Map(names.map((name) => [name, learned.get(name) ?? this.#initial.get(name)!]));
    return { dendrites: this.#dendrites, values };
  }

  /** Copies of what the training step holds, none where there is no step yet. Default: of all of it. */
  async #learned(names?: Iterable<string>): Promise<ReadonlyMap<string, Tensor>> {
    return this.#program ? this.#asRun().wholeOf(await this.#program.snapshot(names)) : new Map();
  }

  /** The network with its present parameters and buffers, in its evaluation form. */
  async evaluationGraph(): Promise<Graph> {
    const { values } = await this.snapshot();
    return evaluationForm(this.#graph, { values, keepNames: true }).graph;
  }

  /** Frees the programs; they are compiled again when needed. State that they held is lost. */
  async release(): Promise<void> {
    const programs = [...this.#inference.values(), ...(this.#program ? [this.#program] : [])];
    this.#inference.clear();
    this.#masks = new MaskDrawer();
    this.#cropped = null;
    this.#program = null;
    this.#uploaded = null;
    for (const program of programs) await program.release();
  }

  async #stepProgram(): Promise<StepProgram> {
    if (!this.#program) {
      const { loss, optimizer, engine } = this.parts;
      const { sharesMemory: inPlace, indexesMaxima = true } = engine;
      const step = buildTrainStep(this.#trained(), loss, optimizer, { inPlace, indexesMaxima });
      this.#program = await StepProgram.compile(step, engine, this.#asRun().initial);
    }
    return this.#program;
  }

  async #compiled(key: Metric | "loss" | "output", compile: () => Promise<InferenceProgram>) {
    const known = this.#inference.get(key);
    if (known) return known;
    const program = await compile();
    this.#inference.set(key, program);
    return program;
  }

  /** Parameters and buffers as the engine has them: those of the training step, and those that it leaves as they are. */
  #residents(): ReadonlyMap<string, Resident> {
    this.#uploaded ??= new Map(
      [...this.#asRun().initial].map(([name, data]) => [name, this.parts.engine.upload(data)]),
    );
    return this.#program ? new Map([...this.#uploaded, ...this.#program.residents]) : this.#uploaded;
  }
}
