// Parameters and what the optimizer keeps of them, in memory that updates are done in.

import { sizeOf, Tensor } from "../base/tensor.ts";
import type { Engine, Resident } from "../engine/engine.ts";
import { type CompiledElementwise, compileElementwise } from "../engine/wasm/elementwise.ts";
import { Arena, arenaBytes } from "../engine/wasm/memory.ts";
import type { Knobs } from "../optim/optimizer.ts";
import type { UpdatePlan } from "./step.ts";
import { GRADIENT, regionBytes } from "./update.ts";

type Parameter = UpdatePlan["parameters"][number];

/** One parameter's place: what lies at the same offset in the region of each array. */
interface Place {
  readonly parameter: Parameter;
  readonly start: number;
  readonly bytes: number;
  /** How many numbers a row of a table has: what an index on the first axis stands for. */
  readonly width: number;
  readonly gradient: Float32Array<ArrayBuffer>;
}

/** Updates parameters in place. Memory has one region an array: all parameters, all gradients, and so on. */
export class InPlaceUpdate {
  /** Parameters by name, as the engine has them: what the model reads. */
  readonly parameters = new Map<string, Resident>();
  /** What the optimizer keeps of them, by name. */
  readonly kept = new Map<string, Resident>();
  /** Where the model writes gradients, by output; null for those that it makes room for itself. */
  readonly outputs = new Map<string, Resident | null>();
  readonly #plan: UpdatePlan;
  readonly #engine: Engine;
  readonly #run: CompiledElementwise;
  readonly #region: number;
  /** All of the memory. */
  readonly #numbers: Float32Array<ArrayBuffer>;
  /** Where each region has room for one row. */
  readonly #room: number;
  readonly #places: readonly Place[];
  /** What is updated whole, neighbours in one go. */
  readonly #ranges: { readonly start: number; bytes: number }[] = [];

  constructor(plan: UpdatePlan, engine: Engine, initial: ReadonlyMap<string, Tensor>) {
    this.#plan = plan;
    this.#engine = engine;
    this.#region = regionBytes(plan.parameters.map(({ entry }) => entry.shape));
    const arena = new Arena(this.#region * plan.program.arrays);
    this.#run = compileElementwise(plan.program, arena);
    this.#numbers = arena.array(0, (this.#region * plan.program.arrays) / 4);
    let start = 0;
    this.#places = plan.parameters.map((parameter) => {
      const { entry, kept, gradient } = parameter;
      const length = sizeOf(entry.shape);
      const array = (index: number) => arena.array(index * this.#region + start, length);
      [entry, ...kept].forEach(({ name, shape, initial: filling }, i) => {
        const data = array(i === 0 ? 0 : GRADIENT + i);
        const from = initial.get(name);
        // Memory that nobody has written is zero, and takes no time until it is.
        if (from) data.set(from.data as Float32Array);
        else if (filling) data.fill(filling);
        const place = i === 0 ? this.parameters : this.kept;
        place.set(name, engine.upload(new Tensor("float32", shape, data)));
      });
      const width = sizeOf(entry.shape.slice(1));
      const place = { parameter, start, bytes: arenaBytes(length), width, gradient: array(GRADIENT) };
      if ("whole" in gradient) {
        const tensor = new Tensor("float32", gradient.shape, place.gradient);
        this.outputs.set(gradient.whole, engine.upload(tensor));
      } else {
        for (const { indices, cotangents } of gradient.lookups) {
          this.outputs.set(indices, null).set(cotangents, null);
        }
      }
      start += place.bytes;
      return place;
    });
    this.#room = start;
    for (const { parameter, start, bytes } of this.#places) {
      if (plan.sparse && "lookups" in parameter.gradient) continue;
      const before = this.#ranges.at(-1);
      if (before && before.start + before.bytes === start) before.bytes += bytes;
      else this.#ranges.push({ start, bytes });
    }
  }

  /** Updates every parameter by the gradients that a run of the model has written. */
  async run(results: ReadonlyMap<string, Resident>, knobs: Knobs): Promise<void> {
    const scalars = this.#plan.knobs.map((name) => knobs[name]!);
    const touched: [Place, readonly number[]][] = [];
    for (const place of this.#places) {
      const { gradient } = place.parameter;
      if ("whole" in gradient) continue;
      touched.push([place, await this.#gather(place, gradient.lookups, results)]);
    }
    for (const { start, bytes } of this.#ranges) this.#update(start, bytes, scalars);
    if (this.#plan.sparse) for (const [place, rows] of touched) this.#updateRows(place, rows, scalars);
    for (const [{ width, gradient }, rows] of touched) {
      for (const row of rows) gradient.fill(0, row * width, (row + 1) * width);
    }
  }

  #update(start: number, bytes: number, scalars: readonly number[]): void {
    const { arrays } = this.#plan.program;
    const starts = Array.from({ length: arrays }, (_, i) => i * this.#region + start);
    this.#run(bytes, starts, scalars);
  }

  /** Updates rows alone: where they lie if they are whole vectors, else in a copy with room for that. */
  #updateRows({ start, width }: Place, rows: readonly number[], scalars: readonly number[]): void {
    const bytes = width * 4;
    const room = arenaBytes(width);
    for (const row of rows) {
      const from = start + row * bytes;
      if (room === bytes) {
        this.#update(from, bytes, scalars);
        continue;
      }
      this.#copy(from, this.#room, width);
      this.#update(this.#room, room, scalars);
      this.#copy(this.#room, from, width);
    }
  }

  /** Copies numbers within the region of every array. */
  #copy(from: number, to: number, length: number): void {
    for (let i = 0; i < this.#plan.program.arrays; i++) {
      const [source, target] = [(i * this.#region + from) / 4, (i * this.#region + to) / 4];
      this.#numbers.copyWithin(target, source, source + length);
    }
  }

  /** Adds cotangents to the gradient's rows that were looked up, which are zero before. */
  async #gather(
    { parameter, width, gradient }: Place,
    lookups: readonly { readonly indices: string; readonly cotangents: string }[],
    results: ReadonlyMap<string, Resident>,
  ): Promise<readonly number[]> {
    const count = parameter.entry.shape[0]!;
    const rows: number[] = [];
    const seen = new Uint8Array(count);
    for (const names of lookups) {
      const indices = (await this.#engine.download(results.get(names.indices)!)).data as BigInt64Array;
      const cotangents = (await this.#engine.download(results.get(names.cotangents)!)).data as Float32Array;
      for (let i = 0; i < indices.length; i++) {
        const index = Number(indices[i]);
        const row = index < 0 ? index + count : index;
        if (seen[row] === 0) rows.push(row);
        seen[row] = 1;
        addRow(gradient, row * width, cotangents, i * width, width);
      }
    }
    return rows;
  }
}

/** `a[at + i] += b[from + i]`, four numbers a turn: more than twice as fast as one. */
function addRow(a: Float32Array, at: number, b: Float32Array, from: number, length: number): void {
  let [to, i] = [at, from];
  const whole = from + (length & ~3);
  for (; i < whole; i += 4, to += 4) {
    a[to]! += b[i]!;
    a[to + 1]! += b[i + 1]!;
    a[to + 2]! += b[i + 2]!;
    a[to + 3]! += b[i + 3]!;
  }
  for (; i < from + length; i++, to++) a[to]! += b[i]!;
}
