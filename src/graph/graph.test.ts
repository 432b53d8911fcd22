import { describe, expect, it } from "vitest";
import { Tensor } from "../base/tensor.ts";
import { fullLike, leakyRelu } from "../ops/index.ts";
import { Graph } from "./graph.ts";

describe("a graph that shares subexpressions", () => {
  it("tells nodes apart by their attributes", () => {
    const graph = new Graph({ shareSubexpressions: true });
    const x = graph.input("x", "float32", ["batch"]);
    const fillings = [0, -0, 1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const made = () => fillings.map((filling) => fullLike(x, filling));
    expect(new Set([...made(), ...made()]).size).toBe(fillings.length);
    expect(leakyRelu(x, 0.1)).toBe(leakyRelu(x, 0.1));
    expect(leakyRelu(x, 0.1)).not.toBe(leakyRelu(x, 0.2));
  });

  it("shares constants that have the same bits, however many", () => {
    const graph = new Graph();
    const many = (last: number) => Tensor.of([20_000], [...Array(19_999).keys(), last]);
    expect(graph.constant(many(7))).toBe(graph.constant(many(7)));
    expect(graph.constant(many(7))).not.toBe(graph.constant(many(8)));
    expect(graph.constant(many(0))).not.toBe(graph.constant(many(-0)));
    expect(graph.constant(many(Number.NaN))).toBe(graph.constant(many(Number.NaN)));
    const [row, column] = [Tensor.of([1, 2], [1, 2]), Tensor.of([2, 1], [1, 2])];
    expect(graph.constant(row)).not.toBe(graph.constant(column));
    const flags = (last: number) => Tensor.of([3], [1, 0, last], "bool");
    expect(graph.constant(flags(1))).toBe(graph.constant(flags(1)));
    expect(graph.constant(flags(1))).not.toBe(graph.constant(flags(0)));
    expect(graph.constant(row, "named")).not.toBe(graph.constant(row));
  });

  it("takes tensors of 64 bit integers for attributes", () => {
    const graph = new Graph({ shareSubexpressions: true });
    const x = graph.input("x", "int64", ["batch"]);
    expect(fullLike(x, 1)).toBe(fullLike(x, 1));
    expect(fullLike(x, 1)).not.toBe(fullLike(x, 2));
  });
});
