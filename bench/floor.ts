// What a machine can do at best, measured, and the time that a training step cannot be under.

import { Graph, nodeEngine, ops, Tensor, type Value, writeOnnx } from "../src/index.ts";
import { mnistWidths } from "./networks.ts";

/** What the runtime reaches on this machine. */
export interface Machine {
  readonly threads: number;
  /** Of a product of 1024 x 1024 matrices: billions of operations a second. */
  readonly gflops: number;
  /** Of a pass that reads 64 MB and writes 64 MB: GB a second, both counted. */
  readonly bandwidth: number;
}

/** What is trained: the MNIST CNN with dendrites on every layer, Adadelta. */
export interface Scale {
  readonly dendrites: number;
  readonly images: number;
  readonly width: number;
}

const RUNS = 30;
const SIDE = 1024;
const LENGTH = 16 * 2 ** 20;
const PASSES = 16;

export async function measureMachine(threads: number): Promise<Machine> {
  // The first of a process has been seen at a third of the rate of the next ones.
  const products = [];
  for (let i = 0; i < 3; i++) {
    products.push(await leastMs(threads, [SIDE, SIDE], (a) => ops.matMul(a, a)));
  }
  const product = Math.min(...products);
  // Many, ending in one number: memory for what comes in and out costs more than a pass.
  const passes = (count: number) => (x: Value) => {
    let y = x;
    for (let i = 0; i < count; i++) y = ops.mul(y, ops.scalar(y, 1.01));
    return ops.reduceMax(y);
  };
  const [many, one] = [
    await leastMs(threads, [LENGTH], passes(PASSES + 1)),
    await leastMs(threads, [LENGTH], passes(1)),
  ];
  const bandwidth = (2 * 4 * LENGTH * PASSES) / (many - one) / 1e6;
  return { threads, gflops: (2 * SIDE ** 3) / product / 1e6, bandwidth };
}

async function leastMs(
  threads: number,
  shape: readonly number[],
  compute: (x: Value) => Value,
): Promise<number> {
  const engine = nodeEngine({ threads });
  const graph = new Graph({ name: "measurement" });
  graph.output(compute(graph.input("x", "float32", shape)), "y");
  const program = await engine.compile(writeOnnx(graph), { name: "measurement" });
  const inputs = new Map([["x", engine.upload(Tensor.full(shape, 0.5))]]);
  const outputs = new Map([["y", null]]);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    await program.run(inputs, outputs);
    least = Math.min(least, performance.now() - start);
  }
  await program.release();
  return least;
}

/** A layer of products: numbers of float32 that it reads, holds and gives, and products for one of what it gives. */
interface Layer {
  readonly input: number;
  readonly weights: number;
  readonly output: number;
  readonly depth: number;
}

function layersOf({ images, width }: Scale): Layer[] {
  const [conv1, conv2, fc1] = mnistWidths(width);
  const conv = (from: number, to: number, side: number): Layer => ({
    input: images * from * (side + 2) ** 2,
    weights: 9 * from * to,
    output: images * to * side ** 2,
    depth: 9 * from,
  });
  const linear = (from: number, to: number): Layer => ({
    input: images * from,
    weights: from * to,
    output: images * to,
    depth: from,
  });
  return [conv(1, conv1, 26), conv(conv1, conv2, 24), linear(144 * conv2, fc1), linear(fc1, 10)];
}

/**
 * Milliseconds of a step in which every product in its direct form runs at the rate of the largest matrices or at the
 * bandwidth of what it reads and writes, whichever takes longer, and everything between products is one pass each way:
 * that reads what neuron and dendrites give and writes activations and their sum, or their cotangents. The update reads
 * parameters, gradients and two running means, and writes all but the gradients.
 */
export function floorMs(scale: Scale, { gflops, bandwidth }: Machine): number {
  const copies = scale.dendrites + 1;
  const moved = (numbers: number) => (4 * numbers) / bandwidth / 1e6;
  return layersOf(scale).reduce((sum, { input, weights, output, depth }, i) => {
    const product = Math.max((2 * output * depth) / gflops / 1e6, moved(input + weights + output));
    const products = copies * (i === 0 ? 2 : 3) * product;
    const between = 2 * moved(2 * copies * output);
    return sum + products + between + moved(7 * copies * weights);
  }, 0);
}
