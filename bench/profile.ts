// Where the time of a training step goes: the runtime's own times for each operator of a row's step, the least of several runs.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { attachDendrites, findSites, nn, Random, type Tensor } from "../src/index.ts";
import { CroppedNetwork } from "../src/train/cropped.ts";
import { buildTrainStep } from "../src/train/step.ts";
import { drawBatch, LOSS, ROWS, type Row, type RowName } from "./networks.ts";

const [name, count = "0", threads = "1", shown = "30"] = process.argv.slice(2);
if (!name || !(name in ROWS)) {
  console.log(`usage: profile.ts ${Object.keys(ROWS).join("|")} [dendrites] [threads] [nodes to show]`);
  process.exit(2);
}
const RUNS = 8;
const row: Row = ROWS[name as RowName];

const base = nn.trace(row.model(), { inputs: row.inputs });
const random = (parameter: string) => Random.stream(1, parameter);
const network = attachDendrites(base, {
  sites: findSites(base, row.where),
  count: Number(count),
  random,
});
const optimizer = row.optimizer();
const cropped = new CroppedNetwork(network, optimizer, network.state);
const step = buildTrainStep(cropped.graph, LOSS, optimizer, { inPlace: true });

const native = ({ dtype, data, shape }: Tensor) =>
  new ort.Tensor(dtype as "float32", data as Float32Array, shape);
const feeds: Record<string, ort.Tensor> = {};
const batch = drawBatch(row);
for (const [key, tensor] of Object.entries(batch)) feeds[key] = native(tensor);
for (const [key, tensor] of cropped.graph.state) feeds[key] = native(tensor);
for (const mask of step.masks) {
  const shape = mask.shape.map((dim) => (typeof dim === "number" ? dim : batch.target!.shape[0]!));
  feeds[mask.name] = new ort.Tensor("bool", new Uint8Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape);
}

const folder = mkdtempSync(join(tmpdir(), "arborize-profile-"));
const session = await ort.InferenceSession.create(step.model, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  enableProfiling: true,
  profileFilePrefix: join(folder, "profile"),
});
const needed = Object.fromEntries(session.inputNames.map((key) => [key, feeds[key]!]));
for (let i = 0; i < RUNS; i++) await session.run(needed);
session.endProfiling();

interface Event {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: {
    readonly op_name: string;
    readonly input_type_shape: unknown;
    readonly output_type_shape: unknown;
  };
}
const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]!), "utf8")) as Event[];
rmSync(folder, { recursive: true });
const nodes = new Map<string, { ms: number; event: Event }>();
for (const event of events) {
  if (event.cat !== "Node" || !event.name.endsWith("_kernel_time")) continue;
  const ms = event.dur / 1000;
  const known = nodes.get(event.name);
  if (!known || ms < known.ms) nodes.set(event.name, { ms, event });
}
const byOperator = new Map<string, { ms: number; count: number }>();
for (const { ms, event } of nodes.values()) {
  const sum = byOperator.get(event.args.op_name) ?? { ms: 0, count: 0 };
  byOperator.set(event.args.op_name, { ms: sum.ms + ms, count: sum.count + 1 });
}
const sorted = <T extends { ms: number }>(entries: Iterable<[string, T]>) =>
  [...entries].sort(([, a], [, b]) => b.ms - a.ms);
const total = [...nodes.values()].reduce((sum, { ms }) => sum + ms, 0);
console.log(
  `${name}, ${count} dendrites, ${threads} threads: ${total.toFixed(1)} ms in ${nodes.size} nodes\n`,
);
for (const [operator, { ms, count: times }] of sorted(byOperator).slice(0, 16)) {
  console.log(`${ms.toFixed(2).padStart(8)}  ${operator} (${times})`);
}
console.log();
const shapes = (types: unknown) => JSON.stringify(types).replaceAll('"', "").replaceAll("float:", "");
for (const [key, { ms, event }] of sorted(nodes).slice(0, Number(shown))) {
  const { input_type_shape: inputs, output_type_shape: outputs } = event.args;
  const what = `${shapes(inputs)} -> ${shapes(outputs)}`;
  console.log(`${ms.toFixed(2).padStart(8)}  ${key.replace("_kernel_time", "")} ${what.slice(0, 120)}`);
}
