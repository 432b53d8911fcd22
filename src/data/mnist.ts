// MNIST and its drop-in relatives: four idx files each, found in a folder or downloaded once, and always
// checked.

import { type Dataset, imageDataset } from "./dataset.ts";
import { readIdx } from "./idx.ts";
import { loadFile, type Source, type SourceFile, type SourceOptions } from "./source.ts";

/** A data set in four idx files. A new one is one entry in {@link SOURCES}. */
export interface IdxSource extends Omit<Source, "files"> {
  /** Of all training pixels in 0 … 1; to four digits, as PyTorch's examples have them. */
  readonly mean: number;
  readonly std: number;
  readonly train: readonly [images: SourceFile, labels: SourceFile];
  readonly test: readonly [images: SourceFile, labels: SourceFile];
}

const TRAIN_IMAGES = "train-images-idx3-ubyte";
const TRAIN_LABELS = "train-labels-idx1-ubyte";
const TEST_IMAGES = "t10k-images-idx3-ubyte";
const TEST_LABELS = "t10k-labels-idx1-ubyte";

export const SOURCES = {
  mnist: {
    title: "MNIST",
    folder: "mnist",
    mirrors: [
      "https://ossci-datasets.s3.amazonaws.com/mnist/",
      "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
    mean: 0.1307,
    std: 0.3081,
    train: [
      { name: TRAIN_IMAGES, sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" },
      { name: TRAIN_LABELS, sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5" },
    ],
    test: [
      { name: TEST_IMAGES, sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7" },
      { name: TEST_LABELS, sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2" },
    ],
  },
  fashionMnist: {
    title: "Fashion-MNIST",
    folder: "fashion-mnist",
    mirrors: [
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
      "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ],
    mean: 0.286,
    std: 0.353,
    train: [
      { name: TRAIN_IMAGES, sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888" },
      { name: TRAIN_LABELS, sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9" },
    ],
    test: [
      { name: TEST_IMAGES, sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b" },
      { name: TEST_LABELS, sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34" },
    ],
  },
} as const satisfies Record<string, IdxSource>;

/** Training and test examples: `x`, float32 `[1, 28, 28]`, normalised, and `target`, int64 `[]`, the class. */
export interface TrainAndTest {
  readonly train: Dataset;
  readonly test: Dataset;
}

/**
 * MNIST: 60,000 training and 10,000 test images of handwritten digits, normalised with PyTorch's usual mean
 * .1307 and std .3081 (LeCun, Cortes, Burges 1998).
 *
 * @throws `bad_file` when a file is missing from the folder given, damaged, or not MNIST's; `download_failed`
 * when it cannot be downloaded or `signal` aborts; `write_failed` when the cache cannot be written.
 */
export function mnist(options: SourceOptions = {}): Promise<TrainAndTest> {
  return loadIdxSource(SOURCES.mnist, options);
}

/**
 * Fashion-MNIST: 60,000 training and 10,000 test images of clothing, normalised with mean .2860 and std .3530
 * (Xiao, Rasul, Vollgraf 2017). Options and errors as for `mnist`.
 */
export function fashionMnist(options: SourceOptions = {}): Promise<TrainAndTest> {
  return loadIdxSource(SOURCES.fashionMnist, options);
}

/** Loads any source of this shape. `timeout` in milliseconds is for tests. */
export async function loadIdxSource(
  source: IdxSource,
  options: SourceOptions,
  timeout?: number,
): Promise<TrainAndTest> {
  const whole = { ...source, files: [...source.train, ...source.test] };
  const load = (file: SourceFile) => loadFile(whole, file, options, { read: readIdx, whose, timeout });
  const dataset = async ([imageFile, labelFile]: readonly [SourceFile, SourceFile]) => {
    const images = await load(imageFile);
    const labels = await load(labelFile);
    const [n = 0, height = 0, width = 0] = images.shape;
    const { mean, std } = source;
    return imageDataset({
      images: images.data,
      shape: [n, 1, height, width],
      labels: labels.data,
      mean,
      std,
    });
  };
  return { train: await dataset(source.train), test: await dataset(source.test) };
}

/** Whose file a checksum belongs to: files of different data sets have the same names. */
function whose(sha256: string): string {
  for (const { title, train, test } of Object.values(SOURCES)) {
    const file = [...train, ...test].find((candidate) => candidate.sha256 === sha256);
    if (file !== undefined) return ` (it is ${title}'s "${file.name}")`;
  }
  return "";
}
