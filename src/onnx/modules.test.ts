import { expect, it } from "vitest";
import { fileBytes, fileNode, fileValue } from "../../test/support/files.ts";
import { largestError, outputOf, randn } from "../../test/support/run.ts";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { attachDendrites } from "../dendrites/attach.ts";
import { detachDendrites } from "../dendrites/detach.ts";
import { findSites } from "../dendrites/sites.ts";
import { readOnnx } from "./read.ts";
import { writeOnnx } from "./write.ts";

type Named = [name: string, ...node: Parameters<typeof fileNode>];

/** A file whose nodes have names. */
function read(x: readonly number[], nodes: readonly Named[], weights: Readonly<Record<string, Tensor>>) {
  return readOnnx(
    fileBytes(17, {
      nodes: nodes.map(([name, ...node]) => Object.assign(fileNode(...node), { name })),
      inputs: [fileValue("x", "float32", x)],
      outputs: [fileValue("y", "float32")],
      initializers: weights,
    }),
  ).graph;
}

/** As PyTorch exports it: one weight as it was, two transposed by the exporter, a convolution with a fused normalization. */
const exported = () =>
  read(
    [2, 3, 5, 5],
    [
      ["/layer1/layer1.0/conv1/Conv", "Conv", ["x", "onnx::Conv_59", "onnx::Conv_60"], ["a"]],
      ["/layer1/layer1.0/Relu", "Relu", ["a"], ["b"]],
      ["/Reshape", "Reshape", ["b", "flat"], ["c"]],
      ["/Transpose", "Transpose", ["c"], ["d"], { perm: [0, 2, 1] }],
      ["/proj/Transpose", "Transpose", ["proj.weight"], ["wt"], { perm: [1, 0] }],
      ["/proj/MatMul", "MatMul", ["d", "wt"], ["e"]],
      ["/proj/Add", "Add", ["proj.bias", "e"], ["f"]],
      ["/head/head.0/head.0.1/MatMul", "MatMul", ["f", "onnx::MatMul_64"], ["g"]],
      ["/head/head.0/head.0.1/Add", "Add", ["head.0.1.bias", "g"], ["h"]],
      ["/last/MatMul", "MatMul", ["h", "onnx::MatMul_65"], ["i"]],
      ["/last/Add", "Add", ["i", "onnx::Add_66"], ["y"]],
    ],
    {
      "onnx::Conv_59": randn([4, 3, 3, 3], "conv"),
      "onnx::Conv_60": randn([4], "bias"),
      flat: Tensor.of([3], [0, 4, -1], "int64"),
      "proj.weight": randn([6, 4], "proj"),
      "proj.bias": randn([6], "proj bias"),
      "onnx::MatMul_64": randn([6, 5], "head"),
      "head.0.1.bias": randn([5], "head bias"),
      "onnx::MatMul_65": randn([5, 2], "last"),
      "onnx::Add_66": randn([2], "last bias"),
    },
  );

it("Layers whose weights have names that were made up belong to modules all the same", () => {
  const graph = exported();
  expect([...graph.modules].map(([scope, { type }]) => `${scope}: ${type}`)).toEqual([
    "layer1.0.conv1: Conv2d",
    "proj: Linear",
    "head.0.1: Linear",
    "last: Linear",
  ]);
  const sites = findSites(graph).map(({ id, nodes }) => [id, nodes.map(({ operator }) => operator.type)]);
  expect(Object.fromEntries(sites)).toEqual({
    "layer1.0.conv1": ["Conv"],
    proj: ["Transpose", "MatMul", "Add"],
    "head.0.1": ["MatMul", "Add"],
    last: ["MatMul", "Add"],
  });
});

it("Dendrites grow on them, change nothing at first, and are found again in the exported file", async () => {
  const base = exported();
  const sites = findSites(base);
  const random = (name: string) => Random.stream(3, name);
  const x = randn([2, 3, 5, 5], "x");
  const plain = await outputOf(base, x);
  const grown = attachDendrites(base, { sites, count: 2, random });
  expect(largestError((await outputOf(grown, x)).data as Float32Array, plain.data as Float32Array)).toBe(0);
  const again = detachDendrites(readOnnx(writeOnnx(grown)).graph);
  expect([...again.counts]).toEqual(sites.map(({ id }) => [id, 2]));
  expect(findSites(again.base).map(({ id, type }) => [id, type])).toEqual(
    sites.map(({ id, type }) => [id, type]),
  );
  const { values } = again;
  const rebuilt = attachDendrites(again.base, { sites: findSites(again.base), count: 2, random, values });
  expect(rebuilt.parameters.map(String).sort()).toEqual(grown.parameters.map(String).sort());
  expect(await outputOf(rebuilt, x)).toEqual(plain);
});

it.each([
  ["StatefulPartitionedCall/model/dense/MatMul", "StatefulPartitionedCall.model.dense"],
  ["model/dense/MatMul;model/dense/BiasAdd", "model.dense"],
  ["/MatMul_3", "MatMul_3"],
  ["Times212", "Times212"],
  ["", "weights"],
])('A layer called "%s" is the module "%s"', (name, scope) => {
  const graph = read([2, 3], [[name, "MatMul", ["x", "weights"], ["y"]]], { weights: randn([3, 4], "w") });
  expect([...graph.modules]).toEqual([[scope, { type: "Linear" }]]);
});

it("What only looks like a Linear is none", () => {
  const weights = {
    "a.weight": randn([2, 2], "a"),
    "b.weight": randn([2, 2], "b"),
    "c.weight": randn([2], "c"),
  };
  const nodes: Named[] = [
    ["", "MatMul", ["a.weight", "x"], ["p"]],
    ["", "MatMul", ["p", "b.weight"], ["q"]],
    ["", "Mul", ["q", "b.weight"], ["r"]],
    ["", "Add", ["r", "c.weight"], ["y"]],
  ];
  expect(Object.fromEntries(read([2, 2], nodes, weights).modules)).toEqual({
    a: { type: "MatMul" },
    b: { type: "MatMul" },
    c: { type: "Add" },
  });
});

it("A layer that is called twice says so", () => {
  const nodes: Named[] = [
    ["/fc/MatMul", "MatMul", ["x", "fc.weight"], ["h"]],
    ["/fc/MatMul_1", "MatMul", ["h", "fc.weight"], ["y"]],
  ];
  const graph = read([2, 3], nodes, { "fc.weight": randn([3, 3], "w") });
  expect([...graph.modules]).toEqual([["fc", { type: "Linear", calls: 2 }]]);
  expect(findSites(graph).map(({ id, calls }) => [id, calls.length])).toEqual([["fc", 2]]);
});
