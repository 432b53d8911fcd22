// What LSTM, GRU and RNN share: their inputs and shapes, and gradients direction by direction, each with time running
// forwards.

import { ArborizeError } from "../../base/errors.ts";
import { Tensor } from "../../base/tensor.ts";
import type { Value } from "../../graph/graph.ts";
import type { ValueType } from "../../graph/operator.ts";
import { isStatic, type Shape, sameShape, shapeText } from "../../graph/shape.ts";
import { cast } from "../cast.ts";
import { concat, split } from "../concat.ts";
import { expectFloats, expectShape, int64, int64s } from "../define.ts";
import { add, mul, sub } from "../elementwise.ts";
import { equal, less } from "../logic.ts";
import { reverseSequence } from "../order.ts";
import { range } from "../range.ts";
import { constantOfShapeOp, flatten, reshapeLike, shapeOf, squeeze, unsqueeze } from "../reshape.ts";
import { reversed, slice } from "../slice.ts";
import { type Activation, activationOf } from "./activations.ts";

/** Which way time runs: `"bidirectional"` is both ways, each with weights of its own. */
export type Direction = "forward" | "reverse" | "bidirectional";

/** Options of the recurrent operators. */
export interface RecurrentOptions {
  /** Biases of the input's and of the hidden state's product, one after the other, `[directions, 2 * gates * H]`. Default: none. */
  readonly bias?: Value | undefined;
  /** How many steps of each sequence count, int32 `[batch]`. Default: all. */
  readonly sequenceLengths?: Value | undefined;
  /** The hidden state before the first step, `[directions, batch, H]`. Default: zeros. */
  readonly initialH?: Value | undefined;
  /** Default: `"forward"`. */
  readonly direction?: Direction;
  /** ONNX's names of the activations, all for the first direction before those for the second. */
  readonly activations?: readonly string[];
}

type Optional = Value | null | undefined;

/** The inputs that all of them begin with. */
export type RecurrentInputs = [
  x: Value,
  w: Value,
  r: Value,
  b?: Optional,
  lengths?: Optional,
  initialH?: Optional,
];

/** The attributes that all of them have. */
export const ATTRIBUTES = {
  activation_alpha: "floats",
  activation_beta: "floats",
  activations: "strings",
  clip: "float",
  direction: "string",
  hidden_size: "int",
  layout: "int",
} as const;

/** The values of `ATTRIBUTES`. */
export interface RecurrentAttributes {
  readonly activations?: readonly string[] | undefined;
  readonly clip?: number | undefined;
  readonly direction?: string | undefined;
  readonly hidden_size?: number | undefined;
  readonly layout?: number | undefined;
}

/** Options as attributes of a node. */
export function attributesOf({ direction = "forward", activations }: RecurrentOptions, r: Value) {
  return { direction, activations, hidden_size: r.shape.at(-1) as number };
}

/**
 * The types of Y and Y_h, given how many gates there are.
 *
 * @throws `shape_mismatch`, `unsupported_attribute`.
 */
export function inferRecurrent(
  gates: number,
  [x, w, r, b, lengths, initialH]: RecurrentInputs,
  { direction = "forward", layout = 0 }: RecurrentAttributes,
): [y: ValueType, yH: ValueType] {
  if (layout !== 0) {
    throw new ArborizeError("unsupported_attribute", "layout 1 is not supported: put time before the batch");
  }
  if (!["forward", "reverse", "bidirectional"].includes(direction)) {
    throw new ArborizeError("unsupported_attribute", `direction "${direction}" is unknown`);
  }
  const count = direction === "bidirectional" ? 2 : 1;
  expectFloats(x, w, r, b, initialH);
  expectShape(x.rank === 3, () => `X must be [steps, batch, input], it is ${shapeText(x.shape)}`);
  const [steps, batch, size] = x.shape as [Shape[0], Shape[0], Shape[0]];
  const hidden = r.shape.at(-1)!;
  expectShape(isStatic(hidden), () => `R ${shapeText(r.shape)} must have a known size`);
  expectInput("W", w, [count, gates * hidden, size!]);
  expectInput("R", r, [count, gates * hidden, hidden]);
  expectInput("B", b, [count, 2 * gates * hidden]);
  expectInput("sequence_lens", lengths, [batch!]);
  expectInput("initial_h", initialH, [count, batch!, hidden]);
  return [
    { dtype: x.dtype, shape: [steps!, count, batch!, hidden] },
    { dtype: x.dtype, shape: [count, batch!, hidden] },
  ];
}

/** Checks the shape of an input. @throws `shape_mismatch`. */
export function expectInput(name: string, value: Optional, shape: Shape): void {
  expectShape(
    !value || sameShape(value.shape, shape),
    () => `${name} is ${shapeText(value!.shape)}, wanted ${shapeText(shape)}`,
  );
}

/** One direction of a node, with time running forwards. Sequences are rows, `[steps * batch, n]`, where nothing else is said. */
export interface Run {
  readonly x: Value;
  /** `[gates * H, input]` */
  readonly w: Value;
  /** `[gates * H, H]` */
  readonly r: Value;
  /** The bias of the input's product and that of the hidden state's, `[gates * H]`. */
  readonly biases: readonly [Value, Value] | null;
  readonly hidden: number;
  readonly activations: readonly Activation[];
  /** The hidden state after each step. */
  readonly y: Value;
  /** The hidden state before each step. */
  readonly previous: Value;
  /** The cotangent of `y`, if any flows back there. */
  readonly dY: Value | null;
  /** The cotangent of the last hidden state, `[batch, H]`: zeros where none flows back or it is part of `dY`. */
  readonly dH: Value;
  /** The input at an index, for this direction alone. */
  readonly own: (index: number) => Value | null;
  /** `[batch, n]` of zeros. */
  readonly zeros: (n: number) => Value;
  /** A cotangent of a last state `[directions, batch, H]`, as that of the last step and as rows. */
  readonly last: (cotangent: Optional) => { readonly atEnd: Value | null; readonly rows: Value | null };
  /** A sequence with the run's lengths, `[steps, batch, ...]`. */
  readonly like: Value;
}

/** The cotangents of one direction's inputs. */
export interface RunGradients {
  /** Rows. */
  readonly x: Value;
  readonly w: Value;
  readonly r: Value;
  readonly biases: readonly [Value, Value];
  readonly initialH: Value;
  /** Of the inputs after those that all operators have. */
  readonly own?: readonly Value[];
}

interface RecurrentNode<I> {
  readonly inputs: I;
  readonly attributes: RecurrentAttributes;
  readonly outputs: readonly Value[];
}

/** The gradient rule of a recurrent operator, made of that of one direction. */
export function recurrentGradient<I extends readonly Optional[]>(
  { inputs, attributes, outputs }: RecurrentNode<I>,
  cotangents: readonly Optional[],
  defaults: readonly string[],
  backward: (run: Run) => RunGradients,
): { readonly [K in keyof I]: Optional } {
  const { clip, direction = "forward" } = attributes;
  if (clip !== undefined) {
    throw new ArborizeError("not_differentiable", "it has no gradient with the attribute clip");
  }
  const ways = direction === "bidirectional" ? ["forward", "reverse"] : [direction];
  const names = attributes.activations ?? ways.flatMap(() => defaults);
  const [x, , r, b, lengths, initialH] = inputs as readonly Optional[] as RecurrentInputs;
  const hidden = r.shape.at(-1) as number;
  const counts = lengths ? cast(lengths, "int64") : null;
  const ends = counts && endsOf(x, counts);
  const zeros = (n: number) => zeroState(x, n);
  const found = ways.map((way, d) => {
    const part = (value: Value, axis = 0) => partOf(value, axis, d, ways.length);
    const forwards = (value: Value) => (way === "reverse" ? turned(value, counts) : value);
    const like = forwards(x);
    const y = forwards(part(outputs[0]!, 1));
    const before = unsqueeze(initialH ? part(initialH) : zeros(hidden), [0]);
    const last: Run["last"] = (cotangent) => {
      if (!cotangent) return { atEnd: null, rows: null };
      const atEnd = part(cotangent);
      return ends ? { atEnd: null, rows: rowsOf(mul(ends.last, atEnd)) } : { atEnd, rows: null };
    };
    const dY = cotangents[0] && rowsOf(masked(forwards(part(cotangents[0], 1)), ends?.valid));
    const dH = last(cotangents[1]);
    const run: Run = {
      x: rowsOf(like),
      w: part(inputs[1]!),
      r: part(r),
      biases: b ? halves(part(b)) : null,
      hidden,
      activations: names.slice(d * defaults.length, (d + 1) * defaults.length).map(activationOf),
      y: rowsOf(y),
      previous: rowsOf(concat([before, slice(y, [{ axis: 0, start: 0, end: -1 }])], 0)),
      dY: dY && dH.rows ? add(dY, dH.rows) : (dY ?? dH.rows),
      dH: dH.atEnd ?? zeros(hidden),
      own: (index) => (inputs[index] ? part(inputs[index]) : null),
      zeros,
      last,
      like,
    };
    const made = backward(run);
    return { ...made, x: forwards(reshapeLike(made.x, x)) };
  });
  const stacked = (pick: (made: RunGradients) => Value) =>
    concat(
      found.map((made) => unsqueeze(pick(made), [0])),
      0,
    );
  const all: Optional[] = [
    found.map((made) => made.x).reduce(add),
    stacked((made) => made.w),
    stacked((made) => made.r),
    b && stacked(({ biases }) => concat(biases, 0)),
    null,
    initialH && stacked((made) => made.initialH),
    ...inputs.slice(6).map((input, i) => input && stacked((made) => made.own![i]!)),
  ];
  return all as { [K in keyof I]: Optional };
}

/** All steps of all sequences as rows. */
function rowsOf(sequence: Value): Value {
  return flatten(sequence, 2);
}

/** One direction's part of an axis of directions. */
function partOf(value: Value, axis: number, direction: number, count: number): Value {
  const only = count === 1 ? value : slice(value, [{ axis, start: direction, end: direction + 1 }]);
  return squeeze(only, [axis]);
}

/** A sequence `[steps, batch, ...]` from its end to its start; padding stays where it is. */
function turned(sequence: Value, lengths: Value | null): Value {
  return lengths ? reverseSequence(sequence, lengths) : reversed(sequence, 0);
}

/** Which steps count and which is the last one that does, `[steps, batch, 1]` of 1 and 0. */
function endsOf(x: Value, lengths: Value): { readonly valid: Value; readonly last: Value } {
  const count = squeeze(shapeOf(x, 0, 1));
  const times = unsqueeze(range(int64(x, 0), count, int64(x, 1)), [1]);
  const floats = (question: Value) => unsqueeze(cast(question, x.dtype), [2]);
  const after = unsqueeze(lengths, [0]);
  return { valid: floats(less(times, after)), last: floats(equal(times, sub(after, int64(x, 1)))) };
}

function masked(sequence: Value, mask: Value | undefined): Value {
  return mask ? mul(sequence, mask) : sequence;
}

function halves(bias: Value): readonly [Value, Value] {
  const half = (bias.shape[0] as number) / 2;
  return split(bias, [half, half], 0) as unknown as [Value, Value];
}

/** `[batch, n]` of zeros, for the batch of a sequence. */
function zeroState(sequence: Value, n: number): Value {
  const shape = concat([shapeOf(sequence, 1, 2), int64s(sequence, [n])], 0);
  return constantOfShapeOp.emit([shape], { value: Tensor.full([1], 0, sequence.dtype) }).output;
}
