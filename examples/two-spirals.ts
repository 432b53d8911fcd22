// Cascade-correlation on two spirals: the experiment of Fahlman and Lebiere (1990), on the library's objective and quickprop.
// Two compiled graphs serve all units: inputs that don't exist yet are columns of zeros, whose weights have no slope.
//
//     npx tsx examples/two-spirals.ts [seed] [folder]
//
// writes a picture of what the network says of the plane after each unit to the folder (default: runs/two-spirals).

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  correlation,
  type Engine,
  Graph,
  gradients,
  nodeEngine,
  ops,
  optim,
  type Program,
  Random,
  Tensor,
  type Value,
  writeOnnx,
} from "../src/index.ts";

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
const POINTS = 194;

/** What came of a seed. */
export interface Solved {
  readonly solved: boolean;
  /** Epochs of outputs and of candidates. */
  readonly epochs: number;
  readonly units: number;
  /** Share of points between the training points that are on the right side. */
  readonly generalization: number;
}

/** The points of both spirals, x and y each, `shift` steps further along; the first half is the one of target 0.5. */
function spirals(shift = 0): readonly (readonly [number, number])[] {
  const one = Array.from({ length: POINTS / 2 }, (_, i) => {
    const angle = ((i + shift) * Math.PI) / 16;
    const radius = (6.5 * (104 - i - shift)) / 104;
    return [radius * Math.sin(angle), radius * Math.cos(angle)] as const;
  });
  return [...one, ...one.map(([x, y]) => [-x, -y] as const)];
}

const TARGETS = Array.from({ length: POINTS }, (_, i) => (i < POINTS / 2 ? 0.5 : -0.5));

/** Fahlman's sigmoid, from -0.5 to 0.5. */
const unit = (x: Value) => ops.sub(ops.sigmoid(x), ops.scalar(x, 0.5));

/** A graph of weights that quickprop changes; what it computes beside is told. */
class Learner {
  readonly #program: Program;
  readonly #engine: Engine;
  readonly #told: readonly string[];
  readonly #shape: readonly number[];
  state = new Map<string, Tensor>();

  private constructor(program: Program, engine: Engine, told: readonly string[], shape: readonly number[]) {
    this.#program = program;
    this.#engine = engine;
    this.#told = told;
    this.#shape = shape;
  }

  static async compile(
    engine: Engine,
    rows: number,
    weightDecay: number,
    build: (graph: Graph, net: Value) => { objective: Value; told: Record<string, Value> },
  ): Promise<Learner> {
    const graph = new Graph({ shareSubexpressions: true });
    const x = graph.input("x", "float32", [POINTS, COLUMNS]);
    const shape = [rows, COLUMNS];
    const [w, step, slope] = ["w", "step", "slope"].map((name) => graph.input(name, "float32", shape));
    const { objective, told } = build(graph, ops.gemm(x, w!, undefined, { transB: true }));
    const optimizer = optim.quickprop({ weightDecay });
    const rate = graph.input("rate", "float32", []);
    const [gradient] = gradients(objective, [w!]);
    const next = optimizer.update(w!, gradient!, { step: step!, slope: slope! }, { rate });
    const outputs = new Map([["w.next", next.parameter], ...Object.entries(told)]);
    for (const [name, value] of Object.entries(next.state)) outputs.set(`${name}.next`, value);
    const program = await engine.compile(writeOnnx(graph, { outputs }), { name: "learner" });
    return new Learner(program, engine, Object.keys(told), shape);
  }

  /** Sets the weights; the optimizer starts afresh. */
  start(weights: Float32Array): void {
    this.state = new Map([
      ["w", Tensor.of(this.#shape, weights)],
      ["step", Tensor.zeros(this.#shape)],
      ["slope", Tensor.zeros(this.#shape)],
    ]);
  }

  /** One epoch, of which `learns` says whether it changes weights. */
  async epoch(feeds: Readonly<Record<string, Tensor>>, rate: number, learns = true) {
    const inputs = new Map([
      ...this.state,
      ...Object.entries(feeds),
      ["rate", Tensor.of([], [rate])] as const,
    ]);
    const names = [...this.#told, ...(learns ? ["w.next", "step.next", "slope.next"] : [])];
    const found = await this.#program.run(
      new Map([...inputs].map(([name, tensor]) => [name, this.#engine.upload(tensor)])),
      new Map(names.map((name) => [name, null])),
    );
    const results: Record<string, Float32Array> = {};
    for (const [name, resident] of found) {
      const tensor = await this.#engine.download(resident);
      if (name.endsWith(".next")) this.state.set(name.slice(0, -5), tensor);
      else results[name] = tensor.data as Float32Array;
    }
    return results;
  }
}

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
  const outputs = await Learner.compile(engine, 1, PAPER.outputs.weightDecay, (graph, net) => {
    const difference = ops.sub(unit(net), graph.input("target", "float32", [POINTS, 1]));
    const slope = ops.sub(ops.scalar(net, 0.25 + PAPER.outputs.primeOffset), ops.mul(unit(net), unit(net)));
    const error = ops.mul(difference, slope);
    return { objective: ops.reduceSum(ops.mul(net, ops.stopGradient(error))), told: { difference, error } };
  });
  const candidates = await Learner.compile(engine, PAPER.pool, 0, (graph, net) => {
    const output = unit(net);
    const error = graph.input("error", "float32", [POINTS, PAPER.pool]);
    const gain = graph.input("gain", "float32", [PAPER.pool]);
    const { surrogate, statistics } = correlation({ output, error, channelAxis: 1, gain });
    return { objective: surrogate, told: { covariance: statistics.covariance, values: output } };
  });
  const target = Tensor.of([POINTS, 1], TARGETS);

  /** Trains with one seed; `onUnit` is called with the network after each phase of outputs. */
  async function solve(seed: number, onUnit?: (network: Cascade) => void): Promise<Solved> {
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
      let solved = false;
      for (let i = 0; i < PAPER.maxEpochs; i++) {
        weights = Float32Array.from(outputs.state.get("w")!.data as Float32Array);
        const told = await outputs.epoch({ x, target }, PAPER.outputs.rate / POINTS);
        epochs += 1;
        error = Float32Array.from(told.error!);
        solved = told.difference!.every((value) => Math.abs(value) < PAPER.tolerance);
        if (solved || isStuck(error.reduce((sum, e) => sum + e * e, 0))) break;
      }
      const network = { units, weights };
      onUnit?.(network);
      if (solved || units.length === PAPER.maxUnits) {
        const between = spirals(0.1);
        const right = between.filter(([a, b], p) => outputAt(network, a, b) * TARGETS[p]! > 0).length;
        return { solved, epochs, units: units.length, generalization: right / POINTS };
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

/** A network: the weights of each unit and of the output, from a bias, x, y and the units before. */
export interface Cascade {
  readonly units: readonly Float32Array[];
  readonly weights: Float32Array;
}

/** What a network says of a point: above 0 for the first spiral. */
function outputAt({ units, weights }: Cascade, x: number, y: number): number {
  const inputs = [1, x, y];
  const total = (row: Float32Array) => inputs.reduce((sum, value, i) => sum + value * row[i]!, 0);
  for (const row of units) inputs.push(1 / (1 + Math.exp(-total(row))) - 0.5);
  return 1 / (1 + Math.exp(-total(weights))) - 0.5;
}

/** The plane from -6.5 to 6.5 as the network sees it, and the points. */
function picture(network: Cascade): string {
  const [cells, size] = [104, 416];
  const cell = size / cells;
  const at = (i: number) => ((i + 0.5) / cells - 0.5) * 14;
  const squares: string[] = [];
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      const value = outputAt(network, at(column), -at(row));
      const opacity = Math.min(1, Math.abs(value) * 2).toFixed(2);
      const fill = value > 0 ? "#c2410c" : "#1d4ed8";
      squares.push(
        `<rect x="${column * cell}" y="${row * cell}" width="${cell}" height="${cell}" fill="${fill}" fill-opacity="${opacity}"/>`,
      );
    }
  }
  const dots = spirals().map(([x, y], p) => {
    const place = (value: number) => ((value / 14 + 0.5) * size).toFixed(1);
    return `<circle cx="${place(x)}" cy="${place(-y)}" r="2.5" fill="${p < POINTS / 2 ? "#fff" : "#000"}"/>`;
  });
  const title = `<title>Two spirals with ${network.units.length} units</title>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">${title}${squares.join("")}${dots.join("")}</svg>\n`;
}

if (process.argv[1]?.endsWith("two-spirals.ts")) {
  const [seed = "0", folder = "runs/two-spirals"] = process.argv.slice(2);
  mkdirSync(folder, { recursive: true });
  const { solve } = await twoSpirals();
  const result = await solve(Number(seed), (network) => {
    const name = `units-${String(network.units.length).padStart(2, "0")}.svg`;
    writeFileSync(join(folder, name), picture(network));
  });
  const { solved, epochs, units, generalization } = result;
  const share = (100 * generalization).toFixed(1);
  console.log(
    `${solved ? "solved" : "not solved"} after ${epochs} epochs with ${units} units; ${share} % right between the points`,
  );
}
