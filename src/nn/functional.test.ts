import { describe, expect, it } from "vitest";
import { evaluate, largestError } from "../../test/support/run.ts";
import { fill } from "../../test/support/torch.ts";
import { Tensor } from "../base/tensor.ts";
import { Graph, type Value } from "../graph/graph.ts";
import * as nn from "./index.ts";

const F = nn.functional;

describe("scaled dot product attention", () => {
  // torch 1.13 has none: by the formula of its documentation, made of other functions.
  const byHand = (mask?: (scores: Value) => Value) => (q: Value, k: Value, v: Value) => {
    const scores = q.matmul(k.transpose(-1, -2)).div(2);
    return (mask ? mask(scores) : scores).softmax().matmul(v);
  };
  const shapes = [
    [2, 2, 3, 4],
    [2, 2, 5, 4],
    [2, 2, 5, 2],
  ] as const;
  const takesPart = Tensor.of([3, 5], [1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 1], "bool");
  const upTo = Tensor.of([3, 5], [1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0], "bool");
  const only = (which: Tensor) => (scores: Value) =>
    scores.maskedFill(scores.graph.constant(which).logicalNot(), Number.NEGATIVE_INFINITY);

  it.each<[string, nn.functional.AttentionOptions | Tensor, (q: Value, k: Value, v: Value) => Value]>([
    ["without a mask", {}, byHand()],
    ["with a mask of what takes part", takesPart, byHand(only(takesPart))],
    ["of what came before", { isCausal: true }, byHand(only(upTo))],
    ["with another scale", { scale: 1 }, byHand((scores) => scores.mul(2))],
  ])("%s", async (_, options, wanted) => {
    const found = await evaluate(
      (q, k, v) => {
        const mask = options instanceof Tensor ? { attnMask: q!.graph.constant(options) } : options;
        return F.scaledDotProductAttention(q!, k!, v!, mask);
      },
      ...shapes.map((shape, k) => fill(shape, k)),
    );
    const other = await evaluate(
      (q, k, v) => wanted(q!, k!, v!),
      ...shapes.map((shape, k) => fill(shape, k)),
    );
    expect(largestError(found.toNumbers(), other.toNumbers())).toBeLessThan(1e-6);
  });
});

describe("what does not fit a function", () => {
  const x = new Graph().input("x", "float32", ["batch", 6]);
  it.each<[string, () => unknown, string]>([
    ["cutting a symbolic axis", () => x.split(2), "axis 0 of [batch, 6] must be known to be cut into parts"],
    ["sorting one", () => x.sort({ dim: 0 }), "must be known to be sorted"],
    ["matrices that are no batch", () => x.bmm(x), "bmm takes batches of matrices"],
    ["too few repetitions", () => x.repeat(2), "a number for each axis of [batch, 6]"],
    ["an odd list of paddings", () => x.pad([1]), "two numbers for each of the last axes"],
    ["an axis that is none", () => x.sum(2), "axis 2 does not exist"],
  ])("%s", (_, fail, message) => {
    expect(fail).toThrow(message);
  });
});

it("functions over symbolic axes keep them", () => {
  const x = new Graph().input("x", "float32", ["batch", "time", 6]);
  const shapes: [Value, Value["shape"]][] = [
    [x.var(1), ["batch", 6]],
    [x.slice(1, 1), ["batch", "time-1", 6]],
    [x.flip(1), ["batch", "time", 6]],
    [x.repeatInterleave(2, 1), ["batch", "2*time", 6]],
    [x.roll(1, 2), ["batch", "time", 6]],
    [F.cat([x, x], 1), ["batch", "2*time", 6]],
    [x.argmax(), []],
    [x.select(1, -1), ["batch", 6]],
    [x.expandAs(x), ["batch", "time", 6]],
  ];
  for (const [value, wanted] of shapes) expect(value.shape).toEqual(wanted);
});
