// Which form a convolution of images takes in training, by its shape.

import type { Node, Value } from "../graph/graph.ts";
import type { Shape } from "../graph/shape.ts";
import { type Window, windows } from "../ops/window.ts";
import { type Form, TOEPLITZ, tilesFor, WINOGRAD } from "./bilinear.ts";

/** Channels below which transforms save little: half of the time at 8 and 16 channels. */
const LEAST_TRANSFORMED = 8;

/** Channels below which unfolding does not pay. */
const LEAST_UNFOLDED = 16;

/** What the transforms add to the cost of the products. */
const TRANSFORM_COST = 1.5;

/** The windows of a convolution of images in one group; null for others. */
export function imageWindows({ attributes }: Node, shape: Shape, w: Value): readonly [Window, Window] | null {
  const { group = 1, kernel_shape: kernel } = attributes;
  if (group !== 1 || w.rank !== 4 || w.dtype !== "float32") return null;
  return windows(shape, kernel as number[], attributes) as [Window, Window];
}

/** The form with transforms that is cheaper than the direct one, for 3x3 of stride 1 with enough channels; null for none. */
export function formOf(over: readonly [Window, Window], { shape: [outputs, inputs] }: Value): Form | null {
  if (Math.min(inputs as number, outputs as number) < LEAST_TRANSFORMED) return null;
  if (!over.every(({ kernel, stride, dilation }) => kernel === 3 && stride === 1 && dilation === 1))
    return null;
  const isPair = ({ input, output, before }: Window) => input === 2 && output === 2 && before === 1;
  const form = over.every(isPair) ? TOEPLITZ : WINOGRAD;
  const products = over.reduce(
    (product, { output }) => product * tilesFor(output, form),
    form.input.length ** 2,
  );
  const direct = over.reduce((product, { output }) => product * output, 9);
  return products * TRANSFORM_COST < direct ? form : null;
}

/**
 * Whether one product for the batch is cheaper than one for each image: unfolding then moves less than the images' weight
 * gradients take, which are as large as the weights each.
 */
export function paysUnfolded(
  [rows, columns]: readonly [Window, Window],
  { shape: [outputs, inputs] }: Value,
): boolean {
  const places = rows.output * columns.output;
  return Math.min(inputs as number, outputs as number) >= LEAST_UNFOLDED && (outputs as number) >= places;
}

/** Whether a place of the output reads no more numbers than it has. */
export function isNarrow(over: readonly Window[], { shape: [outputs, inputs] }: Value): boolean {
  const taps = over.reduce((product, { kernel }) => product * kernel, 1);
  return (inputs as number) * taps <= (outputs as number);
}
