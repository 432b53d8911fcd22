// The gradient of max pooling by comparison, for engines whose MaxPool does not say where its maxima were.

import { sizeOf, Tensor } from "../base/tensor.ts";
import type { Engine } from "../engine/engine.ts";
import type { Graph, Node, Value } from "../graph/graph.ts";
import { multiplyDims } from "../graph/shape.ts";
import * as op from "../ops/index.ts";
import { extent, padsOf, positions, readsOf, type Window, windows } from "../ops/window.ts";

/**
 * Gives the max pools of a graph a gradient that needs no indices, where the engine has none: it goes to the first of equal
 * maxima, as theirs.
 */
export function comparePools(
  { nodes, customGradients }: Graph,
  { indexesMaxima = true }: Pick<Engine, "indexesMaxima">,
): void {
  if (indexesMaxima) return;
  for (const node of nodes) {
    if (node.operator !== op.maxPoolOp || customGradients.has(node.output)) continue;
    const rule = (dy: Value) => [cotangents(node, dy)];
    customGradients.set(node.output, { inputs: [node.inputs[0]!], rule });
  }
}

/**
 * A convolution with a kernel for each place in the window, 1 there and 0 elsewhere, gives what each window reads there; compared
 * with the maxima it says where they are, and its transpose takes cotangents back.
 */
function cotangents({ inputs, output: y, attributes }: Node, dy: Value): Value {
  const x = inputs[0]!;
  const over = windows(x.shape, attributes.kernel_shape as number[], attributes).map(whole);
  const taps = sizeOf(over.map(({ kernel }) => kernel));
  const maps = multiplyDims(x.shape[0]!, x.shape[1]!);
  const perMap = (value: Value) => op.reshape(value, [maps, 1, ...value.shape.slice(2)]);
  const shape = {
    strides: over.map(({ stride }) => stride),
    dilations: over.map(({ dilation }) => dilation),
    pads: padsOf(over),
  };
  const picks = constant(x, [taps, 1, ...over.map(({ kernel }) => kernel)], (i) =>
    Number(i % taps === Math.floor(i / taps)),
  );
  const read = op.conv(perMap(x), picks, null, shape);
  const hits = op.mul(op.cast(op.equal(read, perMap(y)), x.dtype), insideOf(x, over));
  // How many places before have the maximum as well.
  const earlier = constant(x, [taps, taps, ...over.map(() => 1)], (i) =>
    Number(i % taps < Math.floor(i / taps)),
  );
  const before = op.conv(hits, earlier, null, {});
  const first = op.mul(hits, op.sub(op.scalar(x, 1), op.min(before, op.scalar(x, 1))));
  const back = op.convTranspose(op.mul(first, perMap(dy)), picks, null, {
    ...shape,
    output_padding: over.map(unread),
  });
  return op.reshape(back, x.shape);
}

/** How many elements at the end, padding among them, no window reaches; less than none where the last one is partly outside. */
function unread({ kernel, dilation, stride, before, after, input, output }: Window): number {
  return input + before + after - ((output - 1) * stride + extent({ kernel, dilation }));
}

/** Windows with as much padding as the last one needs, which pools may leave out. */
function whole(window: Window): Window {
  return { ...window, after: window.after + Math.max(0, -unread(window)) };
}

/** 1 where a place in the kernel reads an element in a window, 0 where that is padding: `[taps, *out]`. */
function insideOf(like: Value, over: readonly Window[]): Value {
  const reads = over.map(readsOf);
  const outputs = positions(over.map(({ output }) => output));
  const data = positions(over.map(({ kernel }) => kernel)).flatMap((tap) =>
    outputs.map((at) => Number(tap.every((each, axis) => reads[axis]![each]![at[axis]!] !== null))),
  );
  const shape = [sizeOf(over.map(({ kernel }) => kernel)), ...over.map(({ output }) => output)];
  return like.graph.constant(Tensor.of(shape, data, like.dtype));
}

function constant(like: Value, shape: readonly number[], at: (i: number) => number): Value {
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => at(i));
  return like.graph.constant(Tensor.of(shape, data, like.dtype));
}
