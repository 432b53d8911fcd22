// Files to damage, for tests of reading.

import { Tensor } from "../../src/base/tensor.ts";
import { fileBytes, fileGraph, fileNode, fileValue, float } from "./files.ts";
import { randn } from "./run.ts";

const ints = (...values: number[]) => Tensor.of([values.length], values, "int64");
const x = fileValue("x", "float32", ["n", 3, 8, 8]);
const y = fileValue("y", "float32");

/** Files of an old and a new opset, with what has lengths, axes and shapes in attributes and in constants. */
export const FILES: readonly Uint8Array[] = [
  fileBytes(9, {
    nodes: [
      fileNode("Conv", ["x", "conv.weight"], ["a"], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], group: 1 }),
      fileNode("BatchNormalization", ["a", "s", "s", "s", "s"], ["b"], { epsilon: float(0.1) }),
      fileNode("MaxPool", ["b"], ["c"], { kernel_shape: [2, 2], strides: [2, 2] }),
      fileNode("Upsample", ["c", "scales"], ["d"], { mode: "nearest" }),
      fileNode("Pad", ["d"], ["e"], { pads: [0, 0, 1, 1, 0, 0, 1, 1], mode: "reflect" }),
      fileNode("Slice", ["e"], ["f"], { starts: [1], ends: [9], axes: [2] }),
      fileNode("Softmax", ["f"], ["g"], { axis: 1 }),
      fileNode("Split", ["g"], ["h", "i"], { axis: 1, split: [1, 3] }),
      fileNode("TopK", ["i"], ["j", "k"], { k: 2, axis: 3 }),
      fileNode("ReduceSum", ["j"], ["l"], { axes: [1, 2], keepdims: 0 }),
      fileNode("Unsqueeze", ["l"], ["y"], { axes: [0] }),
    ],
    inputs: [x],
    outputs: [y],
    initializers: {
      "conv.weight": randn([4, 3, 3, 3], "w"),
      s: randn([4], "s"),
      scales: Tensor.of([4], [1, 1, 2, 2]),
    },
  }),
  fileBytes(18, {
    nodes: [
      fileNode("Shape", ["x"], ["shape"]),
      fileNode("Gather", ["shape", "one"], ["channels"], { axis: 0 }),
      fileNode("Equal", ["channels", "three"], ["yes"]),
      fileNode("If", ["yes"], ["a"], {
        then_branch: fileGraph({
          nodes: [fileNode("Tile", ["x", "repeats"], ["t"])],
          outputs: [fileValue("t", "float32")],
        }),
        else_branch: fileGraph({
          nodes: [fileNode("Relu", ["x"], ["t"])],
          outputs: [fileValue("t", "float32")],
        }),
      }),
      fileNode("Reshape", ["a", "target"], ["b"]),
      fileNode("Expand", ["b", "wide"], ["c"]),
      fileNode("ConstantOfShape", ["square"], ["zeros"], { value: Tensor.of([1], [2]) }),
      fileNode("Range", ["zero", "end", "step"], ["range"]),
      fileNode("OneHot", ["range", "depth", "values"], ["hot"]),
      fileNode("MatMul", ["c", "zeros"], ["d"]),
      fileNode("Resize", ["d", "", "scales"], ["e"], { mode: "linear" }),
      fileNode("Pad", ["e", "pads"], ["f"]),
      fileNode("Slice", ["f", "starts", "ends", "axes", "steps"], ["g"]),
      fileNode("Split", ["g"], ["h", "i"], { axis: 1, num_outputs: 2 }),
      fileNode("Concat", ["h", "i"], ["j"], { axis: -1 }),
      fileNode("Gemm", ["hot", "w", "bias"], ["k"], { transB: 1, alpha: float(2) }),
      fileNode("ReduceMean", ["k", "axes"], ["m"]),
      fileNode("Add", ["j", "m"], ["y"]),
    ],
    inputs: [x],
    outputs: [y],
    initializers: {
      one: Tensor.of([], [1], "int64"),
      three: Tensor.of([], [3], "int64"),
      zero: Tensor.of([], [0], "int64"),
      end: Tensor.of([], [16], "int64"),
      step: Tensor.of([], [2], "int64"),
      depth: Tensor.of([], [5], "int64"),
      values: Tensor.of([2], [0, 1]),
      repeats: ints(1, 2, 1, 1),
      target: ints(0, -1, 6, 8),
      wide: ints(1, 8, 6, 8),
      square: ints(8, 8),
      scales: Tensor.of([4], [1, 1, 1, 2]),
      pads: ints(0, 0, 1, 1, 0, 0, 1, 1),
      starts: ints(0),
      ends: ints(6),
      axes: ints(1),
      steps: ints(1),
      w: randn([4, 5], "w"),
      bias: randn([4], "bias"),
    },
  }),
];
