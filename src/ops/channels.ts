// What operators over channels, the axis after the batch, share. Internal: no operator, no public name.

import type { Value } from "../graph/graph.ts";
import { shapeText } from "../graph/shape.ts";
import { expectFloats, expectShape } from "./define.ts";
import { sumOver } from "./totals.ts";

/** ONNX's (and PyTorch's) default of what is added to a variance before its root is taken. */
export const EPSILON = 1e-5;

/** Checks that values have a number for each channel of `x`, of its element type. @throws `dtype_mismatch`, `shape_mismatch`. */
export function expectPerChannel(x: Value, ...values: readonly Value[]): void {
  expectFloats(x, ...values);
  for (const each of values) {
    expectShape(
      each.rank === 1 && each.shape[0] === x.shape[1],
      () => `"${each.name}" ${shapeText(each.shape)} does not fit the channels of ${shapeText(x.shape)}`,
    );
  }
}

/** All axes but that of the channels. */
export function axesBesideChannels(x: Value): number[] {
  return x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
}

/** The sum of each channel over the batch and all places, `[C]`. */
export function sumPerChannel(x: Value): Value {
  return sumOver(x, axesBesideChannels(x));
}
