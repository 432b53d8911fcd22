// Whole training steps side by side with PyTorch in one run: blocks of steps in turns, for several networks and numbers of
// dendrites.

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { ROWS, type Row, type RowName } from "./networks.ts";
import { recordTable } from "./records.ts";
import { BLOCK, inTurns, quantile, spread } from "./server.ts";

const names = Object.keys(ROWS) as RowName[];
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: names.join() },
    steps: { type: "string", default: "40" },
    threads: { type: "string", default: String(availableParallelism()) },
    help: { type: "boolean", short: "h", default: false },
  },
});
const unknown = values.rows.split(",").filter((name) => !names.includes(name as RowName));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no such row: ${unknown.join(", ")}\n`);
  console.log(
    "Times whole training steps against PyTorch with the same dendrites as plain modules. It takes the PyTorch of\n" +
      "/usr/bin/python3, else of python3; without one it times Arborize alone.\n\n" +
      `  --rows     what to measure (default: all)\n${names.map((name) => `             ${name}: ${ROWS[name].about}\n`).join("")}` +
      "  --steps    measured steps of each side, at least 30 (default: 40)\n" +
      "  --threads  threads of each side (default: all)",
  );
  process.exit(unknown.length > 0 ? 2 : 0);
}
const steps = Math.max(30, Number(values.steps));

const ms = (times: readonly number[]) => quantile(times, 0.5).toFixed(1);
const least = (times: readonly number[]) => quantile(times, 0).toFixed(1);

/** Derived, not measured: as many steps of the median time as an epoch has. */
const epoch = ({ epoch: examples, batch }: Row, times: readonly number[]) =>
  examples === undefined
    ? "-"
    : ((Math.ceil(examples / batch.shape[0]!) * quantile(times, 0.5)) / 1000).toFixed(0);

const rows: Record<string, string>[] = [];
let trusted = true;
for (const name of values.rows.split(",") as RowName[]) {
  const row: Row = ROWS[name];
  const { dendrites: counts, aims } = row;
  for (const [i, dendrites] of counts.entries()) {
    const { ours, peer, about } = await inTurns([name, values.threads, String(dendrites)], { steps });
    if (rows.length === 0) console.log(about.join("\n"));
    const calm = spread(ours.times) < 1.5 && (!peer || spread(peer.times) < 1.5);
    trusted &&= calm;
    const ratio = peer && quantile(ours.times, 0.5) / quantile(peer.times, 0.5);
    rows.push({
      row: name,
      dendrites: String(dendrites),
      "ms/step": ms(ours.times),
      least: least(ours.times),
      "s/epoch": epoch(row, ours.times),
      "peak MB": ours.peak.toFixed(0),
      "PyTorch ms/step": peer ? ms(peer.times) : "-",
      "PyTorch least": peer ? least(peer.times) : "-",
      "PyTorch s/epoch": peer ? epoch(row, peer.times) : "-",
      "PyTorch peak MB": peer ? peer.peak.toFixed(0) : "-",
      ratio: ratio === null ? "-" : calm ? ratio.toFixed(2) : "busy",
      aim: String(aims[i]),
    });
    console.error(`measured ${name} with ${dendrites} dendrites`);
  }
}
console.log(`${values.threads} threads, medians and least of ${steps} steps a side, in turns of ${BLOCK}\n`);
console.log(recordTable(rows));
console.log(
  "\ns/epoch: the steps of an epoch (MNIST's 60,000 images, 90,000 of EMNIST for ResNet-18) times the median step. Loading and\n" +
    "validation are left out on both sides; bench/epoch.ts measures with loading.",
);
if (!trusted) {
  console.log(
    "\nbusy: the middle half of the steps spreads by more than 1.5, so the machine was too busy for a ratio",
  );
}
