// Measured over examples: the share of each dendrite in its module's output, and which examples move it most.

import type { Tensor } from "../base/tensor.ts";
import type { Batch } from "../data/dataset.ts";
import { attachContributions, type ContributingSite } from "../dendrites/contributions.ts";
import { countsFor } from "../dendrites/counts.ts";
import type { Site } from "../dendrites/site.ts";
import type { Value } from "../graph/graph.ts";
import { cast, mul, reduceSum, reduceSumSquare, sizeOfValue } from "../ops/index.ts";
import { evaluationForm } from "../transform/mode.ts";
import { matchBatch } from "./batch.ts";
import { encodeModel } from "./encode-model.ts";
import type { NetworkParts, Snapshot } from "./network.ts";
import { dataFeeds } from "./step.ts";

/** What a dendrite of a module comes to. */
export interface Contribution {
  /** Its share of the variance of the module's output. */
  readonly share: number;
  /** How far each example moves what it adds from its mean, summed as squares over neurons and positions. */
  readonly moves: Float64Array;
  /** For each neuron the example that moves most what it adds there. */
  readonly strongest: Int32Array;
}

/** Sums over examples and positions, for each neuron of a module or of one of its dendrites. */
interface Sums {
  readonly values: Float64Array;
  readonly squares: Float64Array;
  /** Of products with the module's output. */
  readonly products: Float64Array;
}

/** The dendrites' contributions by module. Without examples that can be told apart, `moves` is empty. */
export async function measureContributions(
  parts: NetworkParts,
  { dendrites, values }: Snapshot,
  source: Iterable<Batch>,
  onPass: () => void,
): Promise<Map<string, readonly Contribution[]>> {
  const { base, sites, activation, engine } = parts;
  const random = () => {
    throw new Error("every weight is known");
  };
  const plan = { sites, count: countsFor(dendrites, sites, values), activation, values, random };
  const grown = attachContributions(base, plan);
  const taps = grown.sites.flatMap(({ sum, contributions }) => [sum, ...contributions]);
  const { graph, mapped } = evaluationForm(grown.graph, {
    outputs: [...grown.graph.outputs, ...taps],
    shareSubexpressions: true,
  });
  const outputs = new Map<string, Value>();
  grown.sites.forEach((site, i) => {
    appendSums(site, i, mapped, outputs);
  });
  const program = await engine.compile(encodeModel(engine, graph, outputs), { name: "contributions" });
  const feeds = dataFeeds(graph, base, null);
  const run = async (use: (found: ReadonlyMap<string, Tensor>) => void) => {
    for (const batch of source) {
      const { tensors } = matchBatch(batch, feeds);
      const fed = new Map([...tensors].map(([name, tensor]) => [name, engine.upload(tensor)]));
      const results = await program.run(fed, new Map([...outputs.keys()].map((name) => [name, null])));
      const found = new Map<string, Tensor>();
      for (const [name, resident] of results) found.set(name, await engine.download(resident));
      use(found);
    }
    onPass();
  };
  try {
    const totals = grown.sites.map((site, i) => new SiteTotals(site, i));
    await run((found) => {
      for (const total of totals) total.add(found);
    });
    const aligned = (site: Site) => site.output.shape[0] === base.inputs[0]?.shape[0];
    await run((found) => {
      for (const total of totals) if (aligned(total.site)) total.follow(found);
    });
    return new Map(totals.map((total) => [total.site.id, total.result()]));
  } finally {
    await program.release();
  }
}

/** What is measured of the `i`-th module: names of outputs. */
const sumName = (i: number, what: "values" | "squares" | "count") => `${i}.${what}`;
const partName = (i: number, j: number, what: keyof Sums) => `${i}.${j}.${what}`;

/** Sums over positions, in float64: `[examples, neurons]`, or `[neurons]` where neurons come first. */
function appendSums(
  { site, sum, contributions }: ContributingSite,
  i: number,
  mapped: (value: Value) => Value,
  outputs: Map<string, Value>,
): void {
  const { channelAxis } = site;
  const axes = site.output.shape.flatMap((_, axis) => (axis === 0 || axis === channelAxis ? [] : [axis]));
  const total = (x: Value) => (axes.length === 0 ? x : reduceSum(x, axes));
  const totalOfSquares = (x: Value) => (axes.length === 0 ? mul(x, x) : reduceSumSquare(x, axes));
  const y = cast(mapped(sum), "float64");
  outputs.set(sumName(i, "values"), total(y));
  outputs.set(sumName(i, "squares"), totalOfSquares(y));
  outputs.set(sumName(i, "count"), sizeOfValue(y));
  contributions.forEach((contribution, j) => {
    const part = cast(mapped(contribution), "float64");
    outputs.set(partName(i, j, "values"), total(part));
    outputs.set(partName(i, j, "squares"), totalOfSquares(part));
    outputs.set(partName(i, j, "products"), total(mul(part, y)));
  });
}

/** A module's sums over all batches, and what follows from them. */
class SiteTotals {
  readonly site: Site;
  readonly #index: number;
  readonly #output: Omit<Sums, "products">;
  readonly #parts: readonly Sums[];
  /** Positions of a neuron in all examples, and in one. */
  #count = 0;
  #examples = 0;
  readonly #moves: number[][];
  readonly #strongest: readonly { readonly at: Int32Array; readonly by: Float64Array }[];

  constructor({ site, contributions }: ContributingSite, index: number) {
    this.site = site;
    this.#index = index;
    const row = () => new Float64Array(site.channels);
    this.#output = { values: row(), squares: row() };
    this.#parts = contributions.map(() => ({ values: row(), squares: row(), products: row() }));
    this.#moves = contributions.map(() => []);
    this.#strongest = contributions.map(() => ({ at: new Int32Array(site.channels), by: row().fill(-1) }));
  }

  add(found: ReadonlyMap<string, Tensor>): void {
    const i = this.#index;
    this.#count += found.get(sumName(i, "count"))!.item() / this.site.channels;
    for (const what of ["values", "squares"] as const)
      addRows(this.#output[what], found.get(sumName(i, what))!);
    for (const [j, part] of this.#parts.entries()) {
      for (const what of ["values", "squares", "products"] as const) {
        addRows(part[what], found.get(partName(i, j, what))!);
      }
    }
  }

  /** Notes of each example how far it is from the means, which are known by now. */
  follow(found: ReadonlyMap<string, Tensor>): void {
    const { channels } = this.site;
    const count = found.get(sumName(this.#index, "count"))!.item();
    const rows = found.get(sumName(this.#index, "values"))!.data.length / channels;
    const positions = count / channels / rows;
    for (const [j, part] of this.#parts.entries()) {
      const values = found.get(partName(this.#index, j, "values"))!.data as Float64Array;
      const squares = found.get(partName(this.#index, j, "squares"))!.data as Float64Array;
      const { at, by } = this.#strongest[j]!;
      for (let row = 0; row < rows; row++) {
        let moved = 0;
        for (let n = 0; n < channels; n++) {
          const mean = part.values[n]! / this.#count;
          const k = row * channels + n;
          const distance = squares[k]! - 2 * mean * values[k]! + positions * mean * mean;
          moved += distance;
          if (distance <= by[n]!) continue;
          by[n] = distance;
          at[n] = this.#examples + row;
        }
        this.#moves[j]!.push(moved);
      }
    }
    this.#examples += rows;
  }

  result(): Contribution[] {
    const { channels } = this.site;
    const sum = (of: (n: number) => number) => {
      let total = 0;
      for (let n = 0; n < channels; n++) total += of(n);
      return total;
    };
    const mean = (sums: Float64Array, n: number) => sums[n]! / this.#count;
    const y = this.#output;
    const variance = sum((n) => mean(y.squares, n) - mean(y.values, n) ** 2);
    return this.#parts.map((part, j) => {
      const shared = sum((n) => mean(part.products, n) - mean(part.values, n) * mean(y.values, n));
      return {
        share: variance > 0 ? shared / variance : 0,
        moves: Float64Array.from(this.#moves[j]!),
        strongest: this.#strongest[j]!.at,
      };
    });
  }
}

function addRows(totals: Float64Array, { data }: Tensor): void {
  const numbers = data as Float64Array;
  for (let k = 0; k < numbers.length; k++) totals[k % totals.length]! += numbers[k]!;
}
