// Small pictures of numbers: kernels and examples as PNG in a data URI.

import { encode } from "fast-png";

/** Pixels of the longer side at most; larger ones are shown by every second, third, … pixel. */
const MOST = 64;

/**
 * Numbers as a picture, from black for `low` to white for `high`.
 *
 * @param shape channels, height, width: one channel is grey, three are red, green and blue.
 */
export function pictureOf(
  numbers: ArrayLike<number>,
  [channels, height, width]: readonly [number, number, number],
  [low, high]: readonly [number, number],
): string {
  const step = Math.ceil(Math.max(height, width) / MOST);
  const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)];
  const data = new Uint8Array(rows * columns * channels);
  const scale = high > low ? 255 / (high - low) : 0;
  let at = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      for (let c = 0; c < channels; c++) {
        const value = numbers[(c * height + i * step) * width + j * step]!;
        data[at++] = Math.max(0, Math.min(255, Math.round((value - low) * scale)));
      }
    }
  }
  const png = encode({ width: columns, height: rows, data, channels, depth: 8 });
  return `data:image/png;base64,${btoa(Array.from(png, (byte) => String.fromCharCode(byte)).join(""))}`;
}

/** The least and the greatest of numbers. */
export function rangeOf(numbers: ArrayLike<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < numbers.length; i++) {
    low = Math.min(low, numbers[i]!);
    high = Math.max(high, numbers[i]!);
  }
  return [low, high];
}
