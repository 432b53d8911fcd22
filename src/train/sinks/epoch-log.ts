// A file that grows by a record each epoch, and has each of them once, whatever stopped the run before.

import { ArborizeError } from "../../base/errors.ts";
import { appendToFile, exists, readFileBytes, writeFileAtomic } from "../../data/files.ts";
import type { EpochRecord, RunHistory } from "../../report/history.ts";

/** A record that a file holds whole. */
export interface LogRecord {
  /** The epoch that it is of (`EpochRecord.epoch`); -1 for one of the run as such. */
  readonly epoch: number;
  /** Where it ends in the file. */
  readonly end: number;
}

/** How epochs are written. */
export interface LogFormat {
  /** The whole records of a file; what follows them was being written when the run was killed. Null for another file. */
  read(bytes: Uint8Array): LogRecord[] | null;
  /** What stands before all epochs. */
  readonly head: Uint8Array;
  epoch(epoch: EpochRecord, history: RunHistory): Uint8Array;
}

/** One file of a run. */
export class EpochLog {
  readonly #path: string;
  readonly #format: LogFormat;
  /** The next epoch to be written; null where the file is not known to be whole. */
  #next: number | null = null;

  constructor(path: string, format: LogFormat) {
    this.#path = path;
    this.#format = format;
  }

  /**
   * Brings the file to what `history` says: epochs that it lacks are written, those of a later state that was not kept, and
   * half a record at its end, are cut off.
   *
   * @throws `bad_option` for a file of another run, or none of this kind; it is left as it was. `write_failed`.
   */
  async follow(history: RunHistory): Promise<void> {
    const { epochs } = history;
    this.#next ??= await this.#open(epochs.length);
    for (; this.#next < epochs.length; this.#next++) {
      const record = this.#format.epoch(epochs[this.#next]!, history);
      try {
        await appendToFile(this.#path, record);
      } catch (error) {
        // Half of it may have been written.
        this.#next = null;
        throw error;
      }
    }
  }

  /** @returns the first epoch that the file has not. */
  async #open(epochs: number): Promise<number> {
    const { head } = this.#format;
    const bytes = (await exists(this.#path)) ? await readFileBytes(this.#path) : new Uint8Array();
    const records = this.#format.read(bytes);
    const last = records?.at(-1)?.epoch ?? -1;
    if (!records || (epochs === 0 && last >= 0)) {
      throw new ArborizeError(
        "bad_option",
        `"${this.#path}" ${records ? "already holds a run" : "holds something else"}, and nothing of it may be lost. ${records ? "Go on with that run (resume), or name" : "Name"} another one.`,
      );
    }
    const first = records.findIndex(({ epoch }) => epoch >= epochs);
    const kept = first < 0 ? records : records.slice(0, first);
    const end = kept.at(-1)?.end ?? 0;
    if (end === 0 || epochs === 0) await writeFileAtomic(this.#path, head);
    else if (end < bytes.length) await writeFileAtomic(this.#path, bytes.subarray(0, end));
    return Math.max(0, 1 + (kept.at(-1)?.epoch ?? -1));
  }
}
