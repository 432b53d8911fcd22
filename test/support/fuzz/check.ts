// Checks the gradients of a random net against central differences along random directions.

import { Random } from "../../../src/base/random.ts";
import { Tensor } from "../../../src/base/tensor.ts";
import type { Program } from "../../../src/engine/engine.ts";
import { nodeEngine } from "../../../src/engine/node.ts";
import type { Value } from "../../../src/graph/graph.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { writeOnnx } from "../../../src/onnx/write.ts";
import { gradients } from "../../../src/transform/gradient.ts";
import { type RandomNet, randomNet } from "./random-net.ts";

const engine = nodeEngine({ threads: 1 });

/** How differences are taken, by precision. */
const METHODS = {
  // Two steps, h and h/2: together they leave an error of h⁴, and their difference says where the function is not smooth.
  float64: { step: 1e-4, bound: 1e-6, rounding: 1e-15 },
  float32: { step: 2e-2, bound: 2e-3, rounding: 2 ** -22 },
} as const;

/** A seed whose net was checked. */
export interface Checked {
  readonly seed: number;
  /** Directions along which the gradient was compared, and those near a kink at every attempt. */
  readonly compared: number;
  readonly undecided: number;
  /** What is wrong, with the net as text. */
  readonly failure?: string;
}

const ATTEMPTS = 4;

/** Checks the net of a seed. */
export async function checkNet(seed: number): Promise<Checked> {
  let text = "";
  try {
    const made = randomNet(seed);
    const { net, outputs, loss } = made;
    text = printGraph(net.graph, [loss]);
    const grads = gradients(loss, net.leaves);
    const named = (prefix: string, values: readonly Value[]) =>
      values.map((value, i): [string, Value] => [`${prefix}${i}`, value]);
    const wanted = new Map([...named("y", outputs), ...named("g", grads)]);
    const program = await engine.compile(writeOnnx(net.graph, { outputs: wanted }), { name: "net" });
    try {
      const counts = await compareAll(made, program, [...wanted.keys()]);
      return { seed, ...counts };
    } finally {
      await program.release();
    }
  } catch (error) {
    const told = error instanceof Error ? error.message : `${error}`;
    return { seed, compared: 0, undecided: 0, failure: `seed ${seed}: ${told}\n${text}` };
  }
}

type Numbers = ReadonlyMap<string, Tensor>;

async function run(program: Program, feeds: Numbers, names: readonly string[]): Promise<Numbers> {
  const given = new Map([...feeds].map(([name, tensor]) => [name, engine.upload(tensor)]));
  const found = await program.run(given, new Map(names.map((name) => [name, null])));
  const results = new Map<string, Tensor>();
  for (const [name, resident] of found) results.set(name, (await engine.download(resident)).clone());
  return results;
}

async function compareAll(made: RandomNet, program: Program, names: readonly string[]) {
  const { net, outputs, weights } = made;
  const random = Random.stream(1, net.graph.name);
  let compared = 0;
  let open = new Set(net.leaves);
  let feeds = new Map([...net.feeds, ...weights.map((tensor, i): [string, Tensor] => [`w${i}`, tensor])]);
  for (let attempt = 0; attempt < ATTEMPTS && open.size > 0; attempt++) {
    if (attempt > 0) feeds = elsewhere(feeds, net.leaves, random);
    const here = await run(program, feeds, names);
    outputs.forEach((output, i) => {
      expectSame(here.get(`y${i}`)!.shape, net.resolve(output.shape), `the shape of ${output}`);
    });
    const left = new Set<Value>();
    for (const leaf of open) {
      const gradient = here.get(`g${net.leaves.indexOf(leaf)}`)!;
      expectSame(gradient.shape, feeds.get(leaf.name)!.shape, `the shape of the gradient of ${leaf}`);
      if (await agrees(made, program, feeds, leaf, gradient, random)) compared += 1;
      else left.add(leaf);
    }
    open = left;
  }
  return { compared, undecided: open.size };
}

/** Whether the slope along a random direction is the gradient's; false where differences cannot tell. Throws if not. */
async function agrees(
  { net, weights, outputs }: RandomNet,
  program: Program,
  feeds: Numbers,
  leaf: Value,
  gradient: Tensor,
  random: Random,
): Promise<boolean> {
  const { step, bound, rounding } = METHODS[net.dtype];
  const point = feeds.get(leaf.name)!;
  const direction = Array.from({ length: point.data.length }, () => (random.uniform() < 0.5 ? -1 : 1));
  const names = outputs.map((_, i) => `y${i}`);
  let size = 0;
  const lossAt = async (distance: number) => {
    const moved = Tensor.of(
      point.shape,
      Array.from(point.toNumbers(), (x, i) => x + distance * direction[i]!),
      net.dtype,
    );
    const results = await run(program, new Map([...feeds, [leaf.name, moved]]), names);
    const terms = names.flatMap((name, i) => {
      const by = weights[i]!.toNumbers();
      return Array.from(results.get(name)!.toNumbers(), (y, at) => y * by[at]!);
    });
    size = Math.max(size, Math.hypot(...terms));
    return terms.reduce((a, b) => a + b, 0);
  };
  const middle = await lossAt(0);
  const differences = async (h: number) => {
    const [ahead, behind] = [await lossAt(h), await lossAt(-h)];
    return { slope: (ahead - behind) / (2 * h), bend: (ahead - 2 * middle + behind) / h };
  };
  const [wide, narrow] = [await differences(step), await differences(step / 2)];
  const numeric = (4 * narrow.slope - wide.slope) / 3;
  const numbers = Array.from(gradient.toNumbers());
  const analytic = numbers.reduce((total, each, i) => total + each * direction[i]!, 0);
  const scale = Math.max(Math.hypot(...numbers), Math.abs(numeric));
  const noise = (8 * rounding * size) / step;
  const allowed = bound * scale + noise;
  const told = `the slope along a direction of ${leaf} is ${analytic} by the gradient, ${numeric} by differences`;
  if (!Number.isFinite(numeric)) throw new Error(`the net itself is not finite: ${told}`);
  if (Math.abs(analytic - numeric) <= allowed) return true;
  // Where the loss is smooth, both slopes agree and half the step bends half as much. Near a kink or a jump it is not so.
  const uncertain = Math.max(Math.abs(wide.slope - narrow.slope), Math.abs(wide.bend - 2 * narrow.bend));
  if (uncertain > allowed) return false;
  throw new Error(`${told} (both to ${allowed}; with the steps ${wide.slope} and ${narrow.slope})`);
}

/** The same inputs at another place nearby. */
function elsewhere(feeds: Numbers, leaves: readonly Value[], random: Random): Map<string, Tensor> {
  const moved = new Map(feeds);
  for (const { name } of leaves) {
    const { shape, dtype } = feeds.get(name)!;
    const numbers = Array.from(feeds.get(name)!.toNumbers(), (x) => x * random.uniform(0.8, 1.1));
    moved.set(name, Tensor.of(shape, numbers, dtype));
  }
  return moved;
}

function expectSame(found: readonly number[], wanted: readonly number[], what: string): void {
  if (found.join() !== wanted.join()) throw new Error(`${what} is [${found}] when run, not [${wanted}]`);
}
