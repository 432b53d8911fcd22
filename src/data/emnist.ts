// EMNIST: handwritten letters and digits. The published files hold their images on their side.

import { ArborizeError } from "../base/errors.ts";
import { type Archive, type ArchivedFile, unpackedArchive, zipFiles } from "./archive.ts";
import { type Dataset, imageDataset } from "./dataset.ts";
import { type Idx, readIdx } from "./idx.ts";
import type { TrainAndTest } from "./mnist.ts";
import { givenFolder, loadFile, type Source, type SourceFile, type SourceOptions } from "./source.ts";

/** The published ways to group the characters into classes, and how many classes each has. */
export const EMNIST_CLASSES = {
  byclass: 62,
  bymerge: 47,
  balanced: 47,
  letters: 26,
  digits: 10,
  mnist: 10,
} as const;

/** What `emnist` takes. */
export interface EmnistOptions extends SourceOptions {
  /**
   * One of the published splits: from the files `emnist-SPLIT-train-images-idx3-ubyte` and so on of a folder, or downloaded.
   * Default, for a folder alone: the 116,323 characters of ByMerge's test part, split into 96,323 and 20,000, in files named
   * as MNIST's.
   */
  readonly split?: EmnistSplit;
}

type EmnistSplit = keyof typeof EMNIST_CLASSES;

/** Where people find all files; their checksums are not published one by one. */
const HOME = "https://www.nist.gov/itl/products-and-services/emnist-dataset (gzip.zip, unpacked)";

/** The archive as NIST publishes it, with the checksum that torchvision has. */
const ARCHIVE = {
  urls: ["https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"],
  md5: "58c8d27c78d21e728a6bc7b3cc06412e",
};

const PART_HOME = `whoever made this part (NIST's own files are asked for by split, such as "balanced")`;

const PART: readonly SourceFile[] = [
  {
    name: "train-images-idx3-ubyte",
    sha256: "b7815be685f11be141960182120c3674c34feaf80bedfd6836daa8c23adce57f",
  },
  {
    name: "train-labels-idx1-ubyte",
    sha256: "937477694a4e1ab4079d0423fd69443505c833f5794074706240b9952fde8875",
  },
  {
    name: "test-images-idx3-ubyte",
    sha256: "810866bba94496446744061a7e87da07bb54e84727d257040483a9c0fa3e467c",
  },
  {
    name: "test-labels-idx1-ubyte",
    sha256: "5ff1b377b763c28a158cd410d8ecd45b821d6c260eee8e29be1cb8eba0742178",
  },
];

/**
 * EMNIST: `x`, float32 `[1, 28, 28]`, normalised with mean .1736 and std .3317 (of the part's training pixels), and `target`,
 * int64 `[]` (Cohen, Afshar, Tapson, van Schaik 2017). The published files hold images on their side; here they are upright.
 * Classes are counted from 0, also the letters, which are published from 1 on; what they are is in the archive's `mapping`.
 *
 * Without a folder the published archive of all splits, 560 MB, is downloaded once and kept in the cache as its files. When that
 * is interrupted, the next call goes on where it was.
 *
 * @throws as `mnist`; `bad_option` for a split that there is not, or with neither a split nor a folder.
 */
export function emnist(options: EmnistOptions = {}): Promise<TrainAndTest> {
  return loadEmnist(options, ARCHIVE);
}

/** EMNIST of a folder, or else of an archive. */
export async function loadEmnist(
  options: EmnistOptions,
  archive: Omit<Archive, "unpack">,
): Promise<TrainAndTest> {
  const { split, ...where } = options;
  const known = Object.keys(EMNIST_CLASSES);
  if (split !== undefined && !known.includes(split)) {
    const found = JSON.stringify(split);
    throw new ArborizeError("bad_option", `emnist: split is ${found}, wanted one of ${known.join(", ")}.`);
  }
  const named = givenFolder(where);
  if (named === undefined && split === undefined) {
    const wanted = `split, one of ${known.join(", ")}, to have it downloaded, or a folder`;
    throw new ArborizeError("bad_option", `emnist: neither split nor folder is given, wanted ${wanted}.`);
  }
  const files = split === undefined ? PART : publishedFiles(split);
  const home = split === undefined ? PART_HOME : HOME;
  const source: Source = { title: "EMNIST", folder: "emnist", mirrors: [], home, files };
  const folder = named ?? (await unpackedArchive(source, { ...archive, unpack: unpackAll }, where));
  const load = (file: SourceFile) => loadFile(source, file, { ...where, folder }, { read: readIdx });
  const dataset = async (images: SourceFile, labels: SourceFile) =>
    labelled(await load(images), await load(labels), split);
  const [trainImages, trainLabels, testImages, testLabels] = files as [
    SourceFile,
    SourceFile,
    SourceFile,
    SourceFile,
  ];
  return {
    train: await dataset(trainImages, trainLabels),
    test: await dataset(testImages, testLabels),
  };
}

/** The files of all splits: the archive is as large as they are together, and need not stay then. */
function unpackAll(path: string, name: string): AsyncIterable<ArchivedFile> {
  const files = Object.keys(EMNIST_CLASSES).flatMap(publishedFiles);
  return zipFiles(
    path,
    name,
    files.map((file) => `${file.name}.gz`),
  );
}

function publishedFiles(split: string): SourceFile[] {
  return ["train", "test"].flatMap((part) => [
    { name: `emnist-${split}-${part}-images-idx3-ubyte` },
    { name: `emnist-${split}-${part}-labels-idx1-ubyte` },
  ]);
}

function labelled(images: Idx, labels: Idx, split: EmnistSplit | undefined): Dataset {
  const [n = 0, height = 0, width = 0] = images.shape;
  return imageDataset({
    images: split === undefined ? images.data : transposed(images.data, n, height, width),
    shape: [n, 1, height, width],
    // The letters alone are counted from 1.
    labels: split === "letters" ? labels.data.map((label) => label - 1) : labels.data,
    mean: 0.1736,
    std: 0.3317,
  });
}

/** Images with rows and columns exchanged. */
function transposed(pixels: Uint8Array, n: number, height: number, width: number): Uint8Array {
  const upright = new Uint8Array(pixels.length);
  for (let image = 0; image < n; image++) {
    const start = image * height * width;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) upright[start + x * height + y] = pixels[start + y * width + x]!;
    }
  }
  return upright;
}
