// The public names of this folder.

export { type AdultData, type AdultOptions, adult } from "./adult.ts";
export * from "./anywhere.ts";
export type { DownloadProgress } from "./download.ts";
export { EMNIST_CLASSES, type EmnistOptions, emnist } from "./emnist.ts";
export { readFileBytes, writeFileAtomic } from "./files.ts";
export { type Idx, readIdx } from "./idx.ts";
export { imdb, type LabelledTexts } from "./imdb.ts";
export { fashionMnist, mnist, type TrainAndTest } from "./mnist.ts";

export { optdigits } from "./optdigits.ts";

export {
  type DataKind,
  type Prepared,
  type PrepareOptions,
  prepare,
  type Recipe,
  readAs,
} from "./prepare.ts";

export type { SourceOptions } from "./source.ts";
