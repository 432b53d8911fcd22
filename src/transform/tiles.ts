// Images in tiles, and the ways into and out of them.

import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { type Shape, sameShape } from "../graph/shape.ts";
import { pad, reshape, slice, transpose } from "../ops/index.ts";
import { TILE } from "./bilinear.ts";
import { transposedRows } from "./rows.ts";

/**
 * How an image value `[B, C, H, W]` lies in tiles: `[side², C, Ty, Tx, B]`, see `tiledConv`. Tiles of side 1 are the elements
 * in their order, of `unfoldedConv`.
 */
export interface Tiles {
  readonly side: 1 | 2 | typeof TILE;
  readonly tiles: readonly [number, number];
  /** What the value is in order. The tiles may cover more. */
  readonly shape: Shape;
}

export function sameTiles(a: Tiles, b: Tiles): boolean {
  return a.side === b.side && sameShape(a.shape, b.shape);
}

/** Whether tiles hold nothing but the value. */
export function areFull({ side, tiles, shape }: Tiles): boolean {
  return tiles.every((count, i) => count * side === shape[i + 2]);
}

/** A value out of its tiles, as `[C, H, W, B]`. */
export function untiled(value: Value, { side, tiles: [ty, tx], shape }: Tiles): Value {
  const [, channels, height, width] = shape as [unknown, number, number, number];
  const batch = value.shape[4]!;
  if (side === 1) return reshape(value, [channels, height, width, batch]);
  // Axes: (py, px,) wy, wx, C, Ty, Tx, B.
  const places = side === TILE ? [2, 2, 2, 2] : [2, 2];
  const apart = reshape(value, [...places, channels, ty, tx, batch]);
  const perm = side === TILE ? [4, 5, 2, 0, 6, 3, 1, 7] : [2, 3, 0, 4, 1, 5];
  const joined = reshape(transposedRows(apart, perm), [channels, ty * side, tx * side, batch]);
  const cut = [
    { axis: 1, start: 0, end: height },
    { axis: 2, start: 0, end: width },
  ].filter(({ axis, end }) => joined.shape[axis] !== end);
  return cut.length === 0 ? joined : slice(joined, cut);
}

/** A value out of its tiles, as `[B, C, H, W]`. */
export function inOrder(value: Value, tiles: Tiles): Value {
  // By way of [C, H, W, B]: moving one axis past a block of others is a matrix transposition, which is fast.
  return transpose(untiled(value, tiles), [3, 0, 1, 2]);
}

/** `[B, C, H, W]` as tiles, those of an image one after another: `[B, side², C, Ty, Tx]`, with zeros where they cover more. */
export function tiledApart(value: Value, { side, tiles: [ty, tx], shape }: Tiles): Value {
  const [batch, channels, height, width] = shape as [Shape[number], number, number, number];
  if (side === 1) return reshape(value, [batch, 1, channels, height, width]);
  const missing = [
    { axis: 2, before: 0, after: ty * side - height },
    { axis: 3, before: 0, after: tx * side - width },
  ].filter(({ after }) => after > 0);
  const whole = missing.length === 0 ? value : pad(value, missing);
  // Axes: B, C, Ty, (wy,) py, Tx, (wx,) px.
  const parts = side === TILE ? [2, 2] : [2];
  const apart = reshape(whole, [batch, channels, ty, ...parts, tx, ...parts]);
  const perm = side === TILE ? [0, 4, 7, 3, 6, 1, 2, 5] : [0, 3, 5, 1, 2, 4];
  return reshape(transpose(apart, perm), [batch, side * side, channels, ty, tx]);
}

/** What `tiledApart` gives as `[side², C, Ty, Tx, B]`. */
export function tiledTogether(value: Value): Value {
  const [batch, ...rest] = value.shape as [Shape[number], ...number[]];
  const size = rest.reduce((product, length) => product * length, 1);
  return reshape(transpose(reshape(value, [batch, size]), [1, 0]), [...rest, batch]);
}

/** 1 at elements and 0 where tiles cover more, to be broadcast over a value in tiles; undefined where they don't. */
export function countedIn(value: Value, tiles: Tiles): Value | undefined {
  if (areFull(tiles)) return undefined;
  const { side, shape } = tiles;
  const [ty, tx] = tiles.tiles;
  const [height, width] = shape.slice(2) as [number, number];
  const data: number[] = [];
  for (let place = 0; place < side * side; place++) {
    // (py, px), or (py, px, wy, wx).
    const [within, window] = side === TILE ? [place >> 2, place & 3] : [place, 0];
    const [py, px, wy, wx] = [within >> 1, within & 1, window >> 1, window & 1];
    for (let y = 0; y < ty; y++) {
      for (let x = 0; x < tx; x++) {
        const inside = y * side + 2 * wy + py < height && x * side + 2 * wx + px < width;
        data.push(inside ? 1 : 0);
      }
    }
  }
  return value.graph.constant(Tensor.of([side * side, 1, ty, tx, 1], data, value.dtype));
}
