// Parameters and what the optimizer keeps of them, in memory that updates are done in.
//
// Few parameters that are updated whole have two places and go to the other with each update. The model's threads have left
// copies of what they read last in their processors' caches, and to write over what another processor has a copy of takes longer
// than to write elsewhere: of 1.3 M parameters, updates by Adam take 1.9 ms of a step of two threads where they lie, 1.1 ms so.

import { sizeOf, Tensor } from "../base/tensor.ts";
import type { Engine, Resident } from "../engine/engine.ts";
import { type CompiledElementwise, compileElementwise } from "../engine/wasm/elementwise.ts";
import { Arena, arenaBytes } from "../engine/wasm/memory.ts";
import type { Knobs } from "../optim/optimizer.ts";
import { LookedUp, type Lookup } from "./looked-up.ts";
import type { UpdatePlan } from "./step.ts";
import { blockBytes, blockRows, GRADIENT, PARAMETER, roomBytes } from "./update.ts";

type Parameter = UpdatePlan["parameters"][number];
type Lookups = Extract<Parameter["gradient"], { readonly lookups: unknown }>["lookups"];

/** So many bytes of parameters have another place. Of more hardly any are left in a cache: it would be memory for nothing. */
const MOST_MOVED = 2 ** 24;

/** A table that is only looked up in. */
interface Table {
  readonly lookups: Lookups;
  readonly rows: number;
  readonly rowBytes: number;
  /** How many rows are updated at once. */
  readonly atOnce: number;
  /** Where each array of it begins; of the gradient, where a block of it is put. */
  readonly starts: readonly number[];
  readonly gradient: LookedUp;
}

/**
 * Updates parameters in place. Memory has one region an array: all parameters, all gradients, and so on. Tables that are only
 * looked up in lie behind the others, have one place and no gradients: they are updated in blocks of rows, one after another,
 * and the gradient of a block is added up in a piece of memory that stays in the cache.
 */
export class InPlaceUpdate {
  /** Parameters by name, as the engine has them: what the model reads until the next update. */
  readonly parameters = new Map<string, Resident>();
  /** Those that have another place, there. */
  readonly #elsewhere = new Map<string, Resident>();
  /** What the optimizer keeps of them, by name. */
  readonly kept = new Map<string, Resident>();
  /** Where the model writes gradients, by output. */
  readonly #outputs = new Map<string, Resident>();
  /** Where it writes what it gives of lookups in a batch; null for what there is no room for yet. */
  readonly #lookedUp = new Map<string, Resident | null>();
  readonly #plan: UpdatePlan;
  readonly #engine: Engine;
  readonly #run: CompiledElementwise;
  /** All of the memory. */
  readonly #numbers: Float32Array<ArrayBuffer>;
  /** Where the arrays of what is updated whole begin, and how many bytes each has. */
  readonly #whole: { readonly starts: number[]; readonly bytes: number };
  readonly #tables: readonly Table[];
  /** Where each array has room for a row; of the gradient it is that of a block. */
  readonly #room: readonly number[];

  constructor(plan: UpdatePlan, engine: Engine, initial: ReadonlyMap<string, Tensor>) {
    this.#plan = plan;
    this.#engine = engine;
    const whole = plan.parameters.filter(({ gradient }) => "whole" in gradient);
    const tables = plan.parameters.filter(({ gradient }) => "lookups" in gradient);
    const bytesOf = (parameters: readonly Parameter[]) =>
      parameters.reduce((sum, { entry }) => sum + arenaBytes(sizeOf(entry.shape)), 0);
    const [bytes, all] = [bytesOf(whole), bytesOf(plan.parameters)];
    const shapes = tables.map(({ entry }) => entry.shape);
    const updated = plan.program.arrays - 1;
    const begins = [0];
    for (let i = 0; i < updated; i++) {
      const size = i === GRADIENT ? bytes + blockBytes(shapes) : all + roomBytes(shapes);
      begins.push(begins[i]! + size);
    }
    const moves = bytes <= MOST_MOVED;
    const arena = new Arena(begins[updated]! + (moves ? bytes : 0));
    if (!moves) begins[updated] = begins[PARAMETER]!;
    this.#run = compileElementwise(plan.program, arena);
    this.#numbers = arena.array(0, arena.size / 4);
    this.#whole = { starts: begins, bytes };
    /** Where the arrays of a table begin that has these bytes before it, and where the updated one is written. */
    const startsBehind = (before: number) => {
      const starts = begins.map((begin, i) => begin + (i === GRADIENT ? bytes : before));
      return starts.with(updated, starts[PARAMETER]!);
    };
    this.#room = startsBehind(all);

    let offset = 0;
    const place = ({ entry, kept, gradient }: Parameter): readonly number[] => {
      const starts = "whole" in gradient ? begins.map((begin) => begin + offset) : startsBehind(offset);
      const length = sizeOf(entry.shape);
      offset += arenaBytes(length);
      [entry, ...kept].forEach(({ name, shape, initial: filling }, i) => {
        const data = arena.array(starts[i === 0 ? PARAMETER : GRADIENT + i]!, length);
        const from = initial.get(name);
        // Memory that nobody has written is zero, and takes no time until it is.
        if (from) data.set(from.data as Float32Array);
        else if (filling) data.fill(filling);
        const residents = i === 0 ? this.parameters : this.kept;
        residents.set(name, engine.upload(new Tensor("float32", shape, data)));
      });
      const fresh = (array: number, shape: readonly number[]) =>
        engine.upload(new Tensor("float32", shape, arena.array(starts[array]!, length)));
      if ("whole" in gradient) {
        this.#outputs.set(gradient.whole, fresh(GRADIENT, gradient.shape));
        if (moves) this.#elsewhere.set(entry.name, fresh(updated, entry.shape));
      }
      return starts;
    };
    for (const parameter of whole) place(parameter);
    this.#tables = tables.map((parameter) => {
      const { lookups } = parameter.gradient as { readonly lookups: Lookups };
      const [rows, ...row] = parameter.entry.shape as [number, ...number[]];
      const width = sizeOf(row);
      const atOnce = plan.sparse ? 1 : blockRows(4 * width);
      return {
        lookups,
        rows,
        rowBytes: 4 * width,
        atOnce,
        starts: place(parameter),
        gradient: new LookedUp(rows, width, atOnce),
      };
    });
  }

  /**
   * Where a run of the model shall write to; null for what it must make room for itself.
   *
   * @param fresh whether the batch has other lengths than the last one.
   */
  outputs(fresh: boolean): ReadonlyMap<string, Resident | null> {
    if (fresh) {
      for (const { indices, cotangents } of this.#tables.flatMap(({ lookups }) => lookups)) {
        this.#lookedUp.set(indices, null).set(cotangents, null);
      }
    }
    return new Map([...this.#outputs, ...this.#lookedUp]);
  }

  /** Updates every parameter by the gradients that a run of the model has written. */
  async run(results: ReadonlyMap<string, Resident>, knobs: Knobs): Promise<void> {
    const scalars = this.#plan.knobs.map((name) => knobs[name]!);
    this.#run(this.#whole.bytes, this.#whole.starts, scalars);
    this.#move();
    for (const table of this.#tables) {
      await this.#takeLookups(table, results);
      this.#updateTable(table, scalars);
    }
  }

  /** Parameters that have been written elsewhere are there now, and go back with the next update. */
  #move(): void {
    const { starts } = this.#whole;
    [starts[PARAMETER], starts[starts.length - 1]] = [starts.at(-1)!, starts[PARAMETER]!];
    for (const [name, resident] of this.#elsewhere) {
      this.#elsewhere.set(name, this.parameters.get(name)!);
      this.parameters.set(name, resident);
    }
  }

  async #takeLookups({ lookups, gradient }: Table, results: ReadonlyMap<string, Resident>): Promise<void> {
    const engine = this.#engine;
    const given: Lookup[] = [];
    for (const { indices, cotangents } of lookups) {
      this.#lookedUp.set(indices, results.get(indices)!);
      given.push({
        indices: await engine.download(results.get(indices)!),
        cotangents: await engine.download(results.get(cotangents)!),
      });
    }
    gradient.take(given).forEach((placed, i) => {
      if (placed !== given[i]!.cotangents) this.#lookedUp.set(lookups[i]!.cotangents, engine.upload(placed));
    });
  }

  /** Updates a table block by block, or only the rows that were looked up, where the others stay as they are. */
  #updateTable({ rows, rowBytes, atOnce, starts, gradient }: Table, scalars: readonly number[]): void {
    const { sparse } = this.#plan;
    const block = this.#numbers.subarray(starts[GRADIENT]! / 4, (starts[GRADIENT]! + atOnce * rowBytes) / 4);
    let zero = false;
    for (let first = 0; first < rows; first += atOnce) {
      const count = Math.min(atOnce, rows - first);
      const touched = gradient.has(first, count);
      if (sparse && !touched) continue;
      if (touched) block.set(gradient.sum(first, count));
      else if (!zero) block.fill(0);
      zero = !touched;
      const from = starts.map((start, i) => (i === GRADIENT ? start : start + first * rowBytes));
      if (sparse) this.#updateRow(from, rowBytes, scalars);
      else this.#run(arenaBytes(count * (rowBytes / 4)), from, scalars);
    }
  }

  /** Updates one row: where it lies if it is whole vectors, else in a copy with room for that. */
  #updateRow(from: readonly number[], bytes: number, scalars: readonly number[]): void {
    const whole = arenaBytes(bytes / 4);
    if (whole === bytes) {
      this.#run(bytes, from, scalars);
      return;
    }
    this.#copy(from, this.#room, bytes);
    this.#run(whole, this.#room, scalars);
    this.#copy(this.#room, from, bytes);
  }

  /** Copies so many bytes of every array. */
  #copy(from: readonly number[], to: readonly number[], bytes: number): void {
    from.forEach((start, i) => {
      this.#numbers.copyWithin(to[i]! / 4, start / 4, (start + bytes) / 4);
    });
  }
}
