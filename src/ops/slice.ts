// Operators that cut values along axes, and pad them: each is what the other's gradient is made of.

import { ArborizeError } from "../base/errors.ts";
import type { Value } from "../graph/graph.ts";
import {
  addDims,
  ceilDivide,
  type Dim,
  isAtLeast,
  isStatic,
  normalizeAxis,
  shapeText,
  subtractDims,
} from "../graph/shape.ts";
import { concat, reshapeBy } from "./concat.ts";
import { constantInts, defineOperator, expectShape, int64s, scalar } from "./define.ts";
import { add, sub } from "./elementwise.ts";
import { moved, outputShape } from "./evaluate.ts";
import { reduceSum } from "./reduce.ts";
import { knownDims, reshape, shapeOf } from "./reshape.ts";

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

/** What is taken of one axis: `count` elements from `start` on, `step` apart. */
interface Taken {
  readonly axis: number;
  readonly start: Dim;
  readonly count: Dim;
  readonly step: number;
}

function takenRanges([x, starts, ends, axes, steps]: SliceInputs): Taken[] {
  const from = knownDims(starts);
  const to = knownDims(ends);
  const along = constantInts(axes, "axes") ?? from.map((_, i) => i);
  const by = constantInts(steps, "steps") ?? from.map(() => 1);
  return along.map((named, i) => {
    const axis = normalizeAxis(named, x.rank);
    const length = x.shape[axis]!;
    const step = by[i]!;
    expectShape(step !== 0, () => `the step along axis ${axis} is 0`);
    // ONNX clamps to [0, length] going forwards and to [-1, length - 1] going backwards.
    const [low, high] = step > 0 ? [0, length] : [-1, subtractDims(length, 1)];
    const clamp = (bound: Dim) => clamped(bound, length, low, high, x);
    const [start, end] = [clamp(from[i]!), clamp(to[i]!)];
    const span = step > 0 ? subtractDims(end, start) : subtractDims(start, end);
    const count = ceilDivide(span, Math.abs(step));
    return { axis, start, count: isStatic(count) ? Math.max(0, count) : count, step };
  });
}

/** A bound of an axis, counted from the end if it is negative, and within the axis. */
function clamped(bound: Dim, length: Dim, low: number, high: Dim, x: Value): Dim {
  const negative = isStatic(bound) && bound < 0;
  if (isStatic(length) && isStatic(bound) && isStatic(high)) {
    return Math.min(Math.max(negative ? bound + length : bound, low), high);
  }
  // Of a symbolic length: exports write "all of it" as the largest integers.
  if (isStatic(bound) && Math.abs(bound) >= WHOLE) return negative ? low : high;
  const place = negative ? addDims(bound, length) : bound;
  const within = place === length || isAtLeast(negative ? place : subtractDims(length, place), 0);
  expectShape(
    within,
    () =>
      `whether ${place} lies in an axis of ${length} of ${shapeText(x.shape)} does not follow from the graph; fix the axis to a length`,
  );
  return place;
}

/** From here on a bound means the end, whatever the length. */
const WHOLE = 2 ** 31 - 1;

export const sliceOp = defineOperator({
  type: "Slice",
  since: 13,
  infer: (inputs: SliceInputs) => {
    const shape = [...inputs[0].shape];
    for (const { axis, count } of takenRanges(inputs)) shape[axis] = count;
    return [{ dtype: inputs[0].dtype, shape }];
  },
  gradient: (dy, { inputs }) => {
    const dx = takenRanges(inputs).reduce((part, taken) => unslice(part, taken, inputs[0]), dy);
    return [dx, null, null, null, null];
  },
  evaluate: ([x], node) => {
    if (!x) return null;
    const taken = takenRanges(node.inputs);
    const source = (index: readonly number[]) =>
      taken.reduce<readonly number[]>(
        (place, { axis, start, step }) => place.with(axis, (start as number) + index[axis]! * step),
        index,
      );
    return [moved(x, outputShape(node), source)];
  },
});

/** Puts a sliced axis back among zeros: reversed if it was, spread by its step, and padded to its full length. */
function unslice(dy: Value, { axis, start, count, step }: Taken, x: Value): Value {
  const length = x.shape[axis]!;
  if (!isStatic(length) || !isStatic(start) || !isStatic(count)) {
    expectShape(step === 1, () => `its gradient with a step of ${step} needs axis ${axis} to be known`);
    return padTo(dy, axis, start, x);
  }
  if (count === 0) return pad(dy, [{ axis, before: 0, after: length }]);
  const apart = Math.abs(step);
  const first = step < 0 ? start - (count - 1) * apart : start;
  const covered = (count - 1) * apart + 1;
  let spread = step < 0 ? reversed(dy, axis) : dy;
  if (apart > 1) {
    const shape = spread.shape;
    spread = reshape(spread, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]);
    spread = pad(spread, [{ axis: axis + 1, before: 0, after: apart - 1 }]);
    spread = reshapeBy(spread, shape.with(axis, count * apart), dy);
    spread = slice(spread, [{ axis, start: 0, end: covered }]);
  }
  return pad(spread, [{ axis, before: first, after: length - first - covered }]);
}

/** An axis from its end to its start. */
export function reversed(x: Value, axis: number): Value {
  return slice(x, [{ axis, start: -1, end: -WHOLE, step: -1 }]);
}

/** `part` among zeros at `start` of an axis of `x` whose lengths are read off when run. */
function padTo(part: Value, axis: number, start: Dim, x: Value): Value {
  const whole = shapeOf(x, axis, axis + 1);
  const own = shapeOf(part, axis, axis + 1);
  const after = subtractDims(subtractDims(x.shape[axis]!, part.shape[axis]!), start);
  // One of the two is a number in all slices that are bounded by numbers.
  const rest = sub(whole, own);
  const before = isStatic(start) ? int64s(part, [start]) : sub(rest, int64s(part, [after as number]));
  expectShape(
    isStatic(start) || isStatic(after),
    () => `its gradient needs to know where on axis ${axis} of ${shapeText(x.shape)} the slice lies`,
  );
  return padBy(part, axis, before, sub(rest, before));
}

/** How many elements go before and after an axis; negative ones take elements away. */
export interface Padding {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
}

/**
 * What fills the padding: zeros, the mirror image without the edge itself ("reflect"), the edge ("edge"), or the other end
 * ("wrap").
 */
export type PadMode = "constant" | "reflect" | "edge" | "wrap";

/** `x` with more elements around it, in mode "constant" (the default) `value` (default: 0). ONNX Pad-19. */
export function pad(x: Value, paddings: readonly Padding[], mode: PadMode = "constant", value = 0): Value {
  if (paddings.every(({ before, after }) => before === 0 && after === 0)) return x;
  const pads = new Array<number>(2 * x.rank).fill(0);
  for (const { axis, before, after } of paddings) {
    pads[axis] = before;
    pads[axis + x.rank] = after;
  }
  const filling = value === 0 ? null : scalar(x, value);
  return padOp.emit([x, int64s(x, pads), filling], mode === "constant" ? {} : { mode }).output;
}

/**
 * `x` with zeros around one axis, by amounts (int64 `[1]`) that are computed when run. The other axes are given too: where
 * the runtime moves a Transpose past a Pad, it overlooks that only some are named.
 */
function padBy(x: Value, axis: number, before: Value, after: Value): Value {
  const none = (count: number) => (count === 0 ? [] : [int64s(x, new Array<number>(count).fill(0))]);
  const pads = [...none(axis), before, ...none(x.rank - 1), after, ...none(x.rank - axis - 1)];
  return padOp.emit([x, concat(pads, 0)]).output;
}

type PadInputs = [x: Value, pads: Value, value?: Value | null | undefined, axes?: Value | null | undefined];

interface Amount {
  readonly axis: number;
  readonly before: Dim;
  readonly after: Dim;
}

function amounts([x, pads, , axes]: PadInputs): Amount[] {
  const given = knownDims(pads);
  const along = constantInts(axes, "axes") ?? x.shape.map((_, axis) => axis);
  expectShape(
    given.length === 2 * along.length,
    () => `pads ${shapeText(given)} must have two numbers for each of ${along.length} axes`,
  );
  return along
    .map((axis, i) => ({
      axis: normalizeAxis(axis, x.rank),
      before: given[i]!,
      after: given[i + along.length]!,
    }))
    .filter(({ before, after }) => before !== 0 || after !== 0);
}

const MODES: readonly string[] = ["constant", "reflect", "edge", "wrap"];

export const padOp = defineOperator({
  type: "Pad",
  since: 19,
  attributes: { mode: "string" },
  infer: (inputs: PadInputs, { mode = "constant" }) => {
    if (!MODES.includes(mode)) {
      throw new ArborizeError("unsupported_attribute", `mode "${mode}" is not one of ${MODES.join(", ")}`);
    }
    const shape = [...inputs[0].shape];
    for (const { axis, before, after } of amounts(inputs)) {
      shape[axis] = addDims(shape[axis]!, addDims(before, after));
      const length = shape[axis];
      expectShape(!isStatic(length) || length >= 0, () => `pads take more than axis ${axis} has`);
    }
    return [{ dtype: inputs[0].dtype, shape }];
  },
  gradient: (dy, { inputs, attributes: { mode = "constant" } }) => {
    const [x, , value] = inputs;
    const around = amounts(inputs);
    if (mode !== "constant") {
      const fold = (part: Value, amount: Amount) => foldBack(part, amount, mode as FoldedMode, x);
      return [around.reduceRight(fold, dy), null, null, null];
    }
    const dx = around.reduce((part, amount) => cutBack(part, amount, x), dy);
    // The filling gets all of dy that x does not.
    const dValue = value && reshape(sub(reduceSum(dy), reduceSum(dx)), value.shape);
    return [dx, null, dValue, null];
  },
});

/** Takes padding away. Where it was negative it took elements away: they get zeros. */
function cutBack(dy: Value, { axis, before, after }: Amount, x: Value): Value {
  if (isStatic(before) && isStatic(after)) return pad(dy, [{ axis, before: -before, after: -after }]);
  const start = isStatic(before) ? int64s(dy, [before]) : null;
  expectShape(start !== null, () => `its gradient needs to know how much is before axis ${axis}`);
  const end = add(start, shapeOf(x, axis, axis + 1));
  return sliceOp.emit([dy, start, end, int64s(dy, [axis])]).output;
}

/** The cotangent of what was mirrored, repeated or wrapped around, added up where it came from. */
function foldBack(dy: Value, { axis, before, after }: Amount, mode: FoldedMode, x: Value): Value {
  const length = x.shape[axis]!;
  expectShape(
    isStatic(length) && isStatic(before) && isStatic(after),
    () => `its gradient in mode "${mode}" needs axis ${axis} of ${shapeText(x.shape)} to be known`,
  );
  const part = (start: number, count: number) => slice(dy, [{ axis, start, end: start + count }]);
  const at = (y: Value, start: number) =>
    pad(y, [{ axis, before: start, after: length - start - (y.shape[axis] as number) }]);
  const [front, back] = [Math.max(before, 0), Math.max(after, 0)];
  const cut = Math.max(-before, 0);
  const core = at(part(front, length - cut - Math.max(-after, 0)), cut);
  const [toLeft, toRight] = FOLDS[mode];
  const folded = [
    front > 0 ? at(...toLeft(part(0, front), axis, length)) : null,
    back > 0 ? at(...toRight(part((dy.shape[axis] as number) - back, back), axis, length)) : null,
  ];
  return folded.reduce<Value>((total, term) => (term ? add(total, term) : total), core);
}

/** The cotangent of the padding on one side of an axis of `length`, as it is added to x, and from where on. */
type Fold = (part: Value, axis: number, length: number) => [folded: Value, start: number];
type FoldedMode = Exclude<PadMode, "constant">;

const along = (part: Value, axis: number) => part.shape[axis] as number;
const summed = (part: Value, axis: number) => reduceSum(part, [axis], { keepDims: true });

const FOLDS: Readonly<Record<FoldedMode, readonly [before: Fold, after: Fold]>> = {
  reflect: [
    (part, axis) => [reversed(part, axis), 1],
    (part, axis, length) => [reversed(part, axis), length - 1 - along(part, axis)],
  ],
  edge: [(part, axis) => [summed(part, axis), 0], (part, axis, length) => [summed(part, axis), length - 1]],
  wrap: [(part, axis, length) => [part, length - along(part, axis)], (part) => [part, 0]],
};
