import { describe, expect, it } from "vitest";
import { Tensor } from "../base/tensor.ts";
import { Graph } from "../graph/graph.ts";
import { writeOnnx } from "../onnx/write.ts";
import { mul, reduceSum } from "../ops/index.ts";
import { nodeEngine } from "./node.ts";

const LENGTH = 2 ** 20;

async function squares() {
  const graph = new Graph({ name: "squares" });
  const x = graph.input("x", "float32", ["n"]);
  const square = mul(x, x);
  const outputs = new Map([
    ["square", square],
    ["sum", reduceSum(square)],
  ]);
  const engine = nodeEngine({ threads: 1 });
  const program = await engine.compile(writeOnnx(graph, { outputs }), {
    name: "squares",
    givesOutputs: true,
  });
  const inputs = new Map([["x", engine.upload(Tensor.full([LENGTH], 3))]]);
  return { engine, program, inputs };
}

describe("outputs that a tensor is given for", () => {
  it("are written there and not copied", async () => {
    const { engine, program, inputs } = await squares();
    const [square, sum] = [Tensor.zeros([LENGTH]), Tensor.zeros([])];
    const outputs = new Map([
      ["square", engine.upload(square)],
      ["sum", engine.upload(sum)],
    ]);
    for (let i = 0; i < 3; i++) {
      square.data.fill(0);
      const before = process.memoryUsage().arrayBuffers;
      const results = await program.run(inputs, outputs);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(LENGTH);
      expect(results.get("square")).toBe(outputs.get("square"));
      expect(square.data.every((value) => value === 9)).toBe(true);
      expect(sum.item()).toBe(9 * LENGTH);
    }
    await program.release();
  });

  it("may be some of them, or none", async () => {
    const { engine, program, inputs } = await squares();
    const sum = Tensor.zeros([]);
    const results = await program.run(
      inputs,
      new Map([
        ["square", null],
        ["sum", engine.upload(sum)],
      ]),
    );
    const square = await engine.download(results.get("square")!);
    expect([square.shape, square.data[LENGTH - 1], sum.item()]).toEqual([[LENGTH], 9, 9 * LENGTH]);
    expect([...(await program.run(inputs, new Map([["sum", null]]))).keys()]).toEqual(["sum"]);
    await program.release();
  });

  it("do not hide what goes wrong", async () => {
    const { engine, program, inputs } = await squares();
    const outputs = new Map([["square", engine.upload(Tensor.zeros([2]))]]);
    await expect(program.run(inputs, outputs)).rejects.toThrow("The squares failed in ONNX Runtime");
    await program.release();
  });
});
