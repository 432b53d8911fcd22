import { describe, it } from "vitest";
import { checkGradient, type GradientCase } from "../../test/support/checkGradient.ts";
import * as op from "./index.ts";

const B = { 0: "batch" };
/** With sizes, the batch is one of them: it has to be known. */
const image = (options: op.ResizeOptions): GradientCase => ({
  inputs: [{ shape: [2, 2, 4, 5], symbolic: options.sizes ? {} : B }],
  build: (x) => op.resize(x!, options),
  precision: "linear",
});

const CASES: Record<string, GradientCase> = {
  "nearest, whole factors": image({ scales: [1, 1, 2, 3], coordinates: "asymmetric", nearest: "floor" }),
  "nearest, other factors": image({ scales: [1, 1, 1.5, 0.6] }),
  "nearest, prefer ceil, to sizes": image({ sizes: [2, 2, 7, 3], nearest: "round_prefer_ceil" }),
  "linear, half pixel": image({ scales: [1, 1, 2, 2], mode: "linear" }),
  "linear, align corners": image({ sizes: [2, 2, 7, 9], mode: "linear", coordinates: "align_corners" }),
  "linear, to fewer": image({ sizes: [2, 2, 3, 2], mode: "linear", coordinates: "pytorch_half_pixel" }),
  "linear, symmetric": image({
    scales: [1, 1, 1.7, 1.3],
    mode: "linear",
    coordinates: "half_pixel_symmetric",
  }),
  cubic: image({ scales: [1, 1, 2, 1.5], mode: "cubic" }),
  "cubic, align corners": image({
    sizes: [2, 2, 6, 8],
    mode: "cubic",
    coordinates: "align_corners",
    cubic: -0.5,
  }),
  "one axis of a signal": {
    inputs: [{ shape: [2, 3, 5], symbolic: B }],
    build: (x) => op.resize(x!, { scales: [1, 1, 2], mode: "linear" }),
    precision: "linear",
  },
};

describe("Resize", () => {
  for (const [name, given] of Object.entries(CASES)) it(name, () => checkGradient(given));
});

const EINSUMS: Record<string, GradientCase> = {
  "matrix product": {
    inputs: [{ shape: [2, 3] }, { shape: [3, 4] }],
    build: (a, b) => op.einsum("ij,jk->ik", a!, b!),
  },
  "attention scores": {
    inputs: [
      { shape: [2, 3, 4, 5], symbolic: B },
      { shape: [2, 6, 4, 5], symbolic: B },
    ],
    build: (q, k) => op.einsum("bqhd,bkhd->bhqk", q!, k!),
  },
  "three operands": {
    inputs: [{ shape: [2, 3] }, { shape: [3, 4] }, { shape: [2, 4] }],
    build: (a, b, c) => op.einsum("ij,jk,ik->i", a!, b!, c!),
  },
  "an axis of one operand alone": {
    inputs: [{ shape: [2, 3] }, { shape: [2] }],
    build: (a, b) => op.einsum("ij,i->i", a!, b!),
  },
  "an ellipsis, and no output": {
    inputs: [
      { shape: [2, 3, 4], symbolic: B },
      { shape: [2, 4, 5], symbolic: B },
    ],
    build: (a, b) => op.einsum("...ij,...jk", a!, b!),
  },
  transposition: { inputs: [{ shape: [2, 3] }], build: (a) => op.einsum("ij->ji", a!) },
};

describe("Einsum", () => {
  for (const [name, given] of Object.entries(EINSUMS)) it(name, () => checkGradient(given));
});
