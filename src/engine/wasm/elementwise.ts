// Elementwise computations on arrays where they lie, in one pass over memory: compiled to WebAssembly's vector instructions.

import { invariant } from "../../base/errors.ts";
import { float32, moduleBytes, Op, Type, unsigned } from "./encode.ts";

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

/** What the types of neither JavaScript nor Node.js declare. */
interface WebAssemblyNames {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: { readonly run: Run } };
}
type Run = (bytes: number, ...rest: number[]) => void;
const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyNames }).WebAssembly;

const PAGE = 65_536;
const LARGEST = 65_536 * PAGE;
const VECTOR = 16;

/** Bytes that `length` float32 take in an `Arena`: whole vectors. */
export function arenaBytes(length: number): number {
  return Math.ceil((length * 4) / VECTOR) * VECTOR;
}

/** Memory that compiled programs work on, of a size that is fixed when it is made: float32 arrays one after another. */
export class Arena {
  readonly #memory: { readonly buffer: ArrayBuffer };

  /** @param bytes at most what `Arena.fits` takes. */
  constructor(bytes: number) {
    invariant(Arena.fits(bytes), `an arena of ${bytes} bytes`);
    const pages = Math.ceil(bytes / PAGE);
    this.#memory = new Memory({ initial: pages, maximum: pages });
  }

  /** Whether so many bytes can be had: less than 4 GiB. */
  static fits(bytes: number): boolean {
    return bytes < LARGEST;
  }

  /** The float32 array that begins at a byte. */
  array(start: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer, start, length);
  }

  /** A program, ready to run on this memory. */
  compile(program: ElementwiseProgram): CompiledElementwise {
    const module = new Module(encode(program));
    const { run } = new Instance(module, { env: { memory: this.#memory } }).exports;
    return (bytes, starts, scalars) => run(bytes, ...starts, ...scalars);
  }
}

/**
 * Runs on `bytes` bytes (whole vectors of 16) from the byte where each array starts.
 */
export type CompiledElementwise = (
  bytes: number,
  starts: readonly number[],
  scalars: readonly number[],
) => void;

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
  const advance = [
    ...get(offset),
    ...Op.i32Const,
    ...unsigned(VECTOR),
    ...Op.i32Add,
    ...Op.localSet,
    ...unsigned(offset),
  ];
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
