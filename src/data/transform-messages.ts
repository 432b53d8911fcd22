// What goes between the training thread and those that transform batches.

import type { ErrorCode } from "../base/errors.ts";
import { type DType, Tensor, type TensorData } from "../base/tensor.ts";
import type { Batch } from "./dataset.ts";

/** A batch without classes, which do not survive the way. */
type SentBatch = Readonly<Record<string, { dtype: DType; shape: readonly number[]; data: TensorData }>>;

/** A batch to transform, and the random stream to do it by. */
export interface Order {
  readonly id: number;
  readonly augment: object;
  readonly seed: number;
  readonly stream: string;
  readonly batch: SentBatch;
}

export type Reply =
  | { readonly id: number; readonly batch: SentBatch }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string };

export function sendable(batch: Batch): SentBatch {
  return Object.fromEntries(
    Object.entries(batch).map(([name, { dtype, shape, data }]) => {
      // A view would be sent with all of the memory that it is a part of.
      const whole = data.byteLength === data.buffer.byteLength;
      return [name, { dtype, shape, data: whole ? data : data.slice() }];
    }),
  );
}

export function received(batch: SentBatch): Batch {
  const entries = Object.entries(batch);
  return Object.fromEntries(
    entries.map(([name, { dtype, shape, data }]) => [name, new Tensor(dtype, shape, data)]),
  );
}

/** The memory of a batch that the sender has no more use for. */
export function buffersOf(batch: SentBatch): ArrayBuffer[] {
  return [...new Set(Object.values(batch).map(({ data }) => data.buffer as ArrayBuffer))];
}
