// Labelled images from files: a folder of folders that are named like classes, or idx files. What is learned of them is how
// large they are, which classes there are, and each channel's mean and deviation.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ArborizeError } from "../base/errors.ts";
import { classTensor, sortedClasses } from "./classes.ts";
import { type Dataset, imageDataset } from "./dataset.ts";
import { readFileBytes } from "./files.ts";
import { readIdx } from "./idx.ts";
import { decodePicture, isGrey, type Picture, placePicture } from "./pictures.ts";

/** How images are read. */
export interface ImageOptions {
  /** Height and width that pictures are brought to. Default: their own, which must then be the same for all. */
  size?: readonly [number, number];
}

/** What images are: enough to read others alike. Plain JSON. */
export const imageRecipe = z.object({
  kind: z.literal("images"),
  size: z.tuple([z.int(), z.int()]),
  channels: z.int(),
  classes: z.array(z.string()),
  mean: z.array(z.number()),
  std: z.array(z.number()),
});
export type ImageRecipe = z.infer<typeof imageRecipe>;

/** Images in memory. */
export interface Images {
  readonly size: readonly [number, number];
  readonly channels: number;
  /** Plane by plane, image after image. */
  readonly pixels: Uint8Array;
  readonly labels: readonly string[];
}

/** Learns what images are: the moments of pixels in 0 … 1 from those at `training`, the classes from all. */
export function learnImages(
  { size, channels, pixels, labels }: Images,
  training: ArrayLike<number>,
): ImageRecipe {
  const plane = size[0] * size[1];
  const mean: number[] = [];
  const std: number[] = [];
  for (let c = 0; c < channels; c++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < training.length; i++) {
      const start = (training[i]! * channels + c) * plane;
      for (let p = start; p < start + plane; p++) {
        const value = pixels[p]! / 255;
        sum += value;
        squares += value * value;
      }
    }
    const count = training.length * plane;
    mean.push(sum / count);
    std.push(Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)) || 1);
  }
  return { kind: "images", size: [...size], channels, classes: sortedClasses(labels), mean, std };
}

/** Images as the recipe says: `x`, float32 `[channels, height, width]`, and `target`, an int64 class. */
export function imagesDataset({ pixels, labels }: Images, recipe: ImageRecipe): Dataset {
  const { channels, size, classes, mean, std } = recipe;
  return imageDataset({
    images: pixels,
    shape: [labels.length, channels, ...size],
    labels: classTensor(labels, classes).toNumbers(),
    mean,
    std,
  });
}

/**
 * Reads a folder of folders: the picture `PATH/CLASS/any.png` (or .jpg, .jpeg) is of class CLASS, and so are those in folders
 * below.
 *
 * @param wanted size and channels, where they are known. Default: what the pictures have; one channel if all are grey.
 * @throws `bad_file` for a folder without such pictures, or sizes that differ while none is wanted.
 */
export async function readImageFolder(
  path: string,
  wanted: { size?: readonly [number, number]; channels?: number } = {},
): Promise<Images> {
  const files = await pictureFiles(path);
  if (files.length === 0) {
    throw new ArborizeError(
      "bad_file",
      `"${path}" has no folders with pictures in them. Wanted "${join(path, "CLASS", "any.png")}", a folder for each class.`,
    );
  }
  const [first] = files;
  if (!wanted.channels && files.every(({ label }) => label === first!.label)) {
    const inner = join(path, first!.label);
    throw new ArborizeError(
      "bad_file",
      `"${path}" has pictures in one folder alone, "${first!.label}": there is nothing to tell apart. If the classes are folders in it, name "${inner}".`,
    );
  }
  const pictures: Picture[] = [];
  for (const { file } of files) {
    const picture = decodePicture(await readFileBytes(file), file);
    const [first] = pictures;
    if (!wanted.size && first && (first.width !== picture.width || first.height !== picture.height)) {
      throw new ArborizeError(
        "bad_file",
        `"${file}" is ${picture.height} x ${picture.width}, "${files[0]!.file}" ${first.height} x ${first.width} (height x width). Say the size that all are to be brought to: size.`,
      );
    }
    pictures.push(picture);
  }
  const size = wanted.size ?? ([pictures[0]!.height, pictures[0]!.width] as const);
  const channels = wanted.channels ?? (pictures.every(isGrey) ? 1 : 3);
  const length = channels * size[0] * size[1];
  const pixels = new Uint8Array(files.length * length);
  for (const [i, picture] of pictures.entries()) placePicture(picture, size, channels, pixels, i * length);
  return { size, channels, pixels, labels: files.map(({ label }) => label) };
}

async function pictureFiles(path: string): Promise<{ file: string; label: string }[]> {
  const files: { file: string; label: string }[] = [];
  for (const folder of await entriesOf(path)) {
    if (!folder.isDirectory() || folder.name.startsWith(".")) continue;
    for (const file of await picturesBelow(join(path, folder.name))) files.push({ file, label: folder.name });
  }
  return files;
}

/** In the order of their names, which no file system promises. */
async function picturesBelow(path: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await entriesOf(path)) {
    if (entry.name.startsWith(".")) continue;
    const file = join(path, entry.name);
    if (entry.isDirectory()) files.push(...(await picturesBelow(file)));
    else if (/\.(png|jpe?g)$/i.test(entry.name)) files.push(file);
  }
  return files;
}

async function entriesOf(path: string) {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: Error) => {
    throw new ArborizeError("bad_file", `Cannot read the folder "${path}": ${error.message}.`, {
      cause: error,
    });
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The pairs of idx files in a folder: images and labels, for training, and for testing where the folder has them. */
export async function findIdx(path: string): Promise<{ train: IdxPair; test: IdxPair | null } | null> {
  const names = (await entriesOf(path)).map(({ name }) => name).filter((name) => /idx\d/.test(name));
  const pair = (part: RegExp): IdxPair | null => {
    const find = (what: RegExp) => names.find((name) => part.test(name) && what.test(name));
    const [images, labels] = [find(/images.*idx3/), find(/labels.*idx1/)];
    return images && labels ? { images: join(path, images), labels: join(path, labels) } : null;
  };
  const train = pair(/train/) ?? pair(/^(?!.*(test|t10k))/);
  return train && { train, test: pair(/test|t10k/) };
}

/** Two idx files that belong together. */
export interface IdxPair {
  readonly images: string;
  readonly labels: string;
}

/** Reads a pair of idx files: bytes `[n, height, width]` and `[n]`. @throws `bad_file` */
export async function readIdxPair({ images, labels }: IdxPair): Promise<Images> {
  const pixels = readIdx(await readFileBytes(images), images);
  const classes = readIdx(await readFileBytes(labels), labels);
  const [count, height, width] = pixels.shape;
  if (pixels.shape.length !== 3 || classes.shape.length !== 1 || classes.shape[0] !== count) {
    throw new ArborizeError(
      "bad_file",
      `"${images}" is [${pixels.shape.join(", ")}] and "${labels}" [${classes.shape.join(", ")}], wanted [n, height, width] and [n].`,
    );
  }
  return {
    size: [height!, width!],
    channels: 1,
    pixels: pixels.data,
    labels: Array.from(classes.data, String),
  };
}
