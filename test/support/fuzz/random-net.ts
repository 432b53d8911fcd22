// Random nets of 5 to 30 nodes, composed of the moves of all families.

import { Tensor } from "../../../src/base/tensor.ts";
import { nodesBehind, type Value } from "../../../src/graph/graph.ts";
import { add, mul, reduceSum } from "../../../src/ops/index.ts";
import { ALGEBRA } from "./algebra.ts";
import { ELEMENTWISE } from "./elementwise.ts";
import { IMAGES } from "./images.ts";
import { INDEXING } from "./indexing.ts";
import { MOVEMENT } from "./movement.ts";
import { Net } from "./net.ts";

const FAMILIES = [ELEMENTWISE, ELEMENTWISE, ALGEBRA, ALGEBRA, MOVEMENT, MOVEMENT, INDEXING, IMAGES];

/** A net with a loss: the sum of its outputs, weighed by random numbers. */
export interface RandomNet {
  readonly net: Net;
  /** The values that no node of the net reads. */
  readonly outputs: readonly Value[];
  /** What each is weighed by: inputs, with their numbers. */
  readonly weights: readonly Tensor[];
  readonly loss: Value;
}

/** The net of a seed: the same at each call. */
export function randomNet(seed: number): RandomNet {
  const net = new Net(seed);
  for (let i = net.between(1, 3); i > 0; i--) net.pool.push(net.leaf());
  const size = net.between(5, 26);
  while (nodesBehind(sinks(net)).length < size) {
    const move = net.choose(net.choose(FAMILIES));
    if (!move.single || net.dtype === "float32") net.play(move);
  }
  const outputs = sinks(net);
  const weighed = outputs.map((output, i) => {
    const shape = net.resolve(output.shape);
    const length = shape.reduce((a, b) => a * b, 1);
    const numbers = Array.from({ length }, () => net.random.normal());
    const weights = net.graph.input(`w${i}`, net.dtype, output.shape);
    return {
      term: reduceSum(mul(output, weights)),
      weights: Tensor.of(shape, numbers, net.dtype),
    };
  });
  return {
    net,
    outputs,
    weights: weighed.map(({ weights }) => weights),
    loss: weighed.map(({ term }) => term).reduce(add),
  };
}

/** The values that no node reads. */
function sinks({ graph, pool }: Net): Value[] {
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  return [...new Set(pool.map(({ value }) => value))].filter((value) => value.producer && !read.has(value));
}
