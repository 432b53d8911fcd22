// Tensors that a file keeps in other files beside it.

import type { TensorProto } from "onnx-buf";
import { ArborizeError } from "../base/errors.ts";

/** Reads `length` bytes from `offset` on of a file beside the model. */
export type ReadExternal = (location: string, offset: number, length: number) => Uint8Array;

/** What a model with its weights may take: no more goes into one file again. */
const LARGEST = 2 ** 31;

/** Reads tensors of other files, together no more than fits into one file. */
export class ExternalData {
  readonly #read: ReadExternal | undefined;
  #total = 0;

  /** @param read how to read a file beside the model; without, models that have such are refused. */
  constructor(read?: ReadExternal) {
    this.#read = read;
  }

  /** The `length` bytes of a tensor. @throws `bad_file` where they cannot be had. */
  bytesOf({ name, externalData }: TensorProto, length: number): Uint8Array {
    const fail = (problem: string): never => {
      throw new ArborizeError("bad_file", `tensor "${name}" ${problem}`);
    };
    const entries = new Map(externalData.map(({ key, value }) => [key, value]));
    const location = entries.get("location") ?? "";
    if (location === "") return fail("is stored in an external file, but the model does not say which");
    if (!this.#read) {
      return fail(`is stored in the external file "${location}": read the model by its path, not as bytes`);
    }
    if (isOutside(location)) {
      return fail(`is stored in "${location}", which is not in the folder of the model: that is refused`);
    }
    const offset = Number(entries.get("offset") ?? 0);
    const stored = Number(entries.get("length") ?? length);
    if (!Number.isSafeInteger(offset) || offset < 0 || stored !== length) {
      return fail(`needs ${length} bytes, "${location}" should have ${stored} from ${offset} on`);
    }
    this.#total += length;
    if (this.#total > LARGEST) {
      return fail("makes the model larger than 2 GiB, the most that can be trained and written again");
    }
    return this.#read(location, offset, length);
  }
}

/** Whether a location leaves the folder that it is relative to. */
function isOutside(location: string): boolean {
  const parts = location.split(/[\\/]/);
  return parts.includes("..") || parts[0] === "" || /^[A-Za-z]:/.test(location) || location.includes("\0");
}
