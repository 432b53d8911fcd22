// Elements around values.

import type { Value } from "../../graph/graph.ts";
import { shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";

/** What fills the padding: a number, the mirror image without the edge, the edge, or the other end. */
export type PaddingMode = "constant" | "reflect" | "replicate" | "circular";

/** ONNX's names. */
const MODES = { constant: "constant", reflect: "reflect", replicate: "edge", circular: "wrap" } as const;

/** Options of `pad`. */
export interface PadOptions {
  /** Default: "constant". */
  readonly mode?: PaddingMode;
  /** What fills the padding of mode "constant". Default: 0. */
  readonly value?: number;
}

/**
 * `x` with more elements around it. `padding` names axes from the last to the first: before and after the last, before and
 * after the one before it, and so on. Negative numbers take elements away.
 */
export function pad(x: Value, padding: readonly number[], options: PadOptions = {}): Value {
  const { mode = "constant", value = 0 } = options;
  expectShape(
    padding.length % 2 === 0 && padding.length <= 2 * x.rank,
    () =>
      `padding ${shapeText(padding)} must have two numbers for each of the last axes of ${shapeText(x.shape)}`,
  );
  const paddings = Array.from({ length: padding.length / 2 }, (_, i) => ({
    axis: x.rank - 1 - i,
    before: padding[2 * i]!,
    after: padding[2 * i + 1]!,
  }));
  return op.pad(x, paddings, MODES[mode], value);
}
