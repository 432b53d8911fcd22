// Seconds of an epoch side by side with PyTorch in one run, with what loads the batches: turns of steps, scaled to an epoch.

import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import { ROWS, type Row, type RowName } from "./networks.ts";
import { type EpochRecord, type EpochRow, type EpochSeconds, epochCells, recordTable } from "./records.ts";
import { inTurns, quantile, type Side, spread } from "./server.ts";

const names = (Object.keys(ROWS) as RowName[]).filter((name) => "epoch" in ROWS[name]);
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: names.join() },
    dendrites: { type: "string", default: "0,1,2" },
    rounds: { type: "string", default: "7" },
    steps: { type: "string", default: "30" },
    threads: { type: "string", default: String(availableParallelism()) },
    json: { type: "string" },
    alone: { type: "boolean", default: false },
    smoke: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const unknown = values.rows.split(",").filter((name) => !names.includes(name as RowName));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no such row: ${unknown.join(", ")}\n`);
  console.log(
    "Times steps with their loading against PyTorch with its DataLoader and the same dendrites, and scales them to an epoch.\n" +
      "About ten minutes; nothing else should run meanwhile.\n\n" +
      `  --rows       what to measure (default: ${names.join()})\n` +
      "  --dendrites  how many on each place (default: 0,1,2)\n" +
      "  --rounds     turns of each side (default: 7); fewer than 3 give no ratio\n" +
      "  --steps      timed steps in a turn (default: 30); as many as an epoch has time it whole\n" +
      "  --threads    threads of each side (default: all)\n" +
      "  --json       file to keep the numbers in: docs/performance/epochs.json for docs/performance.md\n" +
      "  --alone      without PyTorch\n" +
      "  --smoke      a few steps of the MNIST CNN on few images, to see that it works",
  );
  process.exit(unknown.length > 0 ? 2 : 0);
}
const [rows, counts, rounds, steps] = values.smoke
  ? [["mnist-cnn"], [0], 1, 2]
  : [
      values.rows.split(","),
      values.dendrites.split(",").map(Number),
      Number(values.rounds),
      Number(values.steps),
    ];
const threads = Number(values.threads);
/** Loaders work ahead while it is the other side's turn: so many steps and one more are not timed. */
const AHEAD = 2 * threads + 1;
/** The most that the middle half of the turns may be apart. */
const CALM = 1.2;

/** The seconds that an epoch would take, turn by turn. */
function epochSeconds({ times }: Side, epochSteps: number): number[] {
  return Array.from({ length: rounds }, (_, turn) => {
    const timed = times.slice(turn * (AHEAD + steps) + AHEAD, (turn + 1) * (AHEAD + steps));
    return (timed.reduce((sum, ms) => sum + ms, 0) / steps / 1000) * epochSteps;
  });
}

const secondsOf = (turns: readonly number[]): EpochSeconds => ({
  median: Number(quantile(turns, 0.5).toPrecision(4)),
  least: Number(quantile(turns, 0).toPrecision(4)),
});

const measured: EpochRow[] = [];
const said = new Set<string>();
let busy = false;
/** What has been measured so far: kept after each row, so that a run that is cut short leaves it. */
function keep(): EpochRecord {
  const record: EpochRecord = {
    date: new Date().toISOString().slice(0, 10),
    machine: cpus()[0]!.model.trim(),
    ...{ threads, about: [...said], rounds, steps, rows: measured },
  };
  if (values.json !== undefined && measured.length > 0)
    writeFileSync(values.json, `${JSON.stringify(record, null, 2)}\n`);
  return record;
}
let record = keep();
for (const name of rows as RowName[]) {
  const { epoch = 0, batch }: Row = ROWS[name];
  const examples = values.smoke ? 256 : epoch;
  const epochSteps = Math.ceil(examples / batch.shape[0]!);
  for (const dendrites of counts) {
    const args = [name, values.threads, String(dendrites), "loader", String(examples)];
    const block = AHEAD + steps;
    const { ours, peer, about } = await inTurns(args, { steps: rounds * block, block, peer: !values.alone });
    for (const line of about) said.add(line);
    const [own, other] = [epochSeconds(ours, epochSteps), peer && epochSeconds(peer, epochSteps)];
    const calm = spread(own) < CALM && (!other || spread(other) < CALM);
    busy ||= !calm;
    const ratio = other && calm && rounds >= 3 ? quantile(own, 0.5) / quantile(other, 0.5) : null;
    measured.push({
      ...{ row: name, dendrites, examples, epochSteps },
      ours: secondsOf(own),
      peer: other && secondsOf(other),
      ratio: ratio === null ? null : Number(ratio.toPrecision(3)),
    });
    record = keep();
    console.error(`measured ${name} with ${dendrites} dendrites`);
  }
}
console.log(
  `${record.about.join("\n")}\n\n${threads} threads, turns of each side: ${rounds}, timed steps in a turn: ${steps}; PyTorch loads in the training process ` +
    `or by ${threads} workers, whichever is faster\n`,
);
console.log(recordTable(epochCells(record)));
if (busy) {
  const apart = `the middle half of some turns spreads by more than ${CALM}`;
  console.log(`\nno ratio: ${apart}, so the machine was too busy for one`);
}
