import { describe, expect, it } from "vitest";
import { fileBytes, fileGraph, fileNode, fileValue } from "../../test/support/files.ts";
import { randn, runGraph } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { readOnnx } from "./read.ts";

const vector = (...values: number[]) => Tensor.of([values.length], values);
const scalar = (value: number) => Tensor.of([], [value], "int64");
const y = fileValue("y", "float32");

describe("names that exporters give to initializers", () => {
  const read = (data: Tensor) =>
    readOnnx(
      fileBytes(16, {
        nodes: [
          fileNode("Identity", ["fc1.bias"], ["fc2.bias"]),
          fileNode("Add", ["x", "fc1.bias"], ["h"]),
          fileNode("Mul", ["h", "fc2.bias"], ["y"]),
        ],
        inputs: [fileValue("x", "float32", ["n", 3])],
        outputs: [y],
        initializers: { "fc1.bias": data },
      }),
    ).graph;

  it("are two parameters where numbers are equal by chance", () => {
    const { parameters, nodes } = read(vector(0, 0, 0));
    expect(parameters.map(({ name }) => name)).toEqual(["fc1.bias", "fc2.bias"]);
    expect(nodes.map(({ operator }) => operator.type)).toEqual(["Add", "Mul"]);
  });

  it("are one parameter where they are tied", () => {
    const { parameters, nodes } = read(vector(1, 2, 3));
    expect(parameters.map(({ name }) => name)).toEqual(["fc1.bias"]);
    expect(nodes[1]!.inputs[1]).toBe(parameters[0]);
  });

  it("can be outputs", async () => {
    const bytes = fileBytes(16, {
      nodes: [fileNode("Identity", ["x"], ["y"]), fileNode("Identity", ["w"], ["z"])],
      inputs: [fileValue("x", "float32", [2])],
      outputs: [y, fileValue("z", "float32")],
      initializers: { w: vector(1, 2, 3) },
    });
    const found = await runGraph(readOnnx(bytes).graph, { x: vector(5, 6) });
    expect(found).toEqual({ y: vector(5, 6), z: vector(1, 2, 3) });
  });
});

describe("an If", () => {
  const branch = (type: string, name: string) =>
    fileGraph({ nodes: [fileNode(type, ["x"], [name])], outputs: [fileValue(name, "float32")] });
  const branches = { then_branch: branch("Neg", "same"), else_branch: branch("NonZero", "same") };
  const bytes = (...nodes: Parameters<typeof fileNode>[]) =>
    fileBytes(16, {
      nodes: nodes.map((node) => fileNode(...node)),
      inputs: [fileValue("x", "float32", ["batch", "time"]), fileValue("rate", "int64", [])],
      outputs: [y],
      initializers: { one: scalar(1), three: scalar(3), first: Tensor.of([1], [0], "int64") },
    });
  const byLength = bytes(
    ["Shape", ["x"], ["shape"]],
    ["Gather", ["shape", "one"], ["time"], { axis: 0 }],
    ["Equal", ["time", "three"], ["is three"]],
    ["If", ["is three"], ["y"], branches],
  );
  const byInput = bytes(["Equal", ["rate", "three"], ["is three"]], ["If", ["is three"], ["y"], branches]);

  it("becomes the branch that is taken, and what is not may be anything", async () => {
    const { graph } = readOnnx(byLength, { axes: { time: 3 } });
    expect(graph.inputs[0]!.shape).toEqual(["batch", 3]);
    const x = randn([2, 3], "x");
    const found = await runGraph(graph, { x });
    expect([...found.y!.data]).toEqual(Array.from(x.data, (value) => -value));
    expect(() => readOnnx(byLength, { axes: { time: 4 } })).toThrow("not supported: NonZero.");
  });

  it("depends on an input that can be fixed", () => {
    const { graph } = readOnnx(byInput, { inputs: { rate: scalar(3) } });
    expect(graph.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(graph.outputs[0]!.name).toBe("y");
  });

  it("whose condition is open says what it depends on", () => {
    expect(() => readOnnx(byLength)).toThrow(/depends on x: float32\[batch, time\]\. Fix an axis/);
    expect(() => readOnnx(byInput)).toThrow(/depends on rate: int64\[\]\. Fix an axis.* or an input/);
  });

  it("may be one of several with the same names inside", async () => {
    const twice = bytes(
      ["Equal", ["three", "three"], ["yes"]],
      ["If", ["yes"], ["z"], branches],
      ["If", ["yes"], ["w"], { ...branches, then_branch: branch("Abs", "same") }],
      ["Add", ["z", "w"], ["y"]],
    );
    const found = await runGraph(readOnnx(twice).graph, {
      x: Tensor.of([1, 2], [-1, 2]),
      rate: scalar(0),
    });
    expect([...found.y!.data]).toEqual([2, 0]);
  });
});

describe("what is fixed", () => {
  const bytes = fileBytes(16, {
    nodes: [fileNode("Concat", ["x", "z"], ["y"], { axis: 1 })],
    inputs: [
      fileValue("x", "float32", ["batch-size", "time"]),
      fileValue("z", "float32", ["batch-size", "time+1"]),
    ],
    outputs: [y],
  });

  it("goes into formulas", () => {
    const { graph } = readOnnx(bytes, { axes: { time: 4 } });
    expect(graph.inputs.map(({ shape }) => shape)).toEqual([
      ["batch_size", 4],
      ["batch_size", 5],
    ]);
    expect(readOnnx(bytes, { axes: { "batch-size": 2, time: 4 } }).graph.outputs[0]!.shape).toEqual([2, 9]);
  });

  it.each([
    [{ axes: { tiem: 4 } }, /no axis "tiem".* there is batch_size, time.* Did you mean "time"/],
    [{ axes: { time: 0 } }, /axes.time is 0/],
    [{ inputs: { w: vector(1) } }, /no input "w"/],
    [{ inputs: { x: vector(1) } }, /inputs.x is float32\[1\], .* is float32\[batch_size, time\]/],
  ])("must fit: %j", (fixed, message) => {
    expect(() => readOnnx(bytes, fixed)).toThrow(message);
  });
});

describe("what follows from the graph", () => {
  const integers = (...values: bigint[]) => new Tensor("int64", [values.length], BigInt64Array.of(...values));
  const read = (nodes: Parameters<typeof fileNode>[], initializers: Readonly<Record<string, Tensor>>) =>
    readOnnx(
      fileBytes(13, {
        nodes: nodes.map((node) => fileNode(...node)),
        inputs: [fileValue("x", "float32", ["n", 2, 6])],
        outputs: [y],
        initializers,
      }),
    ).graph;
  const typesOf = ({ nodes }: { nodes: readonly { operator: { type: string } }[] }) =>
    nodes.map(({ operator }) => operator.type);

  it("is computed once, and what varies stays", async () => {
    const graph = read(
      [
        ["Shape", ["x"], ["shape"]],
        ["Gather", ["shape", "one"], ["channels"]],
        ["Mul", ["channels", "three"], ["more"]],
        ["Div", ["more", "three"], ["parts"]],
        ["Unsqueeze", ["parts", "zero"], ["wide"]],
        ["Slice", ["shape", "zero", "first"], ["batch"]],
        ["Concat", ["batch", "wide", "rest"], ["target"], { axis: 0 }],
        ["Reshape", ["x", "target"], ["y"]],
      ],
      {
        one: scalar(1),
        three: scalar(3),
        zero: integers(0n),
        first: integers(1n),
        rest: integers(3n, -1n),
      },
    );
    expect(typesOf(graph)).toEqual(["Shape", "Slice", "Concat", "Reshape"]);
    const x = randn([5, 2, 6], "x");
    const found = await runGraph(graph, { x });
    expect(`${found.y}`).toBe("float32[5, 2, 3, 2]");
  });

  it("is not computed where integers are larger than numbers", async () => {
    const graph = read(
      [
        ["Unsqueeze", ["largest", "zero"], ["ends"]],
        ["Slice", ["x", "zero", "ends", "axis"], ["y"]],
      ],
      {
        largest: new Tensor("int64", [], BigInt64Array.of(2n ** 63n - 1n)),
        zero: integers(0n),
        axis: integers(2n),
      },
    );
    expect(typesOf(graph)).toEqual(["Unsqueeze", "Slice"]);
    const x = randn([5, 2, 6], "x");
    expect((await runGraph(graph, { x })).y).toEqual(x);
  });

  it("may be an output", async () => {
    const graph = read([["Add", ["a", "a"], ["y"]]], { a: Tensor.of([], [0.25]) });
    expect((await runGraph(graph, { x: randn([1, 2, 6], "x") })).y).toEqual(Tensor.of([], [0.5]));
  });
});
