// Cascade-correlation on two spirals: the experiment of Fahlman and Lebiere (1990), on the library's objective and quickprop.
//
// The idea: a network starts without hidden units. Candidates learn to follow the error that is left, the best of them joins,
// is frozen and is read by all later ones, and the output learns again, until each point of two spirals that wind around each
// other three times is told right. Dendrites that learn by correlation do this for each neuron: docs/correlation.md. Look at
// the number of units and epochs beside the paper's, and at the pictures of the plane after each unit, in the run's folder.
//
//     npx tsx examples/two-spirals.ts
//
// To try other points, change `experiments/spirals.ts`; the constants of learning are `PAPER`. Two compiled graphs serve all
// units: inputs that don't exist yet are columns of zeros, whose weights have no slope.

import { join } from "node:path";
import { correlation, data, type Engine, nodeEngine, ops, Random, Tensor, type Value } from "../src/index.ts";
import { runIfMain } from "./experiments/command.ts";
import type { Arm, Context, Experiment, Outcome } from "./experiments/experiment.ts";
import { Learner } from "./experiments/learner.ts";
import { type Cascade, outputAt, POINTS, picture, spirals, TARGETS } from "./experiments/spirals.ts";
import { interval } from "./experiments/statistics.ts";

/** The constants of the paper and its program. */
const PAPER = {
  pool: 8,
  maxUnits: 25,
  /** Epochs of one phase. */
  maxEpochs: 200,
  patience: 8,
  outputs: { rate: 0.35, change: 0.01, weightDecay: 1e-4, primeOffset: 0.1 },
  candidates: { rate: 1, change: 0.03 },
  weightRange: 1,
  /** Outputs within this of their target, 0.5 or -0.5, are right. */
  tolerance: 0.35,
} as const;

/** A bias, x, y, and the units. */
const COLUMNS = 3 + PAPER.maxUnits;

/** What came of a seed. */
export interface Solved {
  readonly solved: boolean;
  /** Epochs of outputs and of candidates. */
  readonly epochs: number;
  readonly units: number;
  /** Share of the points that are told within the tolerance. */
  readonly learned: number;
  /** Share of points between the training points that are on the right side. */
  readonly generalization: number;
}

/** Fahlman's sigmoid, from -0.5 to 0.5. */
const unit = (x: Value) => ops.sub(ops.sigmoid(x), ops.scalar(x, 0.5));

/** Ends a phase when a measure has not changed by a share of itself for some epochs. */
function stagnation(change: number): (measure: number) => boolean {
  let [last, waited] = [Number.NaN, 0];
  return (measure) => {
    if (Math.abs(measure - last) <= change * Math.abs(last)) return ++waited >= PAPER.patience;
    [last, waited] = [measure, 0];
    return false;
  };
}

/** The learners of outputs and candidates, for any number of seeds. */
export async function twoSpirals(engine: Engine = nodeEngine({ threads: 1 })) {
  const outputs = await Learner.compile(
    engine,
    { points: POINTS, weights: [1, COLUMNS] },
    PAPER.outputs.weightDecay,
    (graph, net) => {
      const difference = ops.sub(unit(net), graph.input("target", "float32", [POINTS, 1]));
      const slope = ops.sub(ops.scalar(net, 0.25 + PAPER.outputs.primeOffset), ops.mul(unit(net), unit(net)));
      const error = ops.mul(difference, slope);
      return { objective: ops.reduceSum(ops.mul(net, ops.stopGradient(error))), told: { difference, error } };
    },
  );
  const candidates = await Learner.compile(
    engine,
    { points: POINTS, weights: [PAPER.pool, COLUMNS] },
    0,
    (graph, net) => {
      const output = unit(net);
      const error = graph.input("error", "float32", [POINTS, PAPER.pool]);
      const gain = graph.input("gain", "float32", [PAPER.pool]);
      const { surrogate, statistics } = correlation({ output, error, channelAxis: 1, gain });
      return { objective: surrogate, told: { covariance: statistics.covariance, values: output } };
    },
  );
  const target = Tensor.of([POINTS, 1], TARGETS);

  /** Trains with one seed, up to `maxUnits`; `onUnit` is called with the network after each phase of outputs. */
  async function solve(
    seed: number,
    onUnit?: (network: Cascade) => Promise<void>,
    maxUnits: number = PAPER.maxUnits,
  ): Promise<Solved> {
    const random = Random.stream(seed, "two spirals");
    const drawn = (count: number, columns: number) => {
      const weights = new Float32Array(count * COLUMNS);
      for (let row = 0; row < count; row++)
        for (let i = 0; i < columns; i++)
          weights[row * COLUMNS + i] = random.uniform(-PAPER.weightRange, PAPER.weightRange);
      return weights;
    };
    const x = Tensor.zeros([POINTS, COLUMNS]);
    for (const [p, [a, b]] of spirals().entries()) x.data.set([1, a, b], p * COLUMNS);
    const units: Float32Array[] = [];
    let epochs = 0;
    let weights = drawn(1, 3);
    for (;;) {
      outputs.start(weights);
      const isStuck = stagnation(PAPER.outputs.change);
      let error = new Float32Array();
      let [solved, learned] = [false, 0];
      for (let i = 0; i < PAPER.maxEpochs; i++) {
        weights = Float32Array.from(outputs.state.get("w")!.data as Float32Array);
        const told = await outputs.epoch({ x, target }, PAPER.outputs.rate / POINTS);
        epochs += 1;
        error = Float32Array.from(told.error!);
        learned = told.difference!.filter((value) => Math.abs(value) < PAPER.tolerance).length / POINTS;
        solved = learned === 1;
        if (solved || isStuck(error.reduce((sum, e) => sum + e * e, 0))) break;
      }
      const network = { units, weights };
      await onUnit?.(network);
      if (solved || units.length === maxUnits) {
        const between = spirals(0.1);
        const right = between.filter(([a, b], p) => outputAt(network, a, b) * TARGETS[p]! > 0).length;
        return { solved, epochs, units: units.length, learned, generalization: right / POINTS };
      }
      const columns = 3 + units.length;
      const grown = await trainCandidates(x, error, drawn(PAPER.pool, columns), columns);
      epochs += grown.epochs;
      units.push(grown.weights);
      grown.values.forEach((value, p) => {
        x.data[p * COLUMNS + columns] = value;
      });
      weights[columns] = -grown.covariance;
    }
  }

  async function trainCandidates(x: Tensor, error: Float32Array, start: Float32Array, columns: number) {
    candidates.start(start);
    const energy = error.reduce((sum, e) => sum + e * e, 0) / POINTS;
    const errors = Tensor.of(
      [POINTS, PAPER.pool],
      Array.from({ length: POINTS * PAPER.pool }, (_, i) => error[Math.floor(i / PAPER.pool)]!),
    );
    const feeds = (signs: Float32Array) => ({
      x,
      error: errors,
      gain: Tensor.of(
        [PAPER.pool],
        Array.from(signs, (c) => (c < 0 ? -1 : 1) / energy),
      ),
    });
    // Not divided by the number of points as well: see docs/correlation.md.
    const rate = PAPER.candidates.rate / columns;
    let told = await candidates.epoch(feeds(new Float32Array(PAPER.pool)), rate, false);
    const isStuck = stagnation(PAPER.candidates.change);
    for (let epoch = 1; ; epoch++) {
      const weights = candidates.state.get("w")!.data as Float32Array;
      told = await candidates.epoch(feeds(told.covariance!), rate);
      const sizes = told.covariance!.map(Math.abs);
      const best = sizes.indexOf(Math.max(...sizes));
      if (epoch < PAPER.maxEpochs && !isStuck(sizes[best]!)) continue;
      return {
        epochs: epoch,
        weights: weights.slice(best * COLUMNS, (best + 1) * COLUMNS),
        values: Array.from({ length: POINTS }, (_, p) => told.values![p * PAPER.pool + best]!),
        covariance: told.covariance![best]! / energy,
      };
    }
  }

  return { solve };
}

const ARM = "cascade-correlation";

export const twoSpiralsExperiment: Experiment = {
  name: "two-spirals",
  title: "Two spirals, cascade-correlation",
  published:
    "100 trials, all solved, with 1,700 epochs on average and 12 to 19 units (Fahlman and Lebiere, 1990).",
  setup: {
    smoke: "2 units at most.",
    quick: "the paper's task and constants: 8 candidates a unit, quickprop.",
    full: "the paper's task and constants, as many trials as there: 8 candidates a unit, quickprop.",
  },
  score: "right between the points",
  percent: true,
  seeds: { smoke: 1, quick: 20, full: 100 },
  grows: "units",
  comparisons: [],
  findings: ({ arms }) => findings(arms[0]!.outcomes),
  async prepare({ scale }: Context) {
    const { solve } = await twoSpirals();
    const maxUnits = scale === "smoke" ? 2 : PAPER.maxUnits;
    const arm: Arm = {
      name: ARM,
      async train(seed, { runFolder } = {}) {
        const start = performance.now();
        const show = async (network: Cascade) => {
          const name = `units-${String(network.units.length).padStart(2, "0")}.svg`;
          if (runFolder !== undefined) await data.writeFileAtomic(join(runFolder, name), picture(network));
        };
        const { units, epochs, learned, generalization } = await solve(seed, show, maxUnits);
        const seconds = (performance.now() - start) / 1000;
        // The output reads a bias and two coordinates; so does each unit, and the units before it.
        const parameters = 3 + units + 3 * units + (units * (units - 1)) / 2;
        return {
          seed,
          parameters,
          dendrites: units,
          validation: learned,
          test: generalization,
          epochs,
          seconds,
        };
      },
    };
    return { data: `${POINTS} points to learn, ${POINTS} between them to test`, arms: [arm] };
  },
};

/** What the paper tells: how many were solved, after how many epochs, with how many units. */
function findings(outcomes: readonly Outcome[]): string[] {
  const solved = outcomes.filter(({ validation }) => validation === 1);
  if (solved.length === 0) return [`- ${ARM}: **0 of ${outcomes.length} trials solved**`];
  const { mean, margin } = interval(solved.map(({ epochs }) => epochs));
  const units = solved.map(({ dendrites }) => dendrites);
  const around = Number.isNaN(margin) ? "" : ` ± ${margin.toFixed(0)}`;
  const average = interval(units).mean.toFixed(1);
  return [
    `- ${ARM}: **${solved.length} of ${outcomes.length} trials solved**, after ${mean.toFixed(0)}${around} epochs (the paper: 1,700), with ${Math.min(...units)} to ${Math.max(...units)} units, ${average} on average (12 to 19)`,
  ];
}

await runIfMain(import.meta.url, "Two spirals, learned by cascade-correlation.", [twoSpiralsExperiment]);
