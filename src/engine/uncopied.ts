// Keeps onnxruntime-node (up to 1.30 at least) from copying what it has already written where it was asked to.
//
// Its `run` makes a new array of every output that is asked for, also of those that a tensor was given for: of ResNet-18's
// gradients 45 MB a step, zeroed, copied and left to the garbage collector. It does so in the order of the model's outputs,
// after all of them have been computed, and refuses one that is no tensor. So a model of `givesOutputs` gets an empty
// sequence as its first output; a run to which all others are given asks for it too, and ends with that refusal once
// everything is where it belongs. A version that refuses nothing just returns.

import { invariant } from "../base/errors.ts";

/** The name of the output that is never read. */
export const UNREAD = "arborize.unread";

const REFUSAL = "Non tensor type is temporarily not supported";

/** Whether a run only failed to return the output that is never read. */
export function onlyUnread(error: unknown): boolean {
  return error instanceof Error && error.message.includes(REFUSAL);
}

/** A model with `UNREAD` as its first output. Messages of the protocol put together are one with the fields of both. */
export function withUnread(model: Uint8Array): Uint8Array {
  const joined = new Uint8Array(PROLOGUE.length + model.length);
  joined.set(PROLOGUE);
  joined.set(model, PROLOGUE.length);
  return joined;
}

/** A field of a message: its number and its bytes, fewer than 128. */
function field(number: number, content: readonly number[] | string): number[] {
  const bytes = typeof content === "string" ? [...new TextEncoder().encode(content)] : content;
  invariant(bytes.length < 128, `a field of ${bytes.length} bytes`);
  return [(number << 3) | 2, bytes.length, ...bytes];
}

// Numbers of fields are those of onnx.proto: graph 7 { node 1 { output 2, op_type 4 }, output 12 { name 1, type 2 } }, of which
// the type is sequence_type 4 { elem_type 1 { tensor_type 1 { elem_type 1: float } } }.
const FLOAT = field(1, [1 << 3, 1]);
const PROLOGUE = Uint8Array.from(
  field(7, [
    ...field(1, [...field(2, UNREAD), ...field(4, "SequenceEmpty")]),
    ...field(12, [...field(1, UNREAD), ...field(2, field(4, field(1, FLOAT)))]),
  ]),
);
