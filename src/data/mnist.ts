// MNIST and its drop-in relatives: four idx files each, found in a folder or downloaded once, and always
// checked.

import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { ArborizeError } from "../base/errors.ts";
import { type Dataset, imageDataset } from "./dataset.ts";
import { type DownloadProgress, download } from "./download.ts";
import { exists, readFileBytes, writeFileAtomic } from "./files.ts";
import { type Idx, isGzip, readIdx, unpack } from "./idx.ts";
import { checkNames } from "./options.ts";

/** One file of a data set: its name without `.gz`, and the SHA-256 of its unpacked content. */
interface IdxFile {
  readonly name: string;
  readonly sha256: string;
}

/** A data set in four idx files. A new one is one entry in {@link SOURCES}. */
export interface IdxSource {
  readonly title: string;
  /** The folder that holds the files, inside ARBORIZE_DATA and the cache. */
  readonly folder: string;
  /** Where the packed files lie, tried in this order. */
  readonly mirrors: readonly string[];
  /** Of all training pixels in 0 … 1; to four digits, as PyTorch's examples have them. */
  readonly mean: number;
  readonly std: number;
  readonly train: readonly [images: IdxFile, labels: IdxFile];
  readonly test: readonly [images: IdxFile, labels: IdxFile];
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

/** Where `mnist` and `fashionMnist` find their files. */
export interface MnistOptions {
  /**
   * The folder that has the four files, packed (`.gz`) or not, itself or in a subfolder `mnist`
   * (`fashion-mnist`). Default: the environment variable ARBORIZE_DATA. Nothing is ever downloaded into it.
   */
  folder?: string | undefined;
  /**
   * Without a folder: the files are downloaded once into a subfolder of this one. Default: `arborize` in
   * XDG_CACHE_HOME or `~/.cache`, on Windows in %LOCALAPPDATA%.
   */
  cache?: string | undefined;
  /** Cancels a download. */
  signal?: AbortSignal | undefined;
  /** Called as a download goes on; not at all when every file is there. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

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
export function mnist(options: MnistOptions = {}): Promise<TrainAndTest> {
  return loadIdxSource(SOURCES.mnist, options);
}

/**
 * Fashion-MNIST: 60,000 training and 10,000 test images of clothing, normalised with mean .2860 and std .3530
 * (Xiao, Rasul, Vollgraf 2017). Options and errors as for `mnist`.
 */
export function fashionMnist(options: MnistOptions = {}): Promise<TrainAndTest> {
  return loadIdxSource(SOURCES.fashionMnist, options);
}

/** Loads any source of this shape. `timeout` in milliseconds is for tests. */
export async function loadIdxSource(
  source: IdxSource,
  options: MnistOptions,
  timeout?: number,
): Promise<TrainAndTest> {
  checkNames(source.title, options, ["folder", "cache", "signal", "onProgress"]);
  const folder = options.folder ?? (process.env.ARBORIZE_DATA || undefined);
  const load = (file: IdxFile) =>
    folder === undefined ? cached(source, file, options, timeout) : local(source, file, folder, options);
  const dataset = async ([imageFile, labelFile]: readonly [IdxFile, IdxFile]) => {
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

/** The folder that downloads of all data sets go to when the caller names none. */
export function defaultCache(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): string {
  if (platform === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "arborize");
  // The XDG specification asks to ignore relative paths.
  const xdg = env.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), ".cache"), "arborize");
}

async function local(source: IdxSource, file: IdxFile, folder: string, options: MnistOptions): Promise<Idx> {
  const path = await find(file, [join(folder, source.folder), folder]);
  if (path !== undefined) return parse(source, file, await readFileBytes(path), path);
  const named = options.folder === undefined ? "ARBORIZE_DATA" : "folder";
  const wanted = `"${file.name}.gz" (or unpacked, without .gz) is neither in "${folder}" (${named})`;
  const wayOut = `${byHand(source)} into it, or leave ${named} unset to have them downloaded.`;
  throw new ArborizeError(
    "bad_file",
    `${source.title}: ${wanted} nor in its subfolder "${source.folder}". ${wayOut}`,
  );
}

async function cached(
  source: IdxSource,
  file: IdxFile,
  { cache = defaultCache(), signal, onProgress }: MnistOptions,
  timeout: number | undefined,
): Promise<Idx> {
  const folder = join(cache, source.folder);
  const path = await find(file, [folder]);
  if (path !== undefined) {
    try {
      return parse(source, file, await readFileBytes(path), path);
    } catch {
      // The cache is ours to mend: a good download replaces the damaged file.
    }
  }
  const { bytes, idx } = await download(
    source.mirrors.map((mirror) => `${mirror}${file.name}.gz`),
    {
      file: `${file.name}.gz`,
      accept: (bytes, url) => ({ bytes, idx: parse(source, file, bytes, url) }),
      wayOut: `${byHand(source)} into a folder of yours and pass it as folder, or in ARBORIZE_DATA.`,
      signal,
      onProgress,
      timeout,
    },
  );
  // Some servers say that the packing is an encoding of the transfer, and fetch then undoes it.
  const target = join(folder, isGzip(bytes) ? `${file.name}.gz` : file.name);
  try {
    await writeFileAtomic(target, bytes);
  } catch (error) {
    const { message } = error as Error;
    throw new ArborizeError("write_failed", `${message} Or pass another folder as cache.`, { cause: error });
  }
  return idx;
}

/** The first file of that name, packed or not, in `folders`. */
async function find(file: IdxFile, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    for (const name of [`${file.name}.gz`, file.name]) {
      if (await exists(join(folder, name))) return join(folder, name);
    }
  }
  return undefined;
}

/** The content of `bytes`, which came from `origin`, if it is really `file`'s. */
function parse(source: IdxSource, file: IdxFile, bytes: Uint8Array, origin: string): Idx {
  const content = unpack(bytes, origin);
  const found = createHash("sha256").update(content).digest("hex");
  if (found === file.sha256) return readIdx(content, origin);
  // What is no idx file at all, such as a server's login page, gets the more telling error.
  readIdx(content, origin);
  const problem = `its unpacked content has SHA-256 ${found}, wanted ${file.sha256}${whose(found)}`;
  throw new ArborizeError(
    "bad_file",
    `"${origin}" is not ${source.title}'s "${file.name}": ${problem}. Delete it and ${byHand(source, "get")}.`,
  );
}

/** Whose file a checksum belongs to: files of different data sets have the same names. */
function whose(sha256: string): string {
  for (const { title, train, test } of Object.values(SOURCES)) {
    const file = [...train, ...test].find((candidate) => candidate.sha256 === sha256);
    if (file !== undefined) return ` (it is ${title}'s "${file.name}")`;
  }
  return "";
}

function byHand(source: IdxSource, verb = "Get"): string {
  const names = [...source.train, ...source.test].map((file) => `${file.name}.gz`).join(", ");
  return `${verb} ${names} from ${source.mirrors.join(" or ")}`;
}
