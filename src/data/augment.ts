// Augmentation: images that are turned, moved, scaled, sheared and mirrored a little, anew in every epoch.

import { ArborizeError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { Tensor } from "../base/tensor.ts";
import type { Batch } from "./dataset.ts";
import { checkNames } from "./options.ts";
import type { BatchTransform } from "./transform.ts";

/** A range to draw from: `[low, high]`, or one number for as much to either side of 0. */
export type Range = number | readonly [low: number, high: number];

/** What `augment` does. What is not named is not done. */
export interface AugmentOptions {
  /** Degrees to turn by, clockwise. */
  rotate?: Range;
  /** Degrees to shear by, along rows. */
  shear?: Range;
  /** Shares of the width and of the height to move by. */
  translate?: Range;
  /** Factors to scale by, as `[0.9, 1.1]`. */
  scale?: readonly [low: number, high: number];
  /** Whole pixels to move by at most, each way: a crop of the image with a border of so many pixels. */
  crop?: number;
  /** Probability of mirroring left and right. */
  flip?: number;
  /** What lies outside the image, one number or one a channel: black is `-mean / std`. Default: 0. */
  fill?: number | readonly number[];
  /** Default: "nearest", as torchvision's. */
  interpolation?: "nearest" | "bilinear";
  /** The field of the images, `[batch, channels, height, width]`. Default: "x". */
  field?: string;
}

const NAMES = [
  "rotate",
  "shear",
  "translate",
  "scale",
  "crop",
  "flip",
  "fill",
  "interpolation",
  "field",
] as const satisfies (keyof AugmentOptions)[];

/**
 * Makes the transform of batches for `batches(train, { shuffle: true, transform: augment({ rotate: 10 }) })`. Each image is
 * drawn its own map, which is one affine map of coordinates around the middle, as of torchvision's RandomAffine, then the crop,
 * then the mirror; pixels are read once. It runs on a thread beside the training thread where batches are met by `for await`, as in
 * `fit`.
 *
 * @throws `bad_option` for options that there are not and ranges that are none; when used, `missing_input` for a batch without
 * the field, `shape_mismatch` for images of other axes.
 */
export function augment(options: AugmentOptions): BatchTransform {
  checkNames("augment", options, NAMES);
  const { flip = 0, crop = 0, fill = 0, interpolation = "nearest", field = "x" } = options;
  const rotate = range("rotate", options.rotate);
  const shear = range("shear", options.shear);
  const translate = range("translate", options.translate);
  const scale = range("scale", options.scale ?? [1, 1]);
  if (scale[0] <= 0)
    throw new ArborizeError("bad_option", `augment: scale is ${scale}, wanted factors above 0.`);
  if (!(flip >= 0 && flip <= 1))
    throw new ArborizeError("bad_option", `augment: flip is ${flip}, wanted 0 … 1.`);
  if (!(Number.isInteger(crop) && crop >= 0)) {
    throw new ArborizeError("bad_option", `augment: crop is ${crop}, wanted whole pixels from 0.`);
  }
  const transform = (batch: Batch, random: Random): Batch => {
    const images = batch[field];
    if (!images) throw new ArborizeError("missing_input", `augment: the batch has no field "${field}".`);
    const [n = 0, channels = 0, height = 0, width = 0] = images.shape;
    const outside = typeof fill === "number" ? new Array<number>(channels).fill(fill) : fill;
    if (images.shape.length !== 4 || images.dtype !== "float32" || outside.length !== channels) {
      const wanted = `float32 [batch, channels, height, width] and a fill for each channel`;
      throw new ArborizeError("shape_mismatch", `augment: "${field}" is ${images}, wanted ${wanted}.`);
    }
    const from = images.data as Float32Array;
    const to = new Float32Array(from.length);
    const size = channels * height * width;
    const sample = interpolation === "nearest" ? nearest : bilinear;
    for (let i = 0; i < n; i++) {
      const map = inverseMap({
        angle: random.uniform(...rotate),
        shear: random.uniform(...shear),
        scale: random.uniform(...scale),
        x: random.uniform(...translate) * width + shift(random, crop),
        y: random.uniform(...translate) * height + shift(random, crop),
        mirrored: random.uniform() < flip,
      });
      const start = i * size;
      sample(
        from.subarray(start, start + size),
        to.subarray(start, start + size),
        height,
        width,
        map,
        outside,
      );
    }
    return { ...batch, [field]: new Tensor("float32", images.shape, to) };
  };
  return Object.assign(transform, { augment: structuredClone(options) });
}

function range(name: string, given: Range = 0): readonly [number, number] {
  const [low, high] = typeof given === "number" ? [-given, given] : given;
  if (Number.isFinite(low) && Number.isFinite(high) && low <= high) return [low, high];
  throw new ArborizeError("bad_option", `augment: ${name} is ${given}, wanted a number or [low, high].`);
}

function shift(random: Random, most: number): number {
  return most === 0 ? 0 : random.integer(2 * most + 1) - most;
}

/** From a place in the new image to one in the old: `x' = a x + b y + c`, `y' = d x + e y + f`, around the middle. */
type AffineMap = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

interface Drawn {
  readonly angle: number;
  readonly shear: number;
  readonly scale: number;
  readonly x: number;
  readonly y: number;
  readonly mirrored: boolean;
}

/** The inverse of: shear along rows, turn, scale, move. */
function inverseMap({ angle, shear, scale, x, y, mirrored }: Drawn): AffineMap {
  const [turn, slope] = [(angle * Math.PI) / 180, Math.tan((shear * Math.PI) / 180)];
  const [cos, sin] = [Math.cos(turn) / scale, Math.sin(turn) / scale];
  // The turn back, then the shear back.
  const [d, e] = [-sin, cos];
  const [a, b] = [cos + slope * d, sin + slope * e];
  const sign = mirrored ? -1 : 1;
  return [sign * a, sign * b, sign * -(a * x + b * y), d, e, -(d * x + e * y)];
}

type Sampler = (
  from: Float32Array,
  to: Float32Array,
  height: number,
  width: number,
  map: AffineMap,
  fill: readonly number[],
) => void;

const nearest: Sampler = (from, to, height, width, [a, b, c, d, e, f], fill) => {
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const pixels = height * width;
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const [x, y] = [column - middleX, row - middleY];
      const sourceX = Math.round(a * x + b * y + c + middleX);
      const sourceY = Math.round(d * x + e * y + f + middleY);
      const inside = sourceX >= 0 && sourceX < width && sourceY >= 0 && sourceY < height;
      const source = sourceY * width + sourceX;
      for (let channel = 0; channel < fill.length; channel++) {
        to[channel * pixels + at] = inside ? from[channel * pixels + source]! : fill[channel]!;
      }
    }
  }
};

const bilinear: Sampler = (from, to, height, width, [a, b, c, d, e, f], fill) => {
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const pixels = height * width;
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const [x, y] = [column - middleX, row - middleY];
      const sourceX = a * x + b * y + c + middleX;
      const sourceY = d * x + e * y + f + middleY;
      const [left, top] = [Math.floor(sourceX), Math.floor(sourceY)];
      const [right, below] = [sourceX - left, sourceY - top];
      const leftIn = left >= 0 && left < width;
      const rightIn = left >= -1 && left < width - 1;
      const topIn = top >= 0 && top < height;
      const belowIn = top >= -1 && top < height - 1;
      for (let channel = 0; channel < fill.length; channel++) {
        const corner = channel * pixels + top * width + left;
        const otherwise = fill[channel]!;
        const v00 = leftIn && topIn ? from[corner]! : otherwise;
        const v01 = rightIn && topIn ? from[corner + 1]! : otherwise;
        const v10 = leftIn && belowIn ? from[corner + width]! : otherwise;
        const v11 = rightIn && belowIn ? from[corner + width + 1]! : otherwise;
        const upper = v00 * (1 - right) + v01 * right;
        const lower = v10 * (1 - right) + v11 * right;
        to[channel * pixels + at] = upper * (1 - below) + lower * below;
      }
    }
  }
};
