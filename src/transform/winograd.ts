// Winograd's minimal filtering for 3x3 convolutions: F(4x4, 3x3) of Lavin and Gray (2015), "Fast Algorithms for Convolutional
// Neural Networks". A quarter of the products of the direct form, and the transformed input serves every convolution that
// reads it: a neuron's and all its dendrites', forward and in the gradient of their weights.

import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { multiplyDims } from "../graph/shape.ts";
import { add, matMul, reduceSum, reshape, slice, transpose } from "../ops/index.ts";

/** Outputs along one side of a tile. */
export const TILE = 4;
/** Inputs along one side of a tile: TILE + 3 - 1. */
const SPAN = 6;

/** The transform of inputs, Bᵀ. */
const INPUT = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];

/** The transform of kernels, G. */
const KERNEL = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];

/** The transform of outputs, Aᵀ. */
const OUTPUT = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

/** Where a convolution's tiles lie. */
export interface Tiling {
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
 * @returns tiles `[16, M, Ty, Tx, B]`. The first axis runs over the places (py, px) in a 2x2 window, then over the windows
 *   (wy, wx) of the tile: the place of row 2 wy + py and column 2 wx + px. So the maximum over 2x2 windows is one over the
 *   slowest axis.
 */
export function winogradConv(x: Value, w: Value, b: Value | null, { padding, tiles }: Tiling): Value {
  const [height, width, batch] = [x.shape[1] as number, x.shape[2] as number, x.shape[3]!];
  const [inputs, outputs] = [w.shape[1] as number, w.shape[0] as number];
  const [ty, tx] = tiles;
  const places = multiplyDims(ty * tx, batch);

  // V: both sides of every tile transformed, [36, C, Ty Tx B].
  const acrossWidth = matMul(inputTransform(x, width, padding[1], tx), x);
  const columns = multiplyDims(SPAN * tx, batch);
  const rows = reshape(acrossWidth, [inputs, height, columns]);
  const acrossBoth = matMul(inputTransform(x, height, padding[0], ty), rows);
  const apart = reshape(acrossBoth, [inputs, SPAN, ty, SPAN, multiplyDims(tx, batch)]);
  const v = reshape(transpose(apart, [1, 3, 0, 2, 4]), [SPAN * SPAN, inputs, places]);

  // U: the kernels transformed, [36, M, C].
  const kernels = transpose(reshape(w, [outputs * inputs, 9]));
  const u = reshape(matMul(constant(x, kronecker(KERNEL, KERNEL)), kernels), [SPAN * SPAN, outputs, inputs]);

  const toOutputs = constant(x, outputTransform());
  const products = reshape(matMul(u, v), [SPAN * SPAN, multiplyDims(outputs, places)]);
  const tiled = reshape(matMul(toOutputs, products), [TILE * TILE, outputs, ty, tx, batch]);
  const y = b ? add(tiled, reshape(b, [outputs, 1, 1, 1])) : tiled;

  const rule = (dy: Value) => {
    const flat = reshape(dy, [TILE * TILE, multiplyDims(outputs, places)]);
    const dm = reshape(matMul(transpose(toOutputs), flat), [SPAN * SPAN, outputs, places]);
    const du = matMul(dm, transpose(v, [0, 2, 1]));
    const dv = matMul(transpose(u, [0, 2, 1]), dm);
    return b ? [du, dv, tileSums(dm)] : [du, dv];
  };
  x.graph.customGradients.set(y, { inputs: b ? [u, v, b] : [u, v], rule });
  return y;
}

/**
 * The sums of cotangents `[M]` from those of the products `[36, M, places]`: column 1 of Aᵀ is all ones, so the product (1, 1)
 * has the sum over its tile already.
 */
function tileSums(dm: Value): Value {
  const sums = slice(dm, [{ axis: 0, start: SPAN + 1, end: SPAN + 2 }]);
  return reshape(reduceSum(sums, [2]), [dm.shape[1]!]);
}

/** `[6 T, length]`: row (p, t) is row p of Bᵀ laid on the inputs of tile t; padding is left out, being zero. */
function inputTransform(like: Value, length: number, before: number, tiles: number): Value {
  const matrix = Array.from({ length: SPAN * tiles }, (_, row) => {
    const [p, t] = [Math.floor(row / tiles), row % tiles];
    return Array.from({ length }, (_, j) => INPUT[p]![j + before - TILE * t] ?? 0);
  });
  return constant(like, matrix);
}

/** `[16, 36]`: Aᵀ ⊗ Aᵀ with its rows in the order (py, px, wy, wx). */
function outputTransform(): number[][] {
  const full = kronecker(OUTPUT, OUTPUT);
  const order: number[] = [];
  for (const py of [0, 1]) {
    for (const px of [0, 1]) {
      for (const wy of [0, 1]) for (const wx of [0, 1]) order.push((2 * wy + py) * TILE + 2 * wx + px);
    }
  }
  return order.map((row) => full[row]!);
}

function kronecker(a: readonly number[][], b: readonly number[][]): number[][] {
  return a.flatMap((rowA) => b.map((rowB) => rowA.flatMap((left) => rowB.map((right) => left * right))));
}

function constant(like: Value, matrix: readonly number[][]): Value {
  const shape = [matrix.length, matrix[0]!.length];
  return like.graph.constant(Tensor.of(shape, matrix.flat(), like.dtype));
}

/** Tiles that are needed to cover `length` outputs. */
export function tilesFor(length: number): number {
  return Math.ceil(length / TILE);
}
