// A training's whole state as one safetensors file: written at once, so it is consistent whenever it is read.

import { z } from "zod";
import { ArborizeError } from "../base/errors.ts";
import { Random, type RandomState } from "../base/random.ts";
import type { Tensor } from "../base/tensor.ts";
import { readSafetensors, writeSafetensors } from "../data/safetensors.ts";
import { attachDendrites } from "../dendrites/attach.ts";
import { readTrackerState, type TrackerState } from "../growth/state.ts";
import type { SchedulerState } from "../optim/schedulers.ts";
import type { RunHistory } from "../report/history.ts";
import type { NetworkParts, Snapshot } from "./network.ts";
import type { OpenEpoch } from "./recorder.ts";

/** The version of the file's layout; readers refuse others. */
const FORMAT = 1;
const KEY = "arborize";

/** Everything a training needs to go on exactly where it was, beside what it was made with. */
export interface TrainingState {
  readonly dendrites: number;
  /** Parameters by state dict name, and the optimizer's state as `optimizer.PARAMETER.NAME`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Optimizer steps since it last started afresh. */
  readonly steps: number;
  readonly scheduler: SchedulerState;
  /** Where the stream of dropout masks stands. */
  readonly masks: RandomState;
  readonly tracker: TrackerState;
  readonly checkpoints: ReadonlyMap<string, Snapshot>;
  readonly history: RunHistory;
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
const metadata = z.object({
  format: z.literal(FORMAT),
  identity: z.string(),
  dendrites: count,
  steps: count,
  scheduler: z.object({
    learningRate: z.number(),
    steps: count,
    memory: z.record(z.string(), z.number().nullable()),
  }),
  masks: z.tuple([word, word, word, word]),
  tracker: z.unknown(),
  checkpoints: z.record(z.string(), count),
  history: z.object({
    metric: z.string(),
    maximize: z.boolean(),
    epochs: z.array(z.record(z.string(), z.unknown())),
    switches: z.array(z.record(z.string(), z.unknown())),
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
export function identityOf({ base, optimizer, seed, sites, activation }: TrainingIdentity): string {
  const parameters = base.parameters.map(({ name, shape }) => `${name}[${shape.join(",")}]`).join(" ");
  const places = sites.map(({ id }) => id).join(" ");
  return `seed ${seed}, ${optimizer.name}, ${activation} dendrites on ${places}, parameters ${parameters}`;
}

/** Where a checkpoint's tensors are kept in the file. */
const keptAs = (checkpoint: string) => `checkpoint.${checkpoint}.`;

/** The state as bytes; equal states give equal bytes. */
export function encodeState(state: TrainingState): Uint8Array {
  const { tensors, checkpoints, ...rest } = state;
  const stored: [string, Tensor][] = [...tensors];
  for (const [checkpoint, { values }] of checkpoints) {
    for (const [name, tensor] of values) stored.push([keptAs(checkpoint) + name, tensor]);
  }
  const counts = Object.fromEntries([...checkpoints].map(([name, { dendrites }]) => [name, dendrites]));
  return writeSafetensors(stored, {
    [KEY]: JSON.stringify({ format: FORMAT, ...rest, checkpoints: counts }, spellNumbers),
  });
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
  const { checkpoints, tracker, history, ...rest } = parsed.data;
  const wanted = identityOf(parts);
  if (rest.identity !== wanted) {
    throw new ArborizeError(
      "bad_file",
      `"${name}" is of another training:\n  it has      ${rest.identity}\n  wanted      ${wanted}\nUse another folder, or the network, optimizer and seed it was made with.`,
    );
  }
  const tensors = new Map(stored);
  const snapshots = Object.entries(checkpoints).map(([checkpoint, dendrites]): [string, Snapshot] => {
    const values = new Map<string, Tensor>();
    for (const [key, tensor] of stored) {
      if (!key.startsWith(keptAs(checkpoint))) continue;
      values.set(key.slice(keptAs(checkpoint).length), tensor);
      tensors.delete(key);
    }
    return [checkpoint, { dendrites, values }];
  });
  for (const { dendrites, values } of [{ ...rest, values: tensors }, ...snapshots.map(([, kept]) => kept)]) {
    expectParameters(values, dendrites, name, parts);
  }
  return {
    ...rest,
    tensors,
    checkpoints: new Map(snapshots),
    tracker: trackerState(tracker, name),
    history: history as unknown as RunHistory,
  };
}

/** Checks that all parameters of the network with so many dendrites are there, in their shapes. */
function expectParameters(
  values: ReadonlyMap<string, Tensor>,
  dendrites: number,
  name: string,
  { base, sites }: TrainingIdentity,
): void {
  const { parameters } = attachDendrites(base, {
    sites,
    count: dendrites,
    random: () => Random.stream(0, ""),
  });
  const problems = parameters.flatMap((parameter) => {
    const found = values.get(parameter.name);
    if (found && `${found}` === `${parameter.data}`) return [];
    return [`${parameter.name} ${found ? `is ${found}, wanted ${parameter.data}` : "is missing"}`];
  });
  if (problems.length === 0) return;
  const shown =
    problems.length > 6 ? [...problems.slice(0, 6), `… and ${problems.length - 6} more`] : problems;
  throw new ArborizeError(
    "bad_file",
    `"${name}" does not hold the parameters of ${dendrites} dendrites:\n  ${shown.join("\n  ")}`,
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
