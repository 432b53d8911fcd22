// Convolutions by bilinear algorithms: inputs and kernels are transformed, multiplied place by place, and the products
// transformed to outputs. There are fewer products than in the direct form, and the transformed input serves every convolution
// that reads it: a neuron's and all its dendrites', forward and in the gradient of their weights.

import { invariant } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";
import { multiplyDims } from "../graph/shape.ts";
import { withoutChannelFactor } from "../ops/factor.ts";
import { add, matMul, reduceSum, reshape, slice, transpose } from "../ops/index.ts";
import { constantMatrix, kronecker, type Matrix } from "./matrix.ts";
import { transposedRows } from "./rows.ts";

/** Outputs along one side of a tile of Winograd's form. */
export const TILE = 4;

/** An algorithm for 3x3 kernels of stride 1, by what it does along one side. */
export interface Form {
  /** Outputs along one side of a tile. */
  readonly side: 2 | typeof TILE;
  /** The transform of inputs, Bᵀ: a row for each product. */
  readonly input: Matrix;
  /** The transform of kernels, G. */
  readonly kernel: Matrix;
  /** The transform of products to outputs, Aᵀ. */
  readonly output: Matrix;
}

/**
 * Winograd's minimal filtering, F(4x4, 3x3) of Lavin and Gray (2015), "Fast Algorithms for Convolutional Neural Networks":
 * a quarter of the products of the direct form.
 */
export const WINOGRAD: Form = {
  side: TILE,
  input: [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
  ],
  kernel: [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
  ],
  output: [
    [1, 1, 1, 1, 1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1, 1, 4, 4, 0],
    [0, 1, -1, 8, -8, 1],
  ],
};

/**
 * A map of two places with one of padding on either side, which reads nothing but zeros there: a Toeplitz matrix of two rows
 * by a vector, y0 = g1 x0 + g2 x1 and y1 = g0 x0 + g1 x1, in three products as by Karatsuba: with p = g1 (x0 + x1) it is
 * y0 = p + (g2 - g1) x1 and y1 = p + (g0 - g1) x0. On a map of 2x2 a quarter of the products of the direct form.
 */
export const TOEPLITZ: Form = {
  side: 2,
  input: [
    [1, 1],
    [0, 1],
    [1, 0],
  ],
  kernel: [
    [0, 1, 0],
    [0, -1, 1],
    [1, -1, 0],
  ],
  output: [
    [1, 1, 0],
    [1, 0, 1],
  ],
};

/** Where a convolution's tiles lie. */
export interface Tiling {
  readonly form: Form;
  /** Zeros above and left of the input that the tiles cover. */
  readonly padding: readonly [top: number, left: number];
  /** Tiles along height and width. */
  readonly tiles: readonly [number, number];
}

/**
 * A 3x3 convolution of stride 1.
 *
 * @param x `[C, H, W, B]`, channels first and the batch innermost.
 * @param w `[M, C, 3, 3]`.
 * @param b `[M]`, or null for none.
 * @returns tiles `[side², M, Ty, Tx, B]`. The first axis runs over the places (py, px) in a 2x2 window, then over the windows
 *   (wy, wx) of the tile: the place of row 2 wy + py and column 2 wx + px. So the maximum over 2x2 windows is one over the
 *   slowest axis.
 */
export function tiledConv(x: Value, w: Value, b: Value | null, { form, padding, tiles }: Tiling): Value {
  const [height, width, batch] = [x.shape[1] as number, x.shape[2] as number, x.shape[3]!];
  const [inputs, outputs] = [w.shape[1] as number, w.shape[0] as number];
  const [ty, tx] = tiles;
  const places = multiplyDims(ty * tx, batch);
  const along = form.input.length;
  const count = along ** 2;

  // V: both sides of every tile transformed, [products, C, Ty Tx B].
  const acrossWidth = matMul(inputTransform(x, form, width, padding[1], tx), x);
  const columns = multiplyDims(along * tx, batch);
  const rows = reshape(acrossWidth, [inputs, height, columns]);
  const acrossBoth = matMul(inputTransform(x, form, height, padding[0], ty), rows);
  const apart = reshape(acrossBoth, [inputs, along, ty, along, multiplyDims(tx, batch)]);
  const v = reshape(transposedRows(apart, [1, 3, 0, 2, 4]), [count, inputs, places]);

  // U: the kernels transformed, [products, M, C].
  const kernels = transpose(reshape(w, [outputs * inputs, 9]));
  const toProducts = constantMatrix(x, kronecker(form.kernel, form.kernel));
  const u = reshape(matMul(toProducts, kernels), [count, outputs, inputs]);

  const toOutputs = constantMatrix(x, outputTransform(form));
  const products = reshape(matMul(u, v), [count, multiplyDims(outputs, places)]);
  const tiled = reshape(matMul(toOutputs, products), [form.side ** 2, outputs, ty, tx, batch]);
  const y = b ? add(tiled, reshape(b, [outputs, 1, 1, 1])) : tiled;

  const rule = (dy: Value) => {
    const { value, times } = withoutChannelFactor(dy, outputs, 3);
    const flat = reshape(value, [form.side ** 2, multiplyDims(outputs, places)]);
    const dm = reshape(matMul(transpose(toOutputs), flat), [count, outputs, places]);
    const du = times(matMul(dm, transpose(v, [0, 2, 1])), 1);
    const dv = matMul(transpose(times(u, 1), [0, 2, 1]), dm);
    return b ? [du, dv, times(tileSums(dm, form))] : [du, dv];
  };
  x.graph.customGradients.set(y, { inputs: b ? [u, v, b] : [u, v], rule });
  return y;
}

/**
 * The sums of cotangents `[M]` from those of the products: where a column of Aᵀ is all ones, the product by it on both sides
 * has the sum over its tile already.
 */
function tileSums(dm: Value, { output }: Form): Value {
  const ones = output[0]!.findIndex((_, column) => output.every((row) => row[column] === 1));
  invariant(ones >= 0, "no product goes into every output");
  const at = ones * output[0]!.length + ones;
  const sums = slice(dm, [{ axis: 0, start: at, end: at + 1 }]);
  return reshape(reduceSum(sums, [2]), [dm.shape[1]!]);
}

/** `[products T, length]`: row (p, t) is row p of Bᵀ laid on the inputs of tile t; padding is left out, being zero. */
function inputTransform(like: Value, { input, side }: Form, length: number, before: number, tiles: number) {
  const matrix = Array.from({ length: input.length * tiles }, (_, row) => {
    const [p, t] = [Math.floor(row / tiles), row % tiles];
    return Array.from({ length }, (_, j) => input[p]![j + before - side * t] ?? 0);
  });
  return constantMatrix(like, matrix);
}

/** Aᵀ ⊗ Aᵀ with its rows in the order (py, px, wy, wx). */
function outputTransform({ output, side }: Form): Matrix {
  const full = kronecker(output, output);
  const windows = [...new Array(side / 2).keys()];
  const order = [0, 1].flatMap((py) =>
    [0, 1].flatMap((px) => windows.flatMap((wy) => windows.map((wx) => (2 * wy + py) * side + 2 * wx + px))),
  );
  return order.map((row) => full[row]!);
}

/** Tiles that are needed to cover `length` outputs. */
export function tilesFor(length: number, { side }: Form): number {
  return Math.ceil(length / side);
}
