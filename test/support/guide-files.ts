// What the Python programs of docs/guide.md leave in the folder, made without Python: node guide-files.ts PROGRAM.
// Weights are fresh ones; data, names and shapes are those of the guide.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { nn, Random, readStateDict, Tensor, writeOnnx, writeSafetensors } from "../../src/index.ts";
import { evaluationForm } from "../../src/transform/mode.ts";
import { outputOf } from "./run.ts";

const { Net, inputs } = (await import(pathToFileURL(join(process.cwd(), "net.ts")).href)) as {
  Net: new () => nn.Module;
  inputs: nn.TraceOptions["inputs"];
};
const graph = nn.trace(new Net(), { inputs, seed: 3 });
const write = (name: string, tensors: Iterable<readonly [string, Tensor]>) =>
  writeFileSync(name, writeSafetensors(tensors));

/** Four kinds of stripes under noise, as the guide's. */
function stripes(count: number): { x: Tensor; target: Tensor } {
  const random = Random.stream(1, "stripes");
  const kinds: ((i: number, j: number) => number)[] = [
    (i) => Math.sin(1.6 * i),
    (_, j) => Math.sin(1.6 * j),
    (i, j) => Math.sin(1.1 * (i + j)),
    (i, j) => Math.sin(1.1 * (i - j)),
  ];
  const targets = Array.from({ length: count }, () => random.integer(4));
  const pixels = targets.flatMap((kind) =>
    Array.from({ length: 64 }, (_, at) => kinds[kind]!(Math.floor(at / 8), at % 8) + 1.5 * random.normal()),
  );
  return { x: Tensor.of([count, 1, 8, 8], pixels), target: Tensor.of([count], targets, "int64") };
}

if (process.argv[2] === "take_out.py") {
  const { x, target } = stripes(900);
  const few = Tensor.of([10, 1, 8, 8], (x.data as Float32Array).slice(0, 640));
  write("expected.safetensors", [
    ["x", few],
    ["output", await outputOf(evaluationForm(graph).graph, few)],
  ]);
  write("weights.safetensors", graph.state);
  write("data.safetensors", Object.entries({ x, target }));
} else {
  const weights = await readStateDict("weights.safetensors");
  writeFileSync("model.onnx", writeOnnx(evaluationForm(graph, { values: weights }).graph));
}
