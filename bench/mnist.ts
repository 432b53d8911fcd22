// The MNIST CNN's whole training step, side by side with PyTorch in one run: blocks of steps in turns, 0 to 3 dendrites.

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { textTable } from "../src/report/table.ts";
import { quantile, StepServer } from "./server.ts";

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "40" },
    batch: { type: "string", default: "64" },
    threads: { type: "string", default: String(availableParallelism()) },
    dendrites: { type: "string", default: "0,1,2,3" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(
    "Times whole training steps of PyTorch's MNIST CNN against PyTorch with the same dendrites as plain modules.\n\n" +
      "  --steps      measured steps of each side (default: 40)\n  --batch      images in a batch (default: 64)\n" +
      "  --threads    threads of each side (default: all)\n  --dendrites  counts to measure (default: 0,1,2,3)",
  );
  process.exit(0);
}
const BLOCK = 5;
const WARM_UP = 6;
const steps = Math.max(30, Number(values.steps));
const counts = values.dendrites.split(",").map(Number);

/** Debian's own Python is the one that has Debian's PyTorch. */
const PYTHONS = ["/usr/bin/python3", "python3"];

interface Side {
  readonly times: number[];
  peak: number;
}

async function startPeer(args: readonly string[]): Promise<StepServer | null> {
  for (const python of PYTHONS) {
    const peer = await StepServer.start(python, [
      join(import.meta.dirname, "peer", "mnist_step.py"),
      ...args,
    ]);
    if (peer) return peer;
  }
  return null;
}

async function measure(dendrites: number): Promise<{ ours: Side; peer: Side | null; about: string[] }> {
  const args = [values.threads, values.batch, String(dendrites)];
  const own = await StepServer.start(process.execPath, [
    ...process.execArgv,
    join(import.meta.dirname, "mnist-step.ts"),
    ...args,
  ]);
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
  return {
    ours,
    peer: other && peer,
    about: [own.about, other?.about ?? "PyTorch: skipped, no Python with torch here"],
  };
}

const ms = (times: readonly number[]) => quantile(times, 0.5).toFixed(1);
const least = (times: readonly number[]) => quantile(times, 0).toFixed(1);

const rows: Record<string, string>[] = [];
let trusted = true;
for (const dendrites of counts) {
  const { ours, peer, about } = await measure(dendrites);
  if (rows.length === 0) console.log(about.join("\n"));
  const spread = (side: Side) => quantile(side.times, 0.75) / quantile(side.times, 0.25);
  const calm = spread(ours) < 1.5 && (!peer || spread(peer) < 1.5);
  trusted &&= calm;
  rows.push({
    dendrites: String(dendrites),
    "ms/step": ms(ours.times),
    least: least(ours.times),
    "peak MB": ours.peak.toFixed(0),
    "PyTorch ms/step": peer ? ms(peer.times) : "-",
    "PyTorch least": peer ? least(peer.times) : "-",
    "PyTorch peak MB": peer ? peer.peak.toFixed(0) : "-",
    ratio: peer
      ? (quantile(ours.times, 0.5) / quantile(peer.times, 0.5)).toFixed(2) + (calm ? "" : " ?")
      : "-",
  });
  console.error(`measured ${dendrites} dendrites`);
}
console.log(
  `batch ${values.batch}, ${values.threads} threads, medians and least of ${steps} steps a side, in turns of ${BLOCK}\n`,
);
const columns = Object.keys(rows[0]!).map((header) => ({
  header,
  value: (row: Record<string, string>) => row[header]!,
}));
console.log(
  textTable(
    rows,
    columns.map((column) => ({ ...column, align: "right" as const })),
  ),
);
if (!trusted)
  console.log(
    "\n? the middle half of the steps spreads by more than 1.5: the machine was too busy to trust the ratio",
  );
