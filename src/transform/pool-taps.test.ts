import { describe, expect, it } from "vitest";
import { relativeError } from "../../test/support/golden.ts";
import { runGraph } from "../../test/support/run.ts";
import { Random } from "../base/random.ts";
import { sizeOf, Tensor } from "../base/tensor.ts";
import { Graph } from "../graph/graph.ts";
import * as op from "../ops/index.ts";
import { gradients } from "./gradient.ts";
import { comparePools } from "./pool-taps.ts";

const POOLS: Record<string, { shape: readonly number[]; options: op.MaxPoolOptions }> = {
  "2x2": { shape: [2, 3, 6, 4], options: { kernel_shape: [2, 2], strides: [2, 2] } },
  "an odd length": { shape: [2, 3, 7, 5], options: { kernel_shape: [2, 2], strides: [2, 2] } },
  "overlapping and padded": {
    shape: [2, 2, 7, 6],
    options: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  "a last window partly outside": {
    shape: [2, 2, 7, 6],
    options: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 },
  },
  "dilated, 1-d": { shape: [2, 2, 9], options: { kernel_shape: [3], strides: [1], dilations: [2] } },
  "3-d": {
    shape: [1, 2, 4, 3, 5],
    options: { kernel_shape: [2, 2, 3], strides: [2, 1, 2], pads: [0, 1, 0, 0, 0, 1] },
  },
  "gaps between windows": { shape: [1, 2, 8, 8], options: { kernel_shape: [2, 2], strides: [3, 3] } },
};

describe("max pools compared", () => {
  for (const [name, { shape, options }] of Object.entries(POOLS)) {
    it(`have the gradient of those with indices, ties among them: ${name}`, async () => {
      const random = Random.stream(2, name);
      // Few different numbers, zero among them, as behind a rectifier.
      const x = Tensor.of(
        shape,
        Array.from({ length: sizeOf(shape) }, () => random.integer(4) - 1),
      );
      const found: Tensor[] = [];
      for (const compared of [false, true]) {
        const graph = new Graph({ name: "pool" });
        const input = graph.input("x", "float32", ["batch", ...shape.slice(1)]);
        const y = op.maxPool(input, options);
        const weights = graph.input("weights", "float32", y.shape);
        comparePools(graph, { indexesMaxima: !compared });
        const [dx] = gradients(op.reduceSum(op.mul(y, weights)), [input]);
        const lengths = y.shape.map((dim) => (typeof dim === "number" ? dim : shape[0]!));
        const drawn = Random.stream(3, name);
        const given = Tensor.of(
          lengths,
          Array.from({ length: sizeOf(lengths) }, () => drawn.normal()),
        );
        found.push((await runGraph(graph, { x, weights: given }, { dx: dx! })).dx!);
      }
      expect(relativeError(found[1]!, found[0]!)).toBeLessThan(1e-6);
    });
  }
});
