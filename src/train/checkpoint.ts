// A training's whole state as one safetensors file: written at once, so it is consistent whenever it is read.

import { z } from "zod";
import { ArborizeError } from "../base/errors.ts";
import type { RandomState } from "../base/random.ts";
import type { Tensor } from "../base/tensor.ts";
import { readSafetensors, writeSafetensors } from "../data/safetensors.ts";
import { readTrackerState, type TrackerState } from "../growth/state.ts";
import type { Effect } from "../growth/tracker.ts";
import type { SchedulerState } from "../optim/schedulers.ts";
import type { RunHistory } from "../report/history.ts";
import type { PhaseState } from "./dendrite-phase.ts";
import type { NetworkParts, Snapshot } from "./network.ts";
import { phaseMisfits } from "./phase-state.ts";
import type { OpenEpoch, RunRecord } from "./recorder.ts";
import { listed, misfits } from "./state-dict.ts";

/** The version of the file's layout; readers refuse others. */
const FORMAT = 1;
const KEY = "arborize";

/** Where training stands beside what is learned. Plain JSON. */
export interface Progress {
  /** Optimizer steps since it last started afresh. */
  readonly steps: number;
  readonly scheduler: SchedulerState;
  /** Where the stream of dropout masks stands. */
  readonly masks: RandomState;
}

/**
 * A point that training can go back to: parameters by state dict name and, where training goes on as if nothing had been in
 * between, the optimizer's state as `optimizer.PARAMETER.NAME`.
 */
export interface Savepoint extends Snapshot {
  readonly progress: Progress;
}

/** A phase of dendrites that learn, and what of the network is to be saved when they have joined. */
export interface SavedPhase extends PhaseState {
  readonly pending: readonly Effect[];
}

/** Where a training's network stands, and what it can go back to. */
export interface CourseState {
  readonly now: Savepoint;
  /** By the tracker's name. */
  readonly savepoints: ReadonlyMap<string, Savepoint>;
  /** Null while neurons learn. */
  readonly phase: SavedPhase | null;
}

/** Everything a training needs to go on exactly where it was, beside what it was made with. */
export interface TrainingState extends CourseState {
  readonly tracker: TrackerState;
  readonly record: RunRecord;
  readonly open: OpenEpoch;
  /** What tells one network and seed from another. */
  readonly identity: string;
}

const count = z.int().min(0);
const word = z.int().min(0).max(0xffffffff);
/** A score that decides nothing may be anything. */
const measured = z.union([
  z.number(),
  z.nan(),
  z.literal([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]),
]);
const savepoint = z.object({
  dendrites: count,
  progress: z.object({
    steps: count,
    scheduler: z.object({
      learningRate: z.number(),
      steps: count,
      memory: z.record(z.string(), z.number().nullable()),
    }),
    masks: z.tuple([word, word, word, word]),
  }),
});
const phase = z.object({
  standing: z.object({
    dendrite: count,
    attempt: count,
    cap: count,
    steps: count,
    bootstrap: count,
    progress: z.object({ epochs: count, waited: count }),
    flat: z.number().nullable(),
    memory: z
      .object({ examples: count, lossSum: z.number(), counted: count, settled: z.boolean() })
      .nullable()
      .default(null),
  }),
  pending: z.array(
    z.object({ type: z.literal("save"), checkpoint: z.enum(["best", "cycle", "switch", "run"]) }),
  ),
});
const metadata = z.object({
  format: z.literal(FORMAT),
  identity: z.string(),
  now: savepoint,
  savepoints: z.record(z.string(), savepoint),
  phase: phase.nullish(),
  tracker: z.unknown(),
  record: z.object({
    history: z.looseObject({
      metric: z.string(),
      maximize: z.boolean(),
      epochs: z.array(z.record(z.string(), z.unknown())),
      switches: z.array(z.record(z.string(), z.unknown())),
    }),
    lineage: z.object({ current: z.array(count), kept: z.record(z.string(), z.array(count)) }),
  }),
  open: z.object({
    lossSum: z.number(),
    steps: count,
    trainSeconds: z.number(),
    validationSeconds: z.number(),
    test: measured.nullable(),
    scores: z.record(z.string(), measured),
  }),
});

/** What of a training its checkpoints must fit. */
export type TrainingIdentity = NetworkParts & { readonly seed: number };

/** Network, dendrites, optimizer and seed in one line: what must agree for a training to go on from a checkpoint. */
export function identityOf(identity: TrainingIdentity): string {
  const { base, optimizer, seed, sites, activation, correlation } = identity;
  const parameters = [...base.state].map(([name, { shape }]) => `${name}[${shape.join(",")}]`).join(" ");
  const places = sites.map(({ id }) => id).join(" ");
  const learning = correlation ? ` by correlation and ${correlation.optimizer.name}` : "";
  const dendrites = `${activation} dendrites${learning} on ${places}`;
  return `seed ${seed}, ${optimizer.name}, ${dendrites}, parameters ${parameters}`;
}

/** The name under which a dendrite phase's tensors are kept. */
const PHASE = "phase";

/** Where a checkpoint's tensors are kept in the file. */
const keptAs = (checkpoint: string) => `checkpoint.${checkpoint}.`;

/** The state as bytes; equal states give equal bytes. */
export function encodeState({ now, savepoints, phase, ...rest }: TrainingState): Uint8Array {
  const stored: [string, Tensor][] = [...now.values];
  for (const [name, { values }] of savepoints) {
    for (const [key, tensor] of values) stored.push([keptAs(name) + key, tensor]);
  }
  for (const [key, tensor] of phase?.tensors ?? []) stored.push([keptAs(PHASE) + key, tensor]);
  const plain = ({ dendrites, progress }: Savepoint) => ({ dendrites, progress });
  const kept = Object.fromEntries([...savepoints].map(([name, point]) => [name, plain(point)]));
  const learning = phase ? { phase: { standing: phase.standing, pending: phase.pending } } : {};
  const all = { format: FORMAT, ...rest, now: plain(now), savepoints: kept, ...learning };
  const json = JSON.stringify(all, spellNumbers);
  return writeSafetensors(stored, { [KEY]: json });
}

/** JSON has no NaN and no infinities: they are written as strings. */
function spellNumbers(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function readNumbers(_: string, value: unknown): unknown {
  return value === "NaN" || value === "Infinity" || value === "-Infinity" ? Number(value) : value;
}

/**
 * The state that `bytes` hold.
 *
 * @throws `bad_file` naming the file and what is wrong with it: damaged, or not of a training of these parts.
 */
export function decodeState(bytes: Uint8Array, name: string, parts: TrainingIdentity): TrainingState {
  const { stored, read } = readState(bytes, name);
  const { now, savepoints, tracker, record, open, identity } = read;
  const wanted = identityOf(parts);
  if (identity !== wanted) {
    throw new ArborizeError(
      "bad_file",
      `"${name}" is of another training:\n  it has      ${identity}\n  wanted      ${wanted}\nUse another folder, or the network, optimizer and seed it was made with.`,
    );
  }
  const rest = new Map(stored);
  const takeFrom = (kept: string) => {
    const values = new Map<string, Tensor>();
    for (const [key, tensor] of stored) {
      if (!key.startsWith(keptAs(kept))) continue;
      values.set(key.slice(keptAs(kept).length), tensor);
      rest.delete(key);
    }
    return values;
  };
  const points = Object.entries(savepoints).map(([kept, point]): [string, Savepoint] => [
    kept,
    { ...point, values: takeFrom(kept) },
  ]);
  const phase = read.phase ? { ...read.phase, tensors: takeFrom(PHASE) } : null;
  const present: Savepoint = { ...now, values: rest };
  for (const point of [present, ...points.map(([, kept]) => kept)]) expectParameters(point, name, parts);
  if (phase) expectPhase(phase, present, name, parts);
  return {
    now: present,
    savepoints: new Map(points),
    phase,
    tracker: trackerState(tracker, name),
    record: record as unknown as RunRecord,
    open,
    identity,
  };
}

/** The history of the run that `bytes` are a checkpoint of, whatever it trains. @throws `bad_file` */
export function decodeHistory(bytes: Uint8Array, name: string): RunHistory {
  return readState(bytes, name).read.record.history as unknown as RunHistory;
}

function readState(bytes: Uint8Array, name: string) {
  const { tensors: stored, metadata: texts } = readSafetensors(bytes, name);
  const text = texts[KEY];
  if (text === undefined) {
    throw new ArborizeError(
      "bad_file",
      `"${name}" holds tensors but no training state: it is not a checkpoint of Arborize.`,
    );
  }
  const parsed = metadata.safeParse(parseJson(text, name));
  if (!parsed.success) {
    throw new ArborizeError(
      "bad_file",
      `"${name}" has a training state that cannot be read: ${z.prettifyError(parsed.error)}`,
    );
  }
  return { stored, read: parsed.data };
}

/** Checks that all parameters and buffers of the network with so many dendrites are there, in their shapes. */
function expectParameters(point: Snapshot, name: string, parts: TrainingIdentity): void {
  const problems = misfits(point, parts);
  if (problems.length === 0) return;
  throw new ArborizeError(
    "bad_file",
    `"${name}" does not hold the parameters of ${point.dendrites} dendrites:\n  ${listed(problems)}`,
  );
}

/** Checks that all is there that a dendrite phase goes on with. */
function expectPhase(phase: PhaseState, now: Snapshot, name: string, parts: TrainingIdentity): void {
  const { correlation } = parts;
  const problems = correlation
    ? phaseMisfits(phase, now, { ...parts, correlation })
    : ["dendrites of this training learn with the network"];
  if (problems.length === 0) return;
  throw new ArborizeError(
    "bad_file",
    `"${name}" was saved while dendrites learned, and does not hold what they go on with:\n  ${listed(problems)}`,
  );
}

function trackerState(json: unknown, name: string): TrackerState {
  try {
    return readTrackerState(json);
  } catch (error) {
    if (!(error instanceof ArborizeError)) throw error;
    const problem = `"${name}" has a tracker state that cannot be read: ${error.message}`;
    throw new ArborizeError(error.code, problem, { cause: error });
  }
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text, readNumbers);
  } catch (error) {
    throw new ArborizeError("bad_file", `"${name}" has a training state that is not JSON.`, { cause: error });
  }
}
