// Optical recognition of handwritten digits (UCI): small enough for tests and first trials.

import { ArborizeError } from "../base/errors.ts";
import { Tensor } from "../base/tensor.ts";
import { type Dataset, tensorDataset } from "./dataset.ts";
import type { TrainAndTest } from "./mnist.ts";
import { loadFile, type Source, type SourceFile, type SourceOptions } from "./source.ts";

const TRAIN: SourceFile = {
  name: "optdigits.tra",
  remote: "optdigits.tra",
  sha256: "e1b683cc211604fe8fd8c4417e6a69f31380e0c61d4af22e93cc21e9257ffedd",
};
const TEST: SourceFile = {
  name: "optdigits.tes",
  remote: "optdigits.tes",
  sha256: "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8",
};
const SOURCE: Source = {
  title: "Optdigits",
  folder: "optdigits",
  mirrors: ["https://archive.ics.uci.edu/ml/machine-learning-databases/optdigits/"],
  files: [TRAIN, TEST],
};
const SIDE = 8;
const LARGEST = 16;

/**
 * Handwritten digits of 8 x 8 pixels, 3,823 for training and 1,797 for testing (Alpaydin and Kaynak 1998): `x`, float32
 * `[1, 8, 8]` in 0 … 1, and `target`, int64 `[]`. Errors as for `mnist`.
 */
export async function optdigits(options: SourceOptions = {}): Promise<TrainAndTest> {
  const load = (file: SourceFile) => loadFile(SOURCE, file, options, { read });
  return { train: await load(TRAIN), test: await load(TEST) };
}

function read(content: Uint8Array, name: string): Dataset {
  const lines = new TextDecoder().decode(content).trimEnd().split("\n");
  const pixels = SIDE * SIDE;
  const x = new Float32Array(lines.length * pixels);
  const target = new BigInt64Array(lines.length);
  for (const [i, line] of lines.entries()) {
    const numbers = line.split(",").map(Number);
    const fine = (v: number) => Number.isInteger(v) && v >= 0 && v <= LARGEST;
    if (numbers.length !== pixels + 1 || !numbers.every(fine)) {
      const wanted = `${pixels + 1} whole numbers from 0 to ${LARGEST}`;
      throw new ArborizeError(
        "bad_file",
        `"${name}", line ${i + 1}: found "${line.slice(0, 40)}", wanted ${wanted}.`,
      );
    }
    for (let p = 0; p < pixels; p++) x[i * pixels + p] = numbers[p]! / LARGEST;
    target[i] = BigInt(numbers[pixels]!);
  }
  return tensorDataset({
    x: new Tensor("float32", [lines.length, 1, SIDE, SIDE], x),
    target: new Tensor("int64", [lines.length], target),
  });
}
