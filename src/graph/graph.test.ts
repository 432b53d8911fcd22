import { describe, expect, it } from "vitest";
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

  it("takes tensors of 64 bit integers for attributes", () => {
    const graph = new Graph({ shareSubexpressions: true });
    const x = graph.input("x", "int64", ["batch"]);
    expect(fullLike(x, 1)).toBe(fullLike(x, 1));
    expect(fullLike(x, 1)).not.toBe(fullLike(x, 2));
  });
});
