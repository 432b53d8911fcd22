// Modules against PyTorch's own numbers. Whole arrays would fill files, so a tensor is told by one number that each of its
// elements changes: its product with cosines. Parameters and inputs are sines. In PyTorch:
//
//   def fill(shape, k):
//     return torch.sin(torch.arange(math.prod(shape)) * .7 + k).reshape(shape)
//   def digest(t):
//     return (t.flatten() * torch.cos(torch.arange(t.numel()))).sum()
//   for k, t in enumerate([*inputs, *module.parameters()]): t.copy_(fill(t.shape, k))
//   digest(module(*inputs)).backward()
//   digest(output), [digest(t.grad) for t in inputs], {name: digest(p.grad) for name, p in module.named_parameters()}

import { expect } from "vitest";
import { isFloat, sizeOf, Tensor } from "../../src/base/tensor.ts";
import type { Value } from "../../src/graph/graph.ts";
import * as nn from "../../src/nn/index.ts";
import { mul, reduceSum } from "../../src/ops/index.ts";
import { gradients } from "../../src/transform/gradient.ts";
import { trainingForm } from "../../src/transform/mode.ts";
import { rewrite } from "../../src/transform/rewrite.ts";
import { runGraph } from "./run.ts";

/** What PyTorch computed. */
export interface Digests {
  /** The output's shape. */
  readonly shape: readonly number[];
  readonly output: number;
  /** Of the gradients of floating inputs. */
  readonly inputs: readonly number[];
  /** Of the gradients of all parameters, by name, in PyTorch's order. */
  readonly parameters: Readonly<Record<string, number>>;
  /** What the parameters' sines are multiplied by: deep networks saturate with large ones. Default: 1. */
  readonly scale?: number;
}

/** A module, its inputs (shapes stand for sines), and what PyTorch computed. */
export type TorchCase = readonly [
  make: () => nn.Module,
  inputs: readonly (Tensor | readonly number[])[],
  wanted: Digests,
];

/** sin(0.7 i + k), times `scale` (default: 1). */
export function fill(shape: readonly number[], k: number, scale = 1): Tensor {
  return Tensor.of(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(0.7 * i + k)),
  );
}

function weights(shape: readonly number[]): Tensor {
  return Tensor.of(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.cos(i)),
  );
}

/** Expects PyTorch's output and gradients of a module. */
export async function expectTorch([make, given, wanted]: TorchCase): Promise<void> {
  const module = make();
  const inputs = given.map((input, i) => (input instanceof Tensor ? input : fill(input, i)));
  const names = Object.keys(wanted.parameters);
  expect([...module.namedParameters().values()].sort(), "names of parameters").toEqual([...names].sort());
  const state = [...module.namedParameters()].map(
    ([{ shape }, name]) => [name, fill(shape, inputs.length + names.indexOf(name), wanted.scale)] as const,
  );
  // Buffers keep their values: what is computed in training does not depend on them.
  module.loadStateDict(new Map(state), { strict: false });
  const declared = inputs.map(({ dtype, shape }, i) => [`x${i}`, { dtype, shape }] as const);
  const traced = nn.trace(module, { inputs: Object.fromEntries(declared) });
  const { graph } = rewrite(traced, trainingForm([]));
  const y = graph.outputs[0]!;
  expect(y.shape).toEqual(wanted.shape);
  const loss = reduceSum(mul(y, graph.constant(weights(wanted.shape))));
  const floating = graph.inputs.filter(({ dtype }) => isFloat(dtype));
  const sources = [...floating, ...graph.parameters];
  const slopes = gradients(loss, sources);
  const outputs: Record<string, Value> = { y };
  sources.forEach(({ name }, i) => {
    outputs[`d ${name}`] = slopes[i]!;
  });
  const feeds = Object.fromEntries(inputs.map((tensor, i) => [`x${i}`, tensor]));
  const found = await runGraph(graph, feeds, outputs);
  const check = (name: string, digest: number) => {
    const tensor = found[name]!;
    const numbers = tensor.toNumbers();
    const factors = Array.from(weights(tensor.shape).toNumbers());
    const total = factors.reduce((sum, factor, i) => sum + factor * numbers[i]!, 0);
    // Rounding of sums of up to hundreds of float32, and of the digests below to six digits.
    const bound = 3e-5 * (Math.hypot(...numbers) + Math.abs(digest)) + 1e-6;
    expect(Math.abs(total - digest), `${name}: ${total}, not ${digest}`).toBeLessThan(bound);
  };
  check("y", wanted.output);
  expect(floating.length).toBe(wanted.inputs.length);
  floating.forEach(({ name }, i) => {
    check(`d ${name}`, wanted.inputs[i]!);
  });
  for (const name of names) check(`d ${name}`, wanted.parameters[name]!);
}
