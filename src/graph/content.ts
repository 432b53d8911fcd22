// What small values hold where that follows from the graph: shapes, axes, ranges, and what is computed from them. An element
// is a number, a symbolic length, or null where it is only known when data arrives. Operators say how: see `Evaluation`.

import { sizeOf } from "../base/tensor.ts";
import type { Value } from "./graph.ts";
import type { Content } from "./operator.ts";
import { type Dim, isStatic, isStaticShape } from "./shape.ts";

/** Contents larger than this are not followed: shapes and axes are small. */
const LARGEST = 4096;

const known = new WeakMap<Value, Content | null>();

/** What a value is known to hold, some of it perhaps null; null where nothing is known. */
export function contentOf(value: Value): Content | null {
  const found = known.get(value);
  if (found !== undefined) return found;
  const content = isSmall(value) ? evaluate(value) : null;
  known.set(value, content);
  return content;
}

/** The elements of a value where every one is a number or a symbolic length; undefined otherwise. */
export function elementsOf(value: Value): readonly Dim[] | undefined {
  const elements = contentOf(value)?.elements;
  return elements?.every((element) => element !== null) ? (elements as readonly Dim[]) : undefined;
}

/** The elements of a value where every one is a number; undefined otherwise. */
export function numbersOf(value: Value): readonly number[] | undefined {
  const elements = elementsOf(value);
  return elements?.every(isStatic) ? (elements as readonly number[]) : undefined;
}

function isSmall({ shape }: Value): boolean {
  return isStaticShape(shape) && sizeOf(shape) <= LARGEST;
}

function evaluate(value: Value): Content | null {
  const { kind, data, producer } = value;
  if (kind === "constant") return { shape: data!.shape, elements: Array.from(data!.toNumbers()) };
  if (!producer?.operator.evaluate) return null;
  const inputs = producer.inputs.map((input) => input && contentOf(input));
  const outputs = producer.operator.evaluate(inputs, producer);
  return outputs?.[producer.outputs.indexOf(value)] ?? null;
}
