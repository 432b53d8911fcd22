// A dendrite phase: candidates learn beside the frozen network, and the best of each neuron joins it.

import { ArborizeError } from "../base/errors.ts";
import type { Tensor } from "../base/tensor.ts";
import type { Batch } from "../data/dataset.ts";
import {
  type CorrelationSettings,
  nextPhaseProgress,
  type PhaseEnd,
  type PhaseProgress,
  phaseEnd,
} from "../growth/correlation-settings.ts";
import { CandidateProgram, FRESH_MEMORY, type MemoryStanding } from "./candidate-program.ts";
import type { FrozenNetwork } from "./candidate-step.ts";
import type { CorrelationParts, NetworkParts } from "./network.ts";
import { SiteCandidates } from "./site-candidates.ts";

/** Where a phase stands beside its tensors. Plain JSON. */
export interface PhaseStanding {
  /** The dendrite that is grown, from 1, and its try. */
  readonly dendrite: number;
  readonly attempt: number;
  /** Epochs that the neurons had before. */
  readonly cap: number;
  /** Optimizer steps so far. */
  readonly steps: number;
  /** Batches that are still to be measured only. */
  readonly bootstrap: number;
  readonly progress: PhaseProgress;
  /** The validation score while the phase lasts; null before the first. */
  readonly flat: number | null;
  /** What is kept of examples; null where the network runs with each step. */
  readonly memory: MemoryStanding | null;
}

/** A phase as it is saved. */
export interface PhaseState {
  readonly standing: PhaseStanding;
  /** Candidates with what the optimizer keeps of them, and `phase.…`: what was measured and the best so far. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** What an epoch of a phase came to. */
export interface PhaseEpoch {
  /** By module: the mean over neurons of their best candidate's correlation with the error, without the sign. */
  readonly scores: Readonly<Record<string, number>>;
  readonly end: PhaseEnd | null;
  /** Whether the epoch only measured. */
  readonly idle: boolean;
}

/** What names of what was measured, and of the best so far, start with. */
export const MEASURED = "phase.";

/** A phase in which candidates learn. The network it is for stays as it is. */
export class DendritePhase {
  readonly #parts: CorrelationParts;
  readonly #network: FrozenNetwork;
  readonly #program: CandidateProgram;
  readonly #sites: readonly SiteCandidates[];
  #standing: PhaseStanding;

  private constructor(
    parts: CorrelationParts,
    network: FrozenNetwork,
    program: CandidateProgram,
    sites: readonly SiteCandidates[],
    standing: PhaseStanding,
  ) {
    this.#parts = parts;
    this.#network = network;
    this.#program = program;
    this.#sites = sites;
    this.#standing = standing;
  }

  /** Begins a phase, or goes on with a saved one. */
  static async start(
    network: NetworkParts,
    parts: CorrelationParts,
    frozen: FrozenNetwork,
    { standing, tensors }: PhaseState,
  ): Promise<DendritePhase> {
    const program = await CandidateProgram.compile(network, frozen, parts, tensors, standing.memory);
    const sites = network.sites.map((site) => new SiteCandidates(site, parts));
    const saved = new Map(
      [...tensors].flatMap(([name, tensor]) =>
        name.startsWith(MEASURED) ? [[name.slice(MEASURED.length), tensor] as const] : [],
      ),
    );
    if (saved.size > 0) for (const site of sites) site.restore(saved);
    return new DendritePhase(parts, frozen, program, sites, standing);
  }

  /** The standing of a phase that begins. */
  static begin(
    dendrite: number,
    attempt: number,
    cap: number,
    { bootstrapBatches, cacheMegabytes }: CorrelationSettings,
  ): PhaseState {
    const standing = {
      dendrite,
      attempt,
      cap,
      steps: 0,
      bootstrap: bootstrapBatches,
      progress: { epochs: 0, waited: 0 },
      flat: null,
      memory: cacheMegabytes > 0 ? FRESH_MEMORY : null,
    };
    return { standing, tensors: new Map() };
  }

  get standing(): PhaseStanding {
    return { ...this.#standing, memory: this.#program.memory };
  }

  /** One step on a batch. Returns the network's loss, without dropout. */
  async step(batch: Batch, learningRate: number): Promise<number> {
    const { optimizer } = this.#parts;
    const { steps, bootstrap } = this.#standing;
    const fed = this.#sites.flatMap((site) => [...site.feeds()]);
    const knobs = optimizer.knobs(steps + 1, learningRate);
    const { loss, measures } = await this.#program.run(batch, fed, knobs, bootstrap === 0);
    for (const site of this.#sites) site.observe(measures);
    if (bootstrap === 0) {
      this.#standing = { ...this.#standing, steps: steps + 1 };
      return loss;
    }
    this.#standing = { ...this.#standing, bootstrap: bootstrap - 1 };
    if (bootstrap === 1) {
      for (const site of this.#sites) {
        site.measured();
        site.clear();
      }
    }
    return loss;
  }

  /**
   * Ends an epoch. The score is the network's, which must not change.
   *
   * @throws `bad_data` when it has changed, unless that is allowed.
   */
  async endEpoch(score: number, force: boolean): Promise<PhaseEpoch> {
    const { flat, steps, bootstrap, cap, progress: before } = this.#standing;
    if (this.#parts.requireFlat && flat !== null && score !== flat) throw notFlat(flat, score);
    const idle = steps === 0;
    if (bootstrap > 0) for (const site of this.#sites) site.measured();
    this.#program.endEpoch();
    const state = new Map([...this.#program.initial, ...(await this.#program.snapshot())]);
    const epochs = this.#sites.map((site) => [site.site.id, site.endEpoch(state)] as const);
    const improved = epochs.some(([, epoch]) => epoch.improved);
    const progress = idle ? before : nextPhaseProgress(before, improved);
    this.#standing = { ...this.#standing, flat: flat ?? score, bootstrap: 0, progress };
    const end = force ? "forced" : phaseEnd(progress, cap, this.#parts);
    return { scores: Object.fromEntries(epochs.map(([id, epoch]) => [id, epoch.score])), end, idle };
  }

  /** The network's state with the best dendrites as its next. */
  join(): Map<string, Tensor> {
    const { values } = this.#network;
    const joined = new Map(values);
    for (const site of this.#sites) {
      for (const [name, tensor] of site.join(values)) joined.set(name, tensor);
    }
    return joined;
  }

  /** Everything that `start` goes on from. */
  async state(): Promise<PhaseState> {
    const tensors = new Map([...this.#program.initial, ...(await this.#program.snapshot())]);
    for (const site of this.#sites) {
      for (const [name, tensor] of site.state()) tensors.set(MEASURED + name, tensor);
    }
    return { standing: this.standing, tensors };
  }

  release(): Promise<void> {
    return this.#program.release();
  }
}

function notFlat(before: number, score: number): ArborizeError {
  return new ArborizeError(
    "bad_data",
    `The validation score changed from ${before} to ${score} while dendrites learned and the network did not. Either it was measured otherwise (other data, dropout, another random draw), or something of the network still learns elsewhere. Set dendrites.correlation.requireFlat to false if the score is random by nature.`,
  );
}
