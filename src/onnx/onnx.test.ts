import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataLocation,
} from "onnx-buf";
import { describe, expect, it } from "vitest";
import { outputOf, randn, runGraph } from "../../test/support/run.ts";
import { ArborizeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { attachDendrites } from "../dendrites/attach.ts";
import { findSites } from "../dendrites/sites.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { printGraph } from "../graph/print.ts";
import * as nn from "../nn/index.ts";
import * as op from "../ops/index.ts";
import { readOnnx } from "./read.ts";
import { writeOnnx } from "./write.ts";

class Net extends nn.Module {
  conv = new nn.Conv2d(2, 4, 3, { groups: 2, padding: 1 });
  fc = new nn.Linear(16, 3);
  forward(x: Value): Value {
    const y = this.fc.call(this.conv.call(x).relu().maxPool2d(2).flatten());
    return y.softmax(1).sum(1).unsqueeze(0).reshape(-1, 1);
  }
}

const network = () => nn.trace(new Net(), { inputs: { x: ["batch", 2, 4, 4] }, seed: 1 });
const bytes = writeOnnx(network(), { metadata: { origin: "a test" } });

/** The bytes of the small model with something changed. */
function changed(change: (model: ModelProto, nodes: NodeProto[]) => unknown): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  change(model, model.graph!.node);
  return toBinary(ModelProtoSchema, model);
}

const weight = ({ graph }: ModelProto) => graph!.initializer.find(({ name }) => name === "fc.weight")!;

/** Reads, and gives the error; anything else than an ArborizeError fails the test. */
function errorOf(model: Uint8Array): ArborizeError | null {
  try {
    readOnnx(model, { name: "net.onnx" });
    return null;
  } catch (error) {
    if (error instanceof ArborizeError && error.code !== "internal") return error;
    throw error;
  }
}

function expectRefused(model: Uint8Array, code: string, ...parts: string[]): void {
  const error = errorOf(model);
  expect(error?.code, error?.message).toBe(code);
  for (const part of ['"net.onnx"', ...parts]) expect(error!.message).toContain(part);
}

describe("writeOnnx and readOnnx", () => {
  const everything = () => {
    const graph = new Graph({ name: "everything" });
    const x = graph.input("x", "float32", ["batch", 4]);
    const ids = graph.input("ids", "int64", ["batch", 2]);
    const scale = graph.parameter("scale", Tensor.of([4], [1, -2, 0.5, 3]));
    const gain = graph.parameter("half.gain", Tensor.of([2, 2], [1, 2, 3, 4], "float64"));
    const y = op.mul(op.pad(x, [{ axis: 1, before: 1, after: -1 }]), scale);
    const [a, , b] = op.split(y, [1, 2, 1], 1) as [Value, Value, Value];
    const picked = op.gatherElements(op.cast(y, "float64"), ids, 1);
    graph.output(op.where(op.greater(a, b), a, op.constantOfShapeOp.emit([op.shapeOf(a)]).output));
    graph.output(op.matMul(picked, gain));
    return graph;
  };
  const grown = () => {
    const base = network();
    return attachDendrites(base, {
      sites: findSites(base),
      count: 2,
      random: (name) => Random.stream(0, name),
    });
  };

  it.each(Object.entries({ network, everything, grown }))("give equal bytes again: %s", (_, build) => {
    const graph = build();
    const once = writeOnnx(graph, { metadata: { a: "1", b: "two" } });
    const again = readOnnx(once);
    expect(again.metadata).toEqual({ a: "1", b: "two" });
    expect(printGraph(again.graph)).toBe(printGraph(graph));
    expect(again.graph.parameters.map(({ data }) => data)).toEqual(graph.parameters.map(({ data }) => data));
    const twice = writeOnnx(again.graph, { metadata: again.metadata });
    expect(Buffer.from(twice).equals(once)).toBe(true);
  });

  it("store given values instead of initial ones", async () => {
    const graph = network();
    const values = new Map([["fc.bias", Tensor.of([3], [7, 8, 9])]]);
    const again = readOnnx(writeOnnx(graph, { values })).graph;
    expect([...again.state.get("fc.bias")!.toNumbers()]).toEqual([7, 8, 9]);
    expect(again.state.get("fc.weight")!.data).toEqual(graph.state.get("fc.weight")!.data);
  });

  it("give module scopes from the names of parameters", () => {
    const { graph } = readOnnx(bytes);
    expect([...graph.modules]).toEqual([
      ["conv", { type: "Conv2d" }],
      ["fc", { type: "Linear" }],
    ]);
  });

  it("read attributes of the old form of reductions", async () => {
    const old = changed((model, nodes) => {
      const sum = nodes.find(({ opType }) => opType === "ReduceSum")!;
      sum.opType = "ReduceMax";
      sum.input.length = 1;
      const { INTS } = AttributeProto_AttributeType;
      sum.attribute.push(create(AttributeProtoSchema, { name: "axes", type: INTS, ints: [1n] }));
      model.opsetImport = [create(OperatorSetIdProtoSchema, { domain: "", version: 13n })];
    });
    const x = randn([2, 2, 4, 4], "x");
    const found = await outputOf(readOnnx(old).graph, x);
    expect(found.shape).toEqual([2, 1]);
    for (const largest of found.toNumbers()) {
      expect(largest).toBeGreaterThanOrEqual(1 / 3);
      expect(largest).toBeLessThan(1);
    }
  });
});

describe("readOnnx refuses", () => {
  it("what is cut short, with the file's name", () => {
    const codes = new Set<string>();
    for (let length = 0; length < bytes.length; length += 50) {
      // Fields may end where they are cut: then the rest of the model is missing, or nothing but metadata is.
      const error = errorOf(bytes.subarray(0, length));
      if (error) expect(error.message).toContain('"net.onnx"');
      codes.add(error?.code ?? "read");
    }
    expect([...codes]).toEqual(["bad_file"]);
  });

  it("flipped bytes, or reads what they make of it", () => {
    const random = Random.stream(4, "flips");
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const flipped = bytes.slice();
      for (let flips = 1 + random.integer(3); flips > 0; flips--) {
        flipped[random.integer(bytes.length)]! ^= 1 << random.integer(8);
      }
      if (errorOf(flipped)) refused += 1;
    }
    // Many flips change a weight or a name; most others must be noticed.
    expect(refused).toBeGreaterThan(150);
    expect(refused).toBeLessThan(300);
  });

  it("operators that it does not know, all at once", () => {
    const unknown = changed((_, nodes) => {
      nodes[0]!.opType = "StringNormalizer";
      nodes[1]!.opType = "NonZero";
      nodes[2]!.opType = "NonZero";
      Object.assign(nodes[3]!, { opType: "Fold", domain: "com.example" });
    });
    expectRefused(unknown, "unknown_operator", "NonZero, StringNormalizer, com.example.Fold.");
  });

  it.each([6n, 24n])("opset %s", (version) => {
    const model = changed(({ opsetImport }) => {
      opsetImport[0]!.version = version;
    });
    expectRefused(model, "bad_file", `opset ${version}; opsets 7 to 23`);
  });

  it("weights in another file", () => {
    const external = changed((model) => {
      weight(model).dataLocation = TensorProto_DataLocation.EXTERNAL;
    });
    expectRefused(external, "bad_file", 'tensor "fc.weight"', "external file");
  });

  it("nodes in the wrong order, and cycles", () => {
    const reversed = changed((_, nodes) => nodes.reverse());
    expectRefused(reversed, "invalid_graph", "which nothing before it computes");
    const cycle = changed((_, nodes) => {
      nodes[1]!.input[0] = nodes[1]!.output[0]!;
    });
    expectRefused(cycle, "invalid_graph", 'Relu "Relu" reads "Relu"');
  });

  const { INT, INTS, TENSOR } = AttributeProto_AttributeType;
  const strides = create(AttributeProtoSchema, { name: "strides", type: INTS, ints: [0n, 1n] });
  const DAMAGES: Readonly<Record<string, [Parameters<typeof changed>[0], string, ...string[]]>> = {
    "no graph": [(model) => Reflect.deleteProperty(model, "graph"), "bad_file", "holds no graph"],
    "no opset": [({ opsetImport }) => opsetImport.splice(0), "bad_file", "opset 0"],
    "a name that is given twice": [
      (_, nodes) => nodes[1]!.output.splice(0, 1, nodes[0]!.output[0]!),
      "invalid_graph",
      "already has a value called",
    ],
    "an output that nothing computes": [
      ({ graph }) => Object.assign(graph!.output[0]!, { name: "nothing" }),
      "invalid_graph",
      'output "nothing"',
    ],
    "a node without its inputs": [(_, nodes) => nodes[1]!.input.splice(0), "invalid_graph", 'Relu "Relu"'],
    "a node whose first input is left out": [
      (_, nodes) => nodes[1]!.input.splice(0, 1, ""),
      "invalid_graph",
      "none",
    ],
    "an unknown attribute": [
      (_, nodes) => nodes[1]!.attribute.push(create(AttributeProtoSchema, { name: "slope", type: INT })),
      "unsupported_attribute",
      '"slope"',
    ],
    "a stride of zero": [(_, nodes) => nodes[0]!.attribute.push(strides), "shape_mismatch", "stride 0"],
    "a tensor of too few bytes": [
      (model) => Object.assign(weight(model), { rawData: new Uint8Array(8) }),
      "bad_file",
      "float32[3, 16] but holds 8 bytes",
    ],
    "a tensor of an impossible shape": [
      (model) => Object.assign(weight(model), { dims: [-3n, 16n] }),
      "bad_file",
      "impossible shape [-3, 16]",
    ],
    "a weight of another shape": [
      (model) => Object.assign(weight(model), { dims: [16n, 3n] }),
      "shape_mismatch",
      'Gemm "fc"',
    ],
    "a Constant without a value": [
      (_, nodes) => {
        const value = create(AttributeProtoSchema, { name: "value", type: TENSOR });
        nodes.unshift(create(NodeProtoSchema, { opType: "Constant", output: ["c"], attribute: [value] }));
      },
      "invalid_graph",
      '"value" holds no tensor',
    ],
    "a Split into a billion parts": [
      (_, nodes) => {
        const parts = create(AttributeProtoSchema, { name: "num_outputs", type: INT, i: 1_000_000_000n });
        const axis = create(AttributeProtoSchema, { name: "axis", type: INT, i: 1n });
        Object.assign(nodes[1]!, { opType: "Split", attribute: [parts, axis] });
      },
      "shape_mismatch",
      "into 1000000000 parts",
    ],
  };

  it.each(Object.entries(DAMAGES))("%s", (_, [damage, code, ...parts]) => {
    expectRefused(changed(damage), code, ...parts);
  });
});

describe("a length that varies", () => {
  it("may have any name, and be a formula of others", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", ["batch-size", "time"]);
    const y = graph.input("y", "float32", ["batch-size", "time+1"]);
    graph.output(op.concat([x, y], 1));
    const again = readOnnx(writeOnnx(graph)).graph;
    expect(again.inputs.map(({ shape }) => shape)).toEqual([
      ["batch_size", "time"],
      ["batch_size", "time+1"],
    ]);
    expect(again.outputs[0]!.shape).toEqual(["batch_size", "2*time+1"]);
  });

  it.each([
    ["a name", { case: "dimParam", value: "n" }, "n"],
    ["no name", { case: "dimParam", value: "" }, "x_0"],
    ["nothing", { case: undefined }, "x_0"],
    ["-1", { case: "dimValue", value: -1n }, "x_0"],
  ])("as %s", (_, value, wanted) => {
    const model = changed(({ graph }) => {
      const { type } = graph!.input[0]!;
      if (type?.value.case === "tensorType") type.value.value.shape!.dim[0]!.value = value as never;
    });
    expect(readOnnx(model).graph.inputs[0]!.shape).toEqual([wanted, 2, 4, 4]);
  });
});

it("Outputs that follow from shapes alone are computed as well", async () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [2, 3]);
  const start = graph.constant(Tensor.of([], [0], "int64"));
  const step = graph.constant(Tensor.of([], [1], "int64"));
  const positions = op.range(start, op.reshape(op.shapeOf(x, 1, 2), []), step);
  const { places, sum } = await runGraph(
    graph,
    { x: randn([2, 3], "x") },
    { places: positions, sum: op.add(x, x) },
  );
  expect([...places!.toNumbers()]).toEqual([0, 1, 2]);
  expect(sum!.shape).toEqual([2, 3]);
});
