// A pen on a square of grey paper, and the scanner that turns the paper into bytes.

import type { Random } from "../base/random.ts";

/** How one stroke is drawn. */
export interface Pen {
  /** In pixels. */
  width: number;
  /** How dark, 0 … 1, at the stroke's beginning. */
  ink: number;
  /** The share of the ink that is lost up to the stroke's end. */
  fade: number;
  /** Where in its swelling and thinning the width begins, in radians. */
  phase: number;
}

/**
 * Points along a smooth curve (a Catmull-Rom spline) through the points of `stroke`, all as x, y, x, y, … A
 * point given twice is a corner.
 */
export function smooth(stroke: readonly number[], steps = 4): number[] {
  const count = stroke.length / 2;
  const at = (i: number, axis: number) => stroke[2 * Math.min(count - 1, Math.max(0, i)) + axis]!;
  const path = [at(0, 0), at(0, 1)];
  for (let i = 0; i < count - 1; i++) {
    if (at(i, 0) === at(i + 1, 0) && at(i, 1) === at(i + 1, 1)) continue;
    for (let step = 1; step <= steps; step++) {
      const t = step / steps;
      for (const axis of [0, 1]) {
        const [a, b, c, d] = [at(i - 1, axis), at(i, axis), at(i + 1, axis), at(i + 2, axis)];
        const [linear, square, cube] = [c - a, 2 * a - 5 * b + 4 * c - d, 3 * (b - c) + d - a];
        path.push(b + 0.5 * t * (linear + t * (square + t * cube)));
      }
    }
  }
  return path;
}

/** Draws `path` (x, y, x, y, … from 0 to 1) on a `canvas` of `size` x `size` pixels, anti-aliased. */
export function trace(canvas: Float32Array, size: number, path: readonly number[], pen: Pen): void {
  const segments = path.length / 2 - 1;
  for (let i = 0; i < segments; i++) {
    const t = i / segments;
    const ink = pen.ink * (1 - pen.fade * t);
    const reach = (pen.width / 2) * (1 + 0.25 * Math.sin(pen.phase + 5 * t)) + 0.5;
    const [x0, y0] = [path[2 * i]! * size - 0.5, path[2 * i + 1]! * size - 0.5];
    const [ux, uy] = [path[2 * i + 2]! * size - 0.5 - x0, path[2 * i + 3]! * size - 0.5 - y0];
    const squared = ux * ux + uy * uy || 1;
    const left = Math.max(0, Math.ceil(Math.min(x0, x0 + ux) - reach));
    const right = Math.min(size - 1, Math.floor(Math.max(x0, x0 + ux) + reach));
    const top = Math.max(0, Math.ceil(Math.min(y0, y0 + uy) - reach));
    const bottom = Math.min(size - 1, Math.floor(Math.max(y0, y0 + uy) + reach));
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        // The distance to the segment's nearest point says how much of the pixel the pen covers.
        const along = Math.min(1, Math.max(0, ((x - x0) * ux + (y - y0) * uy) / squared));
        const dx = x - x0 - along * ux;
        const dy = y - y0 - along * uy;
        const grey = Math.min(1, reach - Math.sqrt(dx * dx + dy * dy)) * ink;
        // The darker wins: strokes that cross, or a stroke's own segments, do not add up.
        if (grey > canvas[y * size + x]!) canvas[y * size + x] = grey;
      }
    }
  }
}

/** Standard deviation of the sum of four uniform bytes, a nearly normal number that costs one draw. */
const BYTES_DEVIATION = Math.sqrt((4 * (256 ** 2 - 1)) / 12);

/**
 * Writes `canvas` as bytes into `image`: `blur` is the share of a 3 x 3 mean in each pixel, `noise` the
 * standard deviation of what is added to it, of 1.
 */
export function scan(
  canvas: Float32Array,
  size: number,
  image: Uint8Array,
  optics: { blur: number; noise: number; random: Random },
): void {
  const { blur, random } = optics;
  const noise = optics.noise / BYTES_DEVIATION;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      let sum = 0;
      for (let v = Math.max(0, y - 1); v <= Math.min(size - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(size - 1, x + 1); u++) sum += canvas[v * size + u]!;
      }
      const bits = random.uint32();
      const bytes = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
      const grey = (1 - blur) * canvas[y * size + x]! + (blur * sum) / 9 + noise * (bytes - 510);
      image[y * size + x] = Math.round(255 * Math.min(1, Math.max(0, grey)));
    }
  }
}
