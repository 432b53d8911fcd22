// Operators that join, cut and pad along axes.

import { ArborizeError } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";
import { addDims, type Dim, isStatic, normalizeAxis, shapeText } from "../graph/shape.ts";
import { constantInts, defineOperator, expectShape, int64s } from "./define.ts";
import { fullLike, reshape } from "./reshape.ts";

/** The values one after another along `axis`. ONNX Concat-13. */
export function concat(values: readonly Value[], axis: number): Value {
  return values.length === 1 ? values[0]! : concatOp.emit(values, { axis }).output;
}

export const concatOp = defineOperator({
  type: "Concat",
  since: 13,
  attributes: { axis: "int" },
  infer: (values: readonly Value[], { axis = 0 }) => {
    const [first] = values as [Value];
    const at = normalizeAxis(axis, first.rank);
    for (const value of values) {
      const fits =
        value.rank === first.rank && value.shape.every((dim, i) => i === at || dim === first.shape[i]);
      expectShape(
        fits && value.dtype === first.dtype,
        () =>
          `cannot join ${first.dtype}${shapeText(first.shape)} and ${value.dtype}${shapeText(value.shape)} along axis ${at}`,
      );
    }
    const length = values.map((value) => value.shape[at]!).reduce(addDims);
    return [{ dtype: first.dtype, shape: first.shape.map((dim, i) => (i === at ? length : dim)) }];
  },
  gradient: (dy, { inputs: values, attributes: { axis = 0 } }) => {
    const lengths = values.map((value) => value.shape[normalizeAxis(axis, value.rank)]!);
    expectShape(lengths.every(isStatic), () => "its gradient needs every length along its axis to be known");
    return split(dy, lengths as number[], axis);
  },
});

/** Consecutive parts of the given `lengths` along `axis`. ONNX Split-18. */
export function split(x: Value, lengths: readonly number[], axis: number): readonly Value[] {
  return lengths.length === 1 ? [x] : splitOp.emit([x, int64s(x, lengths)], { axis }).outputs;
}

export const splitOp = defineOperator({
  type: "Split",
  since: 18,
  attributes: { axis: "int", num_outputs: "int" },
  infer: ([x, lengths]: [Value, (Value | null | undefined)?], { axis = 0, num_outputs: parts }) => {
    const at = normalizeAxis(axis, x.rank);
    const total = x.shape[at]!;
    const each = constantInts(lengths, "split") ?? evenParts(total, parts ?? 0);
    expectShape(
      each.reduce((a, b) => a + b, 0) === total,
      () => `parts ${shapeText(each)} do not add up to axis ${at} of ${shapeText(x.shape)}`,
    );
    return each.map((length) => ({
      dtype: x.dtype,
      shape: x.shape.map((dim, i) => (i === at ? length : dim)),
    }));
  },
  gradient: (_, { outputs, attributes: { axis = 0 } }, cotangents) => [
    concat(
      outputs.map((part, i) => cotangents[i] ?? fullLike(part)),
      axis,
    ),
    null,
  ],
  variadicOutputs: true,
});

/** ONNX's rule for `num_outputs`: equal parts, the last one smaller where it does not go up evenly. */
function evenParts(total: Dim, parts: number): number[] {
  expectShape(
    isStatic(total) && parts > 0 && parts <= total,
    () => `cannot split an axis of length ${total} into ${parts} parts`,
  );
  const length = Math.ceil(total / parts);
  return Array.from({ length: parts }, (_, i) => Math.min(length, total - i * length));
}

/** The extent of a slice along one axis, with negative and out-of-range bounds resolved. */
export interface Range {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  /** Not zero; negative steps walk backwards and include `start`. Default: 1. */
  readonly step?: number;
}

/** Part of each named axis. ONNX Slice-13. */
export function slice(x: Value, ranges: readonly Range[]): Value {
  const column = (pick: (range: Range) => number) => int64s(x, ranges.map(pick));
  const steps = ranges.every((range) => (range.step ?? 1) === 1)
    ? undefined
    : column((range) => range.step ?? 1);
  const starts = column((range) => range.start);
  const ends = column((range) => range.end);
  return sliceOp.emit([x, starts, ends, column((range) => range.axis), steps]).output;
}

type SliceInputs = [
  x: Value,
  starts: Value,
  ends: Value,
  axes?: Value | null | undefined,
  steps?: Value | null | undefined,
];

function slicedRanges([x, starts, ends, axes, steps]: SliceInputs): Required<Range>[] {
  const from = constantInts(starts, "starts") ?? [];
  const to = constantInts(ends, "ends") ?? [];
  const along = constantInts(axes, "axes") ?? from.map((_, i) => i);
  const by = constantInts(steps, "steps") ?? from.map(() => 1);
  return along.map((named, i) => {
    const axis = normalizeAxis(named, x.rank);
    const length = x.shape[axis]!;
    const step = by[i]!;
    expectShape(
      isStatic(length),
      () => `axis ${axis} of ${shapeText(x.shape)} is symbolic and cannot be sliced`,
    );
    expectShape(step !== 0, () => `the step along axis ${axis} is 0`);
    // ONNX clamps to [0, length] going forwards and to [-1, length - 1] going backwards.
    const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
    const clamp = (bound: number) => Math.min(Math.max(bound < 0 ? bound + length : bound, low), high);
    return { axis, start: clamp(from[i]!), end: clamp(to[i]!), step };
  });
}

const slicedLength = ({ start, end, step }: Required<Range>) => Math.max(0, Math.ceil((end - start) / step));

export const sliceOp = defineOperator({
  type: "Slice",
  since: 13,
  infer: (inputs: SliceInputs) => {
    const shape = [...inputs[0].shape];
    for (const range of slicedRanges(inputs)) shape[range.axis] = slicedLength(range);
    return [{ dtype: inputs[0].dtype, shape }];
  },
  gradient: (dy, { inputs }) => {
    const dx = slicedRanges(inputs).reduce(
      (part, range) => unslice(part, range, inputs[0].shape[range.axis]!),
      dy,
    );
    return [dx, null, null, null, null];
  },
});

/** Puts a sliced axis back among zeros: reversed if it was, spread by its step, and padded to its full length. */
function unslice(dy: Value, range: Required<Range>, length: Dim): Value {
  const { axis } = range;
  const count = slicedLength(range);
  const total = length as number;
  if (count === 0) return pad(dy, [{ axis, before: 0, after: total }]);
  const backwards = range.step < 0;
  const step = Math.abs(range.step);
  const first = backwards ? range.start - (count - 1) * step : range.start;
  let spread = backwards ? slice(dy, [{ axis, start: -1, end: -count - 1, step: -1 }]) : dy;
  if (step > 1) {
    const shape = spread.shape;
    spread = reshape(spread, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]);
    spread = pad(spread, [{ axis: axis + 1, before: 0, after: step - 1 }]);
    spread = reshape(
      spread,
      shape.map((dim, i) => (i === axis ? count * step : dim)),
    );
    spread = slice(spread, [{ axis, start: 0, end: (count - 1) * step + 1 }]);
  }
  const covered = (count - 1) * step + 1;
  return pad(spread, [{ axis, before: first, after: total - first - covered }]);
}

/** How many zeros go before and after an axis. */
export interface Padding {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
}

/** `x` with zeros around it. ONNX Pad-19, constant mode. */
export function pad(x: Value, paddings: readonly Padding[]): Value {
  if (paddings.every(({ before, after }) => before === 0 && after === 0)) return x;
  const pads = new Array<number>(2 * x.rank).fill(0);
  for (const { axis, before, after } of paddings) {
    pads[axis] = before;
    pads[axis + x.rank] = after;
  }
  return padOp.emit([x, int64s(x, pads)]).output;
}

type PadInputs = [x: Value, pads: Value, value?: Value | null | undefined, axes?: Value | null | undefined];

function paddings([x, pads, , axes]: PadInputs): Padding[] {
  const amounts = constantInts(pads, "pads") ?? [];
  const along = constantInts(axes, "axes") ?? x.shape.map((_, axis) => axis);
  return along.map((axis, i) => ({
    axis: normalizeAxis(axis, x.rank),
    before: amounts[i]!,
    after: amounts[i + along.length]!,
  }));
}

export const padOp = defineOperator({
  type: "Pad",
  since: 19,
  attributes: { mode: "string" },
  infer: (inputs: PadInputs, { mode = "constant" }) => {
    if (mode !== "constant")
      throw new ArborizeError("unsupported_attribute", `mode "${mode}" is not supported`);
    const shape = [...inputs[0].shape];
    for (const { axis, before, after } of paddings(inputs))
      shape[axis] = addDims(shape[axis]!, before + after);
    return [{ dtype: inputs[0].dtype, shape }];
  },
  // Padding that was negative took elements away: they get zeros.
  gradient: (dy, { inputs }) => {
    const around = paddings(inputs).filter(({ before, after }) => before !== 0 || after !== 0);
    const undo = around.map(({ axis, before, after }) => ({ axis, before: -before, after: -after }));
    return [pad(dy, undo), null, null, null];
  },
});
