import { describe, expect, it } from "vitest";
import { checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
import { Graph, nodesBehind, type Value } from "../graph/graph.ts";
import { shapeSize } from "../graph/shape.ts";
import { gradients } from "../transform/gradient.ts";
import * as op from "./index.ts";

const [MAP, KERNEL] = [
  [2, 3, 5, 4],
  [4, 3, 2, 2],
] as const;

const activated = (act: (x: Value) => Value, shape: readonly number[]): GradientCase => ({
  inputs: [{ shape: [2, 4, 3, 2] }, { shape }],
  build: (x, c) => op.mul(act(x!), c!),
});

/** Of a convolution of four channels. */
const convolved = (shape: readonly number[]): GradientCase => ({
  precision: "linear",
  inputs: [{ shape: MAP }, { shape: KERNEL }, { shape: [4] }, { shape }],
  build: (x, w, b, c) => op.mul(op.conv(x!, w!, b!), c!),
});

const CASES: Record<string, GradientCase> = {
  "of a sigmoid, a number per channel": activated(op.sigmoid, [4, 1, 1]),
  "of a hyperbolic tangent, one number": activated(op.tanh, [1]),
  "of a rectifier, a number per place": activated(op.relu, [3, 2]),
  "of a convolution, a number per channel": convolved([4, 1, 1]),
  "of a convolution, the batch's axis too": convolved([1, 4, 1, 1]),
  "of a convolution, as many numbers as channels along another axis": convolved([4, 1]),
  "of a convolution, one number": convolved([]),
};

describe("a factor that is broadcast", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  it("is multiplied with weights instead of maps, and its gradient shares a product with the activation's", () => {
    const graph = new Graph({ shareSubexpressions: true });
    const [x, w, b, c] = [MAP, KERNEL, [4], [4, 1, 1]].map((shape, i) =>
      graph.input(`x${i}`, "float32", [...shape]),
    ) as [Value, Value, Value, Value];
    const y = op.mul(op.sigmoid(op.conv(x, w, b)), c);
    const dz = graph.input("dz", "float32", y.shape);
    const dy = gradients(op.reduceSum(op.mul(y, dz)), [x, w, b, c]);
    const products = nodesBehind(dy).filter(({ operator }) => operator === op.mulOp);
    const onMaps = products.filter(({ output }) => shapeSize(output.shape) === shapeSize(y.shape));
    // That of the loss, dz * o, and this times 1 - o.
    expect(onMaps.length).toBe(3);
  });
});
