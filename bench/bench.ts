// Whole training steps side by side with PyTorch in one run: blocks of steps in turns, for several networks and numbers of
// dendrites.

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { textTable } from "../src/report/table.ts";
import { ROWS, type RowName } from "./networks.ts";
import { quantile, StepServer } from "./server.ts";

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
    "Times whole training steps against PyTorch with the same dendrites as plain modules.\n\n" +
      `  --rows     what to measure (default: all)\n${names.map((name) => `             ${name}: ${ROWS[name].about}\n`).join("")}` +
      "  --steps    measured steps of each side, at least 30 (default: 40)\n" +
      "  --threads  threads of each side (default: all)",
  );
  process.exit(unknown.length > 0 ? 2 : 0);
}
const BLOCK = 5;
const WARM_UP = 6;
const steps = Math.max(30, Number(values.steps));

/** Debian's own Python is the one that has Debian's PyTorch. */
const PYTHONS = ["/usr/bin/python3", "python3"];

interface Side {
  readonly times: number[];
  peak: number;
}

async function startPeer(args: readonly string[]): Promise<StepServer | null> {
  for (const python of PYTHONS) {
    const peer = await StepServer.start(python, [join(import.meta.dirname, "peer", "step.py"), ...args]);
    if (peer) return peer;
  }
  return null;
}

async function measure(name: RowName, dendrites: number) {
  const args = [name, values.threads, String(dendrites)];
  const script = join(import.meta.dirname, "step.ts");
  const own = await StepServer.start(process.execPath, [...process.execArgv, script, ...args]);
  if (!own) throw new Error("our own side of the measurement does not start");
  const other = await startPeer(args);
  const ours: Side = { times: [], peak: 0 };
  const peer: Side = { times: [], peak: 0 };
  await own.run(WARM_UP);
  await other?.run(WARM_UP);
  while (ours.times.length < steps) {
    ours.times.push(...(await own.run(BLOCK)));
    if (other) peer.times.push(...(await other.run(BLOCK)));
  }
  ours.peak = await own.end();
  if (other) peer.peak = await other.end();
  const about = [own.about, other?.about ?? "PyTorch: skipped, no Python with torch here"];
  return { ours, peer: other && peer, about };
}

const ms = (times: readonly number[]) => quantile(times, 0.5).toFixed(1);
const least = (times: readonly number[]) => quantile(times, 0).toFixed(1);
const spread = ({ times }: Side) => quantile(times, 0.75) / quantile(times, 0.25);

const rows: Record<string, string>[] = [];
let trusted = true;
for (const name of values.rows.split(",") as RowName[]) {
  const { dendrites: counts, aims } = ROWS[name];
  for (const [i, dendrites] of counts.entries()) {
    const { ours, peer, about } = await measure(name, dendrites);
    if (rows.length === 0) console.log(about.join("\n"));
    const calm = spread(ours) < 1.5 && (!peer || spread(peer) < 1.5);
    trusted &&= calm;
    const ratio = peer && quantile(ours.times, 0.5) / quantile(peer.times, 0.5);
    rows.push({
      row: name,
      dendrites: String(dendrites),
      "ms/step": ms(ours.times),
      least: least(ours.times),
      "peak MB": ours.peak.toFixed(0),
      "PyTorch ms/step": peer ? ms(peer.times) : "-",
      "PyTorch least": peer ? least(peer.times) : "-",
      "PyTorch peak MB": peer ? peer.peak.toFixed(0) : "-",
      ratio: ratio === null ? "-" : calm ? ratio.toFixed(2) : "busy",
      aim: String(aims[i]),
    });
    console.error(`measured ${name} with ${dendrites} dendrites`);
  }
}
console.log(`${values.threads} threads, medians and least of ${steps} steps a side, in turns of ${BLOCK}\n`);
const columns = Object.keys(rows[0]!).map((header) => ({
  header,
  value: (row: Record<string, string>) => row[header]!,
  align: header === "row" ? ("left" as const) : ("right" as const),
}));
console.log(textTable(rows, columns));
if (!trusted) {
  console.log(
    "\nbusy: the middle half of the steps spreads by more than 1.5, so the machine was too busy for a ratio",
  );
}
