// Data sets: examples in memory that are gathered into batches. Nothing here knows about order: see
// batches.ts.

import { ArborizeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import { allocate, type DType, sizeOf, Tensor } from "../base/tensor.ts";
import { checkInteger, show } from "./options.ts";

/** Some examples: one tensor a field, all with the same first axis, the batch. */
export type Batch = Readonly<Record<string, Tensor>>;

/** What a field holds: its element type, and the shape of one example (without the batch axis). */
export interface Field {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Examples that can be gathered by index. Anything with these three members is a data set. */
export interface Dataset {
  /** Number of examples. */
  readonly length: number;
  /** What an example consists of, by name. */
  readonly fields: Readonly<Record<string, Field>>;
  /**
   * The examples at `indices`, in that order, in freshly allocated tensors of shape `[indices.length,
   * …field.shape]`.
   *
   * @throws `bad_option` for an index that is not an integer from 0 to `length - 1`.
   */
  batch(indices: ArrayLike<number>): Batch;
}

/**
 * A data set over tensors that share their first axis: `tensorDataset({ x, target })`. The tensors are not
 * copied.
 *
 * @throws `shape_mismatch` when first axes differ or a tensor is a scalar; `bad_option` without any tensor.
 */
export function tensorDataset(tensors: Readonly<Record<string, Tensor>>): Dataset {
  const entries = Object.entries(tensors);
  const [first] = entries;
  if (first === undefined) throw new ArborizeError("bad_option", "tensorDataset needs at least one tensor.");
  for (const [name, tensor] of entries) {
    if (tensor.shape.length > 0 && tensor.shape[0] === first[1].shape[0]) continue;
    const found = `"${name}" is ${tensor}`;
    const wanted =
      tensor.shape.length === 0
        ? "a scalar has no first axis to count examples along"
        : `"${first[0]}" is ${first[1]}: their first axes must be equal`;
    throw new ArborizeError("shape_mismatch", `tensorDataset: ${found}, ${wanted}.`);
  }
  const length = first[1].shape[0]!;
  const fields = entries.map(([name, t]) => [name, { dtype: t.dtype, shape: t.shape.slice(1) }] as const);
  return {
    length,
    fields: Object.fromEntries(fields),
    batch(indices) {
      checkIndices(indices, length);
      return Object.fromEntries(entries.map(([name, tensor]) => [name, gather(tensor, indices)]));
    },
  };
}

/** What `imageDataset` takes. */
export interface ImageDatasetOptions {
  /** One byte a pixel and channel, row-major in `shape`. Kept as it is, not copied. */
  images: Uint8Array;
  /** Examples, channels, height, width. */
  shape: readonly [examples: number, channels: number, height: number, width: number];
  /** The class of each example, an integer. */
  labels: ArrayLike<number>;
  /** Subtracted from pixels in 0 … 1: one number, or one a channel. Default 0. */
  mean?: number | readonly number[];
  /** Divides after that: one number, or one a channel. Default 1. */
  std?: number | readonly number[];
}

/**
 * Labelled images that stay bytes in memory and are normalised, `(v / 255 - mean) / std`, when a batch is
 * made, with the rounding of torchvision's ToTensor and Normalize. Fields: `x`, float32 `[channels, height,
 * width]`, and `target`, int64 `[]`.
 *
 * @throws `shape_mismatch` when sizes disagree; `bad_data` for a label that is no integer; `bad_option` for a
 * mean or std that is not finite, a std that is not positive, or a wrong count of them.
 */
export function imageDataset(options: ImageDatasetOptions): Dataset {
  const { images, shape, labels } = options;
  const [length, channels, height, width] = shape;
  for (const [axis, n] of Object.entries({ examples: length, channels, height, width })) {
    checkInteger("imageDataset", `shape's ${axis}`, n, axis === "examples" ? 0 : 1);
  }
  if (images.length !== sizeOf(shape)) {
    const problem = `shape [${shape.join(", ")}] needs ${sizeOf(shape)} bytes, images has ${images.length}.`;
    throw new ArborizeError("shape_mismatch", `imageDataset: ${problem}`);
  }
  if (labels.length !== length) {
    throw new ArborizeError("shape_mismatch", `imageDataset: ${labels.length} labels for ${length} images.`);
  }
  const target = new BigInt64Array(length);
  for (let i = 0; i < length; i++) {
    if (!Number.isSafeInteger(labels[i])) {
      throw new ArborizeError(
        "bad_data",
        `imageDataset: label ${i} is ${show(labels[i])}, wanted an integer.`,
      );
    }
    target[i] = BigInt(labels[i]!);
  }
  const targets = new Tensor("int64", [length], target);
  const tables = normalisation(options, channels);
  const pixels = height * width;
  return {
    length,
    fields: {
      x: { dtype: "float32", shape: [channels, height, width] },
      target: { dtype: "int64", shape: [] },
    },
    batch(indices) {
      checkIndices(indices, length);
      const x = new Float32Array(indices.length * channels * pixels);
      let to = 0;
      for (let b = 0; b < indices.length; b++) {
        let from = indices[b]! * channels * pixels;
        for (const table of tables) {
          for (let p = 0; p < pixels; p++) x[to + p] = table[images[from + p]!]!;
          to += pixels;
          from += pixels;
        }
      }
      return {
        x: new Tensor("float32", [indices.length, channels, height, width], x),
        target: gather(targets, indices),
      };
    },
  };
}

/**
 * The examples of `dataset` at `indices`, in that order; an index may come more than once.
 *
 * @throws `bad_option` for an index that is not an integer from 0 to `dataset.length - 1`.
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  checkIndices(indices, dataset.length);
  const chosen = Uint32Array.from(indices);
  return {
    length: chosen.length,
    fields: dataset.fields,
    batch(positions) {
      checkIndices(positions, chosen.length);
      const inner = new Uint32Array(positions.length);
      for (let i = 0; i < inner.length; i++) inner[i] = chosen[positions[i]!]!;
      return dataset.batch(inner);
    },
  };
}

/**
 * Random parts of `dataset` without overlap. `parts` are either all fractions, summing to at most 1 (`[0.9,
 * 0.1]`), or all counts of examples (`[50000, 10000]`); what they leave over is in no part. `seed` defaults
 * to 0.
 *
 * @throws `bad_option` when a part would be empty, or the parts together larger than the data set.
 */
export function split<const P extends readonly number[]>(
  dataset: Dataset,
  parts: P,
  options: { seed?: number } = {},
): { -readonly [K in keyof P]: Dataset } {
  const { seed = 0 } = options;
  checkInteger("split", "seed", seed, 0);
  const ends = partEnds(dataset.length, parts);
  const order = Random.stream(seed, "split").permutation(dataset.length);
  const datasets = ends.map((end, i) => subset(dataset, order.subarray(ends[i - 1] ?? 0, end)));
  return datasets as { -readonly [K in keyof P]: Dataset };
}

/** Where each part ends in a row of `length` examples. */
function partEnds(length: number, parts: readonly number[]): number[] {
  const shown = `split: [${parts.join(", ")}] of ${length} examples`;
  const fractions = parts.every((part) => part <= 1) && parts.reduce((a, b) => a + b, 0) <= 1 + 1e-9;
  if (parts.length === 0 || parts.some((part) => !(part > 0 && (fractions || Number.isSafeInteger(part))))) {
    const wanted = "either fractions above 0 that sum to at most 1, or counts of examples from 1 on";
    throw new ArborizeError("bad_option", `${shown}: wanted ${wanted}.`);
  }
  let sum = 0;
  const ends = parts.map((part) => {
    sum += part;
    return fractions ? Math.round(length * sum) : sum;
  });
  if (ends.at(-1)! > length) {
    throw new ArborizeError("bad_option", `${shown}: they add up to ${sum}, more than there are.`);
  }
  const empty = ends.findIndex((end, i) => end === (ends[i - 1] ?? 0));
  if (empty >= 0) {
    throw new ArborizeError("bad_option", `${shown}: part ${empty} would be empty. Give it a larger share.`);
  }
  return ends;
}

/** Per channel, what each of the 256 byte values becomes. */
function normalisation(options: ImageDatasetOptions, channels: number): Float32Array[] {
  const perChannel = (name: "mean" | "std", otherwise: number): readonly number[] => {
    const given = options[name] ?? otherwise;
    const values = typeof given === "number" ? new Array<number>(channels).fill(given) : given;
    const fine = values.every((v) => Number.isFinite(v) && (name === "mean" || v > 0));
    if (values.length === channels && fine) return values;
    const wanted = `one ${name === "std" ? "positive " : ""}number, or one a channel (${channels})`;
    throw new ArborizeError("bad_option", `imageDataset: ${name} is ${show(given)}, wanted ${wanted}.`);
  };
  const [mean, std] = [perChannel("mean", 0), perChannel("std", 1)];
  return mean.map((m, channel) => {
    const s = Math.fround(std[channel]!);
    // Rounded after each step as torchvision does, so that a ported network sees the very same numbers.
    return Float32Array.from(
      { length: 256 },
      (_, v) => Math.fround(Math.fround(v / 255) - Math.fround(m)) / s,
    );
  });
}

function checkIndices(indices: ArrayLike<number>, length: number): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index >= 0 && index < length && Number.isInteger(index)) continue;
    const found = `index ${show(index)} (at position ${i})`;
    throw new ArborizeError("bad_option", `${found} is not an example of a data set of ${length} examples.`);
  }
}

function gather(source: Tensor, indices: ArrayLike<number>): Tensor {
  const shape = [indices.length, ...source.shape.slice(1)];
  const row = sizeOf(source.shape.slice(1));
  // All typed arrays gather alike; the cast spares one copy of this loop for each.
  const from = source.data as Float32Array;
  const to = allocate(source.dtype, indices.length * row) as Float32Array;
  if (row === 1) for (let b = 0; b < indices.length; b++) to[b] = from[indices[b]!]!;
  else {
    for (let b = 0; b < indices.length; b++) {
      const start = indices[b]! * row;
      to.set(from.subarray(start, start + row), b * row);
    }
  }
  return new Tensor(source.dtype, shape, to);
}

/** How many examples a batch has. */
export function sizeOfBatch(batch: Batch): number {
  const [first] = Object.values(batch);
  return first?.shape[0] ?? 0;
}
