import { describe, expect, it } from "vitest";
import { type FileAttribute, fileBytes, fileNode, fileValue, float } from "../../test/support/files.ts";
import { largestError, randn, runBytes, runGraph } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { readOnnx } from "./read.ts";

/** A node of an older opset, and what it reads. */
interface Old {
  readonly opset: number;
  readonly type: string;
  readonly attributes?: Readonly<Record<string, FileAttribute>>;
  /** Shape of the input x. */
  readonly x: readonly number[];
  /** Axes of x that have no length in the file, by name. */
  readonly named?: Readonly<Record<number, string>>;
  readonly others?: readonly (Tensor | null)[];
  readonly outputs?: number;
}

const vector = (...values: number[]) => Tensor.of([values.length], values);
const ints = (...values: number[]) => Tensor.of([values.length], values, "int64");
const largest = 2 ** 62;

const CASES: Readonly<Record<string, Old>> = {
  "MatMul by a vector": { opset: 17, type: "MatMul", x: [2, 3, 4], others: [vector(1, -2, 3, 0.5)] },
  "MatMul of a vector": { opset: 17, type: "MatMul", x: [3], others: [randn([2, 3, 4], "matrices")] },
  RMSNormalization: {
    opset: 23,
    type: "RMSNormalization",
    attributes: { axis: -1, epsilon: float(1e-3) },
    x: [2, 3, 4],
    others: [vector(1, -2, 3, 0.5)],
  },
  "Attention, causal, with a soft cap": {
    opset: 23,
    type: "Attention",
    attributes: { is_causal: 1, softcap: float(0.5), scale: float(2) },
    x: [2, 4, 3, 5],
    others: [randn([2, 4, 3, 5], "keys"), randn([2, 4, 3, 6], "values")],
  },
  "Attention of fewer heads of keys, masked": {
    opset: 23,
    type: "Attention",
    attributes: { q_num_heads: 4, kv_num_heads: 2 },
    x: [2, 3, 12],
    others: [
      randn([2, 5, 6], "keys"),
      randn([2, 5, 4], "values"),
      Tensor.of([3, 5], [1, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 1], "bool"),
    ],
  },
  "Squeeze of axes": { opset: 7, type: "Squeeze", attributes: { axes: [0, 2] }, x: [1, 3, 1, 1] },
  "Squeeze of all": { opset: 12, type: "Squeeze", x: [1, 3, 1] },
  Unsqueeze: { opset: 11, type: "Unsqueeze", attributes: { axes: [0, -1] }, x: [3] },
  "ReduceSum of axes": { opset: 11, type: "ReduceSum", attributes: { axes: [-1], keepdims: 0 }, x: [2, 3] },
  "ReduceSum of all": { opset: 7, type: "ReduceSum", x: [2, 3] },
  ReduceMean: { opset: 13, type: "ReduceMean", attributes: { axes: [0, 2], keepdims: 1 }, x: [2, 3, 2] },
  ReduceMax: { opset: 17, type: "ReduceMax", attributes: { axes: [1] }, x: [2, 3] },
  ReduceL2: { opset: 7, type: "ReduceL2", attributes: { axes: [0], keepdims: 0 }, x: [2, 3] },
  MeanVarianceNormalization: {
    opset: 9,
    type: "MeanVarianceNormalization",
    attributes: { axes: [0, 2, 3] },
    x: [2, 3, 2, 2],
  },
  Pad: { opset: 7, type: "Pad", attributes: { pads: [1, 0, 0, 2], value: float(1.5) }, x: [2, 3] },
  "Pad by reflection": {
    opset: 10,
    type: "Pad",
    attributes: { mode: "reflect", pads: [0, 1, 0, 2] },
    x: [2, 3],
  },
  Slice: { opset: 9, type: "Slice", attributes: { axes: [1], starts: [1], ends: [largest] }, x: [2, 5] },
  "Slice of leading axes": {
    opset: 7,
    type: "Slice",
    attributes: { starts: [0, -3], ends: [1, -1] },
    x: [2, 5],
  },
  Clip: { opset: 7, type: "Clip", attributes: { min: float(-0.5), max: float(0.25) }, x: [4, 5] },
  "Clip from above": { opset: 10, type: "Clip", attributes: { max: float(0.25) }, x: [4, 5] },
  Upsample: {
    opset: 7,
    type: "Upsample",
    attributes: { mode: "nearest", scales: float([1, 1, 2, 3]) },
    x: [1, 2, 2, 3],
  },
  "Upsample between": { opset: 9, type: "Upsample", x: [1, 2, 2, 3], others: [vector(1, 1, 1.5, 2.5)] },
  "Upsample linearly": {
    opset: 9,
    type: "Upsample",
    attributes: { mode: "linear" },
    x: [1, 2, 2, 3],
    others: [vector(1, 1, 2, 2)],
  },
  Resize: { opset: 10, type: "Resize", x: [1, 1, 4, 6], others: [vector(1, 1, 0.6, 0.5)] },
  "Resize to lengths": {
    opset: 11,
    type: "Resize",
    attributes: { coordinate_transformation_mode: "asymmetric", mode: "nearest", nearest_mode: "floor" },
    x: [1, 1, 2, 3],
    others: [vector(), vector(), ints(1, 1, 4, 6)],
  },
  "Dropout that does nothing": { opset: 7, type: "Dropout", attributes: { ratio: float(0.3) }, x: [2, 3] },
  "Softmax of rows": { opset: 11, type: "Softmax", attributes: { axis: 1 }, x: [2, 3, 4] },
  "Softmax of rows of any number": {
    opset: 7,
    type: "Softmax",
    x: [2, 3, 4],
    named: { 0: "batch", 1: "time" },
  },
  "Softmax of the last axis": { opset: 9, type: "Softmax", attributes: { axis: 2 }, x: [2, 3, 4] },
  "Softmax of one pixel": { opset: 9, type: "Softmax", x: [2, 3, 1, 1] },
  "LogSoftmax of everything": { opset: 12, type: "LogSoftmax", attributes: { axis: 0 }, x: [2, 3] },
  Hardmax: { opset: 7, type: "Hardmax", x: [2, 3, 2] },
  "Split into lengths": {
    opset: 11,
    type: "Split",
    attributes: { axis: 1, split: [1, 3] },
    x: [2, 4],
    outputs: 2,
  },
  "Split evenly": { opset: 7, type: "Split", attributes: { axis: -1 }, x: [2, 6], outputs: 3 },
  "Split evenly, later": { opset: 13, type: "Split", attributes: { axis: 1 }, x: [2, 6], outputs: 2 },
  TopK: { opset: 9, type: "TopK", attributes: { k: 2 }, x: [2, 5], outputs: 2 },
  "TopK with an input": { opset: 10, type: "TopK", x: [2, 5], others: [ints(3)], outputs: 2 },
  Cast: { opset: 7, type: "Cast", attributes: { to: 7 }, x: [2, 3] },
  Gemm: {
    opset: 7,
    type: "Gemm",
    attributes: { transB: 1 },
    x: [2, 3],
    others: [randn([4, 3], "w"), vector(1, 2, 3, 4)],
  },
  "Gemm without bias": { opset: 11, type: "Gemm", x: [2, 3], others: [randn([3, 4], "w")] },
  Sum: { opset: 7, type: "Sum", x: [2, 3], others: [randn([2, 3], "b")] },
  Mean: { opset: 8, type: "Mean", x: [2, 3], others: [randn([3], "b"), randn([2, 1], "c")] },
  Scatter: {
    opset: 9,
    type: "Scatter",
    attributes: { axis: 1 },
    x: [1, 5],
    others: [Tensor.of([1, 2], [1, 3], "int64"), Tensor.of([1, 2], [7, 8])],
  },
  MaxPool: {
    opset: 7,
    type: "MaxPool",
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    x: [1, 2, 4, 4],
  },
  AveragePool: {
    opset: 7,
    type: "AveragePool",
    attributes: { kernel_shape: [2, 2], pads: [1, 1, 0, 0], count_include_pad: 1 },
    x: [1, 2, 4, 4],
  },
  "BatchNormalization by channel": {
    opset: 7,
    type: "BatchNormalization",
    attributes: { epsilon: float(0.01) },
    x: [2, 3, 4],
    others: [vector(1, 2, 3), vector(3, 2, 1), vector(0, 1, -1), vector(1, 0.5, 2)],
  },
  PRelu: { opset: 7, type: "PRelu", x: [2, 3, 4], others: [Tensor.of([3, 1], [0.1, 0.2, 0.3])] },
  Flatten: { opset: 7, type: "Flatten", attributes: { axis: 2 }, x: [2, 3, 4] },
};

/** The bytes of a file with this one node. */
function fileOf({ opset, type, attributes, x, named = {}, others = [], outputs = 1 }: Old): Uint8Array {
  const names = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const given = others.map((tensor, i) => (tensor ? `w${i}` : ""));
  const integer = (i: number) => (type === "TopK" && i === 1) || type === "Cast";
  return fileBytes(opset, {
    nodes: [fileNode(type, ["x", ...given], names, attributes)],
    inputs: [
      fileValue(
        "x",
        "float32",
        x.map((length, axis) => named[axis] ?? length),
      ),
    ],
    outputs: names.map((name, i) => fileValue(name, integer(i) ? "int64" : "float32")),
    initializers: Object.fromEntries(others.flatMap((tensor, i) => (tensor ? [[`w${i}`, tensor]] : []))),
  });
}

describe("nodes of older opsets", () => {
  it.each(Object.entries(CASES))("%s", async (name, old) => {
    const bytes = fileOf(old);
    const feeds = { x: randn(old.x, name) };
    const { graph } = readOnnx(bytes);
    const wanted = await runBytes(
      bytes,
      feeds,
      graph.outputs.map(({ name }) => name),
    );
    const found = await runGraph(graph, feeds);
    expect(graph.outputs.length).toBe(old.outputs ?? 1);
    for (const [key, tensor] of Object.entries(wanted)) {
      expect(`${found[key]}`).toBe(`${tensor}`);
      expect(largestError(found[key]!.toNumbers(), tensor.toNumbers())).toBeLessThan(1e-6);
    }
  });
});

describe("what the runtime has no older kernel for", () => {
  const x = randn([2, 4, 3], "x");
  const run = async (bytes: Uint8Array) => (await runGraph(readOnnx(bytes).graph, { x })).y!;
  const shapes = { inputs: [fileValue("x", "float32", [2, 4, 3])], outputs: [fileValue("y", "float32")] };

  it("GroupNormalization with a scale for each group", async () => {
    const attributes = { num_groups: 2, epsilon: float(1e-3) };
    const file = (opset: number, scale: Tensor, bias: Tensor) =>
      fileBytes(opset, {
        ...shapes,
        nodes: [fileNode("GroupNormalization", ["x", "scale", "bias"], ["y"], attributes)],
        initializers: { scale, bias },
      });
    const found = await run(file(18, vector(2, 3), vector(-1, 1)));
    const wanted = await run(file(21, vector(2, 2, 3, 3), vector(-1, -1, 1, 1)));
    expect(found).toEqual(wanted);
  });

  it("BatchNormalization element by element", async () => {
    const initializers = Object.fromEntries(
      ["scale", "bias", "mean", "variance"].map((name) => [name, randn([4, 3], name)]),
    );
    const variance = initializers.variance!.toNumbers();
    initializers.variance = Tensor.of([4, 3], Array.from(variance, Math.abs));
    const inputs = ["x", ...Object.keys(initializers)];
    const attributes = { spatial: 0, epsilon: float(0.01) };
    const nodes = [fileNode("BatchNormalization", inputs, ["y"], attributes)];
    const found = await run(fileBytes(7, { ...shapes, nodes, initializers }));
    const [scale, bias, mean, spread] = Object.values(initializers).map((tensor) => tensor.toNumbers());
    const wanted = Array.from(x.toNumbers(), (value, i) => {
      const at = i % 12;
      return ((value - mean![at]!) / Math.sqrt(spread![at]! + 0.01)) * scale![at]! + bias![at]!;
    });
    expect(largestError(found.toNumbers(), wanted)).toBeLessThan(1e-6);
  });

  it("BatchNormalization in training, which had five outputs", async () => {
    const initializers = Object.fromEntries(
      ["scale", "bias", "mean", "variance"].map((name) => [name, vector(1, 2, 3, 4)]),
    );
    const inputs = ["x", ...Object.keys(initializers)];
    const nodes = [fileNode("BatchNormalization", inputs, ["y", "new", "newer", "saved", "too"])];
    const { graph } = readOnnx(fileBytes(9, { ...shapes, nodes, initializers }));
    const [node] = graph.nodes;
    expect(node!.attributes.training_mode).toBe(1);
    expect(node!.outputs.map(({ name }) => name)).toEqual(["y", "new", "newer"]);
  });
});

describe("names in a file", () => {
  it("are not taken by what is added", async () => {
    // The upgrade adds a Flatten and a Softmax, under names that the file gives to others.
    const bytes = fileBytes(9, {
      nodes: [fileNode("Softmax", ["x"], ["Softmax_1"]), fileNode("Relu", ["Softmax_1"], ["Flatten"])],
      inputs: [fileValue("x", "float32", [2, 3, 4])],
      outputs: [fileValue("Flatten", "float32")],
    });
    expect(readOnnx(bytes).graph.outputs.map(({ name }) => name)).toEqual(["Flatten"]);
  });
});
