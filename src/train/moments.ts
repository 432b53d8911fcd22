// Means, variances and covariance of a dendrite's output and its neurons' error, gathered over batches in float64.

import { Tensor } from "../base/tensor.ts";

/** The rows of what is gathered, one column a neuron. Sums are of deviations from the means. */
const ROWS = { meanOutput: 0, meanError: 1, squaresOutput: 2, squaresError: 3, products: 4 } as const;

/** Moments of many batches, for each neuron: pairwise updates of Chan, Golub and LeVeque (1983). */
export class Moments {
  readonly channels: number;
  /** Positions so far. */
  count = 0;
  #data: Float64Array<ArrayBuffer>;

  constructor(channels: number) {
    this.channels = channels;
    this.#data = new Float64Array(5 * channels);
  }

  /** As a tensor `[5, c]`, for checkpoints; with `count` it is all of it. */
  get tensor(): Tensor<"float64"> {
    return new Tensor("float64", [5, this.channels], this.#data.slice());
  }

  restore(count: number, { data }: Tensor): void {
    this.count = count;
    this.#data = Float64Array.from(data as Float64Array);
  }

  /** Forgets everything. */
  clear(): void {
    this.count = 0;
    this.#data.fill(0);
  }

  /** Adds a batch: its means, variances and covariance `[5, c]`, of `count` positions. */
  add({ data }: Tensor, count: number): void {
    const [given, sums, c] = [data as Float32Array, this.#data, this.channels];
    const total = this.count + count;
    const share = count / total;
    const crossed = this.count * share;
    for (let n = 0; n < c; n++) {
      const v = given[n]! - sums[n]!;
      const e = given[c + n]! - sums[c + n]!;
      sums[n]! += v * share;
      sums[c + n]! += e * share;
      sums[2 * c + n]! += given[2 * c + n]! * count + v * v * crossed;
      sums[3 * c + n]! += given[3 * c + n]! * count + e * e * crossed;
      sums[4 * c + n]! += given[4 * c + n]! * count + v * e * crossed;
    }
    this.count = total;
  }

  meanOutput(neuron: number): number {
    return this.#at(ROWS.meanOutput, neuron);
  }

  meanError(neuron: number): number {
    return this.#at(ROWS.meanError, neuron);
  }

  covariance(neuron: number): number {
    return this.#at(ROWS.products, neuron) / this.count;
  }

  deviationOutput(neuron: number): number {
    return Math.sqrt(this.#at(ROWS.squaresOutput, neuron) / this.count);
  }

  deviationError(neuron: number): number {
    return Math.sqrt(this.#at(ROWS.squaresError, neuron) / this.count);
  }

  /** The mean square of the error. */
  energy(neuron: number): number {
    return this.deviationError(neuron) ** 2 + this.meanError(neuron) ** 2;
  }

  /** Pearson's correlation without its sign; 0 where output or error does not vary. */
  score(neuron: number): number {
    const scale = Math.sqrt(this.#at(ROWS.squaresOutput, neuron) * this.#at(ROWS.squaresError, neuron));
    return scale > 0 ? Math.abs(this.#at(ROWS.products, neuron)) / scale : 0;
  }

  #at(row: number, neuron: number): number {
    return this.#data[row * this.channels + neuron]!;
  }
}
