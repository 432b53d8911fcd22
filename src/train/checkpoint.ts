// A training's whole state as one safetensors file: written at once, so it is consistent whenever it is read.

import { z } from "zod";
import { ArborizeError } from "../base/errors.ts";
import type { RandomState } from "../base/random.ts";
import type { Tensor } from "../base/tensor.ts";
import { readSafetensors, writeSafetensors } from "../data/safetensors.ts";
import { readTrackerState, type TrackerState } from "../growth/state.ts";
import type { SchedulerState } from "../optim/schedulers.ts";
import type { RunHistory } from "../report/history.ts";
import type { Snapshot } from "./network.ts";
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
    test: z.number().nullable(),
    scores: z.record(z.string(), z.number()),
  }),
});

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
    [KEY]: JSON.stringify({ format: FORMAT, ...rest, checkpoints: counts }),
  });
}

/** The state that `bytes` hold. @throws `bad_file` naming the file and what is wrong with it. */
export function decodeState(bytes: Uint8Array, name: string): TrainingState {
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
  return {
    ...rest,
    tensors,
    checkpoints: new Map(snapshots),
    tracker: readTrackerState(tracker),
    history: history as unknown as RunHistory,
  };
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ArborizeError("bad_file", `"${name}" has a training state that is not JSON.`, { cause: error });
  }
}
