// The weights by which resizing interpolates, as ONNX defines them: one row of weights for each place of the result.

import { ArborizeError } from "../base/errors.ts";

/** The attributes of Resize that decide weights. */
export interface InterpolationAttributes {
  readonly antialias?: number | undefined;
  readonly coordinate_transformation_mode?: string | undefined;
  readonly cubic_coeff_a?: number | undefined;
  readonly exclude_outside?: number | undefined;
  readonly mode?: string | undefined;
  readonly nearest_mode?: string | undefined;
}

/** An axis before and after. */
export interface ResizedLength {
  readonly length: number;
  readonly resized: number;
  readonly scale: number;
}

/** `[resized][length]`: how much of each input element each output element is made of. */
export function interpolation(axis: ResizedLength, attributes: InterpolationAttributes): number[][] {
  const { mode = "nearest", antialias = 0 } = attributes;
  if (antialias) throw new ArborizeError("not_differentiable", "with antialias it has no gradient");
  return Array.from({ length: axis.resized }, (_, i) => {
    const place = sourceOf(i, axis, attributes.coordinate_transformation_mode ?? "half_pixel");
    if (mode === "nearest")
      return nearest(place, axis.length, attributes.nearest_mode ?? "round_prefer_floor");
    return mode === "linear" ? linear(place, axis.length) : cubic(place, axis.length, attributes);
  });
}

/** Where place `i` of the result lies in the input. Rounded as the runtime computes it, so that ties fall alike. */
function sourceOf(i: number, { length, resized, scale }: ResizedLength, mode: string): number {
  const centered = Math.fround((i + 0.5) / Math.fround(scale)) - 0.5;
  switch (mode) {
    case "half_pixel":
      return Math.fround(centered);
    case "pytorch_half_pixel":
      return resized > 1 ? Math.fround(centered) : 0;
    case "align_corners":
      return resized === 1 ? 0 : Math.fround((i * (length - 1)) / (resized - 1));
    case "asymmetric":
      return Math.fround(i / Math.fround(scale));
    case "half_pixel_symmetric": {
      const adjustment = resized / (Math.fround(scale) * length);
      return Math.fround((length / 2) * (1 - adjustment) + centered);
    }
  }
  throw new ArborizeError("not_differentiable", `with coordinates "${mode}" it has no gradient`);
}

function nearest(place: number, length: number, mode: string): number[] {
  const rounded: Readonly<Record<string, number>> = {
    round_prefer_floor: Math.ceil(place - 0.5),
    round_prefer_ceil: Math.floor(place + 0.5),
    floor: Math.floor(place),
    ceil: Math.ceil(place),
  };
  const at = rounded[mode];
  if (at === undefined) {
    throw new ArborizeError("unsupported_attribute", `nearest_mode "${mode}" is not one of ONNX's`);
  }
  return weightsAt([[at, 1]], length);
}

function linear(place: number, length: number): number[] {
  const within = Math.min(Math.max(place, 0), length - 1);
  const left = Math.floor(within);
  return weightsAt(
    [
      [left, 1 - (within - left)],
      [left + 1, within - left],
    ],
    length,
  );
}

/** The four neighbours by the kernel of Keys (1981), "Cubic Convolution Interpolation for Digital Image Processing". */
function cubic(place: number, length: number, attributes: InterpolationAttributes): number[] {
  const { cubic_coeff_a: a = -0.75, exclude_outside: exclude = 0 } = attributes;
  const left = Math.floor(place);
  const neighbours = [-1, 0, 1, 2].map((k): [number, number] => {
    const t = Math.abs(place - left - k);
    const near = (a + 2) * t ** 3 - (a + 3) * t ** 2 + 1;
    const far = a * t ** 3 - 5 * a * t ** 2 + 8 * a * t - 4 * a;
    return [left + k, t <= 1 ? near : far];
  });
  if (!exclude) return weightsAt(neighbours, length);
  const inside = neighbours.filter(([at]) => at >= 0 && at < length);
  const total = inside.reduce((sum, [, weight]) => sum + weight, 0);
  return weightsAt(
    inside.map(([at, weight]) => [at, weight / total]),
    length,
  );
}

/** A row of weights; what lies outside counts at the edge. */
function weightsAt(neighbours: readonly (readonly [number, number])[], length: number): number[] {
  const row = new Array<number>(length).fill(0);
  for (const [at, weight] of neighbours) row[Math.min(Math.max(at, 0), length - 1)]! += weight;
  return row;
}
