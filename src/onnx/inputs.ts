// What a file's graph is fed: inputs and the lengths of their axes, some of which a reader may fix.

import type { ValueInfoProto } from "onnx-buf";
import { ArborizeError, didYouMean } from "../base/errors.ts";
import type { Tensor } from "../base/tensor.ts";
import type { Graph, Value } from "../graph/graph.ts";
import type { ValueType } from "../graph/operator.ts";
import {
  type Dim,
  isStatic,
  lengthReader,
  resolveDim,
  shapeText,
  symbolOf,
  symbolsOf,
} from "../graph/shape.ts";
import { dtypeOfOnnx } from "../ops/cast.ts";

/** What a reader knows more than the file. */
export interface Fixed {
  /** Lengths of axes that have a name in the file, by that name: `{ batch: 4 }`. Default: they stay open. */
  readonly axes?: Readonly<Record<string, number>> | undefined;
  /** Inputs that are always the same, by name: they become constants. Default: none. */
  readonly inputs?: Readonly<Record<string, Tensor>> | undefined;
}

/**
 * Declares the inputs of a file, by name; those that are fixed are constants.
 *
 * @throws `bad_option` when something is fixed that the file does not have, or that does not fit.
 */
export function declareInputs(
  graph: Graph,
  given: readonly ValueInfoProto[],
  { axes = {}, inputs = {} }: Fixed,
): Map<string, Value> {
  const readLength = lengthReader(given.flatMap(namedLengths));
  const types = given.map((info) => ({ name: info.name, ...typeOf(info, readLength) }));
  const lengths = lengthsOf(axes, new Set(types.flatMap(({ shape }) => shape.flatMap(symbolsOf))));
  const names = given.map(({ name }) => name);
  const unknown = Object.keys(inputs).find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownName("input", unknown, names);
  return new Map(
    types.map(({ name, dtype, shape: open }) => {
      const shape = open.map((dim) => fixedLength(dim, lengths));
      const tensor = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      if (!tensor) return [name, graph.input(name, dtype, shape)];
      const fits =
        tensor.shape.length === shape.length &&
        shape.every((dim, i) => !isStatic(dim) || dim === tensor.shape[i]);
      if (tensor.dtype === dtype && fits) return [name, graph.constant(tensor, name)];
      throw new ArborizeError(
        "bad_option",
        `inputs.${name} is ${tensor}, the file's input "${name}" is ${dtype}${shapeText(shape)}.`,
      );
    }),
  );
}

function lengthsOf(axes: NonNullable<Fixed["axes"]>, symbols: ReadonlySet<string>): Map<string, number> {
  return new Map(
    Object.entries(axes).map(([name, length]) => {
      if (!symbols.has(symbolOf(name))) throw unknownName("axis", name, [...symbols]);
      if (Number.isInteger(length) && length >= 1) return [symbolOf(name), length];
      throw new ArborizeError("bad_option", `axes.${name} is ${length}: a length is a whole number from 1.`);
    }),
  );
}

function fixedLength(dim: Dim, lengths: ReadonlyMap<string, number>): Dim {
  const symbols = symbolsOf(dim);
  const open = symbols.filter((symbol) => !lengths.has(symbol));
  if (open.length === symbols.length) return dim;
  if (open.length === 0) return resolveDim(dim, lengths);
  throw new ArborizeError(
    "bad_option",
    `An axis has the length ${dim}: axes must fix ${open.join(", ")} as well.`,
  );
}

function unknownName(kind: string, name: string, known: readonly string[]): ArborizeError {
  const there = known.length > 0 ? known.join(", ") : "none";
  return new ArborizeError(
    "bad_option",
    `The file has no ${kind} "${name}" that could be fixed; there is ${there}.${didYouMean(name, known)}`,
  );
}

/** The lengths of an input that have names. */
function namedLengths({ type }: ValueInfoProto): string[] {
  const dims = type?.value.case === "tensorType" ? (type.value.value.shape?.dim ?? []) : [];
  return dims.flatMap(({ value }) => (value.case === "dimParam" && value.value !== "" ? [value.value] : []));
}

function typeOf({ name, type }: ValueInfoProto, readLength: (text: string) => Dim): ValueType {
  if (type?.value.case !== "tensorType") {
    throw new ArborizeError("invalid_graph", `input "${name}" is not a tensor.`);
  }
  const { elemType, shape } = type.value.value;
  const dims = (shape?.dim ?? []).map(({ value }, axis): Dim => {
    // Some exporters write -1 for a length that varies.
    if (value.case === "dimValue" && value.value >= 0n) return Number(value.value);
    return value.case === "dimParam" && value.value !== ""
      ? readLength(value.value)
      : symbolOf(`${name}_${axis}`);
  });
  return { dtype: dtypeOfOnnx(elemType), shape: dims };
}
