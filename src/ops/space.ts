// Operators that exchange channels and places.

import { ArborizeError } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";
import { divideDims, multiplyDims, shapeText } from "../graph/shape.ts";
import { reshapeBy } from "./concat.ts";
import { defineOperator, expectShape } from "./define.ts";
import { reshapeLike, transpose } from "./reshape.ts";

/** In which order channels are taken apart: blocks first ("DCR") or blocks last ("CRD", PyTorch's pixel_shuffle). */
export type DepthToSpaceMode = "DCR" | "CRD";

/** `[B, C * size², H, W]` to `[B, C, H * size, W * size]`. ONNX DepthToSpace-13. */
export function depthToSpace(x: Value, blocksize: number, mode: DepthToSpaceMode = "DCR"): Value {
  return depthToSpaceOp.emit([x], { blocksize, mode }).output;
}

export const depthToSpaceOp = defineOperator({
  type: "DepthToSpace",
  since: 13,
  attributes: { blocksize: "int", mode: "string" },
  infer: ([x]: [Value], { blocksize: size = 1, mode = "DCR" }) => {
    if (mode !== "DCR" && mode !== "CRD") {
      throw new ArborizeError("unsupported_attribute", `mode "${mode}" is not one of DCR, CRD`);
    }
    const [batch, channels, height, width] = imageShape(x);
    const depth = divideDims(channels, size * size);
    expectShape(
      depth !== undefined,
      () => `${channels} channels do not divide into blocks of ${size} x ${size}`,
    );
    return [{ dtype: x.dtype, shape: [batch, depth, multiplyDims(height, size), multiplyDims(width, size)] }];
  },
  gradient: (dy, { inputs: [x], attributes: { blocksize: size = 1, mode = "DCR" } }) => {
    if (mode === "DCR") return [spaceToDepth(dy, size)];
    const [batch, channels, height, width] = imageShape(x);
    const depth = divideDims(channels, size * size)!;
    const apart = reshapeBy(dy, [batch, depth, height, size, width, size], x);
    return [reshapeLike(transpose(apart, [0, 1, 3, 5, 2, 4]), x)];
  },
});

/** `[B, C, H * size, W * size]` to `[B, C * size², H, W]`, blocks before channels. ONNX SpaceToDepth-13. */
export function spaceToDepth(x: Value, blocksize: number): Value {
  return spaceToDepthOp.emit([x], { blocksize }).output;
}

export const spaceToDepthOp = defineOperator({
  type: "SpaceToDepth",
  since: 13,
  attributes: { blocksize: "int" },
  infer: ([x]: [Value], { blocksize: size = 1 }) => {
    const [batch, channels, ...places] = imageShape(x);
    const fewer = places.map((length) => divideDims(length, size));
    expectShape(
      !fewer.includes(undefined),
      () => `${shapeText(x.shape)} does not divide into blocks of ${size} x ${size}`,
    );
    return [{ dtype: x.dtype, shape: [batch, multiplyDims(channels, size * size), fewer[0]!, fewer[1]!] }];
  },
  gradient: (dy, { attributes: { blocksize: size = 1 } }) => [depthToSpace(dy, size)],
});

function imageShape(x: Value) {
  const [batch, channels, height, width] = x.shape;
  expectShape(
    x.rank === 4,
    () => `its input must be [batch, channels, height, width], it is ${shapeText(x.shape)}`,
  );
  return [batch!, channels!, height!, width!] as const;
}
