// Resizing images and signals. Along each axis the result is a fixed matrix times the input: its transpose is the gradient.

import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { numbersOf } from "../graph/content.ts";
import type { Value } from "../graph/graph.ts";
import { type Dim, isStatic, multiplyDims, normalizeAxis, shapeText } from "../graph/shape.ts";
import { defineOperator, expectShape, int64s } from "./define.ts";
import { type InterpolationAttributes, interpolation } from "./interpolation.ts";
import { mapAxis } from "./map-axis.ts";
import { reduceSum } from "./reduce.ts";
import { knownDims, reshape } from "./reshape.ts";

/** How a place of the result is a place of the input: ONNX's names. */
export type CoordinateMode =
  | "half_pixel"
  | "half_pixel_symmetric"
  | "pytorch_half_pixel"
  | "align_corners"
  | "asymmetric";

/** Options of `resize`: `scales` or `sizes`, one number for each axis. */
export interface ResizeOptions {
  /** The axes that the numbers are for. Default: all. */
  readonly axes?: readonly number[];
  readonly scales?: readonly number[];
  readonly sizes?: readonly number[];
  /** Default: "nearest". */
  readonly mode?: "nearest" | "linear" | "cubic";
  /** Default: "half_pixel". */
  readonly coordinates?: CoordinateMode;
  /** Which neighbour is nearest. Default: "round_prefer_floor". */
  readonly nearest?: "round_prefer_floor" | "round_prefer_ceil" | "floor" | "ceil";
  /** The coefficient of cubic interpolation. Default: -0.75. */
  readonly cubic?: number;
}

/** `x` with other lengths, its elements interpolated. ONNX Resize-19. */
export function resize(x: Value, options: ResizeOptions): Value {
  const { axes, scales, sizes, mode, coordinates, nearest, cubic } = options;
  const factors = scales && x.graph.constant(Tensor.of([scales.length], scales));
  return resizeOp.emit([x, null, factors, sizes && int64s(x, sizes)], {
    axes,
    mode,
    coordinate_transformation_mode: coordinates,
    nearest_mode: nearest,
    cubic_coeff_a: cubic,
  }).output;
}

type ResizeInputs = [
  x: Value,
  roi?: Value | null | undefined,
  scales?: Value | null | undefined,
  sizes?: Value | null | undefined,
];

/** An axis that changes its length. */
interface ResizedAxis {
  readonly axis: number;
  readonly length: Dim;
  readonly resized: Dim;
  readonly scale: number;
}

function resizedAxes([x, , scales, sizes]: ResizeInputs, axes: readonly number[] | undefined): ResizedAxis[] {
  const along = (axes ?? x.shape.map((_, axis) => axis)).map((axis) => normalizeAxis(axis, x.rank));
  const given = sizes ? knownDims(sizes) : scales && numbersOf(scales);
  if (!given) throw new ArborizeError("invalid_graph", "its scales do not follow from the graph");
  expectShape(
    given.length === along.length,
    () => `${shapeText(given)} must have a number for each of ${along.length} axes`,
  );
  return along.map((axis, i) => {
    const length = x.shape[axis]!;
    const to = given[i]!;
    if (sizes) {
      const scale = isStatic(length) && isStatic(to) ? to / length : 1;
      return { axis, length, resized: to, scale };
    }
    return { axis, length, resized: scaled(length, to as number), scale: to as number };
  });
}

function scaled(length: Dim, scale: number): Dim {
  if (isStatic(length)) return Math.floor(length * scale);
  expectShape(Number.isInteger(scale), () => `a symbolic length ${length} cannot be scaled by ${scale}`);
  return multiplyDims(length, scale);
}

export const resizeOp = defineOperator({
  type: "Resize",
  since: 19,
  attributes: {
    antialias: "int",
    axes: "ints",
    coordinate_transformation_mode: "string",
    cubic_coeff_a: "float",
    exclude_outside: "int",
    extrapolation_value: "float",
    keep_aspect_ratio_policy: "string",
    mode: "string",
    nearest_mode: "string",
  },
  infer: (inputs: ResizeInputs, { axes, keep_aspect_ratio_policy: policy = "stretch" }) => {
    const [x] = inputs;
    if (policy !== "stretch") {
      throw new ArborizeError(
        "unsupported_attribute",
        `keep_aspect_ratio_policy "${policy}" is not supported`,
      );
    }
    const shape = [...x.shape];
    for (const { axis, resized } of resizedAxes(inputs, axes)) shape[axis] = resized;
    return [{ dtype: x.dtype, shape }];
  },
  gradient: (dy, { inputs, attributes }) => {
    const changed = resizedAxes(inputs, attributes.axes).filter(({ length, resized }) => length !== resized);
    const dx = changed.reduce((part, axis) => resizedBack(part, axis, attributes), dy);
    return [dx, null, null, null];
  },
});

/** The cotangent along one axis, by the transpose of the interpolation. */
function resizedBack(
  dy: Value,
  { axis, length, resized, scale }: ResizedAxis,
  attributes: InterpolationAttributes,
): Value {
  expectShape(
    isStatic(length) && isStatic(resized),
    () => `its gradient needs the length of axis ${axis} to be known, it is ${length}`,
  );
  const rows = interpolation({ length, resized, scale }, attributes);
  const times = resized / length;
  if (rows.every((row, i) => row[Math.floor(i / times)] === 1) && Number.isInteger(times)) {
    // Every element was repeated.
    return reduceSum(reshape(dy, dy.shape.toSpliced(axis, 1, length, times)), [axis + 1]);
  }
  const columns = Array.from({ length }, (_, j) => rows.map((row) => row[j]!));
  return mapAxis(dy, axis, columns);
}
