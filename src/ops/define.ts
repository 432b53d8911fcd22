// How an operator is defined: one literal with its shape rule and its gradient rule side by side.
// A forgotten rule, or a gradient too few, does not compile.

import { ArborizeError } from "../base/errors.ts";
import { type DType, Tensor } from "../base/tensor.ts";
import { numbersOf } from "../graph/content.ts";
import type { Graph, Node, Value } from "../graph/graph.ts";
import type { AttributeKind, Attributes, Contents, Operator, ValueType } from "../graph/operator.ts";
import { broadcastShapes, shapeText } from "../graph/shape.ts";

type Schema = Readonly<Record<string, AttributeKind>>;
type Inputs = readonly (Value | null | undefined)[];

interface AttributeTypes {
  int: number;
  float: number;
  string: string;
  ints: readonly number[];
  floats: readonly number[];
  strings: readonly string[];
  tensor: Tensor;
  graph: Graph;
}

type AttributesOf<S extends Schema> = { readonly [K in keyof S]?: AttributeTypes[S[K]] | undefined };

/** A node as its gradient rule sees it: inputs and attributes typed by the definition. */
export interface NodeOf<S extends Schema, I extends Inputs> {
  readonly inputs: I;
  readonly attributes: AttributesOf<S>;
  readonly outputs: readonly Value[];
  readonly output: Value;
}

/** What a definition states; see `Operator` for the meaning of each field. */
export interface OperatorDefinition<S extends Schema, I extends Inputs> {
  readonly type: string;
  readonly domain?: string;
  readonly since: number;
  readonly attributes?: S;
  readonly infer: (inputs: I, attributes: AttributesOf<S>) => readonly ValueType[];
  readonly written?: (node: NodeOf<S, I>) => AttributesOf<S>;
  /**
   * `dy` is the cotangent of the first output; operators of several outputs read `cotangents`, where unused ones are
   * null. One entry per input: its cotangent, or null for an input that nothing flows to.
   */
  readonly gradient:
    | ((
        dy: Value,
        node: NodeOf<S, I>,
        cotangents: readonly (Value | null)[],
      ) => { readonly [K in keyof I]: Value | null | undefined })
    | { readonly nondifferentiable: string };
  /** How shapes are followed through it, for operators that compute them. */
  readonly evaluate?: ((inputs: Contents, node: NodeOf<S, I>) => Contents | null) | undefined;
  readonly broadcasts?: boolean;
  readonly variadicOutputs?: boolean;
  readonly deterministic?: boolean;
}

/** A defined operator: what nodes hold, and `emit` to append one. */
export interface DefinedOperator<S extends Schema, I extends Inputs> extends Operator {
  emit(inputs: I, attributes?: AttributesOf<S>): Node;
}

/** Defines an operator. Its public function, just above the definition, calls `emit`. */
export function defineOperator<const S extends Schema = Record<never, never>, I extends Inputs = Inputs>(
  definition: OperatorDefinition<S, I>,
): DefinedOperator<S, I> {
  const { gradient, written, evaluate } = definition;
  const operator: DefinedOperator<S, I> = {
    type: definition.type,
    domain: definition.domain ?? "",
    since: definition.since,
    attributes: definition.attributes ?? {},
    broadcasts: definition.broadcasts ?? false,
    variadicOutputs: definition.variadicOutputs ?? false,
    deterministic: definition.deterministic ?? true,
    evaluate: evaluate ? (inputs, node) => evaluate(inputs, node as unknown as NodeOf<S, I>) : null,
    infer: (inputs, attributes) => definition.infer(inputs as unknown as I, attributes as AttributesOf<S>),
    written: written && ((node) => written(node as unknown as NodeOf<S, I>) as Attributes),
    gradient:
      typeof gradient === "function"
        ? (cotangents, node) =>
            gradient(cotangents[0] as Value, node as unknown as NodeOf<S, I>, cotangents).map(
              (dx) => dx ?? null,
            )
        : gradient,
    emit(inputs, attributes) {
      const first = inputs.find((input) => input);
      if (!first) throw new ArborizeError("missing_input", `${definition.type} needs at least one input.`);
      return first.graph.add(
        operator,
        inputs.map((input) => input ?? null),
        attributes as Attributes,
      );
    },
  };
  return operator;
}

/** The constant `value` in the element type of `like`. */
export function scalar(like: Value, value: number): Value {
  return like.graph.constant(Tensor.full([], value, like.dtype));
}

/** An int64 scalar constant in the graph of `like`. */
export function int64(like: Value, value: number): Value {
  return like.graph.constant(Tensor.of([], [value], "int64"));
}

/** An int64 vector constant in the graph of `like`: axes, sizes, shapes. */
export function int64s(like: Value, values: readonly number[]): Value {
  return like.graph.constant(Tensor.of([values.length], values, "int64"));
}

/** The numbers of an input that must be known when the graph is built, such as axes; undefined for an absent one. */
export function constantInts(value: Value | null | undefined, what: string): readonly number[] | undefined {
  if (!value) return undefined;
  const numbers = numbersOf(value);
  if (numbers) return numbers;
  throw new ArborizeError(
    "invalid_graph",
    `its ${what} must be known when the graph is built, "${value.name}" is computed`,
  );
}

/** Checks a rule of shapes. @throws `shape_mismatch` with `message()`. */
export function expectShape(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new ArborizeError("shape_mismatch", message());
}

/** Checks that a value broadcasts to the shape of another and not the other way. @throws `shape_mismatch`. */
export function expectBroadcastTo(like: Value, value: Value | null | undefined): void {
  const leading = like.rank - (value?.rank ?? 0);
  expectShape(
    !value?.shape.some((dim, axis) => dim !== 1 && dim !== like.shape[leading + axis]) && leading >= 0,
    () => `"${value!.name}" ${shapeText(value!.shape)} does not broadcast to ${shapeText(like.shape)}`,
  );
}

/** Element types that operators take, as far as they are supported here. */
const KINDS = {
  floating: ["float32", "float64"],
  /** What reductions and powers take: numbers of 8 bits are not among them. */
  wide: ["float32", "float64", "int32", "int64"],
  signed: ["float32", "float64", "int8", "int32", "int64"],
  numeric: ["float32", "float64", "int8", "int32", "int64", "uint8"],
  ordered: ["float32", "float64", "int8", "int32", "int64", "uint8", "bool"],
  integer: ["int8", "int32", "int64", "uint8"],
  unsigned: ["uint8"],
  boolean: ["bool"],
} as const satisfies Readonly<Record<string, readonly DType[]>>;

/** A group of element types. */
export type Kind = keyof typeof KINDS;

/** Checks that values have one element type, of the given kind. @throws `dtype_mismatch`. */
export function expectKind(kind: Kind, ...values: readonly (Value | null | undefined)[]): void {
  const given = values.filter((value) => value) as Value[];
  const types: readonly DType[] = KINDS[kind];
  if (given.every(({ dtype }) => dtype === given[0]!.dtype && types.includes(dtype))) return;
  const found = given.map((value) => `${value.dtype}${shapeText(value.shape)}`).join(", ");
  const wanted =
    kind === "floating" ? "one floating element type" : `one element type of ${types.join(", ")}`;
  throw new ArborizeError("dtype_mismatch", `its inputs must share ${wanted}, they are ${found}`);
}

/** Checks that values have one element type, and that it is a floating one. @throws `dtype_mismatch`. */
export function expectFloats(...values: readonly (Value | null | undefined)[]): void {
  expectKind("floating", ...values);
}

/** Checks that a value counts elements. @throws `dtype_mismatch`. */
export function expectIndices(
  { name, dtype, shape }: Value,
  types: readonly DType[] = ["int64", "int32"],
): void {
  if (types.includes(dtype)) return;
  throw new ArborizeError(
    "dtype_mismatch",
    `indices must be ${types.join(" or ")}, "${name}" is ${dtype}${shapeText(shape)}`,
  );
}

/** The common element type and broadcast shape of operands. @throws `dtype_mismatch`, `shape_mismatch`. */
export function inferBroadcast(...values: readonly Value[]): ValueType[] {
  const dtype = values[0]!.dtype;
  if (values.some((value) => value.dtype !== dtype)) {
    const found = values.map((value) => value.dtype).join(" and ");
    throw new ArborizeError("dtype_mismatch", `its inputs must share one element type, they are ${found}`);
  }
  return [{ dtype, shape: broadcastShapes(...values.map((value) => value.shape)) }];
}

/** The shape rule of what keeps type and shape of its input, which is of the given kind. */
export function sameType(kind: Kind): (inputs: [Value]) => ValueType[] {
  return ([x]) => {
    expectKind(kind, x);
    return [{ dtype: x.dtype, shape: x.shape }];
  };
}

/** The shape rule of operands of one type of the given kind that broadcast. */
export function broadcastType(kind: Kind): (operands: readonly Value[]) => ValueType[] {
  return (operands) => {
    expectKind(kind, ...operands);
    return inferBroadcast(...operands);
  };
}

/**
 * Defines an operator of one value that keeps type and shape and has no attributes: `slope` gives dx from dy, x and y, null
 * where the derivative is zero almost everywhere.
 */
export function defineUnary(
  type: string,
  since: number,
  kind: Kind,
  slope: (dy: Value, x: Value, y: Value) => Value | null,
  evaluate?: OperatorDefinition<Record<never, never>, [Value]>["evaluate"],
): DefinedOperator<Record<never, never>, [Value]> {
  return defineOperator({
    type,
    since,
    infer: sameType(kind),
    gradient: (dy, { inputs: [x], output: y }) => [slope(dy, x, y)],
    evaluate,
  });
}

/** Defines an operator of two operands of the given kind that broadcast. */
export function defineBinary(
  type: string,
  since: number,
  kind: Kind,
  slopes: (dy: Value, a: Value, b: Value, y: Value) => readonly [da: Value, db: Value],
  evaluate?: OperatorDefinition<Record<never, never>, [Value, Value]>["evaluate"],
): DefinedOperator<Record<never, never>, [Value, Value]> {
  return defineOperator({
    type,
    since,
    infer: (operands: [Value, Value]) => broadcastType(kind)(operands),
    gradient: (dy, { inputs: [a, b], output: y }) => slopes(dy, a, b, y),
    evaluate,
    broadcasts: true,
  });
}
