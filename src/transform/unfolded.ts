// Convolutions as one matrix product for the whole batch: [outputs, inputs * kernel] by [inputs * kernel, places * batch]. Where
// an image has few places, a product for each image is narrow, and the gradient of the weights a sum of as many products as
// there are images; here both are one.

import { Tensor } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import { multiplyDims } from "../graph/shape.ts";
import { withoutChannelFactor } from "../ops/factor.ts";
import { concat, gather, matMul, pad, reduceSum, reshape, transpose } from "../ops/index.ts";
import { readsOf, type Window } from "../ops/window.ts";
import { constantMatrix, kronecker, oneHotColumns } from "./matrix.ts";

/** Rows of a kernel whose gradient is written at once. */
const ROWS_TOGETHER = 4;

/**
 * A convolution.
 *
 * @param x `[C, H, W, B]`, channels first and the batch innermost.
 * @param w `[M, C, kernel height, kernel width]`.
 * @param b `[M]`, or null for none: weights of what is always one, so that adding them and their gradient are no passes of their
 *   own. For few weights, which are copied once more.
 * @returns `[M, H', W', B]`.
 */
export function unfoldedConv(x: Value, w: Value, b: Value | null, over: readonly [Window, Window]): Value {
  const [outputs, inputs] = w.shape as [number, number];
  const [rows, columns] = over;
  const taps = rows.kernel * columns.kernel;
  const batch = x.shape[3]!;
  const places = multiplyDims(rows.output * columns.output, batch);
  const elements = rows.input * columns.input;
  const reads = placesRead(over);
  const live = liveTaps(reads, elements);
  const kernel = live.length === taps ? w : chosen(reshape(w, [outputs * inputs, taps]), live);
  const alone = reshape(kernel, [outputs, inputs * live.length]);
  const weights = b ? concat([alone, reshape(b, [outputs, 1])], 1) : alone;
  const flat = reshape(x, [inputs, elements, batch]);
  const picked = live.map((tap) => reads[tap]!);
  const unfolded = b ? withOnes(flat, picked) : isWhole(over) ? flat : unfold(flat, picked.flat());
  const read = reshape(unfolded, [weights.shape[1]!, places]);
  const y = reshape(matMul(weights, read), [outputs, rows.output, columns.output, batch]);
  const rule = (dy: Value) => {
    const { value, times } = withoutChannelFactor(dy, outputs, 3);
    const cotangents = reshape(value, [outputs, places]);
    return [times(matMul(cotangents, transpose(read))), matMul(transpose(times(weights)), cotangents)];
  };
  x.graph.customGradients.set(y, { inputs: [weights, read], rule });
  return y;
}

/** `[C, H W, B]` to `[1, C taps places + places, B]`: what each place in the kernel reads of each channel, and then ones. */
function withOnes(x: Value, reads: readonly (readonly number[])[]): Value {
  const [channels, elements, batch] = x.shape as [number, number, Value["shape"][number]];
  const all = channels * elements;
  const ofAll = Array.from({ length: channels }, (_, channel) =>
    reads.flat().map((element) => (element < elements ? channel * elements + element : all)),
  );
  return unfold(reshape(x, [1, all, batch]), [...ofAll.flat(), ...reads[0]!.map(() => all + 1)]);
}

/**
 * The places in the kernel that read an element in some window. The others only read padding, as eight of nine do on a map of
 * one place: their weights are multiplied by nothing.
 */
function liveTaps(reads: readonly (readonly number[])[], elements: number): number[] {
  const live = [...reads.keys()].filter((tap) => reads[tap]!.some((element) => element < elements));
  return live.length > 0 ? live : [...reads.keys()];
}

/** Some columns of a matrix, as a product. */
function chosen(x: Value, columns: readonly number[]): Value {
  const [rows, from] = x.shape as [number, number];
  const picks = oneHotColumns(from, columns);
  const picked = matMul(x, constantMatrix(x, picks));
  // Back several rows at once: the runtime writes products of nine columns half as fast.
  const together = rows % ROWS_TOGETHER === 0 ? ROWS_TOGETHER : 1;
  const rule = (dy: Value) => {
    const wide = reshape(dy, [rows / together, together * columns.length]);
    const identity = oneHotColumns(together, [...new Array(together).keys()]);
    const spread = transpose(constantMatrix(x, kronecker(identity, picks)));
    return [reshape(matMul(wide, spread), [rows, from])];
  };
  x.graph.customGradients.set(picked, { inputs: [x], rule });
  return picked;
}

/** Whether the windows are the elements themselves. */
function isWhole(over: readonly Window[]): boolean {
  return over.every(
    ({ kernel, stride, before, after }) => kernel === 1 && stride === 1 && before + after === 0,
  );
}

/**
 * `[C, H W, B]` to `[C, reads, B]`: what places in the kernel read in each window, zero where that is padding, one past the last, and
 * one where it is two past. The gradient of an element is the sum over the reads of it; there are few, so they are picked
 * instead of scattered.
 */
function unfold(x: Value, reads: readonly number[]): Value {
  const elements = x.shape[1] as number;
  const readers = Array.from({ length: elements }, (): number[] => []);
  reads.forEach((element, at) => {
    if (element < elements) readers[element]!.push(at);
  });
  const most = Math.max(1, ...readers.map(({ length }) => length));
  const picks = readers.flatMap((each) => [
    ...each,
    ...new Array<number>(most - each.length).fill(reads.length),
  ]);
  const withOne = reads.some((element) => element > elements);
  const unfolded = gather(withOne ? withMore(withZero(x), 1) : withZero(x), indices(x, reads), 1);
  const rule = (dy: Value) => {
    const picked = gather(withZero(dy), indices(dy, picks), 1);
    const [channels, , batch] = x.shape;
    return [reduceSum(reshape(picked, [channels!, elements, most, batch!]), [2])];
  };
  x.graph.customGradients.set(unfolded, { inputs: [x], rule });
  return unfolded;
}

/** For each place in the kernel, the element that is read in each window; one past the last for padding. */
function placesRead([rows, columns]: readonly [Window, Window]): number[][] {
  const elements = rows.input * columns.input;
  const across = readsOf(columns);
  return readsOf(rows).flatMap((ys) =>
    across.map((xs) =>
      ys.flatMap((y) => xs.map((x) => (y === null || x === null ? elements : y * columns.input + x))),
    ),
  );
}

/** One more element of zeros on axis 1. */
function withZero(x: Value): Value {
  return withMore(x, 0);
}

function withMore(x: Value, filling: number): Value {
  return pad(x, [{ axis: 1, before: 0, after: 1 }], "constant", filling);
}

function indices(like: Value, numbers: readonly number[]): Value {
  return like.graph.constant(Tensor.of([numbers.length], numbers, "int64"));
}
