// An optimizer's update as a program that runs on parameters where they lie, after the training step has computed their
// gradients: one pass over memory instead of one for each of its nodes.

import { sizeOf } from "../base/tensor.ts";
import {
  compileElementwise,
  type ElementwiseOp,
  type ElementwiseProgram,
} from "../engine/wasm/elementwise.ts";
import { Arena, arenaBytes, VECTOR } from "../engine/wasm/memory.ts";
import { Graph, nodesBehind, type Value } from "../graph/graph.ts";
import { addOp, divOp, maxOp, mulOp, sqrtOp, subOp } from "../ops/index.ts";
import type { Optimizer } from "../optim/optimizer.ts";

/**
 * The arrays of an update program, in order: the parameter, its gradient, then the optimizer's state; last where the updated
 * parameter is written, which may be where it was.
 */
export const PARAMETER = 0;
export const GRADIENT = 1;

const OPS = new Map<unknown, ElementwiseOp>([
  [addOp, "add"],
  [subOp, "sub"],
  [mulOp, "mul"],
  [divOp, "div"],
  [maxOp, "max"],
  [sqrtOp, "sqrt"],
]);

/** What a block of a table's rows may take: it stays in the cache of the processor that updates it. */
const BLOCK = 65_536;

/** How many rows of a table are updated at once: whole vectors. */
export function blockRows(rowBytes: number): number {
  return Math.max(4, Math.floor(BLOCK / rowBytes) & ~3);
}

/** Bytes that a block of any of these tables takes. */
export function blockBytes(tables: readonly (readonly number[])[]): number {
  const bytes = tables.map((shape) => 4 * sizeOf(shape.slice(1)));
  return Math.max(0, ...bytes.map((rowBytes) => rowBytes * blockRows(rowBytes)));
}

/** Bytes that a row of any of these tables takes. */
export function roomBytes(tables: readonly (readonly number[])[]): number {
  return Math.max(0, ...tables.map((shape) => arenaBytes(sizeOf(shape.slice(1)))));
}

/** Bytes that an update in place of parameters of these shapes takes at most. */
export function updateBytes(shapes: readonly (readonly number[])[], arrays: number): number {
  const all = shapes.reduce((sum, shape) => sum + arenaBytes(sizeOf(shape)), roomBytes(shapes));
  return arrays * all + blockBytes(shapes);
}

/** The names of an optimizer's knobs, in its order. */
export function knobNames(optimizer: Optimizer): string[] {
  return Object.keys(optimizer.knobs(1, 1));
}

/** An optimizer's knobs as inputs `knob.NAME` of a graph, by name. */
export function knobInputs(graph: Graph, optimizer: Optimizer): Record<string, Value> {
  return Object.fromEntries(
    knobNames(optimizer).map((name) => [name, graph.input(`knob.${name}`, "float32", [])]),
  );
}

/**
 * The update of one float32 parameter, its scalars being the optimizer's knobs in their order; null where the optimizer
 * uses other operators than arithmetic. Of what is kept subnormal numbers become zero: running means of what is zero from some
 * step on end there, and processors take ten times as long for them.
 */
export function updateProgram(optimizer: Optimizer): ElementwiseProgram | null {
  const graph = new Graph({ name: optimizer.name, shareSubexpressions: true });
  const array = (name: string) => graph.input(name, "float32", ["n"]);
  const [parameter, gradient] = [array("parameter"), array("gradient")];
  const names = Object.keys(optimizer.state);
  const state = Object.fromEntries(names.map((name) => [name, array(`state.${name}`)]));
  array("updated");
  const knobs = knobInputs(graph, optimizer);
  const update = optimizer.update(parameter, gradient, state, knobs);
  const results = [update.parameter, ...names.map((name) => update.state[name]!)];
  const nodes = nodesBehind(results);
  if (nodes.some(({ operator }) => !OPS.has(operator))) return null;

  const numbers = new Map<Value, number>();
  for (const value of [...graph.inputs, ...graph.constants]) numbers.set(value, numbers.size);
  const steps = nodes.map(({ operator, inputs, output }) => {
    numbers.set(output, numbers.size);
    return { op: OPS.get(operator)!, values: inputs.map((input) => numbers.get(input!)!) };
  });
  const updated = GRADIENT + 1 + names.length;
  const written = [updated, ...names.map((_, i) => GRADIENT + 1 + i)];
  return {
    arrays: updated + 1,
    scalars: Object.keys(knobs).length,
    constants: graph.constants.map(({ data }) => data!.item()),
    steps,
    writes: results.map((value, i) => ({ value: numbers.get(value)!, array: written[i]!, flush: i > 0 })),
  };
}

/**
 * Whether an optimizer leaves a parameter as it is, and what it keeps of it as it began, as long as the gradient is zero: what
 * its program does with some numbers, at a learning rate of 1, for two steps.
 */
export function leavesUntouched(optimizer: Optimizer): boolean {
  const program = updateProgram(optimizer);
  if (!program) return false;
  const before = [[1, -0.3, 1e-3, 50], [0], ...Object.values(optimizer.state).map((value) => [value])];
  const arena = new Arena(before.length * VECTOR);
  const begins = before.map((_, i) => i * VECTOR);
  const arrays = begins.map((start) => arena.array(start, VECTOR / 4));
  before.forEach((numbers, i) => {
    for (let j = 0; j < VECTOR / 4; j++) arrays[i]![j] = numbers[j % numbers.length]!;
  });
  const run = compileElementwise(program, arena);
  const starts = [...begins, begins[PARAMETER]!];
  const unchanged = arrays.map((array) => array.slice());
  for (const step of [1, 2]) run(VECTOR, starts, Object.values(optimizer.knobs(step, 1)));
  return arrays.every((array, i) => array.every((number, j) => number === unchanged[i]![j]));
}
