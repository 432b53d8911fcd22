import { describe, it } from "vitest";
import { checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };

/** Every operator with a gradient rule has cases here; `architecture.test.ts` fails for one that has none. */
const CASES: Record<string, GradientCase> = {
  "Cast, there and back": {
    inputs: [{ shape: [3, 4] }],
    build: (x) => op.mul(x, op.cast(op.less(x, op.scalar(x, 0)), x.dtype)),
  },
  "MatMul, matrices": { inputs: [{ shape: [3, 4], symbolic: B }, { shape: [4, 5] }], build: op.matMul },
  "MatMul, batch by matrix": {
    inputs: [{ shape: [2, 3, 4], symbolic: B }, { shape: [4, 5] }],
    build: op.matMul,
  },
  "MatMul, batches broadcast": { inputs: [{ shape: [2, 1, 3, 4] }, { shape: [3, 4, 5] }], build: op.matMul },
  "MatMul, vector by matrix": { inputs: [{ shape: [4] }, { shape: [2, 4, 5] }], build: op.matMul },
  "MatMul, matrix by vector": { inputs: [{ shape: [2, 3, 4] }, { shape: [4] }], build: op.matMul },
  "MatMul, vectors": { inputs: [{ shape: [4] }, { shape: [4] }], build: op.matMul },
  Identity: { inputs: [{ shape: [3] }], build: op.identity },
  "Reshape, symbolic batch moved": {
    inputs: [{ shape: [3, 4, 5], symbolic: B }],
    build: (x) => op.reshape(x, ["4*batch", 5]),
  },
  "Flatten, axis 2": { inputs: [{ shape: [3, 4, 5], symbolic: B }], build: (x) => op.flatten(x, 2) },
  "Squeeze and Unsqueeze": {
    inputs: [{ shape: [3, 1, 5], symbolic: B }],
    build: (x) => op.unsqueeze(op.squeeze(x, [1]), [0, -1]),
  },
  "Squeeze, all": { inputs: [{ shape: [1, 3, 1] }], build: (x) => op.squeeze(x) },
  "Transpose, given": {
    inputs: [{ shape: [3, 4, 5], symbolic: B }],
    build: (x) => op.transpose(x, [1, 2, 0]),
  },
  "Transpose, reversed": { inputs: [{ shape: [3, 4, 5] }], build: (x) => op.transpose(x) },
  "Expand, like another": {
    inputs: [{ shape: [4, 1] }, { shape: [3, 4, 5], symbolic: B }],
    build: (x, like) => op.mul(op.expandLike(x, like), like),
  },
  "Concat, three along axis 1": {
    inputs: [
      { shape: [3, 2], symbolic: B },
      { shape: [3, 1], symbolic: B },
      { shape: [3, 4], symbolic: B },
    ],
    build: (...parts) => op.concat(parts, 1),
  },
  "Split, one part unused": {
    inputs: [{ shape: [3, 6], symbolic: B }],
    build: (x) => {
      const [a, , c] = op.split(x, [2, 3, 1], 1) as [typeof x, typeof x, typeof x];
      return op.mul(a, c);
    },
  },
  "Slice, several axes": {
    inputs: [{ shape: [3, 6, 5], symbolic: B }],
    build: (x) =>
      op.slice(x, [
        { axis: 1, start: 1, end: -1 },
        { axis: 2, start: 0, end: 3 },
      ]),
  },
  "Slice, steps": {
    inputs: [{ shape: [11, 7] }],
    build: (x) =>
      op.slice(x, [
        { axis: 0, start: 1, end: 11, step: 3 },
        { axis: 1, start: -1, end: -99, step: -2 },
      ]),
  },
  "Slice, empty": {
    inputs: [{ shape: [4, 3] }],
    build: (x) => op.concat([op.slice(x, [{ axis: 0, start: 3, end: 1 }]), x], 0),
  },
  "Pad, and cut": {
    inputs: [{ shape: [3, 4, 5], symbolic: B }],
    build: (x) =>
      op.pad(x, [
        { axis: 1, before: 2, after: 1 },
        { axis: 2, before: -1, after: 3 },
      ]),
  },
  "GatherElements, with repeats": {
    inputs: [
      { shape: [4, 5], symbolic: B },
      { shape: [4, 3], symbolic: B, dtype: "int64", draw: (r) => r.integer(5) },
    ],
    build: (x, i) => op.gatherElements(x, i, 1),
  },
  "ScatterElements, add": {
    inputs: [{ shape: [6] }, { shape: [4], dtype: "int64", draw: (r) => r.integer(6) }, { shape: [4] }],
    build: (x, i, u) => op.scatterElements(x, i, u, { reduction: "add" }),
  },
  "ScatterElements, replace": {
    inputs: [{ shape: [6] }, { shape: [4], dtype: "int64", draw: (_, i) => i + 1 }, { shape: [4] }],
    build: (x, i, u) => op.scatterElements(x, i, u),
  },
  GlobalAveragePool: {
    inputs: [{ shape: [2, 3, 4, 5], symbolic: B }],
    build: op.globalAveragePool,
    precision: "linear",
  },
};

describe("operators", () => {
  for (const [name, given] of Object.entries(CASES)) {
    it(name, () => checkGradient(given));
  }
});
