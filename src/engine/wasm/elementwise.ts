// Elementwise computations on arrays where they lie, in one pass over memory: compiled to WebAssembly's vector instructions.

import { float32, i32, moduleBytes, Op, Type, unsigned } from "./encode.ts";
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
  /** Which values are written over the elements of which arrays, at the end. */
  readonly writes: readonly { readonly value: number; readonly array: number }[];
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

function encode({ arrays, scalars, constants, steps, writes }: ElementwiseProgram): Uint8Array {
  // Parameters: the number of bytes, the starts, the scalars. Locals: the offset, then the values.
  const parameters = [
    Type.i32,
    ...new Array<number>(arrays).fill(Type.i32),
    ...new Array<number>(scalars).fill(Type.f32),
  ];
  const offset = parameters.length;
  const firstValue = offset + 1;
  const values = arrays + scalars + constants.length + steps.length;
  const get = (local: number) => [...Op.localGet, ...unsigned(local)];
  const set = (value: number) => [...Op.localSet, ...unsigned(firstValue + value)];
  const value = (index: number) => get(firstValue + index);
  const address = (array: number) => [...get(1 + array), ...get(offset), ...Op.i32Add];
  const range = (length: number) => Array.from({ length }, (_, i) => i);

  const hoisted = [
    ...range(scalars).flatMap((i) => [...get(1 + arrays + i), ...Op.splat, ...set(arrays + i)]),
    ...constants.flatMap((constant, i) => [
      ...Op.f32Const,
      ...float32(constant),
      ...Op.splat,
      ...set(arrays + scalars + i),
    ]),
  ];
  const before = arrays + scalars + constants.length;
  const body = [
    ...range(arrays).flatMap((array) => [...address(array), ...Op.vectorLoad, ...set(array)]),
    ...steps.flatMap((step, i) => [...step.values.flatMap(value), ...Op[step.op], ...set(before + i)]),
    ...writes.flatMap((write) => [...address(write.array), ...value(write.value), ...Op.vectorStore]),
  ];
  const advance = [...get(offset), ...i32(VECTOR), ...Op.i32Add, ...Op.localSet, ...unsigned(offset)];
  return moduleBytes(
    parameters,
    [Type.i32, ...new Array<number>(values).fill(Type.v128)],
    [
      ...hoisted,
      ...Op.block,
      ...Op.loop,
      ...[...get(offset), ...get(0), ...Op.i32GreaterEqual, ...Op.branchIf, 1],
      ...body,
      ...advance,
      ...[...Op.branch, 0],
      ...Op.end,
      ...Op.end,
    ],
  );
}
