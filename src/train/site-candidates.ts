// The candidates of one module: what is measured of them, what they follow, and the best of each neuron so far.

import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { candidateId } from "../dendrites/candidates.ts";
import { countsIn } from "../dendrites/counts.ts";
import { type NeuronAxes, neuronAxes } from "../dendrites/neuron-axes.ts";
import type { Site } from "../dendrites/site.ts";
import { type CorrelationSettings, dendriteImproves } from "../growth/correlation-settings.ts";
import { meanErrorOf, namesOf, positionsOf } from "./candidate-objective.ts";
import { Moments } from "./moments.ts";

type Measures = ReadonlyMap<string, Tensor>;
type Numbers = Float64Array<ArrayBuffer>;

/** How far a batch moves a running mean. */
const RATE = 0.01;

/** What is kept of the best dendrite of each neuron. */
interface Best {
  /** Its score: Pearson's correlation with the error, without the sign. */
  readonly score: Numbers;
  /** The last score that counted as better. */
  readonly reference: Numbers;
  readonly covariance: Numbers;
  /** The mean square of the neuron's error. */
  readonly energy: Numbers;
  readonly meanOutput: Numbers;
}

/** What a module's candidates came to in an epoch. */
export interface SiteEpoch {
  /** The mean over neurons of the best candidate's score. */
  readonly score: number;
  /** Whether a dendrite got better by what counts. */
  readonly improved: boolean;
}

/** The candidates of a module in a dendrite phase. */
export class SiteCandidates {
  readonly site: Site;
  readonly #settings: CorrelationSettings;
  readonly #axes: NeuronAxes | null;
  readonly #moments: Moments[];
  /** For each candidate: the sign of its covariance, 1 / Z, and the running covariance. */
  readonly #signs: Numbers[];
  readonly #inverses: Numbers[];
  readonly #covariances: Numbers[];
  readonly #meanError: Numbers;
  readonly #best: Best;
  /** What steps are fed until something of it changes. */
  #feeds: readonly (readonly [string, Tensor])[] | null = null;
  /** State of the best dendrites, by the name it has in a candidate. */
  readonly #rows = new Map<string, Tensor>();

  constructor(site: Site, settings: CorrelationSettings) {
    this.site = site;
    this.#settings = settings;
    this.#axes = neuronAxes(site);
    const row = (): Numbers => new Float64Array(site.channels);
    const each = <T>(make: () => T) => Array.from({ length: settings.candidates }, make);
    this.#moments = each(() => new Moments(site.channels));
    [this.#signs, this.#inverses, this.#covariances] = [each(row), each(row), each(row)];
    this.#meanError = row();
    this.#best = { score: row(), reference: row(), covariance: row(), energy: row(), meanOutput: row() };
  }

  /** What a step is fed beside the batch. */
  feeds(): Iterable<readonly [string, Tensor]> {
    this.#feeds ??= [...this.#fed()];
    return this.#feeds;
  }

  *#fed(): Iterable<readonly [string, Tensor]> {
    const { dtype } = this.site.output;
    const vector = (values: Numbers) => Tensor.of([values.length], values, dtype);
    const bySign = this.#settings.sign !== "batch";
    for (const [j, inverses] of this.#inverses.entries()) {
      const gains = bySign ? inverses.map((value, n) => value * this.#signs[j]![n]!) : inverses;
      yield [namesOf(this.site.id, j).gain, vector(gains)];
    }
    if (this.#settings.meanError === "running") yield [meanErrorOf(this.site.id), vector(this.#meanError)];
  }

  /**
   * Takes in what a batch has measured.
   *
   * @throws `not_a_number` where dendrites compute what is no number.
   */
  observe(measures: Measures): void {
    const { id, channels } = this.site;
    const { sign, meanError } = this.#settings;
    const count = measures.get(positionsOf(id))!.item();
    if (sign === "running" || meanError === "running") this.#feeds = null;
    for (const [j, moments] of this.#moments.entries()) {
      const batch = measures.get(namesOf(id, j).moments)!;
      const data = batch.data as Float32Array;
      if (!data.every(Number.isFinite)) {
        throw new ArborizeError(
          "not_a_number",
          `The dendrites that learn on "${id}" have diverged: lower the learning rate of dendrites.`,
        );
      }
      moments.add(batch, count);
      const [covariances, signs] = [this.#covariances[j]!, this.#signs[j]!];
      for (let n = 0; n < channels; n++) {
        covariances[n]! += RATE * (data[4 * channels + n]! - covariances[n]!);
        if (j === 0) this.#meanError[n]! += RATE * (data[channels + n]! - this.#meanError[n]!);
        if (sign === "running") signs[n] = signOf(covariances[n]!);
      }
    }
  }

  /** Ends the batches that only measure: from now on candidates have something to follow. */
  measured(): void {
    this.#feeds = null;
    for (const [j, moments] of this.#moments.entries()) {
      for (let n = 0; n < this.site.channels; n++) {
        this.#covariances[j]![n] = moments.covariance(n);
        if (j === 0) this.#meanError[n] = moments.meanError(n);
        this.#signs[j]![n] = signOf(moments.covariance(n));
      }
      this.#normalize(j);
    }
  }

  /** Forgets what was measured in this epoch. */
  clear(): void {
    for (const moments of this.#moments) moments.clear();
  }

  /** Ends an epoch: keeps what got better. `state`: that of all candidates at its end, by name. */
  endEpoch(state: ReadonlyMap<string, Tensor>): SiteEpoch {
    this.#feeds = null;
    const { channels } = this.site;
    if (this.#moments[0]!.count === 0) return { score: 0, improved: false };
    const scores = this.#moments.map((moments) =>
      Float64Array.from({ length: channels }, (_, n) => moments.score(n)),
    );
    const improved = this.#axes ? this.#keepNeurons(scores, state) : this.#keepModule(scores, state);
    if (this.#settings.sign === "epoch") {
      for (const [j, moments] of this.#moments.entries()) {
        for (let n = 0; n < channels; n++) this.#signs[j]![n] = signOf(moments.covariance(n));
      }
    }
    if (this.#settings.normalizer === "pearson") for (const j of scores.keys()) this.#normalize(j);
    this.clear();
    const highest = Array.from({ length: channels }, (_, n) => Math.max(...scores.map((row) => row[n]!)));
    return { score: mean(highest), improved };
  }

  /** The state of the dendrites that join after those of a network's state, by name, with the output weights of all. */
  join(values: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const { id, channels, output } = this.site;
    const index = countsIn(values).get(id) ?? 0;
    const joined = new Map<string, Tensor>();
    for (const [name, tensor] of this.#rows) joined.set(`${id}.dendrites.${index}.${name}`, tensor);
    const before = values.get(`${id}.dendrites.output`)?.toNumbers() ?? [];
    const weights = this.#outputWeights();
    const rows = Tensor.of([index + 1, channels], [...before, ...weights], output.dtype);
    joined.set(`${id}.dendrites.output`, rows);
    const bias = this.#axes?.bias;
    const old = bias ? values.get(bias) : undefined;
    if (bias && old && this.#settings.outputWeight !== "zero" && this.#settings.compensateBias) {
      const shifted = Array.from(old.toNumbers(), (b, n) => b - weights[n]! * this.#best.meanOutput[n]!);
      joined.set(bias, Tensor.of(old.shape, shifted, old.dtype));
    }
    return joined;
  }

  /** Everything that changes, as tensors by name, for checkpoints. */
  *state(): Iterable<readonly [string, Tensor]> {
    const { id } = this.site;
    const vector = (data: Numbers) => new Tensor("float64", [data.length], data.slice());
    for (const [j, moments] of this.#moments.entries()) {
      yield [`${id}.${j}.moments`, moments.tensor];
      yield [`${id}.${j}.count`, Tensor.of([], [moments.count], "float64")];
    }
    for (const [name, vectors] of Object.entries(this.#vectors())) {
      yield* vectors.map((data, i) => [`${id}.${i}.${name}`, vector(data)] as const);
    }
    for (const [name, tensor] of this.#rows) yield [`${id}.best.${name}`, tensor];
  }

  /** Puts back what `state` gave. */
  restore(state: ReadonlyMap<string, Tensor>): void {
    this.#feeds = null;
    const { id } = this.site;
    const given = (name: string): Tensor => {
      const tensor = state.get(`${id}.${name}`);
      if (tensor) return tensor;
      throw new ArborizeError("bad_file", `The saved dendrite phase has no "${id}.${name}".`);
    };
    for (const [j, moments] of this.#moments.entries()) {
      moments.restore(given(`${j}.count`).item(), given(`${j}.moments`));
    }
    for (const [name, vectors] of Object.entries(this.#vectors())) {
      for (const [i, data] of vectors.entries()) data.set(given(`${i}.${name}`).data as Float64Array);
    }
    for (const [name, tensor] of state) {
      if (name.startsWith(`${id}.best.`)) this.#rows.set(name.slice(`${id}.best.`.length), tensor.clone());
    }
  }

  #vectors(): Record<string, readonly Numbers[]> {
    return {
      sign: this.#signs,
      inverse: this.#inverses,
      covariance: this.#covariances,
      error: [this.#meanError],
      kept: Object.values(this.#best),
    };
  }

  /** 1 / Z from what was measured; 0 where there is no error to follow. */
  #normalize(j: number): void {
    const moments = this.#moments[j]!;
    const { channels } = this.site;
    const energies = Array.from({ length: channels }, (_, n) => moments.energy(n));
    const all = energies.reduce((sum, energy) => sum + energy, 0);
    const scaleOf = (n: number): number => {
      switch (this.#settings.normalizer) {
        case "rms":
          return Math.sqrt(energies[n]!);
        case "energy":
          return all;
        case "pearson":
          return moments.deviationOutput(n) * moments.deviationError(n);
        case "none":
          return 1;
      }
    };
    for (let n = 0; n < channels; n++) {
      const scale = scaleOf(n);
      this.#inverses[j]![n] = scale > 0 && moments.energy(n) > 0 ? 1 / scale : 0;
    }
  }

  /** Keeps for each neuron the candidate that is better than the best so far. */
  #keepNeurons(scores: readonly Numbers[], state: ReadonlyMap<string, Tensor>): boolean {
    const winners = Array.from({ length: this.site.channels }, (_, n) => highestOf(scores.map((s) => s[n]!)));
    const better = winners.map((j, n) => scores[j]![n]! > this.#best.score[n]! || this.#rows.size === 0);
    for (const [name, tensor] of this.#candidate(0, state)) {
      if (!this.#rows.has(name)) this.#rows.set(name, tensor.clone());
      const kept = this.#rows.get(name)!;
      // Earlier dendrites' weights are rows, with a column for each neuron.
      const axis = name === "cascade" ? 1 : this.#axes!.axes.get(name);
      winners.forEach((j, n) => {
        if (!better[n]) return;
        const from = state.get(`${candidateId(this.site, j)}.${name}`)!;
        if (axis === undefined) (kept.data as Float32Array).set(from.data as Float32Array);
        else copyRow(from, kept, axis, n);
      });
    }
    const improved = winners.map((j, n) => better[n]! && this.#note(j, n, scores[j]![n]!, scores[j]![n]!));
    return improved.includes(true);
  }

  /** Keeps one candidate for all neurons, where their weights cannot be told apart. */
  #keepModule(scores: readonly Numbers[], state: ReadonlyMap<string, Tensor>): boolean {
    const means = scores.map(mean);
    const winner = highestOf(means);
    if (!(means[winner]! > mean(this.#best.score)) && this.#rows.size > 0) return false;
    for (const [name, tensor] of this.#candidate(winner, state)) this.#rows.set(name, tensor.clone());
    const improved = Array.from(scores[winner]!, (score, n) => this.#note(winner, n, score, means[winner]!));
    return improved.includes(true);
  }

  /** Notes candidate `j` as a neuron's best; tells whether `judged` counts as better than the last that did. */
  #note(j: number, n: number, score: number, judged: number): boolean {
    const moments = this.#moments[j]!;
    this.#best.score[n] = score;
    this.#best.covariance[n] = moments.covariance(n);
    this.#best.energy[n] = moments.energy(n);
    this.#best.meanOutput[n] = moments.meanOutput(n);
    if (!dendriteImproves(judged, this.#best.reference[n]!, this.#settings)) return false;
    this.#best.reference[n] = judged;
    return true;
  }

  /** The state of a candidate, by the names that it has in the module. */
  #candidate(j: number, state: ReadonlyMap<string, Tensor>): [string, Tensor][] {
    const prefix = `${candidateId(this.site, j)}.`;
    return [...state].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as [string, Tensor]] : [],
    );
  }

  #outputWeights(): readonly number[] {
    const { covariance, energy } = this.#best;
    const all = energy.reduce((sum, each) => sum + each, 0);
    const follows = this.#settings.outputWeight === "correlation" && all > 0;
    return Array.from(covariance, (each) => (follows ? -each / all : 0));
  }
}

const signOf = (value: number) => (value < 0 ? -1 : 1);
const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, each) => sum + each, 0) / values.length;
const highestOf = (values: readonly number[]) => values.indexOf(Math.max(...values));

/** Copies what belongs to one index of an axis. */
function copyRow(from: Tensor, to: Tensor, axis: number, index: number): void {
  const { shape } = from;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const block = shape[axis]! * inner;
  for (let start = index * inner; start < from.data.length; start += block) {
    (to.data as Float32Array).set((from.data as Float32Array).subarray(start, start + inner), start);
  }
}
