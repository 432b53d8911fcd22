import { describe, expect, it } from "vitest";
import { checkGradient, distinct, type GradientCase, positive } from "../../test/support/checkGradient.ts";
import { evaluate, gradientsAt } from "../../test/support/run.ts";
import { type DType, Tensor } from "../base/tensor.ts";
import { elementsOf } from "../graph/content.ts";
import { Graph, type Value } from "../graph/graph.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };
const SYMBOLIC = { 0: "batch", 2: "time" };

const CASES: Record<string, GradientCase> = {
  "ReduceSum, all": { inputs: [{ shape: [3, 4], symbolic: B }], build: (x) => op.reduceSum(x) },
  "ReduceSum, inner axis": {
    inputs: [{ shape: [3, 4, 2], symbolic: B }],
    build: (x) => op.reduceSum(x, [1]),
  },
  "ReduceSum, kept axes": {
    inputs: [{ shape: [3, 4, 2], symbolic: B }],
    build: (x) => op.reduceSum(x, [0, -1], { keepDims: true }),
  },
  "ReduceMean, all of a symbolic batch": {
    inputs: [{ shape: [3, 4], symbolic: B }],
    build: (x) => op.reduceMean(x),
  },
  "ReduceMean, symbolic axis kept": {
    inputs: [{ shape: [3, 4, 2], symbolic: { 0: "batch", 2: "time" } }],
    build: (x) => op.reduceMean(x, [2], { keepDims: true }),
  },
  "ReduceMax, inner axis": {
    inputs: [{ shape: [3, 4, 2], draw: distinct }],
    build: (x) => op.reduceMax(x, [1]),
  },
  "ReduceMin, all": { inputs: [{ shape: [3, 4], draw: distinct }], build: (x) => op.reduceMin(x) },
  "ReduceMax, all but two symbolic axes": {
    inputs: [{ shape: [3, 4, 2], symbolic: { 1: "batch", 2: "time" }, draw: distinct }],
    build: (x) => op.reduceMax(x!, [0]),
  },
  "ReduceProd, inner axis": {
    inputs: [{ shape: [3, 4, 2], symbolic: SYMBOLIC }],
    build: (x) => op.reduceProd(x!, [1]),
  },
  "ReduceProd, with zeros": {
    inputs: [
      { shape: [4, 3], symbolic: B, draw: (random, i) => ([1, 3, 5, 10].includes(i) ? 0 : random.normal()) },
    ],
    build: (x) => op.reduceProd(x!, [1], { keepDims: true }),
  },
  "ReduceL1, inner axis": {
    inputs: [{ shape: [3, 4, 2], symbolic: SYMBOLIC }],
    build: (x) => op.reduceL1(x!, [1]),
  },
  "ReduceL2, inner axis": {
    inputs: [{ shape: [3, 4, 2], symbolic: SYMBOLIC }],
    build: (x) => op.reduceL2(x!, [1]),
  },
  "ReduceL2, all": { inputs: [{ shape: [3, 4], symbolic: B }], build: (x) => op.reduceL2(x!) },
  "ReduceLogSum, inner axis": {
    inputs: [{ shape: [3, 4, 2], symbolic: SYMBOLIC, draw: positive }],
    build: (x) => op.reduceLogSum(x!, [1]),
  },
  "ReduceLogSumExp, outer axes kept": {
    inputs: [{ shape: [3, 4, 2], symbolic: SYMBOLIC }],
    build: (x) => op.reduceLogSumExp(x!, [0, 2], { keepDims: true }),
  },
  "ReduceSumSquare, last axis": {
    inputs: [{ shape: [3, 4, 2], symbolic: SYMBOLIC }],
    build: (x) => op.reduceSumSquare(x!, [-1]),
  },
  "CumSum, last axis": { inputs: [{ shape: [3, 4], symbolic: B }], build: (x) => op.cumSum(x!, -1) },
  "CumSum, exclusive, along a symbolic axis": {
    inputs: [{ shape: [4, 3], symbolic: B }],
    build: (x) => op.cumSum(x!, 0, { exclusive: true }),
  },
  "CumSum, reverse": {
    inputs: [{ shape: [3, 4, 2] }],
    build: (x) => op.cumSum(x!, 1, { reverse: true }),
  },
  "CumSum, exclusive and reverse": {
    inputs: [{ shape: [3, 4, 2] }],
    build: (x) => op.cumSum(x!, 1, { exclusive: true, reverse: true }),
  },
};

const REDUCTIONS = {
  ReduceSum: op.reduceSumOp,
  ReduceMean: op.reduceMeanOp,
  ReduceMax: op.reduceMaxOp,
  ReduceMin: op.reduceMinOp,
  ReduceProd: op.reduceProdOp,
  ReduceL1: op.reduceL1Op,
  ReduceL2: op.reduceL2Op,
  ReduceLogSum: op.reduceLogSumOp,
  ReduceLogSumExp: op.reduceLogSumExpOp,
  ReduceSumSquare: op.reduceSumSquareOp,
};
// With noop_with_empty_axes what is done to each element before and after the reduction stays.
for (const [name, operator] of Object.entries(REDUCTIONS)) {
  const build = (x: Value | undefined, axes?: Value) =>
    operator.emit([x!, axes], { noop_with_empty_axes: 1, keepdims: 0 }).output;
  CASES[`${name}, of no axes`] = {
    inputs: [{ shape: [3, 4], symbolic: B, draw: positive }],
    build: (x) => op.add(build(x), build(x, op.int64s(x!, []))),
  };
}

const INFINITY = Number.POSITIVE_INFINITY;

describe("reductions", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));

  it("share the gradient of equal extrema evenly", async () => {
    const x = Tensor.of([2, 4], [1, 3, 3, 0, 2, 2, 2, 2]);
    expect(await gradientsAt((value) => op.reduceMax(value!, [1]), x)).toEqual([
      [0, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25],
    ]);
  });

  it("have norms without a slope at zero", async () => {
    const zeros = Tensor.zeros([2, 2]);
    for (const build of [op.reduceL1, op.reduceL2, op.reduceSumSquare]) {
      expect(await gradientsAt((x) => build(x!, [1]), zeros)).toEqual([[0, 0, 0, 0]]);
    }
  });

  it("add what would overflow as exponentials", async () => {
    const x = Tensor.of([3, 2], [1000, 1000, -1000, -1000, -INFINITY, 5]);
    const sums = await evaluate((value) => op.reduceLogSumExp(value!, [1]), x);
    expect([...sums.toNumbers()]).toEqual([1000 + Math.LN2, -1000 + Math.LN2, 5].map(Math.fround));
    const [slopes] = await gradientsAt((value) => op.reduceLogSumExp(value!, [1]), x);
    [0.5, 0.5, 0.5, 0.5, 0, 1].forEach((wanted, i) => {
      // The sums round to 2^-24 of 1000, and so do the exponents.
      expect(Math.abs(slopes![i]! - wanted)).toBeLessThan(1000 * 2 ** -24);
    });
  });

  const WHOLE: Record<string, [build: (x: Value, axes: number[]) => Value, wanted: number[]]> = {
    ReduceSum: [op.reduceSum, [0, -9]],
    ReduceMean: [op.reduceMean, [0, -3]],
    ReduceMax: [op.reduceMax, [2, -1]],
    ReduceMin: [op.reduceMin, [-2, -5]],
    ReduceProd: [op.reduceProd, [0, -15]],
    ReduceL1: [op.reduceL1, [4, 9]],
    ReduceSumSquare: [op.reduceSumSquare, [8, 35]],
  };
  for (const [name, [build, wanted]] of Object.entries(WHOLE)) {
    it(`compute with integers: ${name}`, async () => {
      for (const dtype of ["int32", "int64"] as const) {
        const x = Tensor.of([2, 3], [2, 0, -2, -1, -3, -5], dtype);
        const found = await evaluate((value) => build(value!, [1]), x);
        expect([found.dtype, [...found.toNumbers()]]).toEqual([dtype, wanted]);
      }
    });
  }

  it("take extrema of booleans and small integers", async () => {
    for (const dtype of ["bool", "uint8", "int8"] satisfies DType[]) {
      const x = Tensor.of([2, 2], [0, 1, 1, 1], dtype);
      expect([...(await evaluate((value) => op.reduceMax(value!, [1]), x)).toNumbers()]).toEqual([1, 1]);
      expect([...(await evaluate((value) => op.reduceMin(value!, [1]), x)).toNumbers()]).toEqual([0, 1]);
    }
    const flags = new Graph().input("x", "bool", [2]);
    expect(() => op.reduceSum(flags)).toThrow(
      "ReduceSum (node 0): its inputs must share one element type of float32",
    );
  });

  it("find the first or last of equal extrema", async () => {
    const x = Tensor.of([2, 3], [4, 1, 4, 0, 2, 0]);
    const found = async (build: (x: Value) => Value) => [
      ...(await evaluate((value) => build(value!), x)).toNumbers(),
    ];
    expect(await found((value) => op.argMax(value, 1))).toEqual([0, 1]);
    expect(await found((value) => op.argMin(value, -1, { keepDims: true }))).toEqual([1, 0]);
    const last = (operator: typeof op.argMaxOp) => (value: Value) =>
      operator.emit([value], { axis: 1, keepdims: 0, select_last_index: 1 }).output;
    expect(await found(last(op.argMaxOp))).toEqual([2, 1]);
    expect(await found(last(op.argMinOp))).toEqual([1, 2]);
  });

  it("add integers up from the end: CumSum", async () => {
    const x = Tensor.of([4], [1, 2, 3, 4], "int64");
    const found = await evaluate((value) => op.cumSum(value!, 0, { exclusive: true, reverse: true }), x);
    expect([...found.toNumbers()]).toEqual([9, 7, 4, 0]);
  });

  it("are followed where shapes are computed", () => {
    const x = new Graph().input("x", "float32", ["batch", 3, 4]);
    const shape = op.shapeOf(x);
    expect(elementsOf(op.reduceProd(shape))).toEqual(["12*batch"]);
    expect(elementsOf(op.reduceSum(shape, [0], { keepDims: true }))).toEqual(["batch+7"]);
    expect(elementsOf(op.reduceMax(shape))).toBeUndefined();
    const table = x.graph.constant(Tensor.of([2, 3], [1, 2, 3, 6, 5, 4], "int64"));
    expect(elementsOf(op.reduceMax(table, [0]))).toEqual([6, 5, 4]);
    expect(elementsOf(op.reduceMin(table, [1]))).toEqual([1, 4]);
  });
});
