// Images and signals with other lengths: interpolation, and channels exchanged for places.

import { ArborizeError } from "../../base/errors.ts";
import type { Value } from "../../graph/graph.ts";
import { divideDims, isStatic, multiplyDims, shapeText } from "../../graph/shape.ts";
import { expectShape } from "../../ops/define.ts";
import * as op from "../../ops/index.ts";
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from "./adaptive.ts";
import { type PerAxis, perAxis } from "./operand.ts";

/** How `interpolate` makes up elements, as PyTorch names it. */
export type InterpolationMode =
  | "nearest"
  | "nearest-exact"
  | "linear"
  | "bilinear"
  | "bicubic"
  | "trilinear"
  | "area";

/** Options of `interpolate`: `size` or `scaleFactor`. */
export interface InterpolateOptions {
  /** Lengths of the spatial axes. */
  readonly size?: PerAxis;
  /** What the lengths of the spatial axes are multiplied by. */
  readonly scaleFactor?: PerAxis;
  /** "linear" is for one spatial axis, "bilinear" and "bicubic" for two, "trilinear" for three. Default: "nearest". */
  readonly mode?: InterpolationMode;
  /** Let the centers of the outermost elements stay where they are; for linear and cubic modes. Default: false. */
  readonly alignCorners?: boolean;
}

/** How many spatial axes a mode is for; the others are for any number. */
const AXES: Readonly<Partial<Record<InterpolationMode, number>>> = {
  linear: 1,
  bilinear: 2,
  bicubic: 2,
  trilinear: 3,
};

/** `[B, C, ...]` with other lengths of its spatial axes. PyTorch's F.interpolate, without antialiasing. */
export function interpolate(x: Value, options: InterpolateOptions): Value {
  const { size, scaleFactor, mode = "nearest", alignCorners = false } = options;
  const rank = x.rank - 2;
  const fits = rank > 0 && rank <= 3 && (AXES[mode] ?? rank) === rank;
  expectShape(fits, () => `mode "${mode}" does not interpolate ${shapeText(x.shape)}`);
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw new ArborizeError("bad_option", "interpolate takes a size or a scaleFactor, one of them.");
  }
  const bends = mode !== "nearest" && mode !== "nearest-exact" && mode !== "area";
  if (alignCorners && !bends) {
    throw new ArborizeError("bad_option", `alignCorners has no meaning with mode "${mode}".`);
  }
  const sizes = size === undefined ? undefined : perAxis(size, rank);
  const scales = scaleFactor === undefined ? undefined : perAxis(scaleFactor, rank);
  if (mode === "area") return averaged(x, sizes ?? scaledLengths(x, scales!));
  const axes = x.shape.map((_, axis) => axis).slice(2);
  // A size and aligned corners decide where elements come from; factors do where they are given, as in PyTorch.
  const target = alignCorners && scales ? { sizes: scaledLengths(x, scales) } : { sizes, scales };
  const { mode: kind, coordinates, nearest } = RESIZED[mode];
  return op.resize(x, {
    axes,
    ...(target.sizes ? { sizes: target.sizes } : { scales: scales! }),
    mode: kind,
    coordinates: alignCorners ? "align_corners" : coordinates,
    ...(nearest ? { nearest } : {}),
  });
}

type Resized = Pick<op.ResizeOptions, "nearest"> & Required<Pick<op.ResizeOptions, "mode" | "coordinates">>;
const LINEAR: Resized = { mode: "linear", coordinates: "half_pixel" };

/** The modes in ONNX's words. */
const RESIZED: Readonly<Record<Exclude<InterpolationMode, "area">, Resized>> = {
  nearest: { mode: "nearest", coordinates: "asymmetric", nearest: "floor" },
  "nearest-exact": { mode: "nearest", coordinates: "half_pixel", nearest: "round_prefer_ceil" },
  linear: LINEAR,
  bilinear: LINEAR,
  trilinear: LINEAR,
  bicubic: { mode: "cubic", coordinates: "half_pixel" },
};

/** The spatial lengths of `x` times factors, rounded down. */
function scaledLengths(x: Value, scales: readonly number[]): number[] {
  return x.shape.slice(2).map((length, i) => {
    expectShape(isStatic(length), () => `the spatial axes of ${shapeText(x.shape)} must be known`);
    return Math.floor(length * scales[i]!);
  });
}

function averaged(x: Value, sizes: readonly number[]): Value {
  const pools = [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d] as const;
  return pools[sizes.length - 1]!(x, sizes);
}

/** Channels as places: `[B, C * upscaleFactor², H, W]` to `[B, C, H * upscaleFactor, W * upscaleFactor]`. */
export function pixelShuffle(x: Value, upscaleFactor: number): Value {
  return op.depthToSpace(x, upscaleFactor, "CRD");
}

/** Places as channels: `[B, C, H * downscaleFactor, W * downscaleFactor]` to `[B, C * downscaleFactor², H, W]`. */
export function pixelUnshuffle(x: Value, downscaleFactor: number): Value {
  const factor = downscaleFactor;
  const [batch, channels, ...places] = x.shape;
  const [height, width] = places.map((length) => divideDims(length, factor));
  expectShape(
    x.rank === 4 && height !== undefined && width !== undefined,
    () => `${shapeText(x.shape)} does not divide into blocks of ${factor} x ${factor}`,
  );
  const apart = op.reshape(x, [batch!, channels!, height, factor, width, factor]);
  const blocks = op.transpose(apart, [0, 1, 3, 5, 2, 4]);
  return op.reshape(blocks, [batch!, multiplyDims(channels!, factor * factor), height, width]);
}
