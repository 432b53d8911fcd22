// Sums and means in the runtime's fastest forms against its reductions.

import { describe, expect, it } from "vitest";
import { largestError, randn, runGraph } from "../../test/support/run.ts";
import { type DType, Tensor } from "../base/tensor.ts";
import { Graph } from "../graph/graph.ts";
import type { Shape } from "../graph/shape.ts";
import { mul } from "./elementwise.ts";
import { matMulOp } from "./matmul.ts";
import { reduceMean, reduceSum } from "./reduce.ts";
import { meanOfProducts, meanOver, sumOver } from "./totals.ts";

interface Case {
  readonly axes: readonly number[];
  readonly declared: Shape;
  readonly shape: readonly number[];
  readonly dtype?: DType;
  /** Whether it is a product with ones. */
  readonly product?: boolean;
}

const CASES: Readonly<Record<string, Case>> = {
  "the first axis": { axes: [0], declared: ["batch", 5], shape: [7, 5], product: true },
  "the first axes": { axes: [1, 0], declared: ["batch", 2, 5], shape: [7, 2, 5], product: true },
  "the first axis of one row": { axes: [0], declared: ["batch", 5], shape: [1, 5], product: true },
  "the first axis in float64": { axes: [0], declared: ["batch", 5], shape: [7, 5], dtype: "float64" },
  "the first axis before an unknown one": { axes: [0], declared: [7, "time"], shape: [7, 5] },
  "the last axes": { axes: [-1, 1], declared: ["batch", 4, 5], shape: [3, 4, 5] },
  "axes around the channels": { axes: [0, 2, 3], declared: ["batch", 4, 5, 6], shape: [3, 4, 5, 6] },
  "axes around two that stay": { axes: [0, 3], declared: [3, 4, 5, "batch"], shape: [3, 4, 5, 6] },
  "an inner axis": { axes: [1], declared: ["batch", 4, 5], shape: [3, 4, 5] },
  "all axes": { axes: [0, 1], declared: ["batch", 4], shape: [3, 4] },
};

describe.each(Object.entries(CASES))(
  "over %s",
  (_, { axes, declared, shape, dtype = "float32", product }) => {
    it.each([false, true])("are those of reductions, axes kept: %s", async (keepDims) => {
      const graph = new Graph();
      const x = graph.input("x", dtype, declared);
      const made = { sum: sumOver(x, axes, { keepDims }), mean: meanOver(x, axes, { keepDims }) };
      expect(graph.nodes.some(({ operator }) => operator === matMulOp)).toBe(product ?? false);
      const wanted = {
        wholeSum: reduceSum(x, axes, { keepDims }),
        wholeMean: reduceMean(x, axes, { keepDims }),
      };
      const data = Tensor.of(shape, randn(shape, "x").toNumbers() as ArrayLike<number>, dtype);
      const found = await runGraph(graph, { x: data }, { ...made, ...wanted });
      expect(found.sum!.shape).toEqual(found.wholeSum!.shape);
      expect(found.mean!.shape).toEqual(found.wholeMean!.shape);
      expect(largestError(found.sum!.toNumbers(), found.wholeSum!.toNumbers())).toBeLessThan(1e-5);
      expect(largestError(found.mean!.toNumbers(), found.wholeMean!.toNumbers())).toBeLessThan(1e-5);
      if (shape[0] === 1) expect(found.mean!.toNumbers()).toEqual(data.toNumbers());
    });
  },
);

it.each([
  ["long vectors", [3, 4, "batch", 40], [3, 4, 20, 40], [0, 2, 3]],
  ["short vectors", [3, 4, "batch"], [3, 4, 9], [0, 2]],
  ["rows", ["batch", 4], [9, 4], [0]],
] as const)("means of products of %s are those of a reduction", async (_, declared, shape, axes) => {
  const graph = new Graph();
  const [a, b] = [graph.input("a", "float32", declared), graph.input("b", "float32", declared)];
  const found = await runGraph(
    graph,
    { a: randn(shape, "a"), b: randn(shape, "b") },
    { made: meanOfProducts(a, b, axes), wanted: reduceMean(mul(a, b), axes, { keepDims: true }) },
  );
  expect(found.made!.shape).toEqual(found.wanted!.shape);
  expect(largestError(found.made!.toNumbers(), found.wanted!.toNumbers())).toBeLessThan(1e-6);
});
