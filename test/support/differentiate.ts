// A network's output and gradients, as one program.

import { nodeEngine } from "../../src/engine/node.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { Random, Tensor } from "../../src/index.ts";
import { writeOnnx } from "../../src/onnx/write.ts";
import { mul, reduceSum } from "../../src/ops/index.ts";
import { gradients } from "../../src/transform/gradient.ts";

const engine = nodeEngine({ threads: 1 });

/** The output, a weighted sum of it and all gradients of that, for a batch of 3 square maps `x` of a size. */
export async function differentiate(
  graph: Graph,
  size: number,
  masks: ReadonlyMap<string, Tensor> = new Map(),
): Promise<Map<string, Tensor>> {
  const output = graph.outputs[0]!;
  const weights = graph.input("weights", "float32", output.shape);
  const loss = reduceSum(mul(output, weights));
  const wrt = [...graph.parameters, graph.inputs[0]!];
  const grads = gradients(loss, wrt);
  const outputs = new Map<string, Value>([["output", output]]);
  wrt.forEach((value, i) => {
    outputs.set(`gradient of ${value.name}`, grads[i]!);
  });
  const program = await engine.compile(writeOnnx(graph, { outputs }), { name: "test" });
  const random = Random.stream(3, "batch");
  const draw = (shape: readonly number[]) =>
    Tensor.of(
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    );
  const lengths = (shape: Value["shape"]) => shape.map((dim) => (typeof dim === "number" ? dim : 3));
  const feeds = new Map([
    ["x", engine.upload(draw([3, graph.inputs[0]!.shape[1] as number, size, size]))],
    ["weights", engine.upload(draw(lengths(output.shape)))],
    ...[...masks].map(([name, mask]) => [name, engine.upload(mask)] as const),
  ]);
  const found = await program.run(feeds, new Map([...outputs.keys()].map((name) => [name, null])));
  const tensors = new Map<string, Tensor>();
  for (const [name, resident] of found) tensors.set(name, await engine.download(resident));
  await program.release();
  return tensors;
}
