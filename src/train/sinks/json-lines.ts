// Epochs as lines of JSON, under the names that Weights & Biases gives to the rows of a run's history.

import type { Sink } from "../events.ts";
import { EpochLog, type LogFormat, type LogRecord } from "./epoch-log.ts";
import { growthAfter, seriesOf } from "./series.ts";

/**
 * Writes a line of JSON for each epoch: `_step` (the epoch), `_timestamp` (seconds since 1970), `_runtime` (seconds of training
 * and validation so far), the numbers by name (`train/loss`, `validation/accuracy`, …), and as `growth` why dendrites were added.
 * `pandas.read_json(file, lines=True)` reads it, and for each row `wandb.log(row, step=row["_step"])` uploads it.
 *
 * A run that goes on goes on in its file. @throws `bad_option` at the start where the file holds anything else.
 */
export function jsonLines(file: string): Sink {
  const log = new EpochLog(file, FORMAT);
  return {
    async receive(event) {
      if (event.type === "start" || event.type === "epochEnd") await log.follow(event.history);
    },
  };
}

const FORMAT: LogFormat = {
  head: new Uint8Array(),
  read(bytes) {
    const records: LogRecord[] = [];
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      const epoch = stepOf(bytes.subarray(start, end));
      if (epoch === null) return null;
      start = end + 1;
      records.push({ epoch, end: start });
    }
    const rest = new TextDecoder().decode(bytes.subarray(start, start + BEGIN.length));
    return BEGIN.startsWith(rest) ? records : null;
  },
  epoch(epoch, history) {
    const before = history.epochs.slice(0, epoch.epoch + 1);
    const growth = growthAfter(epoch, history);
    const row = {
      _step: epoch.epoch,
      _timestamp: Date.now() / 1000,
      _runtime: before.reduce((sum, e) => sum + e.trainSeconds + e.validationSeconds, 0),
      ...Object.fromEntries(seriesOf(epoch, history)),
      ...(growth === undefined ? {} : { growth }),
    };
    return new TextEncoder().encode(`${JSON.stringify(row)}\n`);
  },
};

/** What each line begins with. */
const BEGIN = '{"_step":';

function stepOf(line: Uint8Array): number | null {
  try {
    const step: unknown = JSON.parse(new TextDecoder().decode(line))._step;
    return Number.isSafeInteger(step) ? (step as number) : null;
  } catch {
    return null;
  }
}
