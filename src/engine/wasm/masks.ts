// Masks of dropout, drawn by WebAssembly's vector instructions: sixteen elements a turn of the loop.

import type { Random } from "../../base/random.ts";
import { i32, moduleBytes, Op, Type, unsigned, vectorLoad, vectorStore } from "./encode.ts";
import { Arena, arenaBytes, VECTOR } from "./memory.ts";

/** A mask to draw. */
export interface MaskRequest {
  /** How many elements it has. */
  readonly length: number;
  /** The probability of dropping one, resolved to 1/65536. */
  readonly p: number;
}

/** Streams that are drawn from side by side, each a lane of every vector. */
const LANES = 4;
const WORDS = 4;
/** The lanes' states lie in front of the masks: a vector for each word of a state. */
const STATE = WORDS * VECTOR;

/**
 * Draws masks into memory that it keeps. What a mask holds follows from the stream alone, on every machine: the stream forks
 * into four for each, and a word of each in turn gives two elements, its low and its high half.
 */
export class MaskDrawer {
  #arena: Arena | null = null;
  #run: (start: number, end: number, threshold: number) => void = () => {};

  /**
   * Draws 1 where an element is kept and 0 where it is dropped.
   *
   * @returns the masks in their order, in memory that the next call draws into again.
   */
  draw(requests: readonly MaskRequest[], random: Random): Uint8Array[] {
    const sizes = requests.map(({ length }) => arenaBytes(length, 1));
    const arena = this.#reserve(sizes.reduce((sum, size) => sum + size, STATE));
    let end = STATE;
    return requests.map(({ length, p }, i) => {
      const start = end;
      end += sizes[i]!;
      const threshold = Math.round(p * 65536);
      this.#fork(arena, random);
      this.#run(start, end, threshold);
      const mask = arena.bytes(start, length);
      // Nothing below 65536 reaches this threshold, which a half of a word cannot hold.
      return threshold === 65536 ? mask.fill(0) : mask;
    });
  }

  #reserve(bytes: number): Arena {
    if (this.#arena && this.#arena.size >= bytes) return this.#arena;
    const arena = new Arena(bytes);
    this.#run = arena.load(MODULE);
    this.#arena = arena;
    return arena;
  }

  #fork(arena: Arena, random: Random): void {
    const states = arena.words(0, WORDS * LANES);
    for (let lane = 0; lane < LANES; lane++) {
      random.fork().state.forEach((word, i) => {
        states[LANES * i + lane] = word;
      });
    }
  }
}

/** Locals: parameters, then the state's words, what a step of the generator makes, and what does not change. */
const [START, END, THRESHOLD, A, B, C, D, WORD, SHIFTED, LIMIT, ONES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

const get = (local: number) => [...Op.localGet, ...unsigned(local)];
const set = (local: number, value: readonly number[]) => [...value, ...Op.localSet, ...unsigned(local)];
const shiftLeft = (local: number, bits: number) => [...get(local), ...i32(bits), ...Op.wordsShiftLeft];
const rotate = (local: number, bits: number) => [
  ...shiftLeft(local, bits),
  ...[...get(local), ...i32(32 - bits), ...Op.wordsShiftRight],
  ...Op.or,
];
/** `word * (2 ** bits + 1)`. */
const scaled = (local: number, bits: number) => [...shiftLeft(local, bits), ...get(local), ...Op.wordsAdd];
const mix = (local: number, other: number) => set(local, [...get(local), ...get(other), ...Op.xor]);

/** A step of `Random.uint32` in every lane, then its halves against the threshold, on the stack. */
const STEP = [
  ...set(WORD, scaled(B, 2)),
  ...set(WORD, rotate(WORD, 7)),
  ...set(WORD, scaled(WORD, 3)),
  ...set(SHIFTED, shiftLeft(B, 9)),
  ...[...mix(C, A), ...mix(D, B), ...mix(B, C), ...mix(A, D), ...mix(C, SHIFTED)],
  ...set(D, rotate(D, 11)),
  ...[...get(WORD), ...get(LIMIT), ...Op.halvesGreaterEqual],
];

const MODULE = moduleBytes(
  [Type.i32, Type.i32, Type.i32],
  new Array<number>(ONES - THRESHOLD).fill(Type.v128),
  [
    ...[A, B, C, D].flatMap((local, i) => set(local, [...i32(0), ...vectorLoad(i * VECTOR)])),
    ...set(LIMIT, [...get(THRESHOLD), ...Op.splatHalves]),
    ...set(ONES, [...i32(1), ...Op.splatBytes]),
    ...[...Op.block, ...Op.loop],
    ...[...get(START), ...get(END), ...Op.i32GreaterEqual, ...Op.branchIf, 1],
    ...[...get(START), ...STEP, ...STEP, ...Op.halvesToBytes, ...get(ONES), ...Op.and, ...vectorStore(0)],
    ...set(START, [...get(START), ...i32(VECTOR), ...Op.i32Add]),
    ...[...Op.branch, 0],
    ...[...Op.end, ...Op.end],
  ],
);
