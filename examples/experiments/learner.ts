// What cascade-correlation trains: outputs or candidates, all points in one step, by quickprop.

import {
  type Engine,
  Graph,
  gradients,
  ops,
  optim,
  type Program,
  Tensor,
  type Value,
  writeOnnx,
} from "../../src/index.ts";

/** A graph of weights that quickprop changes; what it computes beside is told. */
export class Learner {
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
    { points, weights }: { points: number; weights: readonly [rows: number, columns: number] },
    weightDecay: number,
    build: (graph: Graph, net: Value) => { objective: Value; told: Record<string, Value> },
  ): Promise<Learner> {
    const graph = new Graph({ shareSubexpressions: true });
    const x = graph.input("x", "float32", [points, weights[1]]);
    const [w, step, slope] = ["w", "step", "slope"].map((name) => graph.input(name, "float32", weights));
    const { objective, told } = build(graph, ops.gemm(x, w!, undefined, { transB: true }));
    const optimizer = optim.quickprop({ weightDecay });
    const rate = graph.input("rate", "float32", []);
    const [gradient] = gradients(objective, [w!]);
    const next = optimizer.update(w!, gradient!, { step: step!, slope: slope! }, { rate });
    const outputs = new Map([["w.next", next.parameter], ...Object.entries(told)]);
    for (const [name, value] of Object.entries(next.state)) outputs.set(`${name}.next`, value);
    const program = await engine.compile(writeOnnx(graph, { outputs }), { name: "learner" });
    return new Learner(program, engine, Object.keys(told), weights);
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
