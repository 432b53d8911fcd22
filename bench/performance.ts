// How the cost of a step grows with dendrites, batch and width, against PyTorch and what the machine can do at best:
// writes docs/performance.md with its chart. What is measured is kept in docs/performance/measured.jsonl, a line each, so
// that a run that is cut short goes on where it was.

import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Point, performanceChart } from "./chart.ts";
import { floorMs, type Machine, measureMachine, type Scale } from "./floor.ts";
import { type EpochRecord, epochSection } from "./records.ts";
import { inTurns, quantile, type Side } from "./server.ts";

const PARTS: Readonly<Record<string, readonly Scale[]>> = {
  dendrites: [0, 1, 2, 3, 4, 5, 6, 7, 8].map((dendrites) => ({ dendrites, images: 64, width: 1 })),
  batch: [0, 1].flatMap((dendrites) =>
    [8, 16, 32, 64, 128, 256, 512].map((images) => ({ dendrites, images, width: 1 })),
  ),
  width: [0, 1].flatMap((dendrites) => [0.25, 0.5, 1, 2].map((width) => ({ dendrites, images: 64, width }))),
};
const STEPS = 30;

const { values } = parseArgs({
  options: {
    parts: { type: "string", default: Object.keys(PARTS).join() },
    seconds: { type: "string", default: "8" },
    threads: { type: "string", default: String(availableParallelism()) },
    fresh: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const parts = values.parts === "" ? [] : values.parts.split(",");
const unknown = parts.filter((part) => !(part in PARTS));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no such part: ${unknown.join(", ")}\n`);
  console.log(
    "Measures how step time and memory of the MNIST CNN grow, and writes docs/performance.md. About ten minutes; a run that\n" +
      "is cut short goes on where it was.\n\n" +
      `  --parts    what to measure (default: ${Object.keys(PARTS).join()}; "" only writes the page)\n` +
      `  --seconds  for a point, both sides together, after which fewer than ${STEPS} steps will do (default: 8)\n` +
      "  --threads  threads of each side (default: all)\n" +
      "  --fresh    measure again what is known",
  );
  process.exit(unknown.length > 0 ? 2 : 0);
}

const docs = join(import.meta.dirname, "..", "docs");
const folder = join(docs, "performance");
const file = join(folder, "measured.jsonl");
/** What bench/epoch.ts has kept, if it has. */
const epochs = join(folder, "epochs.json");

/** A line of the file. */
type Line = { readonly machine: Machine & { readonly model: string } } | { readonly point: Point };

mkdirSync(folder, { recursive: true });
if (values.fresh) rmSync(file, { force: true });
const lines = existsSync(file)
  ? readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line)
  : [];
function keep(line: Line): void {
  lines.push(line);
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

const threads = Number(values.threads);
if (!lines.some((line) => "machine" in line && line.machine.threads === threads)) {
  const measured = await measureMachine(threads);
  keep({ machine: { ...measured, model: cpus()[0]!.model.trim() } });
}
const machine = lines.flatMap((line) => ("machine" in line ? [line.machine] : [])).at(-1)!;

const points = () => lines.flatMap((line) => ("point" in line ? [line.point] : []));
const same = (a: Scale, b: Scale) =>
  a.dendrites === b.dendrites && a.images === b.images && a.width === b.width;
const rounded = (value: number) => Number(value.toPrecision(4));
const sideOf = ({ times, peak }: Side) => ({
  least: rounded(quantile(times, 0)),
  median: rounded(quantile(times, 0.5)),
  peak: Math.round(peak),
});
for (const scale of parts.flatMap((part) => PARTS[part]!)) {
  if (points().some((point) => same(point, scale))) continue;
  const { dendrites, images, width } = scale;
  const args = ["mnist-cnn", values.threads, dendrites, images, width].map(String);
  const { ours, peer } = await inTurns(args, { steps: STEPS, seconds: Number(values.seconds) });
  keep({ point: { ...scale, ours: sideOf(ours), peer: peer && sideOf(peer) } });
  console.error(`measured ${dendrites} dendrites, ${images} images, width ${width}`);
}

const floor = (scale: Scale) => floorMs(scale, machine);
writeFileSync(join(folder, "growth.svg"), performanceChart(points(), floor));
writeFileSync(join(docs, "performance.md"), page());
console.log(page());

function page(): string {
  const order = (a: Scale, b: Scale) => a.width - b.width || a.images - b.images || a.dendrites - b.dendrites;
  const rows = points()
    .sort(order)
    .map(({ ours, peer, ...scale }) => {
      const share = peer ? (ours.least / peer.least).toFixed(2) : "-";
      const cells = [
        ...[scale.dendrites, scale.images, scale.width, ours.median, ours.least, peer?.median ?? "-"],
        ...[peer?.least ?? "-", share, floor(scale).toFixed(1), (ours.least / floor(scale)).toFixed(2)],
        ...[ours.peak, peer?.peak ?? "-"],
      ];
      return `| ${cells.join(" | ")} |`;
    });
  const { model, gflops, bandwidth } = machine;
  const headers = [
    ...["dendrites", "images", "width", "ms", "least", "PyTorch ms", "PyTorch least", "share"],
    ...["floor", "above it", "MB", "PyTorch MB"],
  ];
  return `# Performance

How a training step of PyTorch's MNIST CNN grows with dendrites on every layer, with the batch, and with its width (1 is 32
and 64 channels, 128 units); Adadelta. Both sides ran in turns, ${machine.threads} threads each. \`npm run performance\` writes
this page; \`npm run bench\` measures more networks.

${model}: the runtime multiplies 1024 x 1024 matrices at ${gflops.toFixed(0)} GFLOP/s, and a pass that reads and writes
moves ${bandwidth.toFixed(1)} GB/s. The floor is the time of a step in which every product in its direct form runs at that rate or
at the bandwidth of what it reads and writes, and everything between products is one pass in each direction. Winograd's form
has fewer products, so a step can be under the floor.

![Step time and memory](performance/growth.svg)

_share_: our least time by PyTorch's. _above it_: our least time by the floor.

| ${headers.join(" | ")} |
| ${headers.map(() => "---:").join(" | ")} |
${rows.join("\n")}
${existsSync(epochs) ? `\n${epochSection(JSON.parse(readFileSync(epochs, "utf8")) as EpochRecord)}` : ""}`;
}
