// Batches against what a program wants: every input there, of the right type and shape.

import { ArborizeError, didYouMean } from "../base/errors.ts";
import { type DType, Tensor } from "../base/tensor.ts";
import type { Batch } from "../data/dataset.ts";
import { isStatic, resolveDim, shapeText, symbolsOf } from "../graph/shape.ts";
import type { Feed } from "./step.ts";

/**
 * The tensors of `batch` that a program is fed, in the element types it wants. Integers become int64 and numbers the
 * network's floating type; a float never becomes an integer.
 *
 * @returns the tensors by name, and the lengths that symbolic axes have in this batch.
 * @throws `missing_input`, `dtype_mismatch`, `shape_mismatch`, or `bad_data` for a class that the network does not know:
 *   naming the input, what it is and what was wanted.
 */
export function matchBatch(
  batch: Batch,
  feeds: readonly Feed[],
): { tensors: Map<string, Tensor>; lengths: ReadonlyMap<string, number> } {
  const tensors = new Map<string, Tensor>();
  const lengths = new Map<string, number>();
  for (const feed of feeds) {
    const given = batch[feed.name];
    if (!(given instanceof Tensor)) throw missingInput(batch, feed);
    const tensor = converted(given, feed);
    bindLengths(tensor, feed, lengths);
    checkClasses(tensor, feed);
    tensors.set(feed.name, tensor);
  }
  return { tensors, lengths };
}

function missingInput(batch: Batch, { name }: Feed): ArborizeError {
  const given = Object.keys(batch);
  const found = given.length === 0 ? "nothing" : given.map((key) => `"${key}"`).join(", ");
  return new ArborizeError(
    "missing_input",
    `The batch has no tensor "${name}"; it has ${found}.${didYouMean(name, given)} Batches are objects of tensors by input name; the target is called "target".`,
  );
}

const INTEGERS: readonly DType[] = ["int64", "int32", "uint8", "int8", "bool"];

function converted(tensor: Tensor, { name, dtype }: Feed): Tensor {
  if (tensor.dtype === dtype) return tensor;
  if (INTEGERS.includes(dtype) && !INTEGERS.includes(tensor.dtype)) {
    throw new ArborizeError(
      "dtype_mismatch",
      `"${name}" is ${tensor}, but ${dtype} is wanted. Classes are whole numbers: make it an int64 or int32 tensor.`,
    );
  }
  return tensor.to(dtype);
}

function bindLengths(tensor: Tensor, { name, shape }: Feed, lengths: Map<string, number>): void {
  const fits =
    tensor.shape.length === shape.length &&
    shape.every((dim, axis) => {
      const found = tensor.shape[axis]!;
      if (isStatic(dim)) return dim === found;
      const follows = symbolsOf(dim).every((symbol) => lengths.has(symbol));
      if (!follows && !lengths.has(dim)) lengths.set(dim, found);
      return (follows ? resolveDim(dim, lengths) : lengths.get(dim)) === found;
    });
  if (fits) return;
  const bound = shape.map((dim) =>
    isStatic(dim) || !lengths.has(dim) ? dim : `${dim} = ${lengths.get(dim)}`,
  );
  throw new ArborizeError(
    "shape_mismatch",
    `"${name}" has shape ${shapeText(tensor.shape)}, the network wants ${shapeText(bound)}.`,
  );
}

/** The runtime would count a negative class from the end, and say little of one too large. */
function checkClasses({ data }: Tensor, { name, classes, ignored }: Feed): void {
  if (classes === undefined) return;
  const wrong = (data as BigInt64Array).findIndex(
    (value) => (value < 0n || value >= classes) && Number(value) !== ignored,
  );
  if (wrong < 0) return;
  throw new ArborizeError(
    "bad_data",
    `"${name}" holds the class ${data[wrong]} (element ${wrong}); the network's ${classes} classes are 0 to ${classes - 1}.`,
  );
}
