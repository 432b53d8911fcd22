// Elementwise computations on arrays where they lie, in one pass over memory: compiled to WebAssembly's vector instructions.

import { float32, i32, moduleBytes, Op, Type, unsigned, vectorLoad, vectorStore } from "./encode.ts";
import { type Arena, VECTOR } from "./memory.ts";

/** What a step does with one or two values. */
export type ElementwiseOp = "add" | "sub" | "mul" | "div" | "max" | "sqrt";

/**
 * A computation on one element of each of some arrays, as numbered values: first the elements, then the scalars, then the
 * constants, then what each step computes.
 */
export interface ElementwiseProgram {
  /** How many arrays there are, all of one length. */
  readonly arrays: number;
  /** How many numbers are given at each run. */
  readonly scalars: number;
  readonly constants: readonly number[];
  readonly steps: readonly { readonly op: ElementwiseOp; readonly values: readonly number[] }[];
  /**
   * Which values are written over the elements of which arrays, at the end, whether or not these are read; `flush`: subnormal
   * numbers as zero.
   */
  readonly writes: readonly { readonly value: number; readonly array: number; readonly flush?: boolean }[];
}

/**
 * Runs on `bytes` bytes (whole vectors of 16) from the byte where each array starts.
 */
export type CompiledElementwise = (
  bytes: number,
  starts: readonly number[],
  scalars: readonly number[],
) => void;

/** A program, ready to run on an arena. */
export function compileElementwise(program: ElementwiseProgram, arena: Arena): CompiledElementwise {
  const run = arena.load(encode(program));
  return (bytes, starts, scalars) => run(bytes, ...starts, ...scalars);
}

/** `a[i] += b[i]` on `bytes` bytes (whole vectors) from the byte where each begins, ready to run on an arena. */
export function compileAddition(arena: Arena): (bytes: number, a: number, b: number) => void {
  const sum = { op: "add", values: [0, 1] } as const;
  const writes = [{ value: 2, array: 0 }];
  return arena.load(encode({ arrays: 2, scalars: 0, constants: [], steps: [sum], writes }));
}

/** Vectors of each array that a turn of the loop takes, and one at a time what is left. */
const TURNS = [2, 1];

function encode({ arrays, scalars, constants, steps, writes }: ElementwiseProgram): Uint8Array {
  // Parameters: the number of bytes that are left, where each array goes on, the scalars. Locals: the values.
  const parameters = [
    Type.i32,
    ...new Array<number>(arrays).fill(Type.i32),
    ...new Array<number>(scalars).fill(Type.f32),
  ];
  const firstValue = parameters.length;
  const values = arrays + scalars + constants.length + steps.length;
  const get = (local: number) => [...Op.localGet, ...unsigned(local)];
  const set = (value: number) => [...Op.localSet, ...unsigned(firstValue + value)];
  const value = (index: number) => get(firstValue + index);
  const [exponent, zero] = [values, values + 1];
  const range = (length: number) => Array.from({ length }, (_, i) => i);

  const hoisted = [
    ...range(scalars).flatMap((i) => [...get(1 + arrays + i), ...Op.splat, ...set(arrays + i)]),
    ...constants.flatMap((constant, i) => [
      ...Op.f32Const,
      ...float32(constant),
      ...Op.splat,
      ...set(arrays + scalars + i),
    ]),
    // The bits of infinity are those of every number's exponent; a local that is not set is zero.
    ...[...Op.f32Const, ...float32(Number.POSITIVE_INFINITY), ...Op.splat, ...set(exponent)],
  ];
  const subnormal = (index: number) => [
    ...[...value(index), ...value(exponent), ...Op.and],
    ...[...value(zero), ...Op.wordsEqual],
  ];
  const before = arrays + scalars + constants.length;
  const used = new Set([...steps.flatMap((each) => each.values), ...writes.map((write) => write.value)]);
  const read = range(arrays).filter((array) => used.has(array));
  const vector = (offset: number) => [
    ...read.flatMap((array) => [...get(1 + array), ...vectorLoad(offset), ...set(array)]),
    ...steps.flatMap((step, i) => [...step.values.flatMap(value), ...Op[step.op], ...set(before + i)]),
    ...writes.flatMap((write) => [
      ...[...get(1 + write.array), ...value(write.value)],
      ...(write.flush ? [...subnormal(write.value), ...Op.andNot] : []),
      ...vectorStore(offset),
    ]),
  ];
  const step = (local: number, op: readonly number[], bytes: number) => [
    ...[...get(local), ...i32(bytes), ...op, ...Op.localSet, ...unsigned(local)],
  ];
  const loop = (turn: number) => [
    ...[...Op.block, ...Op.loop],
    ...[...get(0), ...i32(turn * VECTOR), ...Op.i32Less, ...Op.branchIf, 1],
    ...range(turn).flatMap((i) => vector(i * VECTOR)),
    ...step(0, Op.i32Sub, turn * VECTOR),
    ...range(arrays).flatMap((array) => step(1 + array, Op.i32Add, turn * VECTOR)),
    ...[...Op.branch, 0, ...Op.end, ...Op.end],
  ];
  return moduleBytes(parameters, new Array<number>(values + 2).fill(Type.v128), [
    ...hoisted,
    ...TURNS.flatMap(loop),
  ]);
}
