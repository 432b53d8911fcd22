// The contract of every operator: what it infers is what the runtime computes, its gradient is the central difference,
// and it survives being written and read.

import { expect } from "vitest";
import { Random } from "../../src/base/random.ts";
import { type DType, isFloat, Tensor } from "../../src/base/tensor.ts";
import type { Program, Resident } from "../../src/engine/engine.ts";
import { nodeEngine } from "../../src/engine/node.ts";
import { Graph, nodesBehind, type Value } from "../../src/graph/graph.ts";
import { printGraph } from "../../src/graph/print.ts";
import type { Dim } from "../../src/graph/shape.ts";
import { readOnnx } from "../../src/onnx/read.ts";
import { writeOnnx } from "../../src/onnx/write.ts";
import { mul, reduceSum } from "../../src/ops/index.ts";
import { gradients } from "../../src/transform/gradient.ts";

const engine = nodeEngine({ threads: 1 });

/** One input of a case. */
export interface CaseInput {
  /** Lengths when run; `symbolic` says which the graph does not know. */
  readonly shape: readonly number[];
  /** Axes declared symbolic, by their symbol. */
  readonly symbolic?: Readonly<Record<number, string>>;
  /** Default: the case's precision. */
  readonly dtype?: DType;
  /** Draws one element. Default: normal, kept away from zero where kinks are. */
  readonly draw?: (random: Random, index: number) => number;
}

/** A function of some inputs, and how to check it. */
export interface GradientCase {
  readonly inputs: readonly CaseInput[];
  readonly build: (...inputs: Value[]) => Value;
  /**
   * "float64" (the default) compares with central differences of step 1e-5. "linear" is for operators that the runtime
   * has in float32 only and that are linear in each input on its own: there a central difference of any step is exact
   * but for rounding, so a step of 1 is compared in float32.
   */
  readonly precision?: "float64" | "linear";
  /**
   * For operators that the runtime has in float32 only and that are not linear: the same function for float64, made of
   * operators whose own cases pass. Output and gradients of `build` in float32 are compared with those of `reference`,
   * whole and on the same numbers. What differs is rounding: a node rounds to 2^-24 of its result, and where that is a
   * short sum or a polynomial of the runtime's to a few times as much. So each node of `build` and its gradients is
   * allowed 2^-22, relative to an element and the root mean square of all of them.
   */
  readonly reference?: (...inputs: Value[]) => Value;
  /** Elements of each input to perturb. Default: 16, drawn at random. */
  readonly samples?: number;
  readonly seed?: number;
}

/** Runs a case; throws an assertion error that says which input and element is off, with the graph as text. */
export async function checkGradient(given: GradientCase): Promise<void> {
  const { precision = "float64", seed = 1, reference } = given;
  const dtype = precision === "float64" && !reference ? "float64" : "float32";
  const random = Random.stream(seed, "case");
  const data = given.inputs.map((input) => drawTensor(input, dtype, random));
  const checked = await differentiated(given.inputs, given.build, data);
  const { program, text, names } = checked;

  // The shape of y is only known once it ran, so the first run gets its weights from a program of its own.
  const feeds = feedsOf(data);
  const forward = await engine.compile(checked.forward, { name: "forward" });
  const { shape } = (await fetch(forward, feeds, ["y"])).get("y")!;
  const bindings = new Map<string, number>();
  checked.y.shape.forEach((dim, axis) => {
    if (typeof dim === "number") expect(shape[axis], `inferred shape of ${checked.y}\n${text}`).toBe(dim);
    else if (!dim.includes("*")) expect(bindings.get(dim) ?? shape[axis]).toBe(shape[axis]);
  });
  expect(shape.length).toBe(checked.y.rank);
  const weights = drawTensor({ shape }, dtype, random);
  feeds.set("weights", engine.upload(weights));

  const analytic = await fetch(program, feeds, names);
  for (const index of checked.wrt) {
    const { shape: found } = analytic.get(`g${index}`)!;
    expect(found, `shape of the gradient of input ${index}`).toEqual(data[index]!.shape);
  }
  if (reference) {
    const exact = data.map((tensor) => (isFloat(tensor.dtype) ? tensor.to("float64") : tensor));
    const other = await differentiated(given.inputs, reference, exact);
    const otherFeeds = feedsOf(exact).set("weights", engine.upload(weights.to("float64")));
    compare(analytic, await fetch(other.program, otherFeeds, names), checked);
  } else {
    await checkDifferences(given, data, checked, feeds, analytic, random);
  }
  const again = readOnnx(checked.model);
  const rewritten = await engine.compile(writeOnnx(again.graph), { name: "case, read and written again" });
  const repeated = await fetch(rewritten, feeds, names);
  for (const name of names) expect(repeated.get(name)!.data).toEqual(analytic.get(name)!.data);
}

/** A case as a program that computes the output `y`, the `loss` that weighs it, and the gradients `g0`, `g1`, … of inputs. */
interface Differentiated {
  readonly y: Value;
  readonly nodes: number;
  readonly text: string;
  /** The inputs that have gradients. */
  readonly wrt: readonly number[];
  readonly names: readonly string[];
  readonly program: Program;
  readonly model: Uint8Array;
  /** A model that computes `y` alone. */
  readonly forward: Uint8Array;
}

async function differentiated(
  given: readonly CaseInput[],
  build: GradientCase["build"],
  data: readonly Tensor[],
): Promise<Differentiated> {
  const graph = new Graph({ name: "case" });
  const inputs = given.map((input, i) => {
    const dims = input.shape.map((length, axis): Dim => input.symbolic?.[axis] ?? length);
    return graph.input(`x${i}`, data[i]!.dtype, dims);
  });
  const y = build(...inputs);
  // Weights for the loss; two factors, so that a symbolic output needs no constant of its shape.
  const weights = graph.input("weights", y.dtype, y.shape);
  const loss = reduceSum(mul(y, weights));
  const wrt = inputs.flatMap((input, i) => (isFloat(input.dtype) ? [i] : []));
  const grads = gradients(
    loss,
    wrt.map((i) => inputs[i]!),
  );
  const outputs = new Map([
    ["y", y],
    ["loss", loss],
    ...grads.map((grad, i): [string, Value] => [`g${wrt[i]}`, grad]),
  ]);
  const model = writeOnnx(graph, { outputs });
  return {
    y,
    nodes: nodesBehind([...outputs.values()]).length,
    text: printGraph(graph, [loss, ...grads]),
    wrt,
    names: [...outputs.keys()],
    program: await engine.compile(model, { name: "case" }),
    model,
    forward: writeOnnx(graph, { outputs: new Map([["y", y]]) }),
  };
}

function feedsOf(data: readonly Tensor[]): Map<string, Resident> {
  return new Map(data.map((tensor, i) => [`x${i}`, engine.upload(tensor)]));
}

/** Compares output and gradients in float32 with exact ones. */
function compare(
  found: ReadonlyMap<string, Tensor>,
  exact: ReadonlyMap<string, Tensor>,
  { nodes, text, names }: Differentiated,
): void {
  const bound = nodes * 2 ** -22;
  for (const name of names.filter((each) => each !== "loss")) {
    const wanted = exact.get(name)!.toNumbers();
    const scale = rootMeanSquare(wanted);
    Array.from(found.get(name)!.toNumbers()).forEach((value, at) => {
      const error = Math.abs(value - wanted[at]!) / (scale + Math.abs(wanted[at]!));
      const told = `${name}, element ${at}: ${value} in float32, ${wanted[at]} by the reference`;
      expect(error, `${told}\n${text}`).toBeLessThan(bound);
    });
  }
}

/** Compares gradients with central differences. */
async function checkDifferences(
  { precision = "float64", samples = 16 }: GradientCase,
  data: readonly Tensor[],
  { program, text, wrt }: Differentiated,
  feeds: ReadonlyMap<string, Resident>,
  analytic: ReadonlyMap<string, Tensor>,
  random: Random,
): Promise<void> {
  const step = precision === "float64" ? 1e-5 : 1;
  // float64: the truncation error of step² and the rounding of 1e-16 / step. float32: the rounding of the loss, a sum of
  // at most thousands of terms, against one gradient.
  const bound = precision === "float64" ? 1e-6 : 2e-3;
  for (const index of wrt) {
    const point = data[index]!;
    const gradient = analytic.get(`g${index}`)!;
    const scale = Math.max(1e-3, rootMeanSquare(gradient.toNumbers()));
    for (const at of chosen(point.data.length, samples, random)) {
      const lossAt = async (delta: number) => {
        const moved = point.clone();
        (moved.data as Float64Array)[at]! += delta;
        const results = await fetch(program, new Map([...feeds, [`x${index}`, engine.upload(moved)]]), [
          "loss",
        ]);
        return results.get("loss")!.item();
      };
      const numeric = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
      const error = Math.abs(numeric - Number(gradient.data[at])) / (scale + Math.abs(numeric));
      const told = `input ${index}, element ${at}: gradient ${gradient.data[at]}, central difference ${numeric}`;
      expect(error, `${told}\n${text}`).toBeLessThan(bound);
    }
  }
}

function rootMeanSquare(values: ArrayLike<number>): number {
  return Math.hypot(...Array.from(values)) / Math.sqrt(values.length || 1);
}

async function fetch(program: Program, feeds: ReadonlyMap<string, Resident>, names: readonly string[]) {
  const known = new Map(feeds);
  const results = await program.run(known, new Map(names.map((name) => [name, null])));
  const tensors = new Map<string, Tensor>();
  for (const [name, resident] of results) tensors.set(name, (await engine.download(resident)).clone());
  return tensors;
}

function drawTensor(
  { shape, dtype, draw = awayFromZero }: CaseInput,
  precision: DType,
  random: Random,
): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return Tensor.of(
    shape,
    Array.from({ length: size }, (_, i) => draw(random, i)),
    dtype ?? precision,
  );
}

/** Normal numbers at least 0.05 from zero, where relu and its like have their kink. */
function awayFromZero(random: Random): number {
  const drawn = random.normal();
  return drawn + (drawn < 0 ? -0.05 : 0.05);
}

/** Positive numbers between 0.3 and 2.3, for logarithms and roots. */
export function positive(random: Random): number {
  return random.uniform(0.3, 2.3);
}

/** Numbers that differ by at least 0.01 from each other, for maxima: a shuffled ladder. */
export function distinct(random: Random, index: number): number {
  return ((index * 7919) % 1009) * 0.02 - 10 + random.uniform(0, 0.005);
}

function chosen(length: number, samples: number, random: Random): number[] {
  return [...random.permutation(length)].slice(0, samples);
}
