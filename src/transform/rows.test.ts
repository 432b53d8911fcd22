import { describe, expect, it } from "vitest";
import { checkGradient } from "../../test/support/checkGradient.ts";
import { evaluate } from "../../test/support/run.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph } from "../graph/graph.ts";
import { transpose } from "../ops/index.ts";
import { transposedRows } from "./rows.ts";

const PERMUTATIONS = [
  [1, 0, 2, 3, 4],
  [1, 3, 0, 2, 4],
  [3, 2, 1, 0, 4],
  [0, 2, 1, 3, 4],
  [2, 0, 1, 3, 4],
];

describe("transposed rows", () => {
  it.each(PERMUTATIONS)("are those of a transposition: %i, %i, %i, %i, %i", async (...perm) => {
    const data = Tensor.of([2, 3, 4, 5, 6], [...Array(720).keys()]);
    const rows = await evaluate((x) => transposedRows(x!, perm), data);
    const whole = await evaluate((x) => transpose(x!, perm), data);
    expect(rows.shape).toEqual(whole.shape);
    expect(rows.data).toEqual(whole.data);
  });

  it.each(PERMUTATIONS)("have its gradient: %i, %i, %i, %i, %i", async (...perm) => {
    await checkGradient({
      inputs: [{ shape: [2, 3, 1, 2, 2], symbolic: { 4: "batch" } }],
      build: (x) => transposedRows(x!, perm),
    });
  });

  it("are picked by the same indices wherever a graph wants them", () => {
    const graph = new Graph();
    const [a, b] = ["a", "b"].map((name) => graph.input(name, "float32", [4, 3, "batch"]));
    for (const x of [a!, b!]) transposedRows(x, [1, 0, 2]);
    expect(graph.constants.filter(({ dtype }) => dtype === "int32")).toHaveLength(1);
  });
});
