// How operators compute with contents (graph/content.ts): numbers and symbolic lengths, when the graph is built.

import { sizeOf } from "../base/tensor.ts";
import type { Value } from "../graph/graph.ts";
import type { Content, Contents, Element } from "../graph/operator.ts";
import { broadcastShapes, type Dim, isStatic } from "../graph/shape.ts";

/** What follows from the inputs alone, whatever the node. */
type OfInputs = (inputs: Contents) => [Content] | null;

/** Each output element from the elements of the broadcast inputs; null from any null. */
export function elementwise(compute: (...elements: Dim[]) => Element | undefined): OfInputs {
  return (inputs) => {
    const given = inputs as readonly Content[];
    if (inputs.some((input) => input === null)) return null;
    const shape = broadcastShapes(...given.map((input) => input.shape)) as readonly number[];
    const elements = eachIndex(shape).map((index) => {
      const operands = given.map((input) => elementAt(input, index));
      return operands.some((element) => element === null) ? null : (compute(...(operands as Dim[])) ?? null);
    });
    return [{ shape, elements }];
  };
}

/** Each output element from plain numbers, where all inputs have them there; booleans are 0 and 1. */
export function ofNumbers(compute: (...elements: number[]) => number | boolean): OfInputs {
  return elementwise((...elements) => (elements.every(isStatic) ? Number(compute(...elements)) : undefined));
}

/** The elements that are found at `source(index)` of the first input, for each index of `shape`. */
export function moved(
  from: Content,
  shape: readonly number[],
  source: (index: readonly number[]) => readonly number[],
): Content {
  return { shape, elements: eachIndex(shape).map((index) => elementAt(from, source(index))) };
}

/** The element at an index, perhaps one of a larger shape that the content broadcasts to. */
export function elementAt({ shape, elements }: Content, index: readonly number[]): Element {
  return elements[offsetOf(index, shape)] as Element;
}

/** What is known of a value of which nothing is but its shape. */
export function unknownContent(shape: readonly number[]): Content {
  return { shape, elements: new Array<null>(sizeOf(shape)).fill(null) };
}

/** The static shape of a node's first output: contents are only asked for where it is. */
export function outputShape(node: { readonly output: Value }): readonly number[] {
  return node.output.shape as readonly number[];
}

/** Every index of a shape, the last axis fastest. */
export function eachIndex(shape: readonly number[]): number[][] {
  return Array.from({ length: sizeOf(shape) }, (_, offset) => {
    const index = new Array<number>(shape.length);
    let rest = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return index;
  });
}

/** Where an index lies in `shape`, or in what `shape` broadcasts to. */
function offsetOf(index: readonly number[], shape: readonly number[]): number {
  const leading = index.length - shape.length;
  return shape.reduce(
    (offset, length, axis) => offset * length + (length === 1 ? 0 : index[leading + axis]!),
    0,
  );
}
