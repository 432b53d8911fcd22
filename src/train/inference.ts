// The network as it is used, in its evaluation form: computing its output, its loss or a metric.

import { ArborizeError } from "../base/errors.ts";
import type { Tensor } from "../base/tensor.ts";
import type { Batch } from "../data/dataset.ts";
import type { Engine, Program, Resident } from "../engine/engine.ts";
import type { Graph, Value } from "../graph/graph.ts";
import type { Loss } from "../nn/losses.ts";
import type { Metric } from "../nn/metrics.ts";
import { cast, div, max, mul, reduceMean, reduceSum, scalar } from "../ops/index.ts";
import { evaluationForm } from "../transform/mode.ts";
import { matchBatch } from "./batch.ts";
import { encodeModel } from "./encode-model.ts";
import { appendLoss, dataFeeds, type Feed, TARGET } from "./step.ts";

/** Batches to go through: a loader, an array, a generator. */
export type BatchSource = Iterable<Batch> | AsyncIterable<Batch>;

/** Names of outputs, which no parameter of a network has. */
const RESULT = "evaluation/result";
const WEIGHT = "evaluation/weight";

/** What is computed of a batch. */
interface Result {
  readonly result: Value;
  /** What the result weighs in an average over batches. Default: the number of examples. */
  readonly weight?: Value;
  /** What is made of the results of all examples, where it is no average. */
  readonly overall?: Metric["overall"];
}

/** A compiled function of a batch and the current parameters. */
export class InferenceProgram {
  readonly #program: Program;
  readonly #engine: Engine;
  readonly #feeds: readonly Feed[];

  readonly #outputs: readonly string[];
  readonly #overall: Metric["overall"];

  private constructor(
    program: Program,
    engine: Engine,
    feeds: readonly Feed[],
    outputs: readonly string[],
    overall: Metric["overall"],
  ) {
    this.#program = program;
    this.#engine = engine;
    this.#feeds = feeds;
    this.#outputs = outputs;
    this.#overall = overall;
  }

  /** Compiles what `build` appends to the evaluation form of a network. */
  static async compile(
    network: Graph,
    engine: Engine,
    name: string,
    loss: Loss | null,
    build: (graph: Graph) => Result,
  ): Promise<InferenceProgram> {
    const { graph } = evaluationForm(network, { shareSubexpressions: true });
    const { result, weight, overall } = build(graph);
    const outputs = new Map([[RESULT, result], ...(weight ? [[WEIGHT, weight] as const] : [])]);
    const feeds = dataFeeds(graph, network, loss);
    const program = await engine.compile(encodeModel(engine, graph, outputs, { fed: true }), { name });
    return new InferenceProgram(program, engine, feeds, [...outputs.keys()], overall);
  }

  /** The network's output. */
  static forOutput(network: Graph, engine: Engine): Promise<InferenceProgram> {
    return InferenceProgram.compile(network, engine, "network", null, (graph) => ({
      result: graph.outputs[0]!,
    }));
  }

  /** The mean of a metric over a batch, or the loss where there is no metric. */
  static forScore(
    network: Graph,
    loss: Loss,
    metric: Metric | null,
    engine: Engine,
  ): Promise<InferenceProgram> {
    return InferenceProgram.compile(network, engine, "evaluation", loss, (graph) => {
      const lossValue = appendLoss(graph, loss);
      const target = graph.inputs.find(({ name }) => name === TARGET)!;
      if (!metric) {
        const weight = loss.weight?.(graph.outputs[0]!, target);
        return { result: lossValue, ...(weight ? { weight } : {}) };
      }
      // In float64: in float32 the mean of zeros and ones is not their exact share.
      const each = cast(metric.compute(graph.outputs[0]!, target), "float64");
      if (metric.overall) return { result: each, overall: metric.overall };
      if (!metric.counts) return { result: reduceMean(each) };
      const counts = cast(metric.counts(graph.outputs[0]!, target), "float64");
      const weight = reduceSum(counts);
      return { result: div(reduceSum(mul(each, counts)), max(weight, scalar(weight, 1))), weight };
    });
  }

  /** The result for one batch. `state`: parameters and buffers. */
  async run(batch: Batch, state: ReadonlyMap<string, Resident>): Promise<Tensor> {
    return (await this.#compute(batch, state)).get(RESULT)!;
  }

  async #compute(batch: Batch, state: ReadonlyMap<string, Resident>): Promise<Map<string, Tensor>> {
    const inputs = new Map(state);
    for (const [name, tensor] of matchBatch(batch, this.#feeds).tensors) {
      inputs.set(name, this.#engine.upload(tensor));
    }
    const results = await this.#program.run(inputs, new Map(this.#outputs.map((name) => [name, null])));
    const tensors = new Map<string, Tensor>();
    for (const [name, resident] of results) tensors.set(name, await this.#engine.download(resident));
    return tensors;
  }

  /** The score of batches: the mean of their results, or what the metric makes of all of them. @throws `bad_data` */
  score(source: BatchSource, state: ReadonlyMap<string, Resident>): Promise<number> {
    return this.#overall ? this.#together(this.#overall, source, state) : this.#average(source, state);
  }

  async #together(
    overall: NonNullable<Metric["overall"]>,
    source: BatchSource,
    state: ReadonlyMap<string, Resident>,
  ): Promise<number> {
    const values: number[] = [];
    const targets: number[] = [];
    for await (const batch of source) {
      for (const value of (await this.run(batch, state)).toNumbers()) values.push(value);
      for (const target of batch[TARGET]!.toNumbers()) targets.push(target);
    }
    if (values.length === 0) throw nothingToEvaluate();
    return overall(Float64Array.from(values), Float64Array.from(targets));
  }

  /**
   * The mean of scalar results over all examples of all batches, which may differ in size, or over all that counts.
   *
   * @throws `bad_data` where there is no example, or none that counts.
   */
  async #average(source: BatchSource, state: ReadonlyMap<string, Resident>): Promise<number> {
    let total = 0;
    let examples = 0;
    let weights = 0;
    for await (const batch of source) {
      const size = batch[TARGET]?.shape[0] ?? 1;
      const found = await this.#compute(batch, state);
      const weight = found.get(WEIGHT)?.item() ?? size;
      // The mean over nothing is not a number.
      if (weight !== 0) total += found.get(RESULT)!.item() * weight;
      examples += size;
      weights += weight;
    }
    if (examples > 0 && weights === 0) {
      throw new ArborizeError(
        "bad_data",
        "There is nothing to evaluate: every label is one that does not count.",
      );
    }
    if (examples === 0) throw nothingToEvaluate();
    return total / weights;
  }

  async release(): Promise<void> {
    await this.#program.release();
  }
}

function nothingToEvaluate(): ArborizeError {
  return new ArborizeError(
    "bad_data",
    "There is nothing to evaluate: the batches hold no example. A generator can be gone through once only.",
  );
}
