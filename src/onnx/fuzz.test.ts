// Damaged files: each is read, or refused by an error of ours, soon and without taking much memory.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type AttributeProto, type ModelProto, ModelProtoSchema, type TensorProto } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { fileBytes, fileGraph, fileNode, fileValue } from "../../test/support/files.ts";
import { FILES } from "../../test/support/files-to-damage.ts";
import { ArborizeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import { readOnnx } from "./read.ts";

const x = fileValue("x", "float32", ["n", 3, 8, 8]);
const y = fileValue("y", "float32");

/** Numbers that lengths, axes and counts should not be. */
const ABSURD = [
  0n,
  -1n,
  -2n,
  1n,
  3n,
  7n,
  2n ** 20n,
  2n ** 31n,
  2n ** 40n,
  2n ** 53n,
  2n ** 62n,
  -(2n ** 63n),
];

type Damage = (model: ModelProto, random: Random) => void;

const pick = <T>(items: readonly T[], random: Random): T | undefined => items[random.integer(items.length)];
const absurd = (random: Random) => pick(ABSURD, random)!;

/** One of several numbers replaced, removed, or another one added. */
function disturb(numbers: bigint[], random: Random): void {
  const [at, kind] = [random.integer(numbers.length + 1), random.integer(4)];
  if (kind === 0) numbers.splice(at, 1);
  else if (kind === 1) numbers.splice(at, 0, absurd(random));
  else numbers.splice(Math.min(at, numbers.length - 1), 1, absurd(random));
}

const initializerOf = ({ graph }: ModelProto, random: Random): TensorProto =>
  pick(graph!.initializer, random)!;

function attributeOf({ graph }: ModelProto, random: Random): AttributeProto | undefined {
  return pick(
    graph!.node.flatMap(({ attribute }) => attribute),
    random,
  );
}

const DAMAGES: Readonly<Record<string, Damage>> = {
  "a shape that its data does not have": (model, random) =>
    disturb(initializerOf(model, random).dims, random),
  "a shape without data": (model, random) => {
    const tensor = initializerOf(model, random);
    tensor.rawData = new Uint8Array(0);
    tensor.dims = Array.from({ length: random.integer(4) }, () => absurd(random));
  },
  "absurd integers": (model, random) => {
    const tensor = pick(
      model.graph!.initializer.filter(({ dataType }) => dataType === 7),
      random,
    );
    if (!tensor) return;
    const values = [...new BigInt64Array(new Uint8Array(tensor.rawData).buffer)];
    values[random.integer(values.length)] = absurd(random);
    tensor.rawData = new Uint8Array(BigInt64Array.from(values).buffer);
  },
  "an absurd attribute": (model, random) => {
    const attribute = attributeOf(model, random)!;
    if (attribute.ints.length > 0) disturb(attribute.ints, random);
    else attribute.i = absurd(random);
  },
  "an attribute of another kind": (model, random) => {
    attributeOf(model, random)!.type = random.integer(16);
  },
  "an attribute of another name": (model, random) => {
    attributeOf(model, random)!.name = attributeOf(model, random)!.name;
  },
  "an input of another shape": ({ graph }, random) => {
    const { type } = graph!.input[0]!;
    if (type?.value.case !== "tensorType") return;
    const dim = pick(type.value.value.shape!.dim, random)!;
    dim.value = { case: "dimValue", value: absurd(random) };
  },
  "an input of a strange name of a length": ({ graph }, random) => {
    const { type } = graph!.input[0]!;
    if (type?.value.case !== "tensorType") return;
    const name = pick(
      ["", "-", "n+n*n", "floor((n+1)/0)", "floor((", "__proto__", "n".repeat(1000)],
      random,
    )!;
    pick(type.value.value.shape!.dim, random)!.value = { case: "dimParam", value: name };
  },
  "a node that reads something else": ({ graph }, random) => {
    const names = [
      ...graph!.node.flatMap(({ output }) => output),
      ...graph!.initializer.map(({ name }) => name),
    ];
    const { input } = pick(graph!.node, random)!;
    input[random.integer(input.length + 1)] = pick([...names, "", "x", "nothing"], random)!;
  },
  "a node that computes what another does": ({ graph }, random) => {
    const names = graph!.node.flatMap(({ output }) => output);
    pick(graph!.node, random)!.output[0] = pick(names, random)!;
  },
  "a node of another type": ({ graph }, random) => {
    const types = [
      ...graph!.node.map(({ opType }) => opType),
      "LSTM",
      "Einsum",
      "Loop",
      "ConvTranspose",
      "constructor",
    ];
    pick(graph!.node, random)!.opType = pick(types, random)!;
  },
  "no node": ({ graph }, random) => {
    graph!.node.splice(random.integer(graph!.node.length), 1);
  },
  "nodes in another order": ({ graph }, random) => {
    const { node } = graph!;
    const [a, b] = [random.integer(node.length), random.integer(node.length)];
    [node[a], node[b]] = [node[b]!, node[a]!];
  },
  "another opset": ({ opsetImport }, random) => {
    opsetImport[0]!.version = BigInt(5 + random.integer(20));
  },
};

/** Bytes that were changed, lost or came twice. */
function damagedBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.integer(bytes.length);
  const end = Math.min(bytes.length, at + 1 + random.integer(40));
  switch (random.integer(5)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    case 3: {
      const noise = bytes.slice();
      for (let i = at; i < end; i++) noise[i] = random.integer(256);
      return noise;
    }
    default: {
      const flipped = bytes.slice();
      for (let flips = random.integer(4); flips >= 0; flips--) {
        flipped[random.integer(bytes.length)]! ^= 1 << random.integer(8);
      }
      return flipped;
    }
  }
}

/** Whether a file was refused; anything but an error of ours, or a long time, fails the test. */
function refused(bytes: Uint8Array, told: string): boolean {
  const start = performance.now();
  let error: unknown = null;
  try {
    readOnnx(bytes);
  } catch (thrown) {
    error = thrown;
  }
  expect(performance.now() - start, `milliseconds for ${told}`).toBeLessThan(2000);
  if (error === null) return false;
  const ours = error instanceof ArborizeError && error.code !== "internal";
  expect(ours, `${told} gave ${(error as Error).stack}`).toBe(true);
  expect((error as Error).message.length, told).toBeLessThan(20_000);
  return true;
}

/** Reads `seeds` damaged forms of each of the files; says how many were refused. */
function refusals(name: string, seeds: number, damage: (file: Uint8Array, random: Random) => Uint8Array) {
  let total = 0;
  FILES.forEach((file, which) => {
    for (let seed = 0; seed < seeds; seed++) {
      const random = Random.stream(seed, name);
      if (refused(damage(file, random), `${name} ${seed} of file ${which}`)) total += 1;
    }
  });
  return total;
}

const count = <T>(length: number, make: (i: number) => T) => Array.from({ length }, (_, i) => make(i));

/** Small files that would take long, or much, to follow. */
const BOMBS: Readonly<Record<string, () => Uint8Array>> = {
  "a product of sums, with 2^16 terms": () =>
    fileBytes(17, {
      nodes: [fileNode("Flatten", ["x"], ["y"], { axis: 0 })],
      inputs: [
        fileValue(
          "names",
          "float32",
          count(32, (i) => `a${i}`),
        ),
        fileValue(
          "x",
          "float32",
          count(16, (i) => `a${2 * i}+a${2 * i + 1}`),
        ),
      ],
      outputs: [y],
    }),
  "a length squared again and again": () =>
    fileBytes(17, {
      nodes: [
        fileNode("Shape", ["x"], ["v0"]),
        ...count(100, (i) => fileNode("Mul", [`v${i}`, `v${i}`], [`v${i + 1}`])),
        fileNode("Reshape", ["x", "v100"], ["y"]),
      ],
      inputs: [fileValue("x", "float32", ["n", 2])],
      outputs: [y],
    }),
  "a shape doubled again and again": () =>
    fileBytes(17, {
      nodes: [
        fileNode("Shape", ["x"], ["v0"]),
        ...count(40, (i) => fileNode("Concat", [`v${i}`, `v${i}`], [`v${i + 1}`], { axis: 0 })),
        fileNode("Reshape", ["x", "v40"], ["y"]),
      ],
      inputs: [x],
      outputs: [y],
    }),
  "a Split of a long axis into its elements": () =>
    fileBytes(18, {
      nodes: [fileNode("Split", ["x"], ["y"], { axis: 0, num_outputs: 2 ** 31 })],
      inputs: [fileValue("x", "float32", [2 ** 31])],
      outputs: [y],
    }),
  "branches in branches": () => {
    const innermost = fileGraph({ nodes: [fileNode("Relu", ["x"], ["y"])], outputs: [y] });
    const { node } = count(400, (i) => i).reduce(
      (inner) => fileGraph({ nodes: [fileNode("If", ["yes"], ["y"], { then_branch: inner })], outputs: [y] }),
      innermost,
    );
    const initializers = { yes: Tensor.of([], [1], "bool") };
    return fileBytes(17, { nodes: node, inputs: [x], outputs: [y], initializers });
  },
};

describe("damaged files", () => {
  const before = process.resourceUsage().maxRSS;

  it("are based on good ones", () => {
    for (const file of FILES) expect(() => readOnnx(file)).not.toThrow();
  });

  it.each(Object.entries(DAMAGES))("with %s", (name, damage) => {
    const total = refusals(name, 25, (file, random) => {
      const model = fromBinary(ModelProtoSchema, file);
      damage(model, random);
      return toBinary(ModelProtoSchema, model);
    });
    expect(total).toBeGreaterThan(0);
  });

  it("with other bytes", () => {
    expect(refusals("bytes", 150, damagedBytes)).toBeGreaterThan(100);
  });

  it.each(Object.entries(BOMBS))("with %s", (name, build) => {
    expect(refused(build(), name)).toBe(true);
  });

  it("take little memory", () => {
    const kilobytes = process.resourceUsage().maxRSS - before;
    expect(kilobytes).toBeLessThan(400_000);
  });
});
