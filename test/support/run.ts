// Graphs run on small tensors, for tests.

import { Random } from "../../src/base/random.ts";
import { isFloat, sizeOf, Tensor } from "../../src/base/tensor.ts";
import { nodeEngine } from "../../src/engine/node.ts";
import { Graph, type Value } from "../../src/graph/graph.ts";
import { writeOnnx } from "../../src/onnx/write.ts";
import { reduceSum } from "../../src/ops/index.ts";
import { gradients } from "../../src/transform/gradient.ts";

const engine = nodeEngine({ threads: 1 });

/** The values of `outputs` (default: the graph's, by name) for inputs by name. Parameters have their initial values. */
export async function runGraph(
  graph: Graph,
  inputs: Readonly<Record<string, Tensor>>,
  outputs: Readonly<Record<string, Value>> = Object.fromEntries(graph.outputs.map((v) => [v.name, v])),
): Promise<Record<string, Tensor>> {
  const model = writeOnnx(graph, { outputs: new Map(Object.entries(outputs)) });
  return runBytes(model, inputs, Object.keys(outputs));
}

/** What the runtime makes of a model: the outputs of these names, for inputs by name. */
export async function runBytes(
  model: Uint8Array,
  inputs: Readonly<Record<string, Tensor>>,
  outputs: readonly string[],
): Promise<Record<string, Tensor>> {
  const program = await engine.compile(model, { name: "test" });
  const feeds = new Map(Object.entries(inputs).map(([name, tensor]) => [name, engine.upload(tensor)]));
  const found = await program.run(feeds, new Map(outputs.map((name) => [name, null])));
  const results: Record<string, Tensor> = {};
  for (const [name, resident] of found) results[name] = (await engine.download(resident)).clone();
  await program.release();
  return results;
}

/** The graph's first output for its first input. */
export async function outputOf(graph: Graph, input: Tensor): Promise<Tensor> {
  const results = await runGraph(graph, { [graph.inputs[0]!.name]: input }, { y: graph.outputs[0]! });
  return results.y!;
}

/** A float32 tensor of standard normal numbers from the stream called `name`. */
export function randn(shape: readonly number[], name: string, scale = 1): Tensor<"float32"> {
  const random = Random.stream(1, name);
  return Tensor.of(
    shape,
    Array.from({ length: sizeOf(shape) }, () => scale * random.normal()),
  );
}

/** The largest |a - b| / (1 + |b|) over all elements. */
export function largestError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < b.length; i++) {
    const error = Math.abs(a[i]! - b[i]!) / (1 + Math.abs(b[i]!));
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

/** What `build` makes of tensors. */
export async function evaluate(
  build: (...inputs: Value[]) => Value,
  ...tensors: readonly Tensor[]
): Promise<Tensor> {
  const graph = new Graph();
  const inputs = tensors.map(({ dtype, shape }, i) => graph.input(`x${i}`, dtype, shape));
  const feeds = Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor]));
  return (await runGraph(graph, feeds, { y: build(...inputs) })).y!;
}

/** The gradients of the sum of what `build` makes of floating tensors, with respect to each. */
export async function gradientsAt(
  build: (...inputs: Value[]) => Value,
  ...tensors: readonly Tensor[]
): Promise<number[][]> {
  const graph = new Graph();
  const inputs = tensors.map(({ dtype, shape }, i) => graph.input(`x${i}`, dtype, shape));
  const feeds = Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor]));
  const wrt = inputs.filter(({ dtype }) => isFloat(dtype));
  const slopes = gradients(reduceSum(build(...inputs)), wrt);
  const found = await runGraph(graph, feeds, Object.fromEntries(slopes.map((value, i) => [`g${i}`, value])));
  return slopes.map((_, i) => Array.from(found[`g${i}`]!.toNumbers()));
}
