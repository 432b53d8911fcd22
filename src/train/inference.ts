// The network as it is used, in its evaluation form: computing its output, its loss or a metric.

import { ArborizeError } from "../base/errors.ts";
import type { Tensor } from "../base/tensor.ts";
import type { Batch } from "../data/dataset.ts";
import type { Engine, Program, Resident } from "../engine/engine.ts";
import type { Graph, Value } from "../graph/graph.ts";
import type { Loss } from "../nn/losses.ts";
import type { Metric } from "../nn/metrics.ts";
import { writeOnnx } from "../onnx/write.ts";
import { cast, reduceMean } from "../ops/index.ts";
import { evaluationForm } from "../transform/mode.ts";
import { matchBatch } from "./batch.ts";
import { appendLoss, dataFeeds, type Feed, TARGET } from "./step.ts";

/** Batches to go through: a loader, an array, a generator. */
export type BatchSource = Iterable<Batch> | AsyncIterable<Batch>;

/** A compiled function of a batch and the current parameters. */
export class InferenceProgram {
  readonly #program: Program;
  readonly #engine: Engine;
  readonly #feeds: readonly Feed[];

  private constructor(program: Program, engine: Engine, feeds: readonly Feed[]) {
    this.#program = program;
    this.#engine = engine;
    this.#feeds = feeds;
  }

  /** Compiles what `build` appends to the evaluation form of a network. */
  static async compile(
    network: Graph,
    engine: Engine,
    name: string,
    loss: Loss | null,
    build: (graph: Graph) => Value,
  ): Promise<InferenceProgram> {
    const { graph } = evaluationForm(network, { shareSubexpressions: true });
    const outputs = new Map([["result", build(graph)]]);
    const feeds = dataFeeds(graph, network, loss);
    const model = writeOnnx(graph, { outputs, fed: [...graph.parameters, ...graph.buffers] });
    const program = await engine.compile(model, { name });
    return new InferenceProgram(program, engine, feeds);
  }

  /** The network's output. */
  static forOutput(network: Graph, engine: Engine): Promise<InferenceProgram> {
    return InferenceProgram.compile(network, engine, "network", null, (graph) => graph.outputs[0]!);
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
      if (!metric) return lossValue;
      const target = graph.inputs.find(({ name }) => name === TARGET)!;
      // In float64: in float32 the mean of zeros and ones is not their exact share.
      return reduceMean(cast(metric.compute(graph.outputs[0]!, target), "float64"));
    });
  }

  /** The result for one batch. `state`: parameters and buffers. */
  async run(batch: Batch, state: ReadonlyMap<string, Resident>): Promise<Tensor> {
    const inputs = new Map(state);
    for (const [name, tensor] of matchBatch(batch, this.#feeds).tensors) {
      inputs.set(name, this.#engine.upload(tensor));
    }
    const results = await this.#program.run(inputs, new Map([["result", null]]));
    return this.#engine.download(results.get("result")!);
  }

  /**
   * The mean of scalar results over all examples of all batches, which may differ in size.
   *
   * @throws `bad_data` where there is no example.
   */
  async average(source: BatchSource, state: ReadonlyMap<string, Resident>): Promise<number> {
    let total = 0;
    let examples = 0;
    for await (const batch of source) {
      const size = batch[TARGET]?.shape[0] ?? 1;
      total += (await this.run(batch, state)).item() * size;
      examples += size;
    }
    if (examples === 0) {
      throw new ArborizeError(
        "bad_data",
        "There is nothing to evaluate: the batches hold no example. A generator can be gone through once only.",
      );
    }
    return total / examples;
  }

  async release(): Promise<void> {
    await this.#program.release();
  }
}
